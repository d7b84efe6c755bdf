"""Measurements as a test says them, and the evidence that they make."""

from __future__ import annotations

from collections.abc import Iterable

from napari_nanopyx._engine.measurements.evidence import Evidence
from napari_nanopyx._engine.types import Arm, Measurement, Timing, Workload


def measurement(
    at: Workload,
    of: Arm,
    seconds: float,
    frames: int = 10,
    prepare: float = 0.0,
    outcome: str = "",
) -> Measurement:
    """Return what a block took, given the seconds of each frame."""
    timing = Timing(prepare, 0.0, seconds * frames)
    outcome = outcome or ("cold" if prepare else "ok")
    return Measurement(at, *of, frames, timing, outcome)


def evidence(measurements: Iterable[Measurement], first: bool = True) -> Evidence:
    """Return what is known after some; `first` if each is the first of a session."""
    made = Evidence()
    for each in measurements:
        made.add(each, first=first)
    return made
