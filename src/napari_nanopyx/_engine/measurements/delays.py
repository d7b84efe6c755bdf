"""Tells from the run times of an implementation whether something delays it now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import sqrt

from napari_nanopyx._engine.errors import MissingPackage

DEVIATIONS = 4.0
"""Standard deviations above the fast mean from which a run counts as delayed."""

FEWEST = 4
"""Earlier runs that are needed to judge one: two in each half have a deviation."""


@dataclass(frozen=True, slots=True)
class Halves:
    """Mean and standard deviation of the faster and the slower half of run times."""

    fast_mean: float
    fast_deviation: float
    slow_mean: float
    slow_deviation: float


@dataclass(frozen=True, slots=True)
class Standing:
    """One run beside those before it."""

    deviations: float
    """How many standard deviations it is above the fast mean."""
    factor: float
    """Its time over the expected time."""
    ends_delay: bool
    """Whether it is fast enough to end a delay."""


@dataclass(frozen=True, slots=True)
class Delay:
    """What the newest runs of one implementation say about it."""

    states: tuple[bool, ...] = ()
    """Whether it was delayed after each of them."""
    factor: float = 1.0
    """Measured over expected time of the run that showed the delay last."""

    @property
    def lasts(self) -> bool:
        """Whether it has not ended yet."""
        return bool(self.states) and self.states[-1]


def halves(seconds: Sequence[float]) -> Halves:
    """Split run times into the faster half and the slower one; the middle is fast."""
    ordered, middle = sorted(seconds), (len(seconds) + 1) // 2
    fast, slow = _spread(ordered[:middle]), _spread(ordered[middle:] or ordered)
    return Halves(*fast, *slow)


def fast_mean(seconds: Sequence[float]) -> float:
    """Return the mean of the faster half, which a single slow outlier hardly moves."""
    return halves(seconds).fast_mean


def standing(seconds: float, before: Sequence[float]) -> Standing | None:
    """Judge a run by those before it; None if they are too few."""
    if len(before) < FEWEST:
        return None
    usual = halves(before)
    # Times that are all the same must not differ by their rounding.
    least = max(usual.fast_mean * 1e-9, 1e-15)
    return Standing(
        (seconds - usual.fast_mean) / max(usual.fast_deviation, least),
        seconds / max(usual.fast_mean, 1e-12),
        seconds < usual.slow_mean - usual.slow_deviation
        or seconds < usual.fast_mean + usual.fast_deviation,
    )


def delay(runs: Iterable[Standing | None], deviations: float = DEVIATIONS) -> Delay:
    """Follow the delay state through runs, oldest first."""
    states, lasts, factor = [], False, 1.0
    for run in runs:
        if run is not None and lasts and run.ends_delay:
            lasts, factor = False, 1.0
        elif run is not None and run.deviations > deviations:
            lasts, factor = True, run.factor
        states.append(lasts)
    return Delay(tuple(states), factor)


def persistence(states: Sequence[bool]) -> float:
    """Return the probability that a delay persists in the next run.

    A logistic regression of the state after a run on the state before it. It says
    something only if both states are found before and after; until then it is the
    smoothed count (delays that lasted + 1) / (runs during a delay + 2).
    """
    pairs = list(pairwise(states))
    counts = tuple(pairs.count(pair) for pair in _PAIRS)
    quiet, began, ended, lasted = counts
    if quiet + began and ended + lasted and quiet + ended and began + lasted:
        return _regression(counts)
    return (lasted + 1) / (ended + lasted + 2)


_PAIRS = ((False, False), (False, True), (True, False), (True, True))


@lru_cache(maxsize=1024)
def _regression(counts: tuple[int, ...]) -> float:
    """Fit the pairs of states, which only their counts distinguish."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise MissingPackage(
            "scikit-learn", "the policy 'paper'", "pip install napari-nanopyx[paper]"
        ) from error
    found = [(*pair, count) for pair, count in zip(_PAIRS, counts, strict=True)]
    before, after, weights = zip(*[row for row in found if row[2]], strict=True)
    model = LogisticRegression()
    model.fit([[state] for state in before], after, sample_weight=weights)
    return float(model.predict_proba([[True]])[0, 1])


def _spread(values: Sequence[float]) -> tuple[float, float]:
    mean = sum(values) / len(values)
    return mean, sqrt(sum((value - mean) ** 2 for value in values) / len(values))
