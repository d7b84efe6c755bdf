"""The default policy: takes the fastest as of now, and keeps an eye on the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf

from napari_nanopyx._engine.measurements.blocks import LONGEST_SECONDS
from napari_nanopyx._engine.patience import Patience
from napari_nanopyx._engine.policy import waiting
from napari_nanopyx._engine.policy.estimates import (
    WORTH_MOVING,
    Estimate,
    Expectations,
    estimates,
)
from napari_nanopyx._engine.policy.probes import look, probes
from napari_nanopyx._engine.policy.situation import Situation
from napari_nanopyx._engine.policy.trials import (
    TRIAL_SECONDS,
    Contest,
    Kept,
    Trial,
    frames_in,
    trials,
    worth_preparing,
)
from napari_nanopyx._engine.types import Choice, Implementation

BLOCK_SECONDS = LONGEST_SECONDS
"""What a block should take at most: progress and cancel answer this often."""

PINNED = "asked for by name"
ONLY_ONE = "the only one available"
FIRST_GUESS = "first guess: nothing like this has been measured here yet"
FASTEST = "fastest so far"
FASTEST_ELSEWHERE = "fastest so far at the most similar size"
FASTEST_NOW = "fastest while {} takes {:.2g} times as long as usual"
SHORT = "a short block, to learn what a block takes besides its frames"
CHECKING = "measuring again: its last block took {:.2g} times as long as usual"

_FIRST_GUESSES = ("threads-dynamic", "threads-guided", "threads-static", "serial")
_KINDS = ("compiled", "opencl", "numba", "reference")
_GUESSED_FLOPS_PER_SECOND = 2e9
_GUESSED_FRAMES = 8
_SHORTER = 8
_SOON_SECONDS = 0.01
"""What a block should take while one that was left behind may be ready any moment."""


def choose(situation: Situation) -> Choice:
    """Take the fastest; try others on small blocks while that costs little.

    An implementation whose two newest blocks were slower than usual counts with that
    slowdown until a block is fast again; short blocks look for that now and then.
    What has to be compiled is prepared beside the computation, where that is worth
    its time, and takes part from then on. All that is lost on trials stays within
    shares of the time that the workload has taken and will still take.
    """
    usable = situation.usable()
    known = estimates(
        situation.workload,
        usable + situation.only_busy(usable),
        situation.evidence,
        situation.ready,
        situation.opened,
    )
    listed = [c for c in usable if c.name in known]
    if not listed:
        return guess(situation, usable)
    ready = [c for c in listed if known[c.name].is_ready]
    best = _best(situation, ready or listed, known)
    if len(usable) == 1:
        return _take(situation, best, known)
    others = [c for c in usable if c is not best]
    contest = Contest(situation, others, known, best)
    prepare, kept = worth_preparing(contest) if ready else ([], Kept())
    wanted = tuple(prepare)
    if _needs_checking(situation, best, known):
        return _check(situation, best, known, wanted)
    is_early = situation.awaited or _is_doubtful(best, known)
    found = [] if is_early else trials(contest, kept) or probes(contest)
    if found:
        cheapest = min(found, key=lambda t: (t.cost, _guess_rank(t.implementation)))
        return _try(cheapest, known, wanted)
    choice = _take(situation, best, known, wanted)
    if situation.awaited:
        soon = frames_in(_SOON_SECONDS, known[best.name].seconds)
        if 2 * soon < situation.remaining:  # else little is saved on the rest
            choice = replace(choice, frames=min(choice.frames, soon))
    return _with_look(contest, choice)


def first_frames(situation: Situation, seconds: float) -> int:
    """Return a few frames to begin with, when no run time is known."""
    per_frame = situation.workload.flops / _GUESSED_FLOPS_PER_SECOND
    return min(frames_in(seconds, per_frame), _GUESSED_FRAMES, situation.remaining)


def guess(situation: Situation, usable: Sequence[Implementation]) -> Choice:
    """Choose among implementations of which nothing is known."""
    reason = _reason_without_contest(situation) or FIRST_GUESS
    frames = first_frames(situation, TRIAL_SECONDS)
    return Choice(min(usable, key=_first_guess), frames, None, reason)


def _best(
    situation: Situation,
    listed: Sequence[Implementation],
    known: Mapping[str, Estimate],
) -> Implementation:
    """Return the fastest as of now, or the usual one if that is hardly slower now.

    How long a delay is changes from block to block, and its end is noticed at once
    only by who stays; unless it is on a device apart, where that is noticed beside
    what another one computes. Then the other one need only be hardly slower.
    """
    seconds = {c.name: _seconds(known[c.name], situation) for c in listed}
    best = _on_average(listed, known, seconds)
    if all(known[c.name].pace.slowdown == 1 for c in listed):
        return best
    usually = {c.name: known[c.name].usual.frame_seconds for c in listed}
    usual = _on_average(listed, known, usually)
    if known[usual.name].pace.slowdown == 1:
        return best
    if usual.apart and known[usual.name].copies_little:
        elsewhere = [c for c in listed if c.device != usual.device]
        if not elsewhere:
            return best
        other = min(elsewhere, key=lambda c: seconds[c.name])
        return (
            other if seconds[other.name] <= WORTH_MOVING * seconds[best.name] else best
        )
    return usual if seconds[usual.name] <= WORTH_MOVING * seconds[best.name] else best


def _on_average(
    listed: Sequence[Implementation],
    known: Mapping[str, Estimate],
    seconds: Mapping[str, float],
) -> Implementation:
    """Return the best on the device of the fastest, with what accidents add.

    What delays a device for a while would look like accidents beside another device.
    """
    fastest = min(listed, key=lambda c: seconds[c.name])
    least = seconds[fastest.name] * known[fastest.name].accidents
    found = fastest
    for each in listed:
        if seconds[each.name] < least and each.device == fastest.device:
            average = seconds[each.name] * known[each.name].accidents
            if average < least:
                found, least = each, average
    return found


def _needs_checking(
    situation: Situation, best: Implementation, known: Mapping[str, Estimate]
) -> bool:
    """Tell whether a single slow block, if no accident, would make another the best."""
    pace = known[best.name].pace
    if pace.slowdown > 1 or pace.suspected == 1:
        return False
    others = (
        _seconds(known[name], situation)
        for name in known
        if name != best.name and known[name].is_ready
    )
    delayed = _seconds(known[best.name], situation) * pace.suspected
    return delayed > min(others, default=inf)


def _is_doubtful(best: Implementation, known: Mapping[str, Estimate]) -> bool:
    """Tell whether the best is taken for slow by a single block, left behind maybe.

    What others promise beside it is not known until its next block, which ends early.
    """
    pace = known[best.name].pace
    return best.apart and pace.slowdown > 1 and pace.row == 1


def _rival(
    situation: Situation, best: Implementation, known: Mapping[str, Estimate]
) -> float:
    """Return the seconds for a frame of the next best that is ready, and not busy."""
    others = (
        each.seconds
        for name, each in known.items()
        if name != best.name and each.is_ready and name not in situation.busy
    )
    return min(others, default=inf)


def _seconds(estimate: Estimate, situation: Situation) -> float:
    return estimate.preparation + estimate.total(situation.remaining)


def _try(
    trial: Trial, known: Mapping[str, Estimate], wanted: tuple[Implementation, ...]
) -> Choice:
    estimate = known.get(trial.implementation.name)
    seconds = estimate.seconds if estimate is not None and estimate.exact else None
    return Choice(
        trial.implementation,
        trial.frames,
        seconds,
        trial.reason,
        Expectations(known),
        wanted,
    )


def _check(
    situation: Situation,
    best: Implementation,
    known: Mapping[str, Estimate],
    wanted: tuple[Implementation, ...],
) -> Choice:
    estimate, remaining = known[best.name], situation.remaining
    factor = estimate.pace.suspected
    frames = frames_in(TRIAL_SECONDS, estimate.seconds * factor)
    block = estimate.frames(remaining)
    rival = _rival(situation, best, known)
    patience = _patience(best, known, rival, block, spare=0.0)
    if patience is not None:
        patience = replace(patience, launch_frames=-(-frames // 2))
        frames = block
    elif 2 * frames >= remaining:
        frames = remaining  # Little is saved on a rest no longer than the check itself.
    return Choice(
        best,
        frames,
        estimate.seconds,
        CHECKING.format(factor),
        Expectations(known),
        wanted,
        patience,
    )


def _take(
    situation: Situation,
    best: Implementation,
    known: Mapping[str, Estimate],
    wanted: tuple[Implementation, ...] = (),
) -> Choice:
    estimate, remaining = known[best.name], situation.remaining
    frames = estimate.frames(remaining)
    rival = _rival(situation, best, known)
    patience = _patience(best, known, rival, frames)
    if patience is None:
        frames = estimate.frames(remaining, rival)
    reason = _reason_without_contest(situation) or _reason(best, known)
    if situation.has_contest and best.kind == "opencl" and estimate.lacks_short(frames):
        frames, reason = max(1, frames // _SHORTER), SHORT
    return Choice(
        best,
        frames,
        estimate.seconds,
        reason,
        Expectations(known),
        wanted,
        patience,
    )


def _patience(
    best: Implementation,
    known: Mapping[str, Estimate],
    rival: float,
    frames: int,
    spare: float | None = None,
) -> Patience | None:
    """Return when a block should end early: never where nothing could take over."""
    if not best.ends_early or rival == inf:
        return None
    return waiting.patience(best, known[best.name], rival, frames, spare)


def _with_look(contest: Contest, choice: Choice) -> Choice:
    """Add what is due to be measured beside the block.

    If a delay has ended, the block beside the look that shows this is computed in vain.
    The longer the delay has lasted, the longer it will last: so may the block.
    """
    beside = look(contest, choice.frames)
    if beside is not None and contest.known[beside.implementation.name].delay > 1:
        evidence = contest.situation.evidence
        lasted = evidence.delayed_seconds(beside.implementation.arm)
        seconds = contest.known[choice.implementation.name].seconds
        most = frames_in(max(_SOON_SECONDS, lasted), seconds)
        if most < choice.frames:
            choice = replace(choice, frames=most)
            beside = look(contest, most)
    return choice if beside is None else replace(choice, look=beside)


def _reason(best: Implementation, known: Mapping[str, Estimate]) -> str:
    estimate = known[best.name]
    delayed = [name for name in known if known[name].pace.slowdown > 1]
    usual = min([best.name, *delayed], key=lambda name: known[name].usual.frame_seconds)
    if usual != best.name:
        reason = FASTEST_NOW.format(usual, known[usual].pace.slowdown)
    else:
        reason = FASTEST if estimate.exact else FASTEST_ELSEWHERE
    reason += f": {_time(estimate.seconds)} a frame"
    others = [name for name in known if known[name].seconds > estimate.seconds]
    if others:
        second = min(others, key=lambda name: known[name].seconds)
        reason += f", next best {second} at {_time(known[second].seconds)}"
    plural = "" if estimate.measurements == 1 else "s"
    return f"{reason} ({estimate.measurements} measurement{plural})"


def _reason_without_contest(situation: Situation) -> str:
    if situation.pinned:
        return PINNED
    return "" if situation.has_contest else ONLY_ONE


def _first_guess(candidate: Implementation) -> tuple[float, int]:
    """Return what ranks a candidate of which nothing is known: much less work first."""
    return min(2 * candidate.work, 1.0), _guess_rank(candidate)


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
