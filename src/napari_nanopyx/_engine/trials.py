"""What is worth trying: implementations unknown, prepared elsewhere, or long unused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, sqrt
from typing import NamedTuple

from napari_nanopyx._engine.estimates import (
    READY_SECONDS,
    Estimate,
    arm_of,
    preparation,
    time_lost,
    time_spent,
)
from napari_nanopyx._engine.record import Arm, Record
from napari_nanopyx._engine.situation import Situation
from napari_nanopyx._engine.types import Implementation

TRIAL_SECONDS = 0.03
"""What a trial would take on the best implementation."""

TRIALS = 2
"""Warm measurements after which an implementation has been tried."""

EXPLORATION_SHARE = 0.05
"""The part of all computing time that may be lost on trials."""

PROBE_SHARE = 0.05
"""The part that may be lost at most on looking whether delays have ended."""

LOSER_SHARE = 0.002
"""The part that may be lost on measuring a slower implementation again."""

LOSER_SECONDS = 60.0
"""What others compute at least before a slower implementation is measured again."""

TRYING = "trying it for the first time at this size"
TRYING_AGAIN = "measuring it once more before it is judged"
PROBING = "looking whether it is still delayed, or delayed as well"
RENEWING = "slower when it was last measured, long ago: measuring it again"

_LONGER = 4
_HOPELESS = 3.0
_COLD_TRIALS = 3
_PROBE_SECONDS = 0.001
_PROCESSOR_PROBE_SECONDS = 0.05
"""A shorter block can escape the others that share a processor, by luck."""


class Trial(NamedTuple):
    """A block that is computed to learn something."""

    implementation: Implementation
    frames: int
    cost: float
    """Seconds that the best would save."""
    reason: str


@dataclass(eq=False)
class Contest:
    """The candidates beside the one that is the best to take now."""

    situation: Situation
    others: Sequence[Implementation]
    known: Mapping[str, Estimate]
    best: Implementation

    @cached_property
    def seconds(self) -> float:
        """What a frame takes on the best."""
        return self.known[self.best.name].seconds

    @cached_property
    def measured(self) -> Mapping[Arm, Record]:
        """What is known of exactly this workload."""
        return self.situation.evidence.exact(self.situation.workload)

    @cached_property
    def allowance(self) -> float:
        """Seconds that all trials of this workload may cost, past ones included."""
        total = time_spent(self.measured)
        total += self.known[self.best.name].total(self.situation.remaining)
        return EXPLORATION_SHARE * total

    @cached_property
    def budget(self) -> float:
        """Seconds that trials of this workload may still cost."""
        share = self.situation.background_share
        lost = time_lost(self.measured, arm_of(self.best), self.seconds, share)
        return self.allowance - lost

    @cached_property
    def unknown(self) -> list[tuple[Implementation, Record | None, Estimate | None]]:
        """Those not yet tried enough to be judged, with what is known of them."""
        found = []
        for candidate in self.others:
            tried = self.measured.get(arm_of(candidate))
            if tried is None or len(tried.warm) < TRIALS:
                estimate = self.known.get(candidate.name)
                if _is_worth_trying(tried, estimate, self.seconds):
                    found.append((candidate, tried, estimate))
        return found


def trials(contest: Contest, kept: float = 0.0) -> list[Trial]:
    """Return what can be tried at once within the budget, less what is kept of it."""
    situation, found = contest.situation, []
    budget = contest.budget - kept
    for candidate, tried, estimate in contest.unknown:
        if not _is_ready(situation, candidate):
            continue
        excess = _excess(contest, candidate, estimate)
        wished = frames_in(TRIAL_SECONDS, contest.seconds)
        if tried is not None:
            # Blocks of two lengths tell a fixed time from the time of each frame.
            wished = max(wished, _LONGER * tried.block_time.most_frames)
        affordable = int(budget / excess) if excess > 0 else wished
        frames = min(wished, affordable, situation.remaining)
        if frames >= 1:
            reason = TRYING if tried is None else TRYING_AGAIN
            found.append(Trial(candidate, frames, frames * excess, reason))
    return found


def worth_preparing(contest: Contest) -> tuple[list[Implementation], float]:
    """Return what should be compiled and set up beside the computation.

    What is known to be faster: if that saves more than it costs, in the rest of this
    run or had it been ready since it was used last. What is unknown: if the budget of
    trials allows it. What is to be kept of the budget for these is returned, too: half
    of all while another device cannot be afforded, which promises more than others
    on the same one.
    """
    situation, wanted, kept, least = contest.situation, [], 0.0, 0.0
    costs = [
        (
            candidate.device == contest.best.device,
            _cost_of_preparing(situation, candidate)
            + _excess(contest, candidate, estimate),
            candidate,
        )
        for candidate, _, estimate in contest.unknown
        if not _is_ready(situation, candidate)
    ]
    for is_same_device, cost, candidate in sorted(costs, key=lambda each: each[:2]):
        if kept + cost <= contest.budget:
            wanted.append(candidate)
            kept += cost
        elif not is_same_device:
            least = contest.allowance / 2
    kept = max(kept, least)
    for candidate in contest.others:
        known = contest.known.get(candidate.name)
        if candidate in wanted or known is None or known.is_ready:
            continue
        frames = max(situation.remaining, known.idle / contest.seconds)
        saved = (contest.seconds - known.usual.frame_seconds) * frames
        if saved > _cost_of_preparing(situation, candidate):
            wanted.append(candidate)
    return wanted, kept


def probes(contest: Contest) -> list[Trial]:
    """Return what is due to be measured again: delayed often, slower ones rarely."""
    ready = [
        (other, contest.known[other.name])
        for other in contest.others
        if other.name in contest.known and contest.known[other.name].is_ready
    ]
    delayed = [
        (other, estimate)
        for other, estimate in ready
        if estimate.delay > 1 and estimate.free.frame_seconds < contest.seconds
    ]
    found = []
    for other, estimate in ready:
        if (other, estimate) in delayed:
            frames = _probe_frames(other, estimate)
            if estimate.now.per_frame < contest.seconds:
                # Then it is what comes besides the frames that makes it slower.
                frames = max(frames, estimate.now.frames)
            least, reason = 0.0, PROBING
        else:
            frames = frames_in(TRIAL_SECONDS, contest.seconds)
            least, reason = LOSER_SECONDS, RENEWING
        frames = min(frames, contest.situation.remaining)
        # Until its own newest block was slow, others' delay may not be its own.
        is_slow = estimate.pace.suspected > 1
        block_time = estimate.now if is_slow else estimate.usual
        seconds = estimate.opening * estimate.pace.slowdown + block_time.seconds(frames)
        cost = max(seconds - frames * contest.seconds, 0.0)
        share = LOSER_SHARE
        if reason == PROBING:
            share = _probe_share(contest, other, estimate, cost) / len(delayed)
        if estimate.idle >= least and estimate.idle * share >= cost:
            found.append(Trial(other, frames, cost, reason))
    return found


def frames_in(seconds: float, per_frame: float) -> int:
    """Return how many frames such a time gives, at least one."""
    return max(1, round(seconds / max(per_frame, 1e-9)))


def _probe_share(
    contest: Contest, other: Implementation, estimate: Estimate, cost: float
) -> float:
    """Return the part of the time to lose on looking for the end of a delay.

    The longer it has lasted, the longer it will last. If it ends with the chance of
    one in the seconds that it has lasted, looks and the time by which the end is
    noticed late cost the least together at this share.
    """
    arm = arm_of(other)
    lasted = max(contest.situation.evidence.delayed_seconds(arm), 1e-9)
    gain = 1 - estimate.free.frame_seconds / contest.seconds
    return min(sqrt(cost * gain / (2 * lasted)), PROBE_SHARE)


def _probe_frames(other: Implementation, estimate: Estimate) -> int:
    """Return the fewest frames that tell a delay from none.

    On a device of its own, what the delay adds has to be as long as what the block
    takes besides its frames: of a long delay a single frame shows that.
    """
    usual, delay = estimate.free, estimate.delay
    per_frame = max(usual.per_frame, 1e-6)
    if other.kind != "opencl":
        return ceil(_PROCESSOR_PROBE_SECONDS / per_frame)
    seconds = max(_PROBE_SECONDS, usual.fixed)
    return ceil(min(seconds / (delay - 1), _PROBE_SECONDS) / per_frame)


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
    return not hopeless


def _excess(
    contest: Contest, candidate: Implementation, estimate: Estimate | None
) -> float:
    """Return what a frame of a trial may cost more.

    What is unknown is taken to need twice the time that its work should take: nothing
    more, if it has less than half the work of the best.
    """
    seconds = contest.seconds
    if estimate is None:
        return seconds * max(2 * candidate.work / contest.best.work - 1, 0.0)
    return seconds * min(max(estimate.seconds / seconds - 1, 0.1), _HOPELESS)


def _is_ready(situation: Situation, candidate: Implementation) -> bool:
    if candidate.name in situation.ready:
        return True
    return preparation(situation.evidence, candidate) <= READY_SECONDS


def _cost_of_preparing(situation: Situation, candidate: Implementation) -> float:
    return preparation(situation.evidence, candidate) * situation.background_share
