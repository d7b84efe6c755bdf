"""What run time to expect of an implementation, from the measurements there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import exp

from napari_nanopyx._engine.evidence import Arm, Evidence, Record
from napari_nanopyx._engine.prediction import predict
from napari_nanopyx._engine.similarity import features
from napari_nanopyx._engine.types import Implementation, Workload

PREPARATION_SECONDS = {"opencl": 1.0, "numba": 8.0}
"""What compiling takes, by kind of implementation, until it has been measured."""

NEAR = 4.0
"""Workloads whose work differs by less than this factor count as alike."""

_SHORTEST_SECONDS = 1e-9


class Expected(float):
    """Seconds to expect of one frame, and what they rest on."""

    uncertainty: float
    measurements: int
    exact: bool

    def __new__(cls, estimate: Estimate) -> Expected:
        """Take the seconds, and how sure they are, from an estimate."""
        expected = super().__new__(cls, estimate.seconds)
        expected.uncertainty = estimate.uncertainty
        expected.measurements = estimate.measurements
        expected.exact = estimate.exact
        return expected

    @property
    def low(self) -> float:
        """What they exceed in about 19 of 20 cases."""
        return self * exp(-1.645 * self.uncertainty)

    @property
    def high(self) -> float:
        """What they stay below in about 19 of 20 cases."""
        return self * exp(1.645 * self.uncertainty)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The run time to expect of one implementation."""

    seconds: float
    """For one frame."""
    uncertainty: float
    """Standard deviation of the logarithm of the seconds: 0.1 is about 10 %."""
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
    workload, or else a prediction from the most similar ones of the same code and
    device. Those that are ready, by name, need no preparation.
    """
    exact = evidence.exact(workload)
    found = {}
    for candidate in candidates:
        arm = arm_of(candidate)
        is_ready = candidate.name in ready
        first = 0.0 if is_ready else preparation(evidence, candidate)
        if arm in exact:
            found[candidate.name] = _exact(exact[arm], first)
        elif alike := evidence.alike(workload, arm):
            found[candidate.name] = _elsewhere(workload, alike, first)
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


def arm_of(candidate: Implementation) -> Arm:
    """Return the key of a candidate's measurements."""
    return Arm(candidate.name, candidate.device)


def _exact(record: Record, preparation: float) -> Estimate:
    measured, point = record.warm or record.cold, record.point
    return Estimate(
        point.seconds, point.uncertainty, len(measured), True, True, preparation
    )


def _elsewhere(
    workload: Workload, alike: Sequence[Record], preparation: float
) -> Estimate:
    points = tuple(record.point for record in alike)
    predicted = predict(features(workload), workload.flops, points)
    nearest = alike[0].workload.flops
    scale = workload.flops / nearest if nearest > 0 else 1.0
    return Estimate(
        max(predicted.seconds, _SHORTEST_SECONDS),
        predicted.uncertainty,
        sum(len(record.warm or record.cold) for record in alike),
        False,
        1 / NEAR <= scale <= NEAR,
        preparation,
    )
