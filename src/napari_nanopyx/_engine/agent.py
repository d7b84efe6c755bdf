"""Chooses who computes the next block: measurements in, choice out, nothing else.

A policy is a pure function of a `Situation`. It reads no clock, file or random
state, so that every choice can be repeated and tested with a table of numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from napari_nanopyx._engine.estimates import (
    Estimate,
    arm_of,
    estimates,
    preparation,
    time_lost,
    time_spent,
)
from napari_nanopyx._engine.evidence import Evidence, Record
from napari_nanopyx._engine.types import Choice, Implementation, Workload

BLOCK_SECONDS = 0.25
"""What a block should take: progress and cancel answer this often."""

TRIAL_SECONDS = 0.03
"""What a trial would take on the best implementation."""

TRIALS = 2
"""Warm measurements after which an implementation has been tried."""

EXPLORATION_SHARE = 0.05
"""The part of all computing time that may be lost on trials."""

PINNED = "asked for by name"
ONLY_ONE = "the only one available"
FIRST_GUESS = "first guess: nothing like this has been measured here yet"
TRYING = "trying it for the first time at this size"
TRYING_AGAIN = "measuring it once more before it is judged"
FASTEST = "fastest so far"
FASTEST_ELSEWHERE = "fastest so far at the most similar size"

_FIRST_GUESSES = ("threads-dynamic", "threads-guided", "threads-static", "serial")
_KINDS = ("compiled", "opencl", "numba", "reference")
_GUESSED_FLOPS_PER_SECOND = 2e9
_GUESSED_FRAMES = 8
_HOPELESS = 3.0
_COLD_TRIALS = 3


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a choice may depend on."""

    workload: Workload
    candidates: Sequence[Implementation]
    evidence: Evidence
    remaining: int
    """Frames of the run that no block has computed yet."""
    ready: Collection[str] = ()
    """Names of the candidates that the run has already prepared."""
    pinned: bool = False
    """Whether the only candidate was asked for by name."""
    seed: int = 0
    """For policies that draw lots."""


@dataclass(frozen=True, slots=True)
class _Trial:
    implementation: Implementation
    frames: int
    cost: float
    reason: str


Policy = Callable[[Situation], Choice]


def choose(situation: Situation) -> Choice:
    """Take the fastest; try others on small early blocks while that costs little.

    The time lost on all trials stays within `EXPLORATION_SHARE` of what the workload
    has taken so far and will still take, with compiling counted before it is spent.
    """
    usable = [c for c in situation.candidates if c.available]
    usable = [c for c in usable if c.kind != "reference"] or usable
    if not usable:
        raise ValueError("there is no available implementation to choose from")
    known = estimates(situation.workload, usable, situation.evidence, situation.ready)
    if not known:
        return _guess(situation, min(usable, key=_guess_rank))
    best = min(
        (c for c in usable if c.name in known),
        key=lambda c: known[c.name].total(situation.remaining),
    )
    if len(usable) > 1:
        trials = _trials(situation, usable, known, best)
        if trials:
            cheapest = min(
                trials, key=lambda t: (t.cost, _guess_rank(t.implementation))
            )
            return _try(cheapest, known)
    return _take(situation, best, known)


def _trials(
    situation: Situation,
    usable: Sequence[Implementation],
    known: Mapping[str, Estimate],
    best: Implementation,
) -> list[_Trial]:
    """Return the trials that are worth their time and can be afforded."""
    exact = situation.evidence.exact(situation.workload)
    seconds = known[best.name].seconds
    total = time_spent(exact) + known[best.name].total(situation.remaining)
    lost = time_lost(exact, arm_of(best), seconds)
    budget = EXPLORATION_SHARE * total - lost
    trials = []
    for candidate in usable:
        tried, estimate = exact.get(arm_of(candidate)), known.get(candidate.name)
        if candidate is best or not _is_worth_trying(tried, estimate, seconds):
            continue
        is_ready = candidate.name in situation.ready
        first = 0.0 if is_ready else preparation(situation.evidence, candidate)
        excess = _excess(estimate, seconds)
        frames = min(
            frames_in(TRIAL_SECONDS, seconds),
            int((budget - first) / excess),
            situation.remaining,
        )
        if frames >= 1:
            reason = TRYING if tried is None else TRYING_AGAIN
            trials.append(_Trial(candidate, frames, first + frames * excess, reason))
    return trials


def _is_worth_trying(
    tried: Record | None, estimate: Estimate | None, seconds: float
) -> bool:
    hopeless = (
        estimate is not None
        and estimate.near
        and estimate.seconds > _HOPELESS * seconds
    )
    if tried is None:
        return not hopeless
    if not tried.warm:
        return len(tried.cold) < _COLD_TRIALS
    return len(tried.warm) < TRIALS and not hopeless


def _excess(estimate: Estimate | None, seconds: float) -> float:
    """Return what a frame of a trial may cost more; twice the time if unknown."""
    slower = 1.0 if estimate is None else estimate.seconds / seconds - 1
    return seconds * min(max(slower, 0.1), _HOPELESS)


def _guess(situation: Situation, candidate: Implementation) -> Choice:
    reason = _reason_without_contest(situation) or FIRST_GUESS
    return Choice(candidate, first_frames(situation, TRIAL_SECONDS), None, reason)


def first_frames(situation: Situation, seconds: float) -> int:
    """Return a few frames to begin with, when no run time is known."""
    per_frame = situation.workload.flops / _GUESSED_FLOPS_PER_SECOND
    return min(frames_in(seconds, per_frame), _GUESSED_FRAMES, situation.remaining)


def _try(trial: _Trial, known: Mapping[str, Estimate]) -> Choice:
    name = trial.implementation.name
    estimate = known.get(name)
    seconds = estimate.seconds if estimate is not None and estimate.exact else None
    others = _others(known, name)
    return Choice(trial.implementation, trial.frames, seconds, trial.reason, others)


def _take(
    situation: Situation, best: Implementation, known: Mapping[str, Estimate]
) -> Choice:
    estimate, others = known[best.name], _others(known, best.name)
    reason = _reason_without_contest(situation)
    if not reason:
        reason = FASTEST if estimate.exact else FASTEST_ELSEWHERE
        reason += f": {_time(estimate.seconds)} a frame"
        if others:
            reason += f", next best {others[0][0]} at {_time(others[0][1])}"
        plural = "" if estimate.measurements == 1 else "s"
        reason += f" ({estimate.measurements} measurement{plural})"
    frames = min(frames_in(BLOCK_SECONDS, estimate.seconds), situation.remaining)
    return Choice(best, frames, estimate.seconds, reason, others)


def _reason_without_contest(situation: Situation) -> str:
    if situation.pinned:
        return PINNED
    return ONLY_ONE if sum(c.available for c in situation.candidates) == 1 else ""


def _others(known: Mapping[str, Estimate], name: str) -> tuple[tuple[str, float], ...]:
    others = [(other, e.seconds) for other, e in known.items() if other != name]
    return tuple(sorted(others, key=lambda other: other[1]))


def frames_in(seconds: float, per_frame: float) -> int:
    """Return how many frames such a time gives, at least one."""
    return max(1, round(seconds / max(per_frame, 1e-9)))


def _guess_rank(candidate: Implementation) -> int:
    if candidate.name in _FIRST_GUESSES:
        return _FIRST_GUESSES.index(candidate.name)
    kind = _KINDS.index(candidate.kind) if candidate.kind in _KINDS else len(_KINDS)
    return len(_FIRST_GUESSES) + kind


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
