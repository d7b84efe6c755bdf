"""Samples frames at any points in float64 NumPy, straight from the definition."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import catmull_rom
from napari_nanopyx._kernels.magnify import compat
from napari_nanopyx._kernels.magnify.kernels import Kernel, taps_at
from napari_nanopyx._kernels.magnify.reference import Profile


def frames(
    block: NDArray[Any],
    points: NDArray[np.float64],
    kernel: Kernel | compat.Kernel = "catmull_rom",
    fill: float = 0.0,
    profile: Profile = "P",
) -> NDArray[np.float64]:
    """Return each frame sampled at its points.

    Parameters
    ----------
    block : ndarray, shape (n, H, W)
    points : ndarray of float64, shape (n, 2, P, Q) or (1, 2, P, Q)
        Rows and columns in continuous coordinates.
    kernel : str
        The interpolation, any but ``"fourier"``.
    fill : float
        What lies outside the frame.
    profile : {"P", "C"}

    Returns
    -------
    ndarray of float64, shape (n, P, Q)
    """
    count, height, width = block.shape
    result = np.empty((count, *points.shape[2:]))
    each = np.broadcast_to(points, (count, *points.shape[1:]))
    for frame, image, (rows, columns) in zip(result, block, each, strict=True):
        down, row_weights = _taps(kernel, height, rows, profile)
        across, column_weights = _taps(kernel, width, columns, profile)
        values = image.astype(np.float64)[
            down[..., :, np.newaxis], across[..., np.newaxis, :]
        ]
        mixed = np.einsum("pqij,pqi,pqj->pq", values, row_weights, column_weights)
        outside = ~(
            catmull_rom.inside(rows, height) & catmull_rom.inside(columns, width)
        )
        frame[...] = mixed if profile == "C" else np.where(outside, fill, mixed)
    return result


def _taps(
    kernel: Any, length: int, points: NDArray[np.float64], profile: Profile
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return the samples that each point is made of, and what they weigh."""
    if profile == "C":
        taps, weights = compat.taps_at(kernel, length, points.ravel())
    else:
        first, weights = taps_at(kernel, length, points.ravel())
        taps = first[:, np.newaxis] + np.arange(weights.shape[1])
    shape = (*points.shape, -1)
    return np.clip(taps, 0, length - 1).reshape(shape), weights.reshape(shape)
