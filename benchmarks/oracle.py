"""The least time for a trace, for one who knows the future, or only the present."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.trace import Trace

SMOOTHED_STEPS = 9
"""The oracle knows how fast each is over so many steps, but not the noise."""

BLOCK_STEPS = (1, 2, 3, 5, 10, 20, 50, 100)
"""Lengths of blocks of which the best is taken, in hindsight."""


class _Piece(NamedTuple):
    """Steps that one implementation computes."""

    start: int
    stop: int
    known: int
    """The step whose speeds are known when the implementation is chosen."""
    share: float
    """The part that is paid of what a block takes besides its frames."""


def oracle_seconds(trace: Trace) -> float:
    """Return the least time, with each preparation paid once where it pays.

    It changes the implementation at any step at no cost, and knows how fast each will
    be; the noise of a single step it does not know, or it would profit from it. What a
    block takes besides its frames it pays once a run, in equal parts at each step.
    """
    parts = [1 / steps for _, steps in trace.runs for _ in range(steps)]
    return _least(
        trace, (_Piece(at, at + 1, at, part) for at, part in enumerate(parts))
    )


def present_seconds(trace: Trace) -> float:
    """Return the least time for one who is told the present, but not the future.

    At the start of each block it is told how fast every implementation has just been,
    without computing anything for it. What gets slow meanwhile it notices at the end
    of the block, and each block pays what it takes besides its frames. Its blocks are
    of one length, the best one in hindsight. No policy that decides block by block
    can count on less; the oracle's time is less by what cannot be foreseen.
    """
    return min(_least(trace, _blocks(trace, steps)) for steps in BLOCK_STEPS)


def _blocks(trace: Trace, length: int) -> Iterator[_Piece]:
    """Cut the runs into blocks; of a size that is new, the first step is known."""
    start, before = 0, None
    for at, steps in trace.runs:
        stop = start + steps
        for begin in range(start, stop, length):
            known = begin - 1 if begin > start or at == before else begin
            yield _Piece(begin, min(begin + length, stop), known, 1.0)
        start, before = stop, at


def _least(trace: Trace, pieces: Iterable[_Piece]) -> float:
    """Return the time with the fastest by what is known, over what can be prepared."""
    smooth = {name: _smoothed(seconds) for name, seconds in trace.seconds.items()}
    costs = trace.prepare_seconds
    prepared = frozenset(n for n in costs if costs[n] <= 0 or n in trace.prepared)
    # For each set of prepared implementations: what it thinks it took, and what it did.
    paths = {prepared: (0.0, 0.0)}
    for piece in pieces:
        for known in sorted(paths, key=len):
            for name in trace.seconds.keys() - known:
                thought, took = (seconds + costs[name] for seconds in paths[known])
                other = paths.get(known | {name}, (inf, inf))
                paths[known | {name}] = min(other, (thought, took))
        paths.pop(frozenset(), None)  # nothing can compute without any
        frames = (piece.stop - piece.start) * trace.step_frames
        expected, actual = {}, {}
        for name, seconds in trace.seconds.items():
            fixed = trace.block_seconds.get(name, 0.0) * piece.share
            expected[name] = smooth[name][piece.known] * frames + fixed
            taken = seconds[piece.start : piece.stop]
            actual[name] = float(taken.sum()) * trace.step_frames + fixed
        for known, (thought, took) in paths.items():
            working = [name for name in known if actual[name] > 0]
            name = min(working, key=lambda each: expected[each])
            paths[known] = (thought + expected[name], took + actual[name])
    return min(paths.values())[1]


def _smoothed(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return running medians; an implementation that fails is never the fastest."""
    half = SMOOTHED_STEPS // 2
    padded = np.pad(np.nan_to_num(seconds, nan=inf), half, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, SMOOTHED_STEPS)
    return np.asarray(np.median(windows, axis=1))
