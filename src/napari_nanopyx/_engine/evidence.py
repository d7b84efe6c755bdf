"""The recent measurements of one task, arranged as the agent asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from math import log
from threading import Lock
from typing import NamedTuple

from napari_nanopyx._engine.types import Measurement, Workload

RECENT = 50
"""Warm measurements kept in memory for each implementation and workload."""

_RECENT_COLD = 8
_SIMILAR_WORKLOADS = 256


class Arm(NamedTuple):
    """An implementation on a device: what a choice is made between."""

    implementation: str
    device: str


class Features(NamedTuple):
    """What run time may depend on, each by itself, as one comparable key."""

    shape: tuple[int, ...]
    dtype: str
    parameters: tuple[tuple[str, float | str | bool], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered of one arm at one workload; the newest measurement is last."""

    workload: Workload
    warm: tuple[Measurement, ...] = ()
    cold: tuple[Measurement, ...] = ()
    frames: int = 0
    seconds: float = 0.0
    """Transfer and computation, of the frames above."""
    preparation: float = 0.0

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


class Evidence:
    """Measurements of one task and code digest, for any number of threads."""

    def __init__(self, measurements: Iterable[Measurement] = ()) -> None:
        self._records: dict[Features, dict[Arm, Record]] = {}
        self._preparations: dict[Arm, float] = {}
        self._similar: dict[Features, Mapping[Arm, Record]] = {}
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
        with self._lock:
            self._records.pop(features(workload), None)
            self._similar.clear()
            for measurement in measurements:
                self._add(measurement)

    def exact(self, workload: Workload) -> Mapping[Arm, Record]:
        """Return the records of exactly this workload, by arm."""
        with self._lock:
            return dict(self._records.get(features(workload), {}))

    def similar(self, workload: Workload) -> Mapping[Arm, Record]:
        """Return for each arm its record at the workload most like this one."""
        key = features(workload)
        with self._lock:
            if key not in self._similar:
                self._similar[key] = self._nearest(key, workload)
            return self._similar[key]

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
            self._similar.clear()
            record = Record(measurement.workload)
        arms[arm] = record.with_(measurement)
        if measurement.outcome == "cold":
            self._preparations[arm] = measurement.timing.prepare
        self._newest = measurement.workload

    def _nearest(self, key: Features, workload: Workload) -> Mapping[Arm, Record]:
        newest = islice(reversed(self._records.items()), _SIMILAR_WORKLOADS)
        ranked: list[tuple[float, int, dict[Arm, Record]]] = []
        for other, arms in newest:
            if arms:
                workload_there = next(iter(arms.values())).workload
                apart = _distance(key, workload, other, workload_there)
                ranked.append((apart, len(ranked), arms))
        nearest: dict[Arm, Record] = {}
        for _, _, arms in sorted(ranked, key=lambda item: item[:2]):
            for arm, record in arms.items():
                nearest.setdefault(arm, record)
        return nearest


def features(workload: Workload) -> Features:
    """Return the key under which measurements of this workload are kept."""
    parameters = tuple(sorted(workload.parameters.items()))
    return Features(workload.shape, workload.dtype, parameters)


def _distance(
    key: Features, workload: Workload, other: Features, workload_there: Workload
) -> float:
    """Return how unlike two workloads are: work on a log scale, then settings."""
    apart = abs(log(max(workload.flops, 1.0) / max(workload_there.flops, 1.0)))
    apart += abs(log(max(workload.bytes, 1.0) / max(workload_there.bytes, 1.0)))
    apart += key.dtype != other.dtype
    if key.parameters != other.parameters:
        apart += 0.5 * len(set(key.parameters) ^ set(other.parameters)) / 2
    return apart
