"""Finite differences that no kernel needs, in float64 NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float64]

LEAST_PIXELS = 5
"""Along an axis, for the five-point difference."""


def three_point_x(image: Image) -> tuple[Image, Image]:
    """Return (row, column) differences of the four neighbours across the corners.

    Beyond the edge stands the edge pixel.
    """
    padded = np.pad(image, 1, mode="edge")
    above_left, above_right = padded[:-2, :-2], padded[:-2, 2:]
    below_left, below_right = padded[2:, :-2], padded[2:, 2:]
    row = below_left + below_right - above_left - above_right
    column = above_right + below_right - above_left - below_left
    return row, column


def five_point(image: Image) -> tuple[Image, Image]:
    """Return (row, column) slopes from two neighbours to both sides.

    They are of fourth order; next to the edge of third, on it of second.
    """
    row = _slope(image)
    column = _slope(image.T).T
    return row, column


def _slope(lines: Image) -> Image:
    """Return the slope along the first axis."""
    slope = np.empty(lines.shape)
    slope[2:-2] = (lines[:-4] - lines[4:] + 8 * (lines[3:-1] - lines[1:-3])) / 12
    slope[:2] = _near_the_first(lines[:4])
    slope[-2:] = -_near_the_first(lines[:-5:-1])[::-1]
    return slope


def _near_the_first(four: Image) -> Image:
    """Return the slope at the first two of four samples."""
    a, b, c, d = four
    return np.stack([(4 * b - 3 * a - c) / 2, (6 * c - 3 * b - 2 * a - d) / 6])
