"""What is worth trying: implementations unknown, or prepared elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from napari_nanopyx._engine.measurements.record import Record
from napari_nanopyx._engine.policy.estimates import (
    READY_SECONDS,
    Estimate,
    preparation,
    time_lost,
    time_spent,
)
from napari_nanopyx._engine.policy.situation import Situation
from napari_nanopyx._engine.types import Arm, Implementation

TRIAL_SECONDS = 0.03
"""What a trial would take on the best implementation."""

EXPLORATION_SHARE = 0.05
"""The part of all computing time that may be lost on trials."""

TRYING = "trying it for the first time at this size"
TRYING_AGAIN = "measuring it once more before it is judged"
_LONGER = 4
_HOPELESS = 3.0
_COLD_TRIALS = 3


class Trial(NamedTuple):
    """A block that is computed to learn something."""

    implementation: Implementation
    frames: int
    cost: float
    """Seconds that the best would save."""
    reason: str


Untried = tuple[Implementation, Record | None, Estimate | None]


class Kept(NamedTuple):
    """Seconds of the budget that nothing else may take."""

    elsewhere: float = 0.0
    """For other devices than that of the best."""
    here: float = 0.0
    """For others on its device: they promise less, and bind nothing elsewhere."""


@dataclass(eq=False)
class Contest:
    """The candidates beside the one that is the best to take now."""

    situation: Situation
    others: Sequence[Implementation]
    known: Mapping[str, Estimate]
    best: Implementation
    seconds: float = field(init=False)
    """What a frame takes on the best, in blocks as long as such runs allow."""
    measured: Mapping[Arm, Record] = field(init=False)
    """What is known of exactly this workload."""
    unknown: Sequence[Untried] = field(init=False)
    """Those not yet tried enough to be judged, with what is known of them."""

    def __post_init__(self) -> None:
        self.seconds = self.each(self.known[self.best.name])
        self.measured = self.situation.evidence.exact(self.situation.workload)
        self.unknown = self._worth_trying()

    def each(self, estimate: Estimate) -> float:
        """Return what a frame takes in such blocks.

        What comes besides the frames counts for more of them in longer runs.
        """
        best = self.known[self.best.name]
        longest = max(self.situation.remaining, best.usual.most_frames)
        frames = min(best.now.frames, longest)
        return estimate.now.seconds(frames) / frames

    @cached_property
    def work_seconds(self) -> dict[str, float]:
        """What a frame takes at best on each device, for the work of the kernel."""
        found: dict[str, float] = {}
        for each in (self.best, *self.others):
            estimate = self._estimate(each)
            if estimate is not None:
                seconds = estimate.seconds / each.work
                found[each.device] = min(found.get(each.device, seconds), seconds)
        return found

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
        lost = time_lost(self.measured, self.best.arm, self.seconds, share)
        return self.allowance - lost

    def _worth_trying(self) -> list[Untried]:
        found = []
        for candidate in self.others:
            tried = self.measured.get(candidate.arm)
            if tried is None or not tried.is_judged:
                estimate = self._estimate(candidate)
                if self._is_worth_trying(candidate, tried, estimate):
                    found.append((candidate, tried, estimate))
        return found

    def _estimate(self, candidate: Implementation) -> Estimate | None:
        """Return what is known of a candidate; no guess from workloads unlike this.

        The work of another algorithm is not in proportion to that of the kernel.
        """
        estimate = self.known.get(candidate.name)
        if estimate is None or estimate.near or candidate.work == 1:
            return estimate
        return None

    @cached_property
    def left_behind(self) -> set[str]:
        """Devices of which what was measured at about this size is slow, all of it."""
        near = [each for each in self.others if each.name in self.known]
        near = [each for each in near if self.known[each.name].near]
        fast = {each.device for each in near if not self._is_slow(each)}
        return {each.device for each in near} - fast

    def _is_slow(self, candidate: Implementation) -> bool:
        estimate = self.known[candidate.name]
        return self.each(estimate) > _HOPELESS * self.seconds

    def _is_worth_trying(
        self, candidate: Implementation, tried: Record | None, estimate: Estimate | None
    ) -> bool:
        """Tell whether one that was tried this much may be the best.

        If it was only measured at quite other sizes, another one on its device has to
        confirm that it is slow.
        """
        if tried is not None and not tried.warm:
            return len(tried.cold) < _COLD_TRIALS
        if estimate is None:
            return True
        if not estimate.near and candidate.device not in self.left_behind:
            return True
        return not self._is_slow(candidate)


def trials(contest: Contest, kept: Kept) -> list[Trial]:
    """Return what can be tried at once within the budget, less what is kept of it."""
    if not contest.unknown:
        return []
    situation, found = contest.situation, []
    for candidate, tried, estimate in contest.unknown:
        if not _is_ready(situation, candidate):
            continue
        if situation.disturbed and not _is_promising(contest, candidate, estimate):
            continue
        excess = _excess(contest, candidate, estimate)
        wished = frames_in(TRIAL_SECONDS, contest.seconds)
        if tried is not None:
            # Blocks of two lengths tell a fixed time from the time of each frame.
            fewest = tried.block_time.fewest_frames // _LONGER
            if fewest and excess >= contest.seconds:
                wished = fewest  # of one that is slow, a shorter one costs less
            else:
                wished = max(wished, _LONGER * tried.block_time.most_frames)
        is_here = candidate.device == contest.best.device
        budget = contest.budget - kept.elsewhere - (kept.here if is_here else 0.0)
        affordable = int(budget / excess) if excess > 0 else wished
        frames = min(wished, affordable, situation.remaining)
        if frames >= 1:
            reason = TRYING if tried is None else TRYING_AGAIN
            found.append(Trial(candidate, frames, frames * excess, reason))
    elsewhere = [t for t in found if t.implementation.device != contest.best.device]
    return elsewhere or found


def worth_preparing(contest: Contest) -> tuple[list[Implementation], Kept]:
    """Return what should be compiled and set up beside the computation.

    What is known to be faster, the fastest first: if that saves more than it costs, in
    the rest of this run or had it been ready since it was used last. What is unknown:
    if the budget of trials allows it. What is to be kept of the budget for these is
    returned, too: half of all while another device cannot be afforded, which promises
    more than others on the same one.
    """
    situation, wanted, least = contest.situation, [], 0.0
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
    elsewhere = here = 0.0
    for is_here, cost, candidate in sorted(costs, key=lambda each: each[:2]):
        if elsewhere + here + cost <= contest.budget:
            wanted.append(candidate)
            elsewhere, here = elsewhere + cost * (not is_here), here + cost * is_here
        elif not is_here:
            least = contest.allowance / 2
    kept = Kept(max(elsewhere, least), here)
    faster = []
    for candidate in contest.others:
        known = contest.known.get(candidate.name)
        if candidate in wanted or known is None or known.is_ready:
            continue
        frames = max(situation.remaining, known.idle / contest.seconds)
        seconds = known.usual.frame_seconds
        saved = (contest.seconds - seconds) * frames
        if saved > _cost_of_preparing(situation, candidate):
            faster.append((seconds, candidate))
    faster.sort(key=lambda each: each[0])
    return [*wanted, *(candidate for _, candidate in faster)], kept


def frames_in(seconds: float, per_frame: float) -> int:
    """Return how many frames such a time gives, at least one."""
    return max(1, round(seconds / max(per_frame, 1e-9)))


def _excess(
    contest: Contest, candidate: Implementation, estimate: Estimate | None
) -> float:
    """Return what a frame of a trial may cost more.

    What is unknown is taken to need twice the time that its work should take on its
    device: nothing more, if it has less than half the work of the best there.
    """
    seconds = contest.seconds
    if estimate is None:
        each = contest.work_seconds.get(candidate.device, seconds / contest.best.work)
        return max(2 * candidate.work * each - seconds, 0.0)
    return seconds * min(max(contest.each(estimate) / seconds - 1, 0.1), _HOPELESS)


def _is_promising(
    contest: Contest, candidate: Implementation, estimate: Estimate | None
) -> bool:
    """Tell whether a trial is worth its while though others take the processor's time.

    It would look slower than it is: only another device, or what should be more than
    twice as fast as the best, does not wait until nothing is prepared any more.
    """
    if not candidate.shares_processor:
        return True
    if estimate is None:
        return 2 * candidate.work < contest.best.work
    return 2 * contest.each(estimate) < contest.seconds


def _is_ready(situation: Situation, candidate: Implementation) -> bool:
    if candidate.name in situation.ready:
        return True
    return preparation(situation.evidence, candidate) <= READY_SECONDS


def _cost_of_preparing(situation: Situation, candidate: Implementation) -> float:
    return preparation(situation.evidence, candidate) * situation.background_share
