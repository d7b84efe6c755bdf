"""What the engine panel shows, kept up to date without a window."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from napari_nanopyx import engine
from napari_nanopyx.engine import Choice, Expected, Implementation, Measurement, Run
from napari_nanopyx.widgets.engine_panel.delays import Delay, Delays
from napari_nanopyx.widgets.engine_panel.samples import (
    MOST_KEPT,
    Filters,
    Key,
    Samples,
    Series,
    key_of,
)

TASKS = {
    "esrrf": "eSRRF",
    "srrf": "SRRF",
    "esrrf_3d": "3-D eSRRF",
    "nlm": "Non-local means",
    "magnify": "Magnify",
    "warp": "Transform",
    "convolve": "Convolve",
}
"""The tasks that can be shown, with the words for them."""

_COMPUTED = ("ok", "cold", "disturbed")
"""Outcomes of blocks that have a time."""


@dataclass(frozen=True, slots=True)
class Row:
    """One implementation of the task, as the table shows it."""

    implementation: Implementation
    measurements: int = 0
    """How often it was timed on frames like the last ones."""
    expected: Expected | None = None
    """What a frame is expected to take, in seconds."""
    last: float | None = None
    """When it was timed last, in Unix time."""
    current: bool = False
    """Whether it is the present choice."""


class PanelModel:
    """Implementations, measurements, delays and the present choice for one task.

    Every method may be called from any thread: the engine reports from the compute
    thread, the window reads from its own.
    """

    def __init__(self, task: str = "esrrf") -> None:
        self._lock = threading.RLock()
        self._revision = 0
        self.show(task)

    def show(self, task: str) -> None:
        """Turn to another task; it is empty until `load` has been called."""
        with self._lock:
            self.task = task
            self.loaded = False
            self.run: Run | None = None
            self._delays = Delays()
            self._samples = Samples()
            self._only_alike = True
            self._rows: dict[Key | None, dict[str, Row]] = {None: {}}
            self._key: Key | None = None
            self._revision += 1

    @property
    def revision(self) -> int:
        """A number that grows with every change."""
        return self._revision

    def load(self) -> None:
        """Read what is stored. Takes seconds: devices are looked for the first time."""
        task = self.task
        listed = engine.implementations(task)
        measurements = engine.history(task, MOST_KEPT)
        expected = engine.expected(task)
        with self._lock:
            if task != self.task:
                return
            self._rows = {None: {found.name: Row(found) for found in listed}}
            for measurement in measurements:
                self._count(measurement)
            self._expect(expected)
            filters = self._samples.filters
            self._samples = Samples(measurements)
            self._select(filters)
            self.loaded = True
            self._revision += 1

    def refresh(self) -> None:
        """Find out again what to expect; the last block of a run has changed it."""
        task = self.task
        expected = engine.expected(task)
        with self._lock:
            if task == self.task:
                self._expect(expected)
                self._revision += 1

    def listen(self) -> Callable[[], None]:
        """Follow the engine from now on; the returned function ends it."""
        events = engine.events
        connections = (
            (events.run_started, self._on_run),
            (events.run_finished, self._on_run),
            (events.block_finished, self._on_block),
            (events.implementation_quarantined, self._on_quarantine),
        )
        for signal, slot in connections:
            signal.connect(slot)

        def end() -> None:
            for signal, slot in connections:
                signal.disconnect(slot, missing_ok=True)

        return end

    def filter(self, filters: Filters, only_alike: bool) -> None:
        """Show other measured times: also only those of frames like the last ones."""
        with self._lock:
            self._only_alike = only_alike
            self._select(filters)
            self._revision += 1

    def choices(self) -> tuple[list[str], list[str], list[tuple[int, ...]]]:
        """Return the implementations, devices and shapes that can be filtered by."""
        with self._lock:
            return self._samples.choices()

    @property
    def series(self) -> dict[str, Series]:
        """The measured times, by implementation."""
        with self._lock:
            return self._samples.series()

    @property
    def rows(self) -> list[Row]:
        """The implementations that run here, fastest first, then the missing ones."""
        with self._lock:
            rows = list(self._rows.get(self._key, self._rows[None]).values())
        return sorted(
            rows,
            key=lambda row: (
                not row.implementation.available,
                row.expected is None,
                row.expected or 0.0,
            ),
        )

    @property
    def delays(self) -> list[Delay]:
        """The delays that were noticed, those that last first."""
        with self._lock:
            return self._delays.listed

    @property
    def workload(self) -> str:
        """What the numbers are for, in words."""
        with self._lock:
            if self._key is None:
                return "Nothing has been measured yet." if self.loaded else "Reading …"
            shape, dtype, parameters = self._key
        size = " × ".join(str(length) for length in shape)
        settings = [_in_words(name, value) for name, value in parameters]
        return f"For frames of {size}, {'; '.join([dtype, ', '.join(settings)])}."

    @property
    def choice(self) -> str:
        """The present choice and its reason, in words; empty before there is one."""
        run = self.run
        if run is None or not run.implementation:
            return ""
        return f"{run.implementation}: {run.reason}."

    @property
    def activity(self) -> str:
        """What the engine is doing for this task, in words."""
        run = self.run
        if run is None:
            return "Not running."
        frames = f"{run.frames_done} of {run.frames_total} frames"
        return f"{run.state.capitalize()}: {frames}, {run.seconds:.2f} s."

    def _on_run(self, run: Run) -> None:
        with self._lock:
            if run.task == self.task:
                self.run = run
                self._revision += 1

    def _on_block(
        self, run: Run, choice: Choice, measurement: Measurement, *_progress: int
    ) -> None:
        with self._lock:
            if run.task != self.task:
                return
            self.run = run
            self._count(measurement)
            self._select(self._samples.filters)
            self._samples.add(measurement)
            self._expect(choice.expected)
            self._delays.note(choice.expected, measurement.at or time.time())
            self._choose(choice.implementation.name)
            self._revision += 1

    def _on_quarantine(self, implementation: Implementation, reason: str) -> None:
        with self._lock:
            if implementation.task == self.task:
                broken = replace(implementation, available=False, reason=reason)
                for rows in self._rows.values():
                    row = rows.get(broken.name, Row(broken))
                    rows[broken.name] = replace(row, implementation=broken)
                self._revision += 1

    def _count(self, measurement: Measurement) -> None:
        key = key_of(measurement.workload)
        rows = self._rows.setdefault(key, dict(self._rows[None]))
        self._key = key
        row = rows.get(measurement.implementation)
        if row is not None and measurement.outcome in _COMPUTED:
            rows[measurement.implementation] = replace(
                row, measurements=row.measurements + 1, last=measurement.at
            )

    def _select(self, filters: Filters) -> None:
        wanted = replace(filters, key=self._key if self._only_alike else None)
        if wanted != self._samples.filters:
            self._samples.select(wanted)

    def _expect(self, expected: Mapping[str, Expected]) -> None:
        rows = self._rows[self._key]
        for name, seconds in expected.items():
            if name in rows:
                rows[name] = replace(rows[name], expected=seconds)

    def _choose(self, chosen: str) -> None:
        rows = self._rows[self._key]
        for name, row in rows.items():
            rows[name] = replace(row, current=name == chosen)


def missing(rows: Iterable[Row]) -> list[tuple[list[str], str, str]]:
    """Return what cannot run here: names that share a reason, the reason, the remedy.

    Examples
    --------
    >>> absent = Implementation("esrrf", "numba", "numba", "", False, "no numba", "…")
    >>> missing([Row(absent)])
    [(['numba'], 'no numba', '…')]
    """
    names: dict[tuple[str, str], list[str]] = {}
    for found in (row.implementation for row in rows):
        if not found.available:
            names.setdefault((found.reason, found.remedy), []).append(found.name)
    return [(named, reason, remedy) for (reason, remedy), named in names.items()]


def _in_words(name: str, value: object) -> str:
    words = name.replace("_", " ")
    if isinstance(value, bool):
        return words if value else f"no {words}"
    return f"{words} {value}"
