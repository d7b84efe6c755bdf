"""Non-local means in float64 NumPy, straight from the definition."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.nlm.patches import Exponential, Patches, similarity


def frame(
    pictures: NDArray[Any],
    times: Sequence[bool],
    patches: Patches,
    distance: int,
    h: float,
    sigma: float,
    exponential: Exponential = "exact",
) -> NDArray[np.float64]:
    """Return one frame without its noise.

    Parameters
    ----------
    pictures : ndarray, shape (D, H, W)
        The frame, in the middle of those before and after it.
    times : sequence of D bool
        Which of them there are.
    patches : Patches
    distance : int
        How many rows and columns away a pixel may lie that is averaged.
    h, sigma : float
        How different alike patches are, and the standard deviation of the noise.
    exponential : str
        How weights are computed.

    Returns
    -------
    ndarray of float64, shape (H, W)
        With h = 0, the image itself.
    """
    pictures = pictures.astype(np.float64)
    image: NDArray[np.float64] = pictures[len(pictures) // 2]
    if h == 0:
        return image
    height, width = image.shape
    border = patches.size // 2 + distance
    framed = np.pad(image, border, mode="reflect")
    inside = np.pad(
        np.ones(image.shape), border, constant_values=patches.mode == "fast"
    )
    total, light = np.zeros(image.shape), np.zeros(image.shape)
    shifts = range(-distance, distance + 1)
    found = [each for each, is_there in zip(pictures, times, strict=True) if is_there]
    for picture, down, across in product(found, shifts, shifts):
        other = np.pad(picture, border, mode="reflect")
        shifted = np.roll(other, (-down, -across), (0, 1))
        squares = (framed - shifted) ** 2
        sums = _sums(squares[distance:, distance:], patches, height, width, h, sigma)
        apart = np.maximum(sums - patches.noise(sigma)[-1], 0) / patches.unit(h)
        here = (slice(border, border + height), slice(border, border + width))
        weight = similarity(apart, exponential)
        weight *= np.roll(inside, (-down, -across), (0, 1))[here]
        light += weight
        total += weight * shifted[here]
    return total / light


def _sums(
    squares: NDArray[np.float64],
    patches: Patches,
    height: int,
    width: int,
    h: float,
    sigma: float,
) -> NDArray[np.float64]:
    """Return the weighted sum over each patch, infinite where it passes a limit."""
    weights = patches.weights.astype(np.float64)
    start = patches.size // 2 - patches.before
    sums = np.zeros((height, width))
    for row, limit in enumerate(patches.limits(h, sigma)):
        lines = squares[start + row : start + row + height]
        for column, weight in enumerate(weights):
            part = lines[:, start + column : start + column + width]
            sums += weights[row] * weight * part
        sums[sums > limit] = np.inf
    return sums
