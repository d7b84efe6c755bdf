"""The policy that was published with NanoPyx: fast halves, delays, and a lottery.

What the publication calls a run is a block here, and its run time the time of a
frame of it. A delay is followed over all workloads of a task, implementation and
device; each run is judged by those before it at its own workload.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from napari_nanopyx._engine.measurements.blocks import LONGEST_SECONDS
from napari_nanopyx._engine.measurements.delays import (
    DEVIATIONS,
    delay,
    halves,
    persistence,
)
from napari_nanopyx._engine.measurements.expected import Expected
from napari_nanopyx._engine.measurements.record import Record
from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.policy.guessing import first_frames
from napari_nanopyx._engine.policy.reasons import ONLY_ONE, PINNED
from napari_nanopyx._engine.policy.situation import Situation
from napari_nanopyx._engine.policy.trials import frames_in
from napari_nanopyx._engine.types import Implementation

NEVER_MEASURED = "drawn by lot from those that have never been measured here"
SMALLEST = "smallest expected time"
SMALLEST_DELAYED = "smallest expected time, although it is delayed"
DRAWN = "drawn by lot while {} is delayed"


@dataclass(frozen=True, slots=True)
class _Expectation:
    implementation: Implementation
    fast_seconds: float
    """For a frame, without a delay."""
    seconds: float
    """For a frame, with what a delay is likely to add."""
    is_delayed: bool
    scale: float
    """Work here over work where it was measured."""
    record: Record
    """What it rests on."""
    exact: bool
    """Whether that was measured at this very workload."""


def choose(situation: Situation, deviations: float = DEVIATIONS) -> Choice:
    """Take the smallest expected time; while that one is delayed, draw lots.

    Parameters
    ----------
    situation
        Its `seed` and evidence decide a draw.
    deviations
        A run delays if it takes longer than the mean of the fast half and so many of
        its standard deviations.

    References
    ----------
    Saraiva et al., Efficiently accelerated bioimage analysis with NanoPyx, a Liquid
    Engine-powered Python framework, Nature Methods 22, 283-286 (2025).
    https://doi.org/10.1038/s41592-024-02562-6
    """
    usable = situation.usable()
    expected = [_expectation(situation, c, deviations) for c in usable]
    known = [e for e in expected if e is not None]
    if len(known) < len(usable):
        measured = {e.implementation.name for e in known}
        return _first(situation, [c for c in usable if c.name not in measured], known)
    usual = min(known, key=lambda e: e.fast_seconds)
    best = min(known, key=lambda e: e.seconds)
    if best is usual:
        reason = SMALLEST_DELAYED if usual.is_delayed else SMALLEST
    else:
        best = _draw(situation, known)
        reason = DRAWN.format(usual.implementation.name)
    return _take(situation, best, known, reason)


def _expectation(
    situation: Situation, candidate: Implementation, deviations: float
) -> _Expectation | None:
    evidence, arm = situation.evidence, candidate.arm
    record, exact = evidence.exact(situation.workload).get(arm), True
    if record is None or not _seconds(record):
        exact = False
        alike = evidence.alike(situation.workload, arm)
        record = next((found for found in alike if _seconds(found)), None)
    if record is None:
        return None
    fast = max(halves(_seconds(record)).fast_mean, 1e-9)
    state = delay((run.standing for run in evidence.runs(arm)), deviations)
    likely = persistence(state.states) if state.lasts else 0.0
    adjusted = fast * (1 - likely) + fast * state.factor * likely
    there = record.workload.flops
    scale = situation.workload.flops / there if there > 0 else 1.0
    return _Expectation(candidate, fast, adjusted, state.lasts, scale, record, exact)


def _seconds(record: Record) -> list[float]:
    """Return the run times; cold ones, without the preparation, if there are no warm.

    Otherwise an implementation that each run prepares anew would never be known.
    """
    return [measurement.frame_seconds for measurement in record.warm or record.cold]


def _first(
    situation: Situation, unknown: list[Implementation], known: list[_Expectation]
) -> Choice:
    frames = first_frames(situation, LONGEST_SECONDS)
    chosen = _random(situation).choice(unknown)
    reason = _reason(situation, NEVER_MEASURED)
    return Choice(chosen, frames, None, reason, _expected(known))


def _draw(situation: Situation, known: list[_Expectation]) -> _Expectation:
    weights = [e.seconds**-2 for e in known]
    (drawn,) = _random(situation).choices(known, weights)
    return drawn


def _random(situation: Situation) -> Random:
    """Return what is drawn from: the same for the same seed and measurements."""
    exact = situation.evidence.exact(situation.workload).values()
    measured = sum(record.frames for record in exact)
    return Random(f"{situation.seed} {measured}")  # noqa: S311 - no secrets


def _take(
    situation: Situation,
    best: _Expectation,
    known: list[_Expectation],
    reason: str,
) -> Choice:
    frames = min(
        frames_in(LONGEST_SECONDS, best.seconds * best.scale), situation.remaining
    )
    milliseconds = f"{1e3 * best.seconds:.3g} ms a frame"
    return Choice(
        best.implementation,
        frames,
        best.seconds,
        _reason(situation, f"{reason}: {milliseconds}"),
        _expected(known),
    )


def _reason(situation: Situation, otherwise: str) -> str:
    if situation.pinned:
        return PINNED
    return otherwise if situation.has_contest else ONLY_ONE


def _expected(known: list[_Expectation]) -> dict[str, Expected]:
    return {
        each.implementation.name: Expected(
            each.seconds,
            (each.record,),
            each.seconds / each.fast_seconds,
            None if each.exact else each.record.point.uncertainty,
        )
        for each in known
    }
