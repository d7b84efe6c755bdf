"""Interpolates an image that goes on without end, by its waves.

The shortest waves are left out little by little: of one that turns at every pixel,
samples do not tell the direction in which it is displaced.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROLL_OFF = 0.85
"""Share of the highest frequency from which waves are left out little by little."""


def kept(length: int, finer: int) -> NDArray[np.float64]:
    """Return how much is kept of each wave, from the longest to the shortest.

    All of each where nothing is interpolated.
    """
    count = length // 2 + 1
    if finer == 1:
        return np.ones(count)
    share = np.arange(count) * 2 / length
    over = np.clip((share - ROLL_OFF) / (1 - ROLL_OFF), 0, 1)
    result: NDArray[np.float64] = (1 + np.cos(np.pi * over)) / 2
    return result


def interpolated(
    images: NDArray[np.float32], finer: int, workers: int
) -> NDArray[np.float32]:
    """Return images, (n, *lengths), with so many samples in each pixel."""
    from scipy import fft

    if finer == 1:
        return images
    result = images
    for axis, length in enumerate(images.shape[1:], start=1):
        waves = fft.rfft(result, axis=axis, workers=workers)
        weights = (finer * kept(length, finer)).astype(np.float32)
        waves *= weights.reshape(-1, *(1,) * (images.ndim - 1 - axis))
        result = fft.irfft(waves, finer * length, axis=axis, workers=workers)
    return result
