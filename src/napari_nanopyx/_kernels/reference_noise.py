"""Takes as much noise off a reference as makes displacements most certain.

Where images show no detail, at short wavelengths for most, the noise of an image that
is compared would meet that of the reference, and blur the maximum of their correlation.
Waves of signal power S and noise power N are best weighted by S / (2S + N), as both
images hold the noise: see Knapp and Carter, IEEE Transactions on Acoustics, Speech, and
Signal Processing (1976), doi:10.1109/TASSP.1976.1162830.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

RINGS = 32
"""Classes of wavelengths, up to the shortest along an axis."""

STEPS = 8
"""Weights between one class and the next."""


@dataclass(frozen=True, slots=True)
class Clearer:
    """What is to be known of a reference that noise was taken off."""

    likeness: float = 1.0
    """What correlation with it is multiplied by, to give that with the reference as it
    was: images are more alike to it."""
    signal: float | None = None
    """Share of its squared slopes that is signal; None if it was left as it was."""


AS_IT_IS = Clearer()
"""Of a reference that still has its noise."""


def taken_off(
    reference: NDArray[np.float32], similarity: float
) -> tuple[NDArray[np.float32], Clearer]:
    """Return a reference with its waves weighted.

    Parameters
    ----------
    reference : ndarray of float32, shape (*sides,)
        An image with mean zero.
    similarity : float
        Its correlation with images of the same scene: the share of its variance that is
        signal, at least. Nor is there more noise than its shortest waves tell, which
        detail may be part of.
    """
    from scipy import fft

    waves = fft.dctn(reference, norm="ortho", workers=1)
    power = np.square(waves, dtype=np.float64)
    frequency = _frequencies(reference.shape)
    noise = (1 - similarity) * power.mean()
    shortest = frequency > 1
    if shortest.any():
        noise = min(noise, power[shortest].mean())
    if noise <= 0:
        return reference, AS_IT_IS
    fine = RINGS * STEPS
    step = np.minimum(frequency * fine, fine - 1).astype(np.intp)
    members = _by_ring(np.bincount(step.ravel(), minlength=fine))
    total = _by_ring(np.bincount(step.ravel(), power.ravel(), fine))
    signal = np.maximum(total - noise * members, 0)
    weights = signal / np.maximum(2 * signal + noise * members, 1e-30)
    about = Clearer(
        _likeness(signal, total, weights),
        _share(weights**2 * np.arange(0.5, RINGS) ** 2, signal, total),
    )
    places = (np.arange(fine) + 0.5) / STEPS - 0.5
    waves *= np.interp(places, np.arange(RINGS), weights).astype(np.float32)[step]
    result: NDArray[np.float32] = fft.idctn(waves, norm="ortho", workers=1)
    return result, about


def _by_ring(values: NDArray[Any]) -> Values:
    sums: Values = values.reshape(RINGS, STEPS).sum(axis=1).astype(np.float64)
    return sums


def _share(weights: Values, signal: Values, total: Values) -> float:
    return float((weights * signal).sum() / max((weights * total).sum(), 1e-30))


def _likeness(signal: Values, total: Values, weights: Values) -> float:
    """Return the correlation of images before the weighting, by that after it."""
    length = np.sqrt((weights**2 * total).sum() / total.sum())
    after = (weights * signal).sum() / max(length, 1e-30)
    return min(float(signal.sum() / max(after, 1e-30)), 1.0)


def _frequencies(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return how short the cosine waves of an image are; 1 along an axis at most."""
    squares = np.zeros(shape)
    for axis, side in enumerate(shape):
        line = np.square(np.arange(side) / side)
        squares += line.reshape(-1, *(1,) * (len(shape) - 1 - axis))
    result: NDArray[np.float64] = np.sqrt(squares)
    return result
