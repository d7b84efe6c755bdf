"""Tells how much slower than usual an implementation is at present."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, islice, takewhile
from math import inf
from typing import NamedTuple

from napari_nanopyx._engine.measurements.record import JUDGED, Run

_JUDGED = 2
_JUDGED_SECONDS = 0.005
_DISTRUSTED = 4
_LENGTHENED = 4


class Pace(NamedTuple):
    """How fast an implementation is now, beside its usual time."""

    slowdown: float = 1.0
    """Times the usual seconds; what the two newest blocks agree on."""
    suspected: float = 1.0
    """The same by the newest block alone."""
    feared: float = 1.0
    """The same by the newest block, or by two of the newest that agree."""
    flops: float = inf
    """How much work a block may be while that is feared."""
    row: int = 0
    """How many of the newest blocks were slow, one after the other."""


USUAL = Pace()


def pace(runs: Sequence[Run]) -> Pace:
    """Judge an implementation, or a device, by its newest blocks at any workload.

    One slow block can be an accident, so two of them make a slowdown; of blocks so
    short that a pause of the system is long beside them, up to eight. A fast one is no
    accident: it ends the slowdown at once, but blocks start short and get longer by
    and by.
    """
    judged = [run for run in islice(reversed(runs), JUDGED) if run.slowdown]
    slowdowns = [run.slowdown or 1.0 for run in judged]
    newest = slowdowns[: _DISTRUSTED + 1]
    feared = max([*newest[:1], *map(min, newest, newest[1:])], default=1.0)
    if feared == 1:
        return USUAL
    row = list(takewhile(lambda run: (run.slowdown or 1.0) > 1, judged))
    found = len(row) + sum(run.measurement.confirmed for run in row)  # by a launch
    is_sure = found >= _JUDGED and found >= _needed(judged)
    last = judged[0].measurement
    flops = _LENGTHENED * last.frames * last.workload.flops
    slowdown = _strength(row) if is_sure else 1.0
    return Pace(slowdown, slowdowns[0], feared, flops, len(row))


def _needed(judged: Sequence[Run]) -> int:
    """Return how many blocks have to be slow: more while blocks are so short."""
    usual = (run.measurement.timing.warm / (run.slowdown or 1.0) for run in judged)
    lasted = sum(total < _JUDGED_SECONDS for total in accumulate(usual)) + 1
    return min(lasted, JUDGED)


def _strength(row: Sequence[Run]) -> float:
    """Return how slow an implementation is by its newest blocks, which were all slow.

    Two of them have to agree, if possible two that can tell: a short block tells that
    it is slow, but not by how much, where it is not the frames that take the time.
    """
    most = max(run.measurement.frames for run in row)
    telling = [
        run for run in row if run.is_telling or 2 * run.measurement.frames >= most
    ]
    if len(telling) < _JUDGED and not telling[0].measurement.confirmed:
        telling = sorted(row, key=lambda run: run.measurement.frames)[::-1]
    agree = max if all(run.measurement.beside for run in telling[:_JUDGED]) else min
    return agree(run.slowdown or 1.0 for run in telling[:_JUDGED])
