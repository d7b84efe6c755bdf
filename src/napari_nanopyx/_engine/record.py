"""What is remembered of one implementation at one workload."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import log, sqrt
from typing import NamedTuple

from napari_nanopyx._engine.blocks import BlockTime, block_time
from napari_nanopyx._engine.delays import Standing, standing
from napari_nanopyx._engine.prediction import Point
from napari_nanopyx._engine.similarity import features
from napari_nanopyx._engine.types import Measurement, Workload

RECENT = 50
"""Warm measurements kept in memory for each implementation and workload."""

JUDGED = 8
"""Newest blocks that tell whether an implementation, or a device, is delayed."""

_RECENT_COLD = 8
_FEWEST_BEFORE = 2
_USUAL_SPREAD = 0.1
_SHORTEST_SECONDS = 1e-9


class Arm(NamedTuple):
    """An implementation on a device: what a choice is made between."""

    implementation: str
    device: str


class Fit(NamedTuple):
    """A block time, and how many warm measurements there were when it was fitted."""

    block_time: BlockTime
    counted: int

    def covers(self, counted: int, frames: int) -> bool:
        """Tell whether so many measurements, the newest of so many frames, are like."""
        few_more = counted <= min(1.125 * self.counted, self.counted + 6)
        return few_more and frames <= self.block_time.most_frames


@dataclass(frozen=True)
class Record:
    """What is remembered of one arm at one workload; the newest measurement is last."""

    workload: Workload
    warm: tuple[Measurement, ...] = ()
    cold: tuple[Measurement, ...] = ()
    frames: int = 0
    seconds: float = 0.0
    """Transfer and computation, of the frames above."""
    preparation: float = 0.0
    counted: int = 0
    """Warm measurements in all."""
    judged: tuple[bool, ...] = ()
    """Of the oldest warm ones, whether they were slow beside those before them."""
    earlier_fit: Fit | None = None
    """One that is still good enough."""

    @cached_property
    def block_time(self) -> BlockTime:
        """What a block takes when nothing delays it; by cold ones if none is warm."""
        return self.fit.block_time

    @cached_property
    def fit(self) -> Fit:
        """The block time; a fit to almost as many measurements will do."""
        if self.earlier_fit is not None:
            return self.earlier_fit
        if not self.warm:
            return Fit(block_time([_block(m) for m in self.cold]), 0)
        usual = zip(self.warm, self.slow, strict=True)
        blocks = [_block(m) for m, is_slow in usual if not is_slow]
        return Fit(block_time(blocks), self.counted)

    @cached_property
    def slow(self) -> tuple[bool, ...]:
        """Of each warm one, whether it was slow beside those before it.

        A short block that was delayed would else pass for one with a fixed time.
        """
        if len(self.judged) == len(self.warm):
            return self.judged
        slow, usual, expected, next_fit = list(self.judged), [], None, 2
        for place, measurement in enumerate(self.warm):
            block = _block(measurement)
            if place >= len(slow):
                slow.append(expected is not None and _slowdown(block, expected) > 1)
            if not slow[place]:
                usual.append(block)
            if len(usual) >= next_fit and place + 1 >= len(self.judged):
                expected, next_fit = block_time(usual), 2 * len(usual)
        return tuple(slow)

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

    @property
    def measured(self) -> tuple[Measurement, ...]:
        """What its time is known by: the warm ones, or else the cold."""
        return self.warm or self.cold

    def with_(self, measurement: Measurement) -> Record:
        """Return the record after one more measurement."""
        timing = measurement.timing
        counted = replace(
            self,
            frames=self.frames + measurement.frames,
            seconds=self.seconds + timing.warm,
            preparation=self.preparation + timing.prepare,
        )
        if measurement.outcome == "cold":
            return replace(counted, cold=(*self.cold, measurement)[-_RECENT_COLD:])
        judged, fit = self.judged, None
        if "fit" in self.__dict__ and len(self.warm) >= _FEWEST_BEFORE:
            is_slow = _slowdown(_block(measurement), self.block_time) > 1
            judged, fit = (*self.slow, is_slow), self.fit
        judged = judged[max(0, len(self.warm) + 1 - RECENT) :]
        if all(judged):  # then this is the usual time by now
            judged, fit = (), None
        if fit is not None and not fit.covers(self.counted + 1, measurement.frames):
            fit = None
        return replace(
            counted,
            warm=(*self.warm, measurement)[-RECENT:],
            counted=self.counted + 1,
            judged=judged,
            earlier_fit=fit,
        )


@dataclass(frozen=True)
class Run:
    """One warm measurement, with what was known of its arm and workload before it."""

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
        if len(self.before.warm) < _FEWEST_BEFORE:
            return None
        return _slowdown(_block(self.measurement), self.before.block_time)


def _block(measurement: Measurement) -> tuple[int, float]:
    return measurement.frames, measurement.timing.warm


def _slowdown(block: tuple[int, float], expected: BlockTime) -> float:
    frames, seconds = block
    factor = seconds / max(expected.seconds(frames), _SHORTEST_SECONDS)
    return factor if factor >= expected.noticed else 1.0
