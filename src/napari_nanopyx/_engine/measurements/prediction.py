"""Predicts a run time never measured from those of the most similar workloads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import exp, log, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine.measurements.similarity import Features, distance

_ANY_SPEED = 1.0
"""Spread of an implementation's speed around that at the most similar workload."""

_ANY_SLOPE = 0.25
"""Spread of how the time per operation changes with their number."""

_LOCAL_SPREAD = 0.5
"""Spread of what neither explains, such as a cache that no longer holds a frame."""

_LOCAL_REACH = 2.0
"""Distance at which that has changed to another value, mostly."""

_ROUGHNESS = 0.02
"""What differs between two workloads that all features call the same."""


class Point(NamedTuple):
    """What was measured at one workload."""

    features: Features
    flops: float
    seconds: float
    uncertainty: float
    """Standard deviation of the logarithm of the seconds."""


class Prediction(NamedTuple):
    """A run time, and how far it may be off."""

    seconds: float
    uncertainty: float
    """Standard deviation of its logarithm: 0.1 is about 10 %."""


@lru_cache(maxsize=4096)
def predict(features: Features, flops: float, points: tuple[Point, ...]) -> Prediction:
    """Predict the seconds of a frame from points, the most similar one first.

    The time per operation of the declared cost is taken as a Gaussian process on the
    features: a speed, a change of it with the amount of work (fixed costs weigh more
    on small images), and a local rest. Work counts in proportion where nothing else
    is known, and the uncertainty grows with the distance to what was measured.

    References
    ----------
    Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), eq. 2.25
    and 2.26. http://gaussianprocess.org/gpml/
    """
    rates = np.array([log(point.seconds / max(point.flops, 1)) for point in points])
    work = np.array([log(max(point.flops, 1) / max(flops, 1)) for point in points])
    noise = np.array([point.uncertainty**2 + _ROUGHNESS**2 for point in points])
    everywhere = [features, *(point.features for point in points)]
    local = _LOCAL_SPREAD**2 * np.exp(-_distances(everywhere) / _LOCAL_REACH)
    near = _ANY_SPEED**2 + local[0, 1:]
    among = _ANY_SPEED**2 + _ANY_SLOPE**2 * np.outer(work, work) + local[1:, 1:]
    weights = np.linalg.solve(among + np.diag(noise), near)
    # Relative to the first point, whose speed is the guess that all else corrects.
    rate = rates[0] + float(weights @ (rates - rates[0]))
    variance = _ANY_SPEED**2 + _LOCAL_SPREAD**2 - float(weights @ near)
    return Prediction(max(flops, 1) * exp(rate), sqrt(max(variance, _ROUGHNESS**2)))


def _distances(places: Sequence[Features]) -> NDArray[np.float64]:
    found = np.zeros((len(places), len(places)))
    for i, one in enumerate(places):
        for j in range(i):
            found[i, j] = found[j, i] = distance(one, places[j])
    return found
