"""What run time to expect of an implementation, from the measurements there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from napari_nanopyx._engine.evidence import Arm, Evidence, Record
from napari_nanopyx._engine.types import Implementation, Workload

PREPARATION_SECONDS = {"opencl": 1.0, "numba": 8.0}
"""What compiling takes, by kind of implementation, until it has been measured."""

NEAR = 4.0
"""Workloads whose work differs by less than this factor count as alike."""

_SHORTEST_SECONDS = 1e-9


@dataclass(frozen=True, slots=True)
class Estimate:
    """The run time to expect of one implementation."""

    seconds: float
    """For one frame."""
    measurements: int
    exact: bool
    """Whether it was measured at this very workload."""
    near: bool
    """Whether it was measured at a workload of about this size."""
    preparation: float
    """Seconds before the first block."""

    def total(self, frames: int) -> float:
        """Return the seconds to expect for so many frames."""
        return self.preparation + self.seconds * frames


def estimates(
    workload: Workload,
    candidates: Sequence[Implementation],
    evidence: Evidence,
    ready: Collection[str] = (),
) -> dict[str, Estimate]:
    """Return what to expect of each candidate of which anything is known, by name.

    It is the mean of the faster half of the newest warm measurements at exactly this
    workload, or else at the most similar one of the same code and device, in
    proportion to the work. Those that are ready, by name, need no preparation.
    """
    exact = evidence.exact(workload)
    found = {}
    for candidate in candidates:
        arm = arm_of(candidate)
        record = exact.get(arm) or next(iter(evidence.alike(workload, arm)), None)
        if record is not None:
            is_ready = candidate.name in ready
            expected = 0.0 if is_ready else preparation(evidence, candidate)
            found[candidate.name] = _estimate(workload, record, arm in exact, expected)
    return found


def preparation(evidence: Evidence, candidate: Implementation) -> float:
    """Return the seconds to expect before the first block of a session."""
    known = evidence.preparation(arm_of(candidate))
    return PREPARATION_SECONDS.get(candidate.kind, 0.0) if known is None else known


def time_lost(exact: Mapping[Arm, Record], best: Arm, seconds: float) -> float:
    """Return what all others than the best have cost beyond its time for a frame."""
    return sum(
        record.preparation + max(0.0, record.seconds - record.frames * seconds)
        for arm, record in exact.items()
        if arm != best
    )


def time_spent(exact: Mapping[Arm, Record]) -> float:
    """Return the seconds that all measurements of a workload took."""
    return sum(record.preparation + record.seconds for record in exact.values())


def fast_mean(seconds: Sequence[float]) -> float:
    """Return the mean of the faster half, which a single slow outlier hardly moves."""
    return fmean(sorted(seconds)[: (len(seconds) + 1) // 2])


def arm_of(candidate: Implementation) -> Arm:
    """Return the key of a candidate's measurements."""
    return Arm(candidate.name, candidate.device)


def _estimate(
    workload: Workload, record: Record, exact: bool, preparation: float
) -> Estimate:
    measured = record.warm or record.cold
    seconds = fast_mean([m.frame_seconds for m in measured])
    scale = 1.0
    if not exact and record.workload.flops > 0:
        scale = workload.flops / record.workload.flops
    return Estimate(
        max(seconds * scale, _SHORTEST_SECONDS),
        len(measured),
        exact,
        exact or 1 / NEAR <= scale <= NEAR,
        preparation,
    )
