"""Point sources as tests place them, and how far a profile dips."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx import simulate


def spots(
    shape: tuple[int, int],
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    photons: NDArray[np.float64],
    sigma: float,
) -> NDArray[np.float64]:
    """Return Gaussian spots integrated over each pixel, rows and columns apart."""
    return simulate.spots(shape, np.stack([rows, columns], axis=1), photons, sigma)


def dip(profile: NDArray[np.float64]) -> float:
    """Return how far the middle of a profile lies below its two peaks, from 0 to 1.

    The peaks are the maxima of the two halves; a profile highest in the middle has
    no dip.
    """
    half = len(profile) // 2
    left, right = profile[:half], profile[-half:]
    first, second = int(left.argmax()), int(right.argmax()) + len(profile) - half
    valley = profile[first : second + 1].min()
    return float(1.0 - valley / ((profile[first] + profile[second]) / 2))
