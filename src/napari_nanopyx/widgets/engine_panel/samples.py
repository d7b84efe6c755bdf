"""The measured times of a task, filtered and in order, for the plot of the panel."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from napari_nanopyx.engine import Measurement, Workload

MOST_KEPT = 20_000
MOST_SHOWN = 2_000

Key = tuple[tuple[int, ...], str, tuple[tuple[str, object], ...]]
"""What frames must have in common for their times to be compared."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which measurements are wanted; None stands for all."""

    implementation: str | None = None
    device: str | None = None
    shape: tuple[int, ...] | None = None
    """Shape of a frame."""
    key: Key | None = None
    """Shape, data type and parameters."""
    since: float = 0.0
    """Unix time."""

    def match(self, measurement: Measurement) -> bool:
        """Tell whether a measurement is wanted."""
        workload = measurement.workload
        return (
            measurement.frames > 0
            and measurement.at >= self.since
            and self.implementation in (None, measurement.implementation)
            and self.device in (None, measurement.device)
            and self.shape in (None, workload.shape)
            and self.key in (None, key_of(workload))
        )


@dataclass(slots=True)
class Series:
    """The times of one implementation, in the order of all that are shown."""

    warm: tuple[list[int], list[float]] = field(default_factory=lambda: ([], []))
    """Places in the order, and milliseconds for a frame."""
    cold: tuple[list[int], list[float]] = field(default_factory=lambda: ([], []))
    """The same of blocks for which something was prepared."""
    failed: tuple[list[int], list[float]] = field(default_factory=lambda: ([], []))
    """The same of blocks that failed."""

    @property
    def last(self) -> int:
        """The last place; 0 if there is none."""
        kinds = (self.warm, self.cold, self.failed)
        return max((places[-1] for places, _ in kinds if places), default=0)


class Samples:
    """Everything measured of a task, oldest first, and the newest that match."""

    def __init__(self, measurements: Iterable[Measurement] = ()) -> None:
        self._kept = deque(measurements, maxlen=MOST_KEPT)
        self._names = {each.implementation for each in self._kept}
        self._devices = {each.device for each in self._kept if each.device}
        self._shapes = {each.workload.shape for each in self._kept}
        self.filters = Filters()
        self._shown: deque[Measurement] = deque(maxlen=MOST_SHOWN)
        self.select(self.filters)

    def add(self, measurement: Measurement) -> None:
        """Take one more, measured just now."""
        self._kept.append(measurement)
        self._names.add(measurement.implementation)
        self._shapes.add(measurement.workload.shape)
        if measurement.device:
            self._devices.add(measurement.device)
        if self.filters.match(measurement):
            self._shown.append(measurement)

    def select(self, filters: Filters) -> None:
        """Show others from now on."""
        self.filters = filters
        self._shown.clear()
        self._shown.extend(each for each in self._kept if filters.match(each))

    def choices(self) -> tuple[list[str], list[str], list[tuple[int, ...]]]:
        """Return the implementations, devices and shapes that there have been."""
        return sorted(self._names), sorted(self._devices), sorted(self._shapes)

    def series(self) -> dict[str, Series]:
        """Return the times that are shown, by implementation."""
        found: dict[str, Series] = {}
        for place, measurement in enumerate(self._shown, start=1):
            series = found.setdefault(measurement.implementation, Series())
            kinds = {
                "ok": series.warm,
                "cold": series.cold,
                "disturbed": series.cold,
                "failed": series.failed,
            }
            places, times = kinds.get(measurement.outcome, ([], []))
            milliseconds = 1000 * measurement.frame_seconds
            if milliseconds > 0:  # or it has no place on a scale of powers of ten
                places.append(place)
                times.append(milliseconds)
        return found


def key_of(workload: Workload) -> Key:
    """Return what frames must have in common for their times to be compared."""
    parameters = tuple(sorted(workload.parameters.items()))
    return workload.shape, workload.dtype, parameters
