"""Cells of a cross-over map, and what the agent would choose after seeing a part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from napari_nanopyx._engine.benchmarking.result import NEAR
from napari_nanopyx._engine.measurements.delays import fast_mean
from napari_nanopyx._engine.measurements.evidence import Evidence
from napari_nanopyx._engine.policy import agent
from napari_nanopyx._engine.policy.situation import Situation
from napari_nanopyx._engine.types import (
    Implementation,
    Measurement,
    Timing,
    Workload,
)

LONG_RUN = 1_000_000
"""Frames of the run that the agent chooses for, so that no preparation matters."""


@dataclass(frozen=True)
class Timed:
    """What one implementation took in a cell."""

    implementation: Implementation
    timed: Sequence[float]
    """Seconds for a frame, of the timed blocks of all passes."""
    blocks: Sequence[tuple[int, float]]
    """Frames and seconds of all warm blocks, in the order in which they were run."""

    @property
    def seconds(self) -> float:
        """The mean of the faster half, which others on the machine disturb least."""
        return fast_mean(self.timed)


@dataclass(frozen=True)
class MapCell:
    """One image size, with one kernel size if the task has a kernel."""

    side: int
    kernel_size: int | None
    workload: Workload
    timed: Sequence[Timed]
    passes: int = 1
    """How many times it was measured."""

    @property
    def place(self) -> tuple[int, int | None]:
        """Where it is on the map."""
        return self.side, self.kernel_size

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds for a frame, by implementation."""
        return {each.implementation.name: each.seconds for each in self.timed}

    @property
    def winner(self) -> str:
        """The fastest implementation."""
        return min(self.seconds, key=lambda name: self.seconds[name])

    def with_(self, other: MapCell) -> MapCell:
        """Return the cell after another pass; what has failed in one is left out."""
        later = {each.implementation.name: each for each in other.timed}
        both = [
            Timed(
                each.implementation,
                [*each.timed, *later[each.implementation.name].timed],
                [*each.blocks, *later[each.implementation.name].blocks],
            )
            for each in self.timed
            if each.implementation.name in later
        ]
        return replace(self, timed=both, passes=self.passes + other.passes)

    def measurements(self) -> list[Measurement]:
        """Return what the history holds after this cell has been measured."""
        return [
            Measurement(
                self.workload,
                each.implementation.name,
                each.implementation.device,
                frames,
                Timing(0.0, 0.0, seconds),
            )
            for each in self.timed
            for frames, seconds in each.blocks
        ]


@dataclass(frozen=True)
class Judged:
    """What the agent would take in a cell, beside the fastest."""

    cell: MapCell
    choice: str

    @property
    def ratio(self) -> float:
        """The time of the choice over that of the fastest."""
        seconds = self.cell.seconds
        return seconds[self.choice] / seconds[self.cell.winner]

    @property
    def is_good(self) -> bool:
        """Whether it takes the fastest, or one within 5 % of it."""
        return self.ratio <= NEAR


Seen = Callable[[int, Sequence[MapCell]], Sequence[MapCell]]
"""Told a cell's number and all cells, says which were measured before."""


def all_cells(_: int, cells: Sequence[MapCell]) -> Sequence[MapCell]:
    """Return every cell: what the agent does once all has been measured."""
    return cells


def all_others(number: int, cells: Sequence[MapCell]) -> Sequence[MapCell]:
    """Return all cells but the one in question."""
    return [cell for at, cell in enumerate(cells) if at != number]


def every_other(number: int, cells: Sequence[MapCell]) -> Sequence[MapCell]:
    """Return the cells of the other colour, as on a chessboard: no neighbour is left.

    All neighbours of a cell along a row and a column have the other colour.
    """
    colours = _colours(cells)
    return [
        cell
        for cell, colour in zip(cells, colours, strict=True)
        if colour != colours[number]
    ]


def corners(number: int, cells: Sequence[MapCell]) -> Sequence[MapCell]:
    """Return the cells at the ends of both axes, except the one in question."""
    sides = {cell.side for cell in cells}
    kernels = {cell.kernel_size or 0 for cell in cells}
    return [
        cell
        for cell in all_others(number, cells)
        if cell.side in (min(sides), max(sides))
        and (cell.kernel_size or 0) in (min(kernels), max(kernels))
    ]


SEEN: Mapping[str, Seen] = {
    "all": all_cells,
    "all others": all_others,
    "every other cell": every_other,
    "corners": corners,
}


def judged(cells: Sequence[MapCell], seen: Seen) -> list[Judged]:
    """Let the agent choose in each cell, after it has seen some."""
    return [
        Judged(cell, choice(cell, seen(number, cells)))
        for number, cell in enumerate(cells)
    ]


def choice(cell: MapCell, seen: Sequence[MapCell]) -> str:
    """Return what the agent expects to be the fastest in a cell."""
    evidence = Evidence(m for each in seen for m in each.measurements())
    candidates = [each.implementation for each in cell.timed]
    names = [each.name for each in candidates]
    situation = Situation(cell.workload, candidates, evidence, LONG_RUN, ready=names)
    chosen = agent.choose(situation)
    expected = chosen.expected
    return min(expected, key=lambda n: expected[n], default=chosen.implementation.name)


def share(found: Sequence[Judged]) -> float:
    """Return the part of the cells in which the choice is good."""
    return sum(each.is_good for each in found) / len(found)


def as_data(cell: MapCell) -> dict[str, Any]:
    """Return a cell as JSON can hold it."""
    at = cell.workload
    return {
        "side": cell.side,
        "kernel_size": cell.kernel_size,
        "passes": cell.passes,
        "workload": {
            "task": at.task,
            "digest": at.digest,
            "shape": list(at.shape),
            "dtype": at.dtype,
            "parameters": dict(at.parameters),
            "flops": at.flops,
            "bytes": at.bytes,
        },
        "implementations": {
            each.implementation.name: {
                "kind": each.implementation.kind,
                "device": each.implementation.device,
                "work": _rounded(each.implementation.work),
                "most_frames": each.implementation.most_frames,
                "timed": [_rounded(seconds) for seconds in each.timed],
                "blocks": [[frames, _rounded(s)] for frames, s in each.blocks],
            }
            for each in cell.timed
        },
    }


def from_data(data: Mapping[str, Any]) -> MapCell:
    """Return a cell from what `as_data` has made of it."""
    given = data["workload"]
    workload = Workload(**(given | {"shape": tuple(given["shape"])}))
    timed = [
        Timed(
            _implementation(workload.task, name, each),
            each["timed"],
            [(frames, seconds) for frames, seconds in each["blocks"]],
        )
        for name, each in data["implementations"].items()
    ]
    place = data["side"], data["kernel_size"]
    return MapCell(*place, workload, timed, data["passes"])


def _implementation(task: str, name: str, data: Mapping[str, Any]) -> Implementation:
    """Return an implementation; the longest block was as long as it computes at once.

    Unless it is said: then shorter ones took long enough.
    """
    longest = max(frames for frames, _ in data["blocks"])
    return Implementation(
        task,
        name,
        data["kind"],
        data["device"],
        work=data["work"],
        most_frames=data.get("most_frames", longest),
    )


def _colours(cells: Sequence[MapCell]) -> list[int]:
    sides = sorted({cell.side for cell in cells})
    kernels = sorted({cell.kernel_size or 0 for cell in cells})
    return [
        (sides.index(cell.side) + kernels.index(cell.kernel_size or 0)) % 2
        for cell in cells
    ]


def _rounded(number: float) -> float:
    return float(f"{number:.5g}")
