"""Computes 3-D eSRRF volumes in float64 NumPy, straight from the formulas."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import catmull_rom
from napari_nanopyx._kernels.declaration import Partial
from napari_nanopyx._kernels.esrrf.gradients import halved
from napari_nanopyx._kernels.esrrf.reference import FWHM_PER_SIGMA, moments
from napari_nanopyx._kernels.esrrf.tables import farthest, window_half_width
from napari_nanopyx._kernels.esrrf_3d.tables import Window
from napari_nanopyx._kernels.totals import Statistic

Volume = NDArray[np.float64]


class Lattice(NamedTuple):
    """Unit gradients: entry ``k + origin`` belongs to the half pixel ``k / 2``.

    Along the axis, entry ``n + origin_z`` belongs to the centre of plane ``n``.
    """

    column: Volume
    row: Volume
    plane: Volume
    origin: int
    origin_z: int


def volumes(
    block: NDArray[Any],
    *,
    magnification: int,
    magnification_z: int,
    window: Window,
    sensitivity: float,
    intensity_weighting: bool = True,
) -> NDArray[np.float64]:
    """Return the eSRRF volume of each frame, before any temporal analysis.

    Parameters
    ----------
    block : ndarray, shape (n, Z, H, W)
    magnification, magnification_z : int
    window : Window
    sensitivity : float
    intensity_weighting : bool
        As in `napari_nanopyx.esrrf_3d`.

    Returns
    -------
    ndarray of float64, shape (n, Mz * Z, M * H, M * W)
    """
    factors = (magnification_z, magnification, magnification)
    points = [
        catmull_rom.coordinates(factor * length, factor, 0.0)
        for length, factor in zip(block.shape[1:], factors, strict=True)
    ]
    result = []
    for raw in block:
        value = convergence(lattice(raw.astype(np.float64), window), points, window)
        value **= sensitivity
        if intensity_weighting:
            value *= intensity(raw.astype(np.float64), points)
        result.append(value)
    return np.stack(result)


def lattice(volume: Volume, window: Window) -> Lattice:
    """Return the directions of the gradients, edge voxels continued."""
    pad = window_half_width(window.radius) + 3
    pad_z = window.reach_z + 1
    extended = np.pad(volume, ((pad_z,) * 2, (pad,) * 2, (pad,) * 2), mode="edge")
    inner, left, right = slice(1, -1), slice(None, -2), slice(2, None)
    plane, row, column = (
        halved(halved(after - before, 1), 2)
        for before, after in (
            (extended[left, inner, inner], extended[right, inner, inner]),
            (extended[inner, left, inner], extended[inner, right, inner]),
            (extended[inner, inner, left], extended[inner, inner, right]),
        )
    )
    plane = plane / window.voxel_ratio
    length = np.sqrt(column**2 + row**2 + plane**2)
    length[length == 0] = 1.0
    origin = 2 * (pad - 1) - 1
    return Lattice(column / length, row / length, plane / length, origin, pad_z - 1)


def convergence(gradients: Lattice, points: Sequence[Volume], window: Window) -> Volume:
    """Return how well the gradients around each point aim at it, from 0 to 1."""
    z, y, x = points
    sigma, sigma_z = window.radius / FWHM_PER_SIGMA, window.radius_z / FWHM_PER_SIGMA
    reach = window_half_width(window.radius)
    steps = range(-reach, reach + 1)
    total = np.zeros((len(z), len(y), len(x)))
    weights = np.zeros_like(total)
    for k, j, i in product(range(-window.reach_z, window.reach_z + 1), steps, steps):
        plane = np.floor(z) + k
        row, column = np.floor(2 * y) + j, np.floor(2 * x) + i
        at_z = plane + 0.5 if window.reach_z else z
        dz = (at_z - z)[:, np.newaxis, np.newaxis]
        dy, dx = (row / 2 - y)[:, np.newaxis], column / 2 - x
        axial = window.voxel_ratio * dz
        distance = np.sqrt(dx**2 + dy**2 + axial**2)
        share = (distance * np.exp(-(dx**2 + dy**2) / (2 * sigma**2))) ** 4
        if window.reach_z:
            share = share * np.exp(-(dz**2) / (2 * sigma_z**2)) ** 4
        near = np.hypot(dy, dx) <= farthest(window.radius)
        share[~(near & (np.abs(dz) <= farthest(window.radius_z)))] = 0.0
        if not share.any():
            continue
        weights += share
        entry = np.ix_(
            plane.astype(int) + gradients.origin_z,
            row.astype(int) + gradients.origin,
            column.astype(int) + gradients.origin,
        )
        g_x, g_y, g_z = (each[entry] for each in gradients[:3])
        aims = g_x * dx + g_y * dy + g_z * axial < 0.0
        with np.errstate(invalid="ignore", divide="ignore"):
            miss = (
                np.sqrt(
                    (g_y * axial - g_z * dy) ** 2
                    + (g_z * dx - g_x * axial) ** 2
                    + (g_x * dy - g_y * dx) ** 2
                )
                / distance
            )
        total += np.where(aims & (share > 0), share * (1.0 - miss), 0.0)
    ratio = np.divide(total, weights, out=np.zeros_like(total), where=weights > 0.0)
    return np.maximum(ratio, 0.0)


def intensity(volume: Volume, points: Sequence[Volume]) -> Volume:
    """Return the volume between its voxels: Catmull-Rom, and linear along the axis."""
    z, y, x = points
    rows, row_weights = catmull_rom.taps_at(volume.shape[1], y)
    columns, column_weights = catmull_rom.taps_at(volume.shape[2], x)
    first = np.floor(z - 0.5).astype(int)
    share = (z - 0.5 - first)[:, np.newaxis, np.newaxis]
    last = len(volume) - 1
    planes = (1.0 - share) * volume[np.clip(first, 0, last)]
    planes += share * volume[np.clip(first + 1, 0, last)]
    planes = np.einsum("zktx,kt->zkx", planes[:, rows], row_weights)
    result: Volume = np.einsum("zykt,kt->zyk", planes[:, :, columns], column_weights)
    return result


def partial(
    stack: Volume, factors: tuple[int, int, int], statistic: Statistic
) -> Partial:
    """Return the moments of eSRRF volumes (n, Mz * Z, M * H, M * W), phase by phase."""
    count = len(stack)
    m_z, m, _ = factors
    depth, height, width = (
        length // factor
        for length, factor in zip(stack.shape[1:], factors, strict=True)
    )
    cells = stack.reshape(count, depth, m_z, height, m, width, m)
    phases = cells.transpose(0, 2, 4, 6, 1, 3, 5).reshape(
        count, m_z * m * m, depth, height, width
    )
    return moments(phases, statistic)
