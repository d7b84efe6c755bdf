"""Scores reconstructions by how faithful and how well resolved they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Scores = NDArray[np.float64]

BEST = 0.925
"""What the finest resolution counts; the coarsest counts as much below 1."""


def fineness(
    resolution: ArrayLike, limits: tuple[float, float] | None = None
) -> Scores:
    """Return resolutions on a scale from 0 to 1, by a logistic curve.

    Parameters
    ----------
    resolution : array_like
        NaN where there is none: it counts 0.
    limits : (float, float), optional
        What counts 0.925 and what counts 0.075; by default the finest and the coarsest
        that there are. If both are equal, every resolution counts 1/2.
    """
    values = np.asarray(resolution, np.float64)
    known = np.isfinite(values)
    result = np.zeros(values.shape)
    if not known.any():
        return result
    low, high = limits or (float(values[known].min()), float(values[known].max()))
    if high == low:
        result[known] = 0.5
        return result
    steepness = 2 * np.log(BEST / (1 - BEST)) / (high - low)
    exponent = np.clip(steepness * (values[known] - (low + high) / 2), -700, 700)
    result[known] = 1 / (1 + np.exp(exponent))
    return result


def qnr(rsp: ArrayLike, fine: ArrayLike) -> Scores:
    """Return the harmonic mean of faithfulness and fineness; 0 if both are 0.

    A negative RSP counts 0.
    """
    faithful = np.clip(np.nan_to_num(np.asarray(rsp, np.float64)), 0, None)
    both = np.asarray(fine, np.float64)
    total = faithful + both
    product = 2 * faithful * both
    result: Scores = np.divide(
        product, total, out=np.zeros(total.shape), where=total > 0
    )
    return result
