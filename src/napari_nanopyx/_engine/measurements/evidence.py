"""The recent measurements of one task, arranged as the agent asks for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from itertools import islice, takewhile
from threading import Lock

from napari_nanopyx._engine.measurements.blocks import BlockTime, block_time
from napari_nanopyx._engine.measurements.judging import block
from napari_nanopyx._engine.measurements.record import JUDGED, RECENT, Record, Run
from napari_nanopyx._engine.measurements.similarity import Features, distance, features
from napari_nanopyx._engine.measurements.slowdown import Pace, pace
from napari_nanopyx._engine.types import Arm, Measurement, Workload

COUNTED = ("ok", "cold", "disturbed")
"""Outcomes of blocks that were computed."""

_ARRIVED = 10_000
_SIMILAR_WORKLOADS = 256
_ALIKE_AT_MOST = 12
_OPENINGS = 16


class Evidence:
    """Measurements of one task and code digest, for any number of threads."""

    def __init__(self, measurements: Iterable[Measurement] = ()) -> None:
        self._records: dict[Features, dict[Arm, Record]] = {}
        self._runs: dict[Arm, list[Run]] = {}
        self._preparations: dict[Arm, float] = {}
        self._openings: dict[Arm, deque[float]] = {}
        self._closings: dict[Arm, deque[float]] = {}
        self._opening: dict[Arm, float] = {}
        self._seconds = 0.0
        self._used_at: dict[Arm, float] = {}
        self._alone_at: dict[Arm, float] = {}
        self._alike: dict[tuple[Features, Arm], list[Features]] = {}
        self._newest: Workload | None = None
        self._device_runs: dict[str, deque[Run]] = {}
        self._free_at: dict[Arm, float] = {}
        self._paces: dict[Arm | str, Pace] = {}
        self._delayed: dict[Arm, dict[Features, BlockTime | None]] = {}
        self._arrived: deque[Measurement] = deque(maxlen=_ARRIVED)
        self._lock = Lock()
        for measurement in measurements:
            self._add(measurement)

    def add(self, measurement: Measurement, first: bool = False) -> None:
        """Take over a measurement; `first` if it is the first one of a session."""
        with self._lock:
            self._add(measurement)
            if first and measurement.outcome in COUNTED:
                arm = Arm(measurement.implementation, measurement.device)
                self._preparations[arm] = measurement.timing.prepare

    def replace(self, workload: Workload, measurements: Iterable[Measurement]) -> None:
        """Put a fuller set of measurements in place of all those of one workload."""
        key = features(workload)
        with self._lock:
            self._records.pop(key, None)
            self._alike.clear()
            others = [m for m in self._arrived if features(m.workload) != key]
            known, self._runs = self._runs, {}
            self._arrived.clear()
            for measurement in measurements:
                self._add(measurement)
            self._arrived.extend(others)
            self._paces.clear()
            self._delayed.clear()
            for arm, runs in known.items():
                fuller = self._runs.get(arm, [])
                self._runs[arm] = _in_place(key, runs, fuller)[-RECENT:]

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

    def closed(self, arm: Arm, seconds: float) -> None:
        """Take over what closing an implementation at the end of a run took."""
        with self._lock:
            self._closings.setdefault(arm, deque(maxlen=_OPENINGS)).append(seconds)
            self._sum_opening(arm)

    def opening(self, arm: Arm) -> float:
        """Return the seconds that a run needs to open and close an arm, undelayed.

        One opening does not count: it may have loaded libraries.
        """
        return self._opening.get(arm, 0.0)

    def idle_seconds(self, arm: Arm) -> float:
        """Return how long others have computed since this arm did last."""
        return self._seconds - self._used_at.get(arm, 0.0)

    def alone_seconds(self, arm: Arm) -> float:
        """Return how long ago it was measured with nothing computing beside it."""
        return self._seconds - self._alone_at.get(arm, 0.0)

    def delayed_seconds(self, arm: Arm) -> float:
        """Return how long ago it computed a block that was not slow."""
        return self._seconds - self._free_at.get(arm, 0.0)

    def delayed(self, arm: Arm, workload: Workload) -> BlockTime | None:
        """Return the time of its newest blocks, as far as they were slow; None if not.

        What a block takes besides its frames need not be delayed as much as these are.
        """
        key = features(workload)
        with self._lock:
            known = self._delayed.setdefault(arm, {})
            if key not in known:
                newest = reversed(self._runs.get(arm, ()))
                slow = [
                    block(run.measurement)
                    for run in takewhile(lambda run: run.is_slow, newest)
                    if features(run.measurement.workload) == key
                ]
                known[key] = block_time(slow) if slow else None
            return known[key]

    def pace(self, of: Arm | str) -> Pace:
        """Return how fast an arm, or all that a device computes, is at present."""
        known = self._paces.get(of)
        if known is not None:
            return known
        with self._lock:
            found = self._paces.get(of)
            if found is None:
                if isinstance(of, Arm):
                    found = pace(self._runs.get(of, ()))
                else:
                    found = pace(self._device_runs.get(of, ()))
                self._paces[of] = found
            return found

    def device_runs(self, device: str) -> tuple[Run, ...]:
        """Return the newest warm runs on a device, of any arm, oldest first."""
        with self._lock:
            return tuple(self._device_runs.get(device, ()))

    def newest_workload(self) -> Workload | None:
        """Return the workload that was measured last."""
        return self._newest

    def measurements(self) -> list[Measurement]:
        """Return everything remembered, oldest first."""
        with self._lock:
            return list(self._arrived)

    def _add(self, measurement: Measurement) -> None:
        self._arrived.append(measurement)
        if measurement.outcome not in COUNTED or measurement.frames < 1:
            return
        arm = Arm(measurement.implementation, measurement.device)
        arms = self._records.setdefault(features(measurement.workload), {})
        record = arms.get(arm)
        if record is None:
            self._alike.clear()
            record = Record(measurement.workload)
        run = Run(measurement, record)
        arms[arm] = record.with_(run)
        if arms[arm].formerly is not None and record.formerly is None:
            for earlier in self._runs.get(arm, ()):
                earlier.judge_no_more()
        if measurement.outcome == "cold":
            self._preparations[arm] = measurement.timing.prepare
        elif run.counts:
            runs = self._runs.setdefault(arm, [])
            runs.append(run)
            if measurement.timing.prepare > 0:
                openings = self._openings.setdefault(arm, deque(maxlen=_OPENINGS))
                openings.append(measurement.timing.prepare)
                self._sum_opening(arm)
            del runs[:-RECENT]
            on_device = self._device_runs.setdefault(arm.device, deque(maxlen=JUDGED))
            on_device.append(runs[-1])
        self._paces.pop(arm, None)
        self._delayed.pop(arm, None)
        self._paces.pop(arm.device, None)
        if not measurement.beside:
            self._seconds += measurement.timing.total
        began = self._seconds
        if measurement.beside:
            began = max(began - measurement.timing.total, self._used_at.get(arm, 0.0))
        self._used_at[arm] = began
        if not measurement.beside:
            self._alone_at[arm] = self._seconds
        if not arms[arm].is_slow:
            self._free_at[arm] = self._seconds
        self._newest = measurement.workload

    def _sum_opening(self, arm: Arm) -> None:
        openings = self._openings.get(arm, ())
        closings = self._closings.get(arm, ())
        self._opening[arm] = min(openings) if len(openings) > 1 else 0.0
        self._opening[arm] += min(closings, default=0.0)

    def _nearest(self, key: Features, arm: Arm) -> list[Features]:
        measured = (other for other, arms in self._records.items() if arm in arms)
        newest = islice(reversed(list(measured)), _SIMILAR_WORKLOADS)
        ranked = sorted(newest, key=lambda other: distance(key, other))
        return ranked[:_ALIKE_AT_MOST]


def _in_place(key: Features, runs: list[Run], fuller: list[Run]) -> list[Run]:
    """Put the fuller runs of one workload in place of those known of it.

    No clock tells which came first: those that were not known are older than all.
    """
    known = sum(features(run.measurement.workload) == key for run in runs)
    older = max(0, len(fuller) - known)
    newer = iter(fuller[older:])
    return fuller[:older] + [
        next(newer, run) if features(run.measurement.workload) == key else run
        for run in runs
    ]
