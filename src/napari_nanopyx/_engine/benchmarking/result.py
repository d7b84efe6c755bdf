"""What a benchmark found, as rows, as text and as a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_nanopyx._engine.measurements.export import Cell, write_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NEAR = 1.05
"""A choice that takes at most this much longer than the fastest is as good."""

_COLUMNS = (
    "implementation",
    "device",
    "status",
    "reason",
    "frames",
    "repeats",
    "prepare_seconds",
    "best_seconds_per_frame",
    "median_seconds_per_frame",
    "ratio_to_fastest",
    "error",
    "checked_on",
    "agents_choice",
)


@dataclass(frozen=True, slots=True)
class BenchmarkRow:
    """One implementation at one size and set of parameters."""

    task: str
    shape: tuple[int, ...]
    """Shape of a frame."""
    dtype: str
    parameters: Mapping[str, Any]
    """The parameters that were given, with their values here."""
    implementation: str
    device: str
    status: str
    """``"ok"``, ``"wrong"`` (other numbers than the reference), ``"failed"`` or
    ``"unavailable"``."""
    reason: str = ""
    """What went wrong, or why it is unavailable and what to do; empty if it is ok."""
    frames: int = 0
    """Frames of a timed block."""
    repeats: int = 0
    """Timed blocks."""
    prepare: float = 0.0
    """Seconds of preparation, such as compiling, before the first block."""
    best: float | None = None
    """Seconds for a frame of the fastest block, without preparation."""
    median: float | None = None
    """The median instead of the fastest."""
    ratio: float | None = None
    """The median over that of the fastest implementation."""
    error: float | None = None
    """Largest difference from the reference, as a share of its largest value."""
    checked_on: tuple[int, ...] = ()
    """Shape of the part of the input that the reference computed too."""


@dataclass(frozen=True, slots=True)
class Winner:
    """Which implementation was fastest at one size and set of parameters."""

    shape: tuple[int, ...]
    parameters: Mapping[str, Any]
    implementation: str
    seconds: float
    """Median for a frame."""
    choice: str
    """What the agent would take for a long run, with the history as it is now."""
    choice_reason: str
    choice_ratio: float | None
    """Time of that choice over that of the fastest; None if it was not measured."""

    @property
    def choice_is_good(self) -> bool:
        """Whether the agent takes the fastest, or one within 5 % of it."""
        return self.choice_ratio is not None and self.choice_ratio <= NEAR


@dataclass(frozen=True)
class Benchmark:
    """What every implementation of a task took, cell by cell.

    A cell is one size with one set of parameters. Print it for a table.
    """

    task: str
    rows: Sequence[BenchmarkRow]
    choices: Mapping[int, tuple[str, str]] = field(default_factory=dict, repr=False)
    """What the agent would take, and why, by the number of the cell's first row."""

    def winners(self) -> list[Winner]:
        """Return the fastest implementation of each cell that has been measured."""
        return [
            found
            for start, rows in self._cells()
            if (found := self._winner(start, rows)) is not None
        ]

    def to_csv(self, path: str | PathLike[str]) -> None:
        """Write all rows to a CSV file, whole or not at all; seconds, not rounded."""
        names = sorted({name for row in self.rows for name in row.parameters})
        is_volume = any(len(row.shape) > 2 for row in self.rows)
        sides = ["depth", "height", "width"] if is_volume else ["height", "width"]
        headings = ["task", *sides, "dtype"]
        headings += [f"parameter_{name}" for name in names]
        write_rows(Path(path), [*headings, *_COLUMNS], self._csv_rows(names))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the times over the size, or who wins where if two things vary.

        Parameters
        ----------
        ax
            Matplotlib axes to draw into; by default new ones.

        Raises
        ------
        MissingPackage
            If Matplotlib is not installed.
        ValueError
            If nothing was measured, or more than two things vary.
        """
        from napari_nanopyx._engine.benchmarking.plot import draw

        return draw(self, ax)

    def __str__(self) -> str:
        parts = ["\n".join(self._cell_lines(*cell)) for cell in self._cells()]
        winners = self.winners()
        if len(winners) > 1:
            good = sum(winner.choice_is_good for winner in winners)
            parts.append(
                f"The agent would take the fastest, or one within 5 % of it, in {good} "
                f"of {len(winners)} cases."
            )
        return "\n\n".join(parts) or f"{self.task}: nothing was measured"

    def _cells(self) -> Iterator[tuple[int, list[BenchmarkRow]]]:
        start = 0
        for stop in range(1, len(self.rows) + 1):
            if stop == len(self.rows) or _key(self.rows[stop]) != _key(
                self.rows[start]
            ):
                yield start, list(self.rows[start:stop])
                start = stop

    def _winner(self, start: int, rows: Sequence[BenchmarkRow]) -> Winner | None:
        medians = {r.implementation: r.median for r in rows if r.median is not None}
        if not medians:
            return None
        name = min(medians, key=lambda each: medians[each])
        choice, reason = self.choices.get(start, ("", ""))
        ratio = medians[choice] / medians[name] if choice in medians else None
        shape, parameters = rows[0].shape, rows[0].parameters
        return Winner(shape, parameters, name, medians[name], choice, reason, ratio)

    def _csv_rows(self, names: Sequence[str]) -> Iterator[list[Cell]]:
        for start, rows in self._cells():
            choice, _ = self.choices.get(start, ("", ""))
            for row in rows:
                numbers = (row.prepare, row.best, row.median, row.ratio, row.error)
                yield [
                    row.task,
                    *row.shape,
                    row.dtype,
                    *(_word(row.parameters.get(name, "")) for name in names),
                    row.implementation,
                    row.device,
                    row.status,
                    row.reason,
                    row.frames,
                    row.repeats,
                    *("" if number is None else number for number in numbers),
                    "×".join(map(str, row.checked_on)),
                    row.implementation == choice,
                ]

    def _cell_lines(self, start: int, rows: Sequence[BenchmarkRow]) -> Iterator[str]:
        first = rows[0]
        settings = [f"{n} {_word(v)}" for n, v in first.parameters.items()]
        size = " × ".join(map(str, first.shape))
        yield ", ".join([f"{first.task}, frames of {size} ({first.dtype})", *settings])
        checked = next((row.checked_on for row in rows if row.checked_on), ())
        if checked:
            part = " × ".join(map(str, checked))
            yield f"each compared with the reference on {part} of it"
        width = max(14, *(len(row.implementation) for row in rows))
        yield (
            f"  {'implementation':{width}}  {'best':>9}  {'median':>9}  {'ratio':>6}  "
            f"{'error':>8}"
        )
        timed = [row for row in rows if row.median is not None]
        for row in sorted(timed, key=lambda row: row.median or 0.0):
            yield f"  {row.implementation:{width}}  {_numbers(row)}"
        for row in rows:
            if row.median is None:
                yield f"  {row.implementation:{width}}  {row.status}: {row.reason}"
        winner = self._winner(start, rows)
        if winner is not None and winner.choice:
            yield f"  the agent would take {winner.choice} ({winner.choice_reason})"


def _key(row: BenchmarkRow) -> tuple[Any, ...]:
    return row.shape, sorted((n, _word(v)) for n, v in row.parameters.items())


def _numbers(row: BenchmarkRow) -> str:
    best, median = _time(row.best or 0.0), _time(row.median or 0.0)
    ratio, error = row.ratio or 0.0, row.error or 0.0
    return f"{best:>9}  {median:>9}  {ratio:6.2f}  {error:8.1e}"


def _word(value: Any) -> Cell:
    """Return a value as it fits into a table; an array as its shape."""
    if isinstance(value, str | bool | int | float):
        return value
    shape = getattr(value, "shape", ())
    return f"array {'×'.join(map(str, shape))}" if shape else str(value)


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
