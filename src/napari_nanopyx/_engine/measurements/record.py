"""What is remembered of one implementation at one workload."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import log, sqrt
from typing import NamedTuple

from napari_nanopyx._engine.measurements import judging
from napari_nanopyx._engine.measurements.blocks import BlockTime, block_time
from napari_nanopyx._engine.measurements.delays import Standing, standing
from napari_nanopyx._engine.measurements.prediction import Point
from napari_nanopyx._engine.measurements.similarity import features
from napari_nanopyx._engine.types import Measurement, Workload

RECENT = 50
"""Warm measurements kept in memory for each implementation and workload."""

TRIALS = 2
"""Warm measurements after which an implementation has been tried."""

JUDGED = 8
"""Newest blocks that tell whether an implementation, or a device, is delayed."""

_FEW = 8
_TELLING = 0.25
FEWEST_BEFORE = 2
_USUAL_SPREAD = 0.1
_ACCIDENT_AT_MOST = 2.0
_RENEWED = 25
"""Measurements until what accidents add is found anew: that takes as long as a fit."""

_SHORTEST_SECONDS = 1e-9


class Fit(NamedTuple):
    """A block time, and how many warm measurements there were when it was fitted."""

    block_time: BlockTime
    counted: int

    def covers(self, counted: int, frames: int) -> bool:
        """Tell whether so many measurements, the newest of so many frames, are like."""
        few_more = counted <= min(1.125 * self.counted, self.counted + 6)
        known = self.block_time
        return few_more and known.fewest_frames <= frames <= known.most_frames


@dataclass(frozen=True)
class Record:
    """What is remembered of one arm at one workload; the newest measurement is last."""

    workload: Workload
    warm: tuple[Measurement, ...] = ()
    cold: tuple[Measurement, ...] = ()
    disturbed: tuple[Measurement, ...] = ()
    frames: int = 0
    seconds: float = 0.0
    """Transfer and computation, of the frames above."""
    preparation: float = 0.0
    tried_frames: int = 0
    tried_seconds: float = 0.0
    """The same of its first blocks, before it was judged."""
    counted: int = 0
    """Warm measurements in all."""
    judged: tuple[bool, ...] = ()
    """Of the oldest warm ones, whether they were slow beside those before them."""
    earlier_fit: Fit | None = None
    """One that is still good enough."""
    earlier_accidents: float | None = None
    """The same, of a few measurements less."""
    formerly: BlockTime | None = None
    """The usual time, before it was slow for so long that this became usual."""

    @cached_property
    def block_time(self) -> BlockTime:
        """What a block takes when nothing delays it; by others if none is warm."""
        return self.fit.block_time

    @cached_property
    def fit(self) -> Fit:
        """The block time; a fit to almost as many measurements will do."""
        if self.earlier_fit is not None:
            return self.earlier_fit
        if not self.warm:
            return Fit(block_time([judging.block(m) for m in self.measured]), 0)
        judged = zip(self.warm, self.slow, strict=True)
        usual = [measurement for measurement, is_slow in judged if not is_slow]
        alone = [measurement for measurement in usual if not measurement.beside]
        return Fit(block_time([judging.block(m) for m in alone or usual]), self.counted)

    @cached_property
    def slow(self) -> tuple[bool, ...]:
        """Of each warm one, whether it was slow beside those before it.

        A short block that was delayed would else pass for one with a fixed time.
        """
        return judging.slow(self.warm, self.judged)

    @cached_property
    def accidents(self) -> float:
        """Times the usual seconds that a block takes on average while no delay lasts.

        The usual seconds leave out blocks that are slow by accident, of which some
        implementations have more: who gave each thread its part waits for the last. A
        few tell little: as many more as are kept count as usual, and none for much.
        """
        if self.earlier_accidents is not None:
            return self.earlier_accidents
        usual, slow = self.block_time, (False, *self.slow, False)
        counted = [
            measurement
            for place, measurement in enumerate(self.warm)
            if not slow[place + 1] or sum(slow[place : place + 3]) == 1
        ]
        factors = [
            m.timing.warm / max(usual.seconds(m.frames), _SHORTEST_SECONDS)
            for m in counted
        ]
        seen = sum(min(factor, _ACCIDENT_AT_MOST) for factor in factors)
        return (RECENT + seen) / (RECENT + len(factors))

    @property
    def _accidents_soon(self) -> float | None:
        """What accidents add after the next measurement; None if to be found anew."""
        is_known = "accidents" in self.__dict__ and self.counted > RECENT
        return self.accidents if is_known and self.counted % _RENEWED else None

    @cached_property
    def point(self) -> Point:
        """The seconds of a frame of a long block.

        Its uncertainty is a standard error that takes one unseen run to be 10 % off.
        """
        usual = self.block_time
        errors = sorted(
            log(max(m.timing.warm, _SHORTEST_SECONDS) / usual.seconds(m.frames))
            for m in self.measured
        )
        fast = errors[: (len(errors) + 1) // 2]
        squares = sum(error**2 for error in fast)
        uncertainty = sqrt(_USUAL_SPREAD**2 + squares) / len(fast)
        work = self.workload
        seconds = max(usual.frame_seconds, _SHORTEST_SECONDS)
        return Point(features(work), work.flops, seconds, uncertainty)

    @cached_property
    def copied(self) -> float:
        """The part of the time that copying to a device and back takes."""
        seconds = sum(measurement.timing.warm for measurement in self.measured)
        copies = sum(measurement.timing.transfer for measurement in self.measured)
        return copies / max(seconds, _SHORTEST_SECONDS)

    @property
    def measured(self) -> tuple[Measurement, ...]:
        """What its time is known by: the warm ones, or else the others."""
        return self.warm or self.disturbed or self.cold

    @property
    def is_judged(self) -> bool:
        """Whether there are enough warm measurements to compare it with others."""
        return self.counted >= TRIALS

    @property
    def is_slow(self) -> bool:
        """Whether its newest block was slow, as far as it has been judged."""
        return self.formerly is not None or self.judged[-1:] == (True,)

    def slowdown(self, measurement: Measurement) -> float:
        """Return the next one's seconds over the expected ones; 1 if it is not slow."""
        return judging.slowdown(measurement, self.block_time, self.slow[-1])

    def with_(self, run: Run) -> Record:
        """Return the record after one more measurement."""
        measurement, timing = run.measurement, run.measurement.timing
        frames = self.frames + measurement.frames
        seconds = self.seconds + timing.warm
        preparation = self.preparation + timing.prepare
        tried_frames, tried_seconds = self.tried_frames, self.tried_seconds
        if not self.is_judged and len(self.disturbed) < TRIALS:
            tried_frames += measurement.frames
            tried_seconds += timing.warm
        if not run.counts:
            cold, disturbed = self.cold, self.disturbed
            if measurement.outcome == "cold":
                cold = (*cold, measurement)[-_FEW:]
            else:
                disturbed = (*disturbed, measurement)[-_FEW:]
            return replace(
                self,
                cold=cold,
                disturbed=disturbed,
                frames=frames,
                seconds=seconds,
                preparation=preparation,
                tried_frames=tried_frames,
                tried_seconds=tried_seconds,
            )
        judged, fit = self.judged, None
        if "fit" in self.__dict__ and len(self.warm) >= FEWEST_BEFORE:
            judged, fit = (*self.slow, run.is_slow), self.fit
        warm, formerly = (*self.warm, measurement), self.formerly
        if len(warm) > RECENT:
            dropped = judging.least_telling(warm, judged)
            warm = warm[:dropped] + warm[dropped + 1 :]
            judged = judged[:dropped] + judged[dropped + 1 :]
        if formerly is not None and formerly.slowdown(*judging.block(measurement)) == 1:
            judged = (*(True for _ in warm[1:]), False)
            fit, formerly = Fit(formerly, self.counted + 1), None
        elif judged and all(judged):  # then this is the usual time by now
            formerly = formerly or self.block_time
            judged, fit = (), None
        if fit is not None and not fit.covers(self.counted + 1, measurement.frames):
            fit = None
        return Record(
            self.workload,
            warm,
            self.cold,
            self.disturbed,
            frames,
            seconds,
            preparation,
            tried_frames,
            tried_seconds,
            counted=self.counted + 1,
            judged=judged,
            earlier_fit=fit,
            earlier_accidents=self._accidents_soon,
            formerly=formerly,
        )


@dataclass(frozen=True)
class Run:
    """One measurement, with what was known of its arm and workload before it."""

    measurement: Measurement
    before: Record

    @cached_property
    def standing(self) -> Standing | None:
        """How it compares with those before it; None if they are too few."""
        earlier = [measurement.frame_seconds for measurement in self.before.warm]
        return standing(self.measurement.frame_seconds, earlier)

    @cached_property
    def slowdown(self) -> float | None:
        """Its seconds over those to expect, 1 if not slow; None if little was known."""
        if len(self.before.warm) < FEWEST_BEFORE:
            return None
        return self.before.slowdown(self.measurement)

    @property
    def is_slow(self) -> bool:
        """Whether it took longer than was to be expected, if that was known."""
        return self.slowdown is not None and self.slowdown > 1

    @property
    def counts(self) -> bool:
        """Whether it is a warm one.

        One that was disturbed says as much as others if it was not slow for all that.
        """
        outcome = self.measurement.outcome
        return outcome == "ok" or (outcome == "disturbed" and self.slowdown == 1)

    @property
    def is_telling(self) -> bool:
        """Whether it took long enough to tell how slow the frames are."""
        usual, frames = self.before.block_time, self.measurement.frames
        return usual.fixed <= _TELLING * usual.seconds(frames)

    def judge_no_more(self) -> None:
        """Let it say nothing about a delay: it was judged by what is usual no more."""
        self.__dict__["slowdown"] = None
