"""The default policy: takes the fastest as of now, and keeps an eye on the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf

from napari_nanopyx._engine.patience import Patience
from napari_nanopyx._engine.policy import ranking, reasons, waiting
from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.policy.estimates import (
    Estimate,
    Expectations,
    estimates,
)
from napari_nanopyx._engine.policy.guessing import guess, guess_rank
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
from napari_nanopyx._engine.types import Implementation

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
    best = ranking.fastest(situation, ready or listed, known)
    if len(usable) == 1:
        return _take(situation, best, known)
    others = [c for c in usable if c is not best]
    contest = Contest(situation, others, known, best)
    prepare, kept = worth_preparing(contest) if ready else ([], Kept())
    wanted = tuple(prepare)
    if ranking.needs_checking(situation, best, known):
        return _check(situation, best, known, wanted)
    is_early = situation.awaited or ranking.is_doubtful(best, known)
    found = [] if is_early else trials(contest, kept) or probes(contest)
    if found:
        cheapest = min(found, key=lambda t: (t.cost, guess_rank(t.implementation)))
        return _try(cheapest, known, wanted)
    choice = _take(situation, best, known, wanted)
    if situation.awaited:
        soon = frames_in(_SOON_SECONDS, known[best.name].seconds)
        if 2 * soon < situation.remaining:  # else little is saved on the rest
            choice = replace(choice, frames=min(choice.frames, soon))
    return _with_look(contest, choice)


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
        reasons.CHECKING.format(factor),
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
    reason = reasons.without_contest(situation) or reasons.fastest(best, known)
    if situation.has_contest and best.kind == "opencl" and estimate.lacks_short(frames):
        frames, reason = max(1, frames // _SHORTER), reasons.SHORT
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
