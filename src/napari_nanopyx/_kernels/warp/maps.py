"""Where the pixels of a turned, scaled, shifted or unrolled image lie in the original.

Points are (row, column) in continuous coordinates: pixel n covers [n, n + 1).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

STEPS = 2.0**20
"""Fractions of a pixel that coordinates are rounded to."""

FARTHEST = 2.0**21
"""Pixels beyond which no point is looked for."""

Scale = Literal["linear", "log"]
Points = NDArray[np.float64]


def turned(
    shape: tuple[int, int],
    shift: NDArray[np.float64],
    scale: tuple[float, float],
    angle: float,
    centre: tuple[float, float] | None = None,
) -> NDArray[np.float64]:
    """Return the affine map of an image that is turned, scaled and then shifted.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    shift : ndarray of float64, shape (n, 2)
        How far to move the content of each frame.
    scale : (float, float)
        How much larger to make it.
    angle : float
        In radians, counter-clockwise on the screen, where rows go down.
    centre : (float, float), optional
        What stays in place; by default the middle.

    Returns
    -------
    ndarray of float64, shape (n, 2, 3)
        Of an output point (row, column), the (row, column) in the original is
        ``map @ (row, column, 1)``.
    """
    middle = np.asarray(centre or (shape[0] / 2, shape[1] / 2))
    cosine, sine = np.cos(angle), np.sin(angle)
    linear = np.array([[cosine, sine], [-sine, cosine]])
    linear /= np.asarray(scale, np.float64)[:, np.newaxis]
    constant = middle - (middle + shift) @ linear.T
    both = np.broadcast_to(linear, (len(shift), 2, 2))
    return np.concatenate([both, constant[:, :, np.newaxis]], axis=2)


def unrolled(
    shape: tuple[int, int],
    output_shape: tuple[int, int],
    scale: Scale,
    centre: tuple[float, float] | None = None,
) -> Points:
    """Return the points of a polar image: angles down its rows, radii along them.

    Angles go once round, so that the first and the last row coincide; radii go from 0
    to half a diagonal, or from 1 if they grow by a factor.

    Returns
    -------
    ndarray of float64, shape (2, rows, columns)
        Rows and columns, relative to the centre.
    """
    rows, columns = output_shape
    middle = centre or (shape[0] / 2, shape[1] / 2)
    farthest = float(np.hypot(*middle))
    angles = 2 * np.pi * np.arange(rows) / max(rows - 1, 1)
    steps = np.arange(columns) / max(columns - 1, 1)
    radii = farthest * steps if scale == "linear" else farthest**steps
    return np.stack([np.outer(np.sin(angles), radii), np.outer(np.cos(angles), radii)])


def rounded(points: Points) -> Points:
    """Return coordinates as the kernel knows them, about a millionth of a pixel off."""
    kept = np.clip(points, -FARTHEST, FARTHEST)
    result: Points = np.rint(kept * STEPS) / STEPS
    return result
