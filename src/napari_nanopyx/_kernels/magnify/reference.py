"""Shifts and magnifies frames in float64 NumPy, straight from the definition."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import catmull_rom
from napari_nanopyx._kernels.magnify import compat
from napari_nanopyx._kernels.magnify.kernels import Kernel, taps_at

Profile = Literal["P", "C"]
"""P: samples at pixel centres, edges replicated. C: as nanopyx 2.1.5, for tests."""


def frames(
    block: NDArray[Any],
    row_factor: float,
    column_factor: float,
    shifts: NDArray[np.float64],
    profile: Profile = "P",
    kernel: Kernel | compat.Kernel = "catmull_rom",
) -> NDArray[np.float64]:
    """Return each frame sampled on a finer (or coarser) grid.

    Parameters
    ----------
    block : ndarray, shape (n, H, W)
    row_factor, column_factor : float
        Output pixels per input pixel.
    shifts : ndarray of float64, shape (n, 2) or (1, 2)
        How far to move the content of each frame, as (row, column) in input pixels.
    profile : {"P", "C"}
    kernel : str
        The interpolation; profile C has no bilinear and no Fourier one.

    Returns
    -------
    ndarray of float64
        Shape (n, floor(H * row_factor), floor(W * column_factor)), 0 where the source
        lies outside the frame.
    """
    count, height, width = block.shape
    rows = catmull_rom.magnified_length(height, row_factor)
    columns = catmull_rom.magnified_length(width, column_factor)
    result = np.empty((count, rows, columns))
    offset = 0.5 if profile == "P" else 0.0
    for frame, image, (row_shift, column_shift) in zip(
        result, block, np.broadcast_to(shifts, (count, 2)), strict=True
    ):
        points = catmull_rom.coordinates(rows, row_factor, row_shift, offset=offset)
        tall = _interpolated(image.astype(np.float64), points, kernel, profile)
        points = catmull_rom.coordinates(
            columns, column_factor, column_shift, offset=offset
        )
        frame[...] = _interpolated(tall.T, points, kernel, profile).T
    return result


def _interpolated(
    image: NDArray[np.float64],
    points: NDArray[np.float64],
    kernel: Any,
    profile: Profile,
) -> NDArray[np.float64]:
    """Return an image with its rows at other places."""
    if profile == "C":
        taps, weights = compat.taps_at(kernel, len(image), points)
    elif kernel == "fourier":
        return _band_limited(image, points)
    else:
        first, weights = taps_at(kernel, len(image), points)
        unclipped = first[:, np.newaxis] + np.arange(weights.shape[1])
        taps = np.clip(unclipped, 0, len(image) - 1)
    result: NDArray[np.float64] = np.einsum("pkw,pk->pw", image[taps], weights)
    return result


def _band_limited(
    image: NDArray[np.float64], points: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the cosine waves through the samples of each column, at other points.

    The waves go on as the samples mirrored at the ends of the axis.
    """
    length = len(image)
    waves = np.arange(length)
    samples = np.cos(np.pi / length * np.outer(np.arange(length) + 0.5, waves))
    amplitudes = 2.0 / length * samples.T @ image
    amplitudes[0] /= 2.0
    result: NDArray[np.float64] = (
        np.cos(np.pi / length * np.outer(points, waves)) @ amplitudes
    )
    result[~catmull_rom.inside(points, length)] = 0.0
    return result
