"""Tells how much slower than usual an implementation is at present."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from math import inf
from typing import NamedTuple

from napari_nanopyx._engine.record import NOTICED, Run

_JUDGED = 2
_LOOKED_BACK = 8
_DISTRUSTED = 4
_LENGTHENED = 4


class Pace(NamedTuple):
    """How fast an implementation is now, beside its usual time."""

    slowdown: float = 1.0
    """Times the usual seconds; what the two newest blocks agree on."""
    suspected: float = 1.0
    """The same by the newest block alone."""
    feared: float = 1.0
    """The same by the slowest of the newest four."""
    flops: float = inf
    """How much work a block may be until those four are fast again."""


def pace(runs: Sequence[Run]) -> Pace:
    """Judge an implementation by its newest blocks, at whatever workloads.

    One slow block can be an accident, so two of them make a slowdown. A fast one is
    none: it ends the slowdown at once, but blocks start short and get longer by and by.
    """
    judged = [run for run in islice(reversed(runs), _LOOKED_BACK) if run.factor]
    factors = [run.factor or 1.0 for run in judged[:_DISTRUSTED]]
    if not factors or max(factors) < NOTICED:
        return Pace()
    slowdown = min(factors[:_JUDGED]) if len(factors) >= _JUDGED else 1.0
    newest = judged[0].measurement
    flops = _LENGTHENED * newest.frames * newest.workload.flops
    return Pace(_noticed(slowdown), _noticed(factors[0]), max(factors), flops)


def _noticed(factor: float) -> float:
    return factor if factor >= NOTICED else 1.0
