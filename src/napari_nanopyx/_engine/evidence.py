"""The recent measurements of one task, arranged as the agent asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from math import log, sqrt
from threading import Lock
from typing import NamedTuple

from napari_nanopyx._engine.delays import Standing, fast_mean, standing
from napari_nanopyx._engine.prediction import Point
from napari_nanopyx._engine.similarity import Features, distance, features
from napari_nanopyx._engine.types import Measurement, Workload

RECENT = 50
"""Warm measurements kept in memory for each implementation and workload."""

_RECENT_COLD = 8
_SIMILAR_WORKLOADS = 256
_ALIKE_AT_MOST = 12
_USUAL_SPREAD = 0.1
_SHORTEST_SECONDS = 1e-9


class Arm(NamedTuple):
    """An implementation on a device: what a choice is made between."""

    implementation: str
    device: str


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

    @cached_property
    def point(self) -> Point:
        """The mean of the faster half of the warm run times, or of the cold ones.

        Its uncertainty is a standard error that takes one unseen run to be 10 % off.
        """
        seconds = sorted(m.frame_seconds for m in self.warm or self.cold)
        fast = seconds[: (len(seconds) + 1) // 2]
        mean = max(fast_mean(seconds), _SHORTEST_SECONDS)
        squares = [log(max(s, _SHORTEST_SECONDS) / mean) ** 2 for s in fast]
        uncertainty = sqrt(_USUAL_SPREAD**2 + sum(squares)) / len(fast)
        work = self.workload
        return Point(features(work), work.flops, mean, uncertainty)

    def with_(self, measurement: Measurement) -> Record:
        """Return the record after one more measurement."""
        warm, cold, timing = self.warm, self.cold, measurement.timing
        if measurement.outcome == "cold":
            cold = (*cold, measurement)[-_RECENT_COLD:]
        else:
            warm = (*warm, measurement)[-RECENT:]
        return Record(
            self.workload,
            warm,
            cold,
            self.frames + measurement.frames,
            self.seconds + timing.warm,
            self.preparation + timing.prepare,
        )


@dataclass(frozen=True)
class Run:
    """One warm measurement, with those of the same arm and workload before it."""

    measurement: Measurement
    before: tuple[Measurement, ...]

    @cached_property
    def standing(self) -> Standing | None:
        """How it compares with those before it; None if they are too few."""
        earlier = [measurement.frame_seconds for measurement in self.before]
        return standing(self.measurement.frame_seconds, earlier)


class Evidence:
    """Measurements of one task and code digest, for any number of threads."""

    def __init__(self, measurements: Iterable[Measurement] = ()) -> None:
        self._records: dict[Features, dict[Arm, Record]] = {}
        self._runs: dict[Arm, list[Run]] = {}
        self._preparations: dict[Arm, float] = {}
        self._alike: dict[tuple[Features, Arm], list[Features]] = {}
        self._newest: Workload | None = None
        self._lock = Lock()
        for measurement in measurements:
            self._add(measurement)

    def add(self, measurement: Measurement, first: bool = False) -> None:
        """Take over a measurement; `first` if it is the first one of a session."""
        with self._lock:
            self._add(measurement)
            if first and measurement.outcome in ("ok", "cold"):
                arm = Arm(measurement.implementation, measurement.device)
                self._preparations[arm] = measurement.timing.prepare

    def replace(self, workload: Workload, measurements: Iterable[Measurement]) -> None:
        """Put a fuller set of measurements in place of all those of one workload."""
        key = features(workload)
        with self._lock:
            self._records.pop(key, None)
            self._alike.clear()
            others = {arm: _without(key, runs) for arm, runs in self._runs.items()}
            self._runs = {}
            for measurement in measurements:
                self._add(measurement)
            for arm, runs in others.items():
                merged = [*runs, *self._runs.get(arm, ())]
                merged.sort(key=lambda run: run.measurement.at)
                self._runs[arm] = merged[-RECENT:]

    def exact(self, workload: Workload) -> Mapping[Arm, Record]:
        """Return the records of exactly this workload, by arm."""
        with self._lock:
            return dict(self._records.get(features(workload), {}))

    def alike(self, workload: Workload, arm: Arm) -> tuple[Record, ...]:
        """Return records of an arm, that at the workload most like this one first."""
        key = features(workload)
        with self._lock:
            if (key, arm) not in self._alike:
                self._alike[key, arm] = self._nearest(key, arm)
            return tuple(self._records[other][arm] for other in self._alike[key, arm])

    def runs(self, arm: Arm) -> tuple[Run, ...]:
        """Return the newest warm runs of an arm at any workload, oldest first."""
        with self._lock:
            return tuple(self._runs.get(arm, ()))

    def preparation(self, arm: Arm) -> float | None:
        """Return the seconds that preparing took last; None if nothing is known."""
        return self._preparations.get(arm)

    def newest_workload(self) -> Workload | None:
        """Return the workload that was measured last."""
        return self._newest

    def measurements(self) -> list[Measurement]:
        """Return everything remembered, oldest first."""
        with self._lock:
            found = [
                measurement
                for arms in self._records.values()
                for record in arms.values()
                for measurement in (*record.warm, *record.cold)
            ]
        return sorted(found, key=lambda measurement: measurement.at)

    def _add(self, measurement: Measurement) -> None:
        if measurement.outcome not in ("ok", "cold") or measurement.frames < 1:
            return
        arm = Arm(measurement.implementation, measurement.device)
        arms = self._records.setdefault(features(measurement.workload), {})
        record = arms.get(arm)
        if record is None:
            self._alike.clear()
            record = Record(measurement.workload)
        arms[arm] = record.with_(measurement)
        if measurement.outcome == "cold":
            self._preparations[arm] = measurement.timing.prepare
        else:
            runs = self._runs.setdefault(arm, [])
            runs.append(Run(measurement, record.warm))
            del runs[:-RECENT]
        self._newest = measurement.workload

    def _nearest(self, key: Features, arm: Arm) -> list[Features]:
        measured = (other for other, arms in self._records.items() if arm in arms)
        newest = islice(reversed(list(measured)), _SIMILAR_WORKLOADS)
        ranked = sorted(newest, key=lambda other: distance(key, other))
        return ranked[:_ALIKE_AT_MOST]


def _without(key: Features, runs: Iterable[Run]) -> list[Run]:
    return [run for run in runs if features(run.measurement.workload) != key]
