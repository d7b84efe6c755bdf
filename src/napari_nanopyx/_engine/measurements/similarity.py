"""Says how alike two workloads are."""

from __future__ import annotations

from math import copysign, hypot, log, log1p
from typing import NamedTuple

from napari_nanopyx._engine.types import Workload

_UNLIKE = 1.0


class Features(NamedTuple):
    """What run time may depend on, each by itself, as one comparable key."""

    shape: tuple[int, ...]
    dtype: str
    parameters: tuple[tuple[str, float | str | bool], ...]


_newest: tuple[Workload | None, Features] = (None, Features((), "", ()))
"""One workload is asked about again and again."""


def features(workload: Workload) -> Features:
    """Return the key under which measurements of this workload are kept."""
    global _newest
    known, found = _newest
    if known is not workload:
        parameters = tuple(sorted(workload.parameters.items()))
        found = Features(workload.shape, workload.dtype, parameters)
        _newest = workload, found
    return found


def distance(one: Features, other: Features) -> float:
    """Return how unlike two workloads are, each feature on an axis of its own.

    Sizes and numbers are compared on a log scale, where a doubling is 0.7 apart; two
    words, data types or truth values that differ are 1 apart, and so is a parameter
    that only one of them has.
    """
    apart = [_UNLIKE * (one.dtype != other.dtype)]
    apart.append(_UNLIKE * abs(len(one.shape) - len(other.shape)))
    sides = zip(reversed(one.shape), reversed(other.shape), strict=False)
    apart += [log(max(a, 1) / max(b, 1)) for a, b in sides]
    here, there = dict(one.parameters), dict(other.parameters)
    apart += [
        _apart(here[name], there[name]) if name in here and name in there else _UNLIKE
        for name in here.keys() | there.keys()
    ]
    return hypot(*sorted(apart))


def _apart(one: float | str | bool, other: float | str | bool) -> float:
    if one == other:
        return 0.0
    if isinstance(one, str | bool) or isinstance(other, str | bool):
        return _UNLIKE
    return _scaled(one) - _scaled(other)


def _scaled(number: float) -> float:
    return copysign(log1p(abs(number)), number)
