"""Computes radiality frames in float64 NumPy, straight from the formulas."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import catmull_rom
from napari_nanopyx._kernels.magnify import reference as magnify
from napari_nanopyx._kernels.srrf import gradients

Image = NDArray[np.float64]

VANISHING = 1e-12
"""A gradient this small beside those it is interpolated from is rounding, and so 0."""


def ring(axes: int) -> NDArray[np.float64]:
    """Return the (column, row) direction of every ring sample, shape (2 * axes, 2).

    Each of the two ends of an axis is a sample. Directions that are mirror images have
    exactly mirrored numbers.
    """
    angles = 2.0 * math.pi * np.arange(2 * axes) / (2 * axes)
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return directions.round(15) + 0.0


def frames(
    block: NDArray[Any],
    *,
    magnification: int,
    ring_radius: float,
    axes: int = 6,
    border: int = 0,
    positivity: bool = True,
    renormalise: bool = False,
    gradient_smoothing: bool = False,
    shifts: NDArray[np.float64] | None = None,
    profile: magnify.Profile = "P",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the radiality and the magnified intensity of each frame.

    Parameters
    ----------
    block : ndarray, shape (n, H, W)
    magnification, ring_radius, axes, border : number
    positivity, renormalise, gradient_smoothing : bool
        As in `napari_nanopyx.srrf`.
    shifts : ndarray of float64, shape (n, 2) or (1, 2), optional
        How far to move the content of each frame, as (row, column) in input pixels.
    profile : {"P", "C"}
        P as published; C reproduces nanopyx 2.1.5 and is for tests only.

    Returns
    -------
    radiality, intensity : ndarray of float64, shape (n, M * H, M * W)
        Both are 0 where the source lies in the margin or outside the frame. In
        profile P no intensity is negative.
    """
    count, *size = block.shape
    m = magnification
    radialities = np.zeros((count, *(m * length for length in size)))
    shifts = np.broadcast_to(np.zeros((1, 2)) if shifts is None else shifts, (count, 2))
    intensities = magnify.frames(block, m, m, shifts, profile)
    if profile == "P":
        np.maximum(intensities, 0.0, out=intensities)
    for radiality, intensity, raw, shift in zip(
        radialities, intensities, block, shifts, strict=True
    ):
        y, x = (
            catmull_rom.coordinates(m * length, m, s)
            for length, s in zip(size, shift, strict=True)
        )
        image = raw.astype(np.float64)
        if profile == "C":
            pad, row, column = 0, *gradients.three_point(image, "zero")
        else:
            pad = math.ceil(ring_radius) + 3
            row, column = gradients.continued(image, pad, smooth=gradient_smoothing)
        value = _ring_mean(row, column, y + pad, x + pad, ring_radius, axes, profile)
        if renormalise:
            value = 0.5 + value / 2.0
        if positivity:
            np.maximum(value, 0.0, out=value)
        inside_y, inside_x = (
            catmull_rom.inside(points, length, 1.0 + border)
            for points, length in zip((y, x), size, strict=True)
        )
        inside = inside_y[:, np.newaxis] & inside_x
        radiality[...] = np.where(inside, value, 0.0)
        intensity[~inside] = 0.0
    return radialities, intensities


def _ring_mean(
    row: Image,
    column: Image,
    y: NDArray[np.float64],
    x: NDArray[np.float64],
    radius: float,
    axes: int,
    profile: magnify.Profile,
) -> Image:
    """Return how well the gradients on a ring aim at its centre (y, x), -1 to 1."""
    total = np.zeros((len(y), len(x)))
    border: catmull_rom.Border = "replicate" if profile == "P" else "drop"
    scale = _largest_of_taps(np.maximum(np.abs(row), np.abs(column)))
    directions = ring(axes)
    for u_x, u_y in directions:
        rows, row_weights = catmull_rom.taps_at(
            row.shape[0], y + radius * u_y, border=border
        )
        columns, column_weights = catmull_rom.taps_at(
            row.shape[1], x + radius * u_x, border=border
        )
        g_y, g_x = (
            np.einsum("pkw,pk->pw", gradient[rows], row_weights)
            for gradient in (row, column)
        )
        g_y, g_x = (
            np.einsum("pqk,qk->pq", tall[:, columns], column_weights)
            for tall in (g_y, g_x)
        )
        norm = np.hypot(g_x, g_y)
        length = np.hypot(norm, VANISHING * scale[np.ix_(rows[:, 0], columns[:, 0])])
        length[length == 0.0] = 1.0
        miss = np.abs(g_y * u_x - g_x * u_y) / length
        aims = np.where(g_x * u_x + g_y * u_y > 0.0, -1.0, 1.0)
        total += aims * ((norm / length) ** 2 - miss) ** 2
    return total / len(directions)


def _largest_of_taps(values: Image) -> Image:
    """Return the largest of the four by four values from each place on."""
    padded = np.pad(values, ((0, 3), (0, 3)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (4, 4))
    largest: Image = windows.max(axis=(2, 3))
    return largest
