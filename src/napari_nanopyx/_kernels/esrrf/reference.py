"""Computes eSRRF frames in float64 NumPy, straight from the formulas."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import catmull_rom
from napari_nanopyx._kernels.declaration import Partial
from napari_nanopyx._kernels.esrrf import gradients
from napari_nanopyx._kernels.magnify import reference as magnify
from napari_nanopyx._kernels.totals import Statistic

Image = NDArray[np.float64]

FWHM_PER_SIGMA = 2.355


def frames(
    block: NDArray[Any],
    *,
    magnification: int,
    radius: float,
    sensitivity: float,
    gradient: gradients.Operator = "roberts",
    interpolation: gradients.Interpolation = "catmull_rom",
    border: Literal["extend", "zero"] = "extend",
    intensity_weighting: bool = True,
    shifts: NDArray[np.float64] | None = None,
    profile: magnify.Profile = "P",
) -> NDArray[np.float64]:
    """Return the eSRRF image of each frame, before any temporal analysis.

    Parameters
    ----------
    block : ndarray, shape (n, H, W)
    magnification : int
    radius, sensitivity : float
    gradient, interpolation, border : str
    intensity_weighting : bool
        As in `napari_nanopyx.esrrf`.
    shifts : ndarray of float64, shape (n, 2) or (1, 2), optional
        How far to move the content of each frame, as (row, column) in input pixels.
    profile : {"P", "C"}
        P as published; C reproduces nanopyx 2.1.5 with Catmull-Rom interpolation and
        is for tests only.

    Returns
    -------
    ndarray of float64, shape (n, M * H, M * W)
    """
    count, *size = block.shape
    result = np.empty((count, *(magnification * length for length in size)))
    margin = 0.0
    if border == "zero" or profile == "C":
        margin = math.floor(radius * magnification) / magnification
    shifts = np.zeros((1, 2)) if shifts is None else shifts
    for output, raw, shift in zip(
        result, block, np.broadcast_to(shifts, (count, 2)), strict=True
    ):
        image = raw.astype(np.float64)
        y, x = (
            catmull_rom.coordinates(magnification * length, magnification, s)
            for length, s in zip(size, shift, strict=True)
        )
        if profile == "C":
            lattice = gradients.corner_lattice(image, magnification)
        elif interpolation == "fourier":
            reach = _reach(radius, profile)
            lattice = gradients.fourier_lattice(image, gradient, reach)
        else:
            reach = _reach(radius, profile)
            lattice = gradients.centred_lattice(image, gradient, reach)
        value = convergence(lattice, y, x, radius, profile)
        if profile == "P" or sensitivity > 1.0:
            value **= sensitivity
        if intensity_weighting:
            m = magnification
            frame = raw[np.newaxis]
            value *= magnify.frames(frame, m, m, shift, profile, interpolation)[0]
        inside_y, inside_x = (
            catmull_rom.inside(points, length, margin)
            for points, length in zip((y, x), size, strict=True)
        )
        output[...] = np.where(inside_y[:, np.newaxis] & inside_x, value, 0.0)
    return result


def convergence(
    lattice: gradients.Lattice,
    y: NDArray[np.float64],
    x: NDArray[np.float64],
    radius: float,
    profile: magnify.Profile = "P",
) -> Image:
    """Return how well the gradients around each point (y, x) aim at it, from 0 to 1."""
    sigma = radius / FWHM_PER_SIGMA
    farthest = 2.0 * sigma + 1.0
    window = _reach(radius, profile)
    nearest_y, nearest_x = np.floor(2.0 * y), np.floor(2.0 * x)
    total = np.zeros((len(y), len(x)))
    weights = np.zeros((len(y), len(x)))
    for j in range(-window, window + 1):
        k_y = nearest_y + j
        dy = (k_y / 2.0 - y)[:, np.newaxis]
        rows_y = lattice.row[_entries(k_y, lattice.row.shape[0], lattice.origin)]
        rows_x = lattice.column[_entries(k_y, lattice.column.shape[0], lattice.origin)]
        for i in range(-window, window + 1):
            k_x = nearest_x + i
            dx = k_x / 2.0 - x
            distance = np.hypot(dy, dx)
            keep = (distance > 0.0) & (distance <= farthest)
            if profile == "C":
                keep &= (k_y > 0)[:, np.newaxis] & (k_x > 0)
            weight = (distance * np.exp(-(distance**2) / (2.0 * sigma**2))) ** 4
            weight[~keep] = 0.0
            weights += weight
            columns = _entries(k_x, lattice.row.shape[1], lattice.origin)
            g_y, g_x = rows_y[:, columns], rows_x[:, columns]
            length = np.hypot(g_y, g_x) * distance
            aims = g_x * dx + g_y * dy < 0.0
            with np.errstate(invalid="ignore", divide="ignore"):
                miss = np.abs(g_y * dx - g_x * dy) / length
            total += np.where(aims & keep, weight * (1.0 - miss), 0.0)
    ratio = np.divide(total, weights, out=np.zeros_like(total), where=weights > 0.0)
    return np.maximum(ratio, 0.0)


def _reach(radius: float, profile: magnify.Profile) -> int:
    """Return how many half-pixel steps the window reaches to each side.

    That of the older package reaches further to one side of points off the lattice, so
    that mirrored images give other results.
    """
    if profile == "C":
        return math.floor(2.0 * radius)
    return math.floor(2.0 * (2.0 * radius / FWHM_PER_SIGMA + 1.0)) + 1


def _entries(k: NDArray[np.float64], length: int, origin: int) -> NDArray[np.intp]:
    """Return where lattice positions are stored, the nearest one if beyond the end."""
    return np.clip(k.astype(np.intp) + origin, 0, length - 1)


def partial(stack: Image, magnification: int, statistic: Statistic) -> Partial:
    """Return the moments of eSRRF frames (n, M * H, M * W), phase by phase."""
    count, rows, columns = stack.shape
    m = magnification
    cells = stack.reshape(count, rows // m, m, columns // m, m)
    phases = cells.transpose(0, 2, 4, 1, 3).reshape(
        count, m * m, rows // m, columns // m
    )
    return moments(phases, statistic)


def moments(phases: Image, statistic: Statistic) -> Partial:
    """Return the moments over the first axis, as the kernels leave them behind."""
    if statistic == "AVG":
        return {"sum": phases.sum(axis=0)}
    shifted = phases - phases[0]
    result = {"first": phases[0].copy(), "sum": shifted.sum(axis=0)}
    if statistic == "TAC2":
        result["lag"] = (shifted[:-1] * shifted[1:]).sum(axis=0)
        result["last"] = shifted[-1].copy()
    else:
        result["squares"] = (shifted**2).sum(axis=0)
    return result
