"""Weighted sums of neighbours in float64 NumPy, straight from the definition."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def frames(block: NDArray[Any], kernel: NDArray[Any]) -> NDArray[np.float64]:
    """Return each frame correlated with a kernel.

    Parameters
    ----------
    block : ndarray, shape (n, H, W)
    kernel : ndarray, shape (h, w)
        Not turned round: its first weight belongs to the pixel above and to the left.

    Returns
    -------
    ndarray of float64, shape (n, H, W)
        Pixel (r, c) is the sum over a, b of ``kernel[a, b]`` times pixel
        (r + a - (h - 1) // 2, c + b - (w - 1) // 2), or the edge pixel nearest to it.
    """
    _, height, width = block.shape
    down, across = (np.arange(length) - (length - 1) // 2 for length in kernel.shape)
    rows = np.clip(np.arange(height)[:, np.newaxis] + down, 0, height - 1)
    columns = np.clip(np.arange(width)[:, np.newaxis] + across, 0, width - 1)
    result = np.zeros(block.shape)
    for a, weights in enumerate(kernel.astype(np.float64)):
        lines = block[:, rows[:, a]].astype(np.float64)
        for b, weight in enumerate(weights):
            result += weight * lines[:, :, columns[:, b]]
    return result
