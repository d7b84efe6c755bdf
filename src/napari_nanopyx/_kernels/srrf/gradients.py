"""Three-point gradients of an image, in float64 NumPy."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float64]

SMOOTHED_ALONG = 2
SMOOTHED_ACROSS = 1
"""Pixels to each side over which a smoothed gradient is summed."""


def three_point(
    image: Image, border: Literal["replicate", "zero"] = "replicate"
) -> tuple[Image, Image]:
    """Return (row, column) differences of each pixel's two neighbours.

    Beyond the edge stands the edge pixel; with ``"zero"`` the outermost rows and
    columns have no gradient at all.
    """
    padded = np.pad(image, 1, mode="edge")
    row = padded[2:, 1:-1] - padded[:-2, 1:-1]
    column = padded[1:-1, 2:] - padded[1:-1, :-2]
    if border == "zero":
        for gradient in (row, column):
            gradient[[0, -1]] = 0.0
            gradient[:, [0, -1]] = 0.0
    return row, column


def continued(image: Image, pad: int, *, smooth: bool) -> tuple[Image, Image]:
    """Return (row, column) gradients with ``pad`` more pixels on every side.

    Beyond the image a gradient goes on as it is at the edge. Smoothing then sums it
    over five pixels along its direction and three across.
    """
    more = pad + (SMOOTHED_ALONG if smooth else 0)
    row, column = (np.pad(g, more, mode="edge") for g in three_point(image))
    if not smooth:
        return row, column
    along, across = SMOOTHED_ALONG, SMOOTHED_ACROSS
    row = _summed(_summed(row, 0, along, along), 1, across, along)
    column = _summed(_summed(column, 1, along, along), 0, across, along)
    return row, column


def _summed(values: Image, axis: int, reach: int, cut: int) -> Image:
    """Sum over neighbours along an axis, and cut off its ends."""
    values = np.moveaxis(values, axis, 0)
    length = len(values) - 2 * cut
    starts = range(cut - reach, cut + reach + 1)
    total = sum(values[start : start + length] for start in starts)
    return np.moveaxis(np.asarray(total), 0, axis)
