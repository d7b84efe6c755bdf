"""What is worth measuring again: what is delayed, and what was slower long ago."""

from __future__ import annotations

from math import ceil, sqrt
from typing import NamedTuple

from napari_nanopyx._engine.measurements.blocks import NOTICED_BESIDE
from napari_nanopyx._engine.patience import Patience
from napari_nanopyx._engine.policy.choice import Look
from napari_nanopyx._engine.policy.estimates import WORTH_MOVING, Estimate
from napari_nanopyx._engine.policy.trials import (
    TRIAL_SECONDS,
    Contest,
    Trial,
    frames_in,
)
from napari_nanopyx._engine.types import Implementation

PROBE_SHARE = 0.05
"""The part that may be lost at most on looking whether delays have ended."""

LOSER_SHARE = 0.002
"""The part that may be lost on measuring a slower implementation again."""

LOSER_SECONDS = 60.0
"""What others compute at least before a slower implementation is measured again."""

PROBING = "looking whether it is still delayed, or delayed as well"
RENEWING = "slower when it was last measured, long ago: measuring it again"

_PLAIN = 4.0
"""A delay of so many times is seen by a short look without doubt."""

LOOK_SHARE = 0.1
"""Of a core, while a device computes beside the others: measured with a driver of
NVIDIA."""

_SHORT_DELAY_SECONDS = 1.0
"""While a faster device has been delayed for less, others wait with their looks."""

_LAUNCHES = 8
"""Of a look that takes as long as the block beside it."""

_PROBE_SECONDS = 0.001
_PROCESSOR_PROBE_SECONDS = 0.05
"""A shorter block can escape the others that share a processor, by luck."""


def probes(contest: Contest) -> list[Trial]:
    """Return what is due to be measured again: delayed often, slower ones rarely."""
    delayed, slower, apart, _ = _worth_measuring(contest)
    found = []
    if any(_lasted(contest, other) < _SHORT_DELAY_SECONDS for other, _ in apart):
        delayed = []  # A faster device may be back sooner than this pays.
    represented = _represented(contest) if delayed else set()
    on_devices = [other.device for other, _ in delayed]
    for other, estimate in delayed:
        frames = _probe_frames(contest, other, estimate)
        slowdown = estimate.pace.slowdown
        if estimate.pace.suspected > 1:
            # The newest block may have been slower than others by accident.
            slowdown = min(slowdown, estimate.pace.suspected)
        elif other.name not in represented:
            slowdown = 1.0  # Others' delay may not be its own.
        trial = _again(contest, other, estimate, frames, slowdown, PROBING)
        if other.name in represented:
            share = LOSER_SHARE
        else:
            share = _probe_share(contest, other, estimate, trial.cost)
            share /= on_devices.count(other.device)
        if trial.cost <= share * estimate.idle:
            found.append(trial)
    for other, estimate in apart:  # What is seen beside others may mislead.
        frames = _probe_frames(contest, other, estimate)
        slowdown = estimate.pace.slowdown
        trial = _again(contest, other, estimate, frames, slowdown, PROBING)
        alone = contest.situation.evidence.alone_seconds(other.arm)
        if trial.cost <= LOSER_SHARE * alone:
            found.append(trial)
    for other, estimate in slower:
        frames = frames_in(TRIAL_SECONDS, contest.seconds)
        trial = _again(contest, other, estimate, frames, 1.0, RENEWING)
        if trial.cost <= estimate.idle * LOSER_SHARE:
            found.append(trial)
    return found


def look(contest: Contest, frames: int) -> Look | None:
    """Return what is due to be measured beside a block of so many frames.

    Nobody waits for it, but launching and copying take a part of a core meanwhile, and
    while a driver opens something, all threads wait for memory.
    """
    _, _, delayed, slower = _worth_measuring(contest)
    if not delayed and not slower:
        return None
    represented = _represented(contest)
    seconds = frames * contest.seconds
    beside = seconds * LOOK_SHARE * contest.situation.core_share
    due: list[tuple[float, Look]] = []
    for other, estimate in delayed:
        cost = beside + estimate.opening
        share = _probe_share(contest, other, estimate, cost)
        if other.name not in represented and cost <= share * (estimate.idle + seconds):
            patience = _look_patience(contest, estimate, frames)
            due.append((estimate.free.frame_seconds, Look(other, patience, PROBING)))
    for other, estimate in slower:
        if beside + estimate.opening <= estimate.idle * LOSER_SHARE:
            due.append((estimate.seconds, Look(other, None, RENEWING)))
    return min(due, key=lambda each: each[0])[1] if due else None


Known = tuple[Implementation, Estimate]


class _Worth(NamedTuple):
    """What may be worth measuring: alone, or beside the block of the best."""

    delayed: list[Known]
    slower: list[Known]
    """By what was measured long ago."""
    delayed_beside: list[Known]
    slower_beside: list[Known]


def _worth_measuring(contest: Contest) -> _Worth:
    """Return those that are delayed, and those that were slower long ago."""
    found = _Worth([], [], [], [])
    for other in contest.others:
        estimate = contest.known.get(other.name)
        if estimate is None or not estimate.is_ready:
            continue
        is_faster = estimate.free.frame_seconds < contest.seconds
        is_delayed = is_faster and estimate.delay > 1
        if not is_delayed and estimate.idle < LOSER_SECONDS:
            continue
        is_elsewhere = other.apart and other.device != contest.best.device
        if is_elsewhere and estimate.copies_little:
            listed = found.delayed_beside if is_delayed else found.slower_beside
        else:
            listed = found.delayed if is_delayed else found.slower
        listed.append((other, estimate))
    return found


def _lasted(contest: Contest, other: Implementation) -> float:
    """Return the seconds that a delay has lasted."""
    return contest.situation.evidence.delayed_seconds(other.arm)


def _look_patience(contest: Contest, estimate: Estimate, frames: int) -> Patience:
    """Return when a look should end: soon if it is slow, or else not at all.

    Its launches are short, as each may take long.
    """
    best = contest.known[contest.best.name]
    seconds = best.now.seconds(frames)
    launch = seconds / _LAUNCHES / max(estimate.now.per_frame, 1e-9)
    usual = estimate.usual
    each = max(contest.seconds, NOTICED_BESIDE * usual.per_frame)
    return Patience(max(1, round(launch)), each, NOTICED_BESIDE * usual.fixed)


def _again(
    contest: Contest,
    other: Implementation,
    estimate: Estimate,
    frames: int,
    slowdown: float,
    reason: str,
) -> Trial:
    """Return a block of one that has been tried, and what it costs."""
    frames = min(frames, contest.situation.remaining)
    opening = estimate.opening * estimate.pace.slowdown
    seconds = slowdown * estimate.usual.seconds(frames)
    if slowdown >= _PLAIN:
        situation = contest.situation
        delayed = situation.evidence.delayed(other.arm, situation.workload)
        if delayed is not None:
            seconds = min(seconds, delayed.seconds(frames))
    seconds += opening
    return Trial(other, frames, max(seconds - frames * contest.seconds, 0.0), reason)


def _represented(contest: Contest) -> set[str]:
    """Return those that need not be looked at, as another one is that is faster.

    What delays two on a device will delay all of them. Its end will be seen by the
    best, if it is on that device, or else by the fastest there.
    """
    best, known = contest.best, contest.known
    on: dict[str, list[Implementation]] = {}
    for each in (best, *contest.others):
        if each.name in known:
            on.setdefault(each.device, []).append(each)
    found: set[str] = set()
    for device, listed in on.items():
        slow = [each for each in listed if known[each.name].pace.suspected > 1]
        if len(slow) <= 1:
            continue
        seen_by = min(slow, key=lambda each: known[each.name].free.frame_seconds)
        if device == best.device:
            if known[best.name].pace.slowdown == 1:
                continue
            seen_by = best
        found.update(each.name for each in listed if each is not seen_by)
    return found


def _probe_share(
    contest: Contest, other: Implementation, estimate: Estimate, cost: float
) -> float:
    """Return the part of the time to lose on looking for the end of a delay.

    The longer it has lasted, the longer it will last. If it ends with the chance of
    one in the seconds that it has lasted, looks and the time by which the end is
    noticed late cost the least together at this share.
    """
    lasted = max(_lasted(contest, other), 1e-9)
    gain = 1 - estimate.free.frame_seconds / contest.seconds
    return min(sqrt(cost * gain / (2 * lasted)), PROBE_SHARE)


def _probe_frames(contest: Contest, other: Implementation, estimate: Estimate) -> int:
    """Return the fewest frames that tell a delay from none.

    On a device of its own, what the delay adds has to be as long as what the block
    takes besides its frames: of a long delay a single frame shows that, if what that
    takes without a delay is known. If it is what comes besides the frames that makes it
    slower, the look is as long as a block.
    """
    usual, delay = estimate.free, estimate.delay
    per_frame = max(usual.per_frame, 1e-6)
    if other.kind == "opencl":
        seconds = min(max(_PROBE_SECONDS, usual.fixed) / (delay - 1), _PROBE_SECONDS)
    else:
        seconds = _PROCESSOR_PROBE_SECONDS
    frames = ceil(seconds / per_frame)
    if WORTH_MOVING * estimate.now.per_frame < contest.seconds:
        return max(frames, estimate.now.frames)
    return frames
