"""What run time to expect of an implementation, from the measurements there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, inf

from napari_nanopyx._engine.measurements.blocks import BlockTime, limited
from napari_nanopyx._engine.measurements.evidence import Evidence
from napari_nanopyx._engine.measurements.expected import Expected
from napari_nanopyx._engine.measurements.prediction import predict
from napari_nanopyx._engine.measurements.record import Record
from napari_nanopyx._engine.measurements.similarity import features
from napari_nanopyx._engine.measurements.slowdown import Pace
from napari_nanopyx._engine.types import Arm, Implementation, Workload

PREPARATION_SECONDS = {"opencl": 1.0, "numba": 8.0}
"""What compiling takes, by kind of implementation, until it has been measured."""

READY_SECONDS = 0.02
"""What preparing may take for an implementation to count as ready."""

NEAR = 4.0
"""Workloads whose work differs by less than this factor count as alike."""

_MOST_COPIED = 0.25
_SHORTEST_SECONDS = 1e-9
_FEWEST_LONG = 8

WORTH_MOVING = 1.2
"""How many times faster another one must be than one that is delayed."""


@dataclass(eq=False, slots=True)
class Estimate:
    """The run time to expect of one implementation."""

    usual: BlockTime
    """When nothing delays it."""
    free: BlockTime
    """The same; before it was slow for long, if it is."""
    pace: Pace
    uncertainty: float | None
    """Standard deviation of the logarithm of the seconds; None if it was measured."""
    records: tuple[Record, ...]
    """What it rests on."""
    near: bool
    """Whether it was measured at a workload of about this size."""
    preparation: float
    """Seconds before the first block."""
    opening: float
    """Seconds that a run needs to open and close it; 0 if it is open."""
    idle: float
    """Seconds that others have computed since it was measured last."""
    flops: float
    """Of one frame."""
    now: BlockTime = field(init=False)
    """What a block takes at its present pace."""
    seconds: float = field(init=False)
    """Seconds for one frame of a long block, at its present pace."""
    delay: float = field(init=False)
    """How many times as long as before any delay a frame takes."""
    is_ready: bool = field(init=False)
    """Whether its first block can start at once."""

    def __post_init__(self) -> None:
        slowdown = self.pace.slowdown
        self.now = self.usual if slowdown == 1 else self.usual.scaled(slowdown)
        self.seconds = self.now.frame_seconds
        self.delay = self.seconds / self.free.frame_seconds
        self.is_ready = self.preparation <= READY_SECONDS

    def frames(self, remaining: int, rival: float = inf) -> int:
        """Return how many of the remaining frames the next block should have.

        Few, while it may be as slow as it has just been and then a rival, given in
        seconds for a frame, were faster. Else as many as make blocks of equal length.
        """
        wished = float(self.now.frames)
        if self.usual.frame_seconds * self.pace.feared > rival:
            wished = min(wished, self.pace.flops / max(self.flops, 1.0))
        blocks = max(1, round(remaining / max(wished, 1.0)))
        return ceil(remaining / blocks)

    def lacks_short(self, frames: int) -> bool:
        """Tell whether only blocks about as long as so many frames were measured.

        What a block takes besides its frames is not known then, and whether a device
        is free again cannot be seen by a short one.
        """
        return (
            self.exact
            and self.pace.feared == 1
            and len(self.records[0].warm) >= _FEWEST_LONG
            and 2 * self.usual.fewest_frames > frames > 1
        )

    @property
    def exact(self) -> bool:
        """Whether it was measured at this very workload."""
        return self.uncertainty is None

    @property
    def accidents(self) -> float:
        """Times these seconds that a block takes on average; 1 if that is not known."""
        return self.records[0].accidents if self.exact else 1.0

    @property
    def copies_little(self) -> bool:
        """Whether others can compute beside it: what copies much waits for memory."""
        return all(record.copied <= _MOST_COPIED for record in self.records)

    @property
    def measurements(self) -> int:
        """How many measurements it rests on."""
        return sum(len(record.measured) for record in self.records)

    def total(self, frames: int) -> float:
        """Return the seconds to expect for so many frames."""
        blocks = -(-frames // self.now.frames)
        computing = self.now.fixed * blocks + self.now.per_frame * frames
        return self.opening * self.pace.slowdown + computing


class Expectations(Mapping[str, Expected]):
    """What users see of estimates by name, made for those who look."""

    def __init__(self, known: Mapping[str, Estimate]) -> None:
        self._known = known

    def __getitem__(self, name: str) -> Expected:
        known = self._known[name]
        slowdown = known.pace.slowdown
        return Expected(known.seconds, known.records, slowdown, known.uncertainty)

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def estimates(
    workload: Workload,
    candidates: Sequence[Implementation],
    evidence: Evidence,
    ready: Collection[str] = (),
    opened: Collection[str] = (),
) -> dict[str, Estimate]:
    """Return what to expect of each candidate of which anything is known, by name.

    It is fitted to the newest warm measurements at exactly this workload, or else a
    prediction from the most similar ones of the same code and device; times its
    present slowdown. Those that are ready, by name, need no preparation; those that
    the run has opened need not be opened again.
    """
    exact = evidence.exact(workload)
    slowdowns = {
        device: evidence.pace(device).slowdown
        for device in {candidate.device for candidate in candidates}
    }
    found = {}
    for candidate in candidates:
        arm = candidate.arm
        record = exact.get(arm)
        if record is not None:
            usual = _limited(record.block_time, candidate)
            uncertainty, near = None, True
            free = record.formerly or usual
            records: tuple[Record, ...] = (record,)
        elif records := evidence.alike(workload, arm):
            usual, uncertainty, near = _elsewhere(workload, candidate, records)
            free = usual
        else:
            continue
        found[candidate.name] = Estimate(
            usual,
            free,
            _pace(evidence, arm, slowdowns[arm.device]),
            uncertainty,
            records,
            near,
            0.0 if candidate.name in ready else preparation(evidence, candidate),
            0.0 if candidate.name in opened else evidence.opening(arm),
            evidence.idle_seconds(arm),
            workload.flops,
        )
    return found


def _pace(evidence: Evidence, arm: Arm, of_device: float) -> Pace:
    """Return the pace of an arm; what delays a device delays all that it computes."""
    own = evidence.pace(arm)
    if of_device == 1 or own.slowdown > 1:
        return own
    (newest,) = evidence.device_runs(arm.device)[-1:]
    is_newest = newest.measurement.implementation == arm.implementation
    return own._replace(slowdown=own.suspected if is_newest else of_device)


def preparation(evidence: Evidence, candidate: Implementation) -> float:
    """Return the seconds to expect before the first block of a session."""
    known = evidence.preparation(candidate.arm)
    return PREPARATION_SECONDS.get(candidate.kind, 0.0) if known is None else known


def time_lost(
    exact: Mapping[Arm, Record], best: Arm, seconds: float, share: float
) -> float:
    """Return what trying all others than the best has cost beyond its time for a frame.

    They were prepared beside the computation, which costs a share of the seconds. What
    one took that was the best for a while, before a better was found, is not lost.
    """
    return sum(
        share * record.preparation
        + max(0.0, record.tried_seconds - record.tried_frames * seconds)
        for arm, record in exact.items()
        if arm != best
    )


def time_spent(exact: Mapping[Arm, Record]) -> float:
    """Return the seconds that all measurements of a workload took."""
    return sum(record.preparation + record.seconds for record in exact.values())


def _limited(of: BlockTime, candidate: Implementation) -> BlockTime:
    return limited(of, candidate.most_frames, candidate.ends_early)


def _elsewhere(
    workload: Workload, candidate: Implementation, alike: Sequence[Record]
) -> tuple[BlockTime, float, bool]:
    points = tuple(
        record.point._replace(
            seconds=max(
                _limited(record.block_time, candidate).frame_seconds,
                _SHORTEST_SECONDS,
            )
        )
        for record in alike
    )
    predicted = predict(features(workload), workload.flops, points)
    nearest = alike[0]
    scale = workload.flops / max(nearest.workload.flops, 1.0)
    most_frames = max(1, round(nearest.block_time.most_frames / max(scale, 1e-9)))
    seconds = max(predicted.seconds, _SHORTEST_SECONDS)
    usual = BlockTime(0.0, seconds, most_frames)
    return usual, predicted.uncertainty, 1 / NEAR <= scale <= NEAR
