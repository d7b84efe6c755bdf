"""Finds up to which ring a Fourier ring correlation counts as common structure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FLEETING = 0.9
"""A curve that is crossed at a higher correlation has not been crossed for good."""


def sample_counts(rings: int, share: float = 1.0) -> NDArray[np.float64]:
    """Return how many samples lie on each ring, from ring 0 up.

    Parameters
    ----------
    rings : int
        How many rings.
    share : float
        Pixels of the image among those of the padded square: padding adds no samples.
    """
    return np.arange(rings, dtype=np.float64) * (2 * np.pi * share)


def bit_curve(bits: float, samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlation of rings on which a sample holds so many bits."""
    signal = (2.0**bits - 1) / 2
    curve = np.ones(len(samples))
    root = np.sqrt(samples[1:])
    both = 2 * np.sqrt(signal) / root
    curve[1:] = (signal + both + 1 / root) / (signal + 1 + both)
    return curve


def sigma_curve(sigmas: float, samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return so many standard deviations of the correlation of two images of noise."""
    curve = np.full(len(samples), np.inf)
    curve[1:] = sigmas / np.sqrt(samples[1:] / 2)
    return curve


def crossing(
    correlation: NDArray[np.float64], threshold: NDArray[np.float64]
) -> float | None:
    """Return the ring on which a correlation first falls below a threshold.

    Between two rings both are straight lines. A threshold that starts at 1 or above
    tells nothing there: it counts from ring 1, and a fall above `FLEETING` only if no
    other follows.
    """
    above = correlation >= threshold
    if threshold[0] >= 1:
        above[0] = False
    found = None
    for ring in np.flatnonzero(above[:-1] & ~above[1:]):
        before = correlation[ring] - threshold[ring]
        after = threshold[ring + 1] - correlation[ring + 1]
        part = before / (before + after)
        found = float(ring + part)
        value = correlation[ring] + part * (correlation[ring + 1] - correlation[ring])
        if threshold[0] < 1 or value <= FLEETING:
            break
    return found
