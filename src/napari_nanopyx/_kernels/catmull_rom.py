"""Catmull-Rom interpolation along one axis, as tap indices with their weights."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Border = Literal["replicate", "drop"]
"""What a tap outside the image reads: the edge sample, or nothing."""

COORDINATE_DECIMALS = 12
TOLERANCE = 1e-9
"""How far rounding may have moved a point, in samples."""


def kernel(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Catmull-Rom weight of samples this far from the point."""
    s = np.abs(distance)
    near = (1.5 * s - 2.5) * s * s + 1.0
    far = ((-0.5 * s + 2.5) * s - 4.0) * s + 2.0
    return np.where(s < 1.0, near, np.where(s < 2.0, far, 0.0))


def magnified_length(length: int, factor: float) -> int:
    """Return how many whole output samples an axis gives.

    Rounding errors of the product do not count: 100 samples times 0.29 are 29.
    """
    return math.floor(round(length * factor, 9))


def coordinates(
    output_length: int, factor: float, shift: float, *, offset: float = 0.5
) -> NDArray[np.float64]:
    """Return where each output sample lies on the input axis.

    Output sample ``q`` lies at ``(q + offset) / factor - shift``, in continuous
    coordinates: input sample ``n`` covers ``[n, n + 1)``. It is rounded, so that the
    last bit of a shift does not decide which side of a pixel's edge a sample is on.
    """
    points = (np.arange(output_length, dtype=np.float64) + offset) / factor - shift
    return points.round(COORDINATE_DECIMALS)


def phases(magnification: int, shift: float) -> tuple[int, NDArray[np.float64]]:
    """Return the whole camera pixels of a shift, and where the phases lie after it."""
    whole = math.floor(-shift)
    centres = (np.arange(magnification) + 0.5) / magnification
    return whole, (centres + (-shift - whole)).round(COORDINATE_DECIMALS)


def inside(
    points: NDArray[np.float64], length: int, margin: float = 0.0
) -> NDArray[np.bool_]:
    """Tell which points lie on the axis, at least the margin away from its ends.

    A point on the first end counts, one on the last does not, as for pixels.
    """
    return (points >= margin - TOLERANCE) & (points < length - margin - TOLERANCE)


def taps_at(
    length: int, points: NDArray[np.float64], *, border: Border = "replicate"
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the four taps that interpolate an axis at each point.

    Parameters
    ----------
    length : int
        Number of samples on the axis.
    points : ndarray of float64, shape (n,)
        Continuous coordinates; the centre of sample ``i`` is ``i + 0.5``.
    border : {"replicate", "drop"}
        Taps outside the axis read the edge sample, or weigh nothing.

    Returns
    -------
    indices : ndarray of int32, shape (n, 4)
        Samples to read, always within the axis.
    weights : ndarray of float64, shape (n, 4)
        What each sample weighs; all zero for a point outside ``[0, length)``.
    """
    first = np.floor(points - 0.5) - 1.0
    unclipped = first[:, np.newaxis] + np.arange(4)
    weights = kernel(points[:, np.newaxis] - (unclipped + 0.5))
    weights[~inside(points, length)] = 0.0
    if border == "drop":
        weights[(unclipped < 0) | (unclipped >= length)] = 0.0
    indices = np.clip(unclipped, 0, length - 1).astype(np.int32)
    return indices, weights
