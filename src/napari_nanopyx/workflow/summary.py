"""What came of a workflow's run on many movies: a table with a row for each."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_nanopyx.io import temporary_beside
from napari_nanopyx.workflow.outcome import Outcome

FIRST = ("file", "state", "settings")
LAST = ("seconds", "implementations", "error")


@dataclass(slots=True)
class Row:
    """What came of one movie."""

    file: str
    settings: str
    """Digest of the workflow, defaults included."""
    outcomes: list[Outcome] = field(default_factory=list)
    seconds: float = 0.0
    error: str = ""
    """Why it failed, in one sentence; empty if it did not."""
    state: str = "waiting"
    """waiting, running, done, failed or cancelled."""

    @property
    def numbers(self) -> dict[str, Any]:
        """What its steps found, by step and number."""
        return {
            f"{outcome.step.name} {name}": value
            for outcome in self.outcomes
            for name, value in outcome.numbers.items()
        }

    @property
    def implementations(self) -> str:
        """Which implementations computed each step, with the frames of each."""
        told = [
            f"{outcome.step.name}: "
            + " + ".join(f"{n} {count}" for n, count in outcome.implementations.items())
            for outcome in self.outcomes
            if outcome.implementations
        ]
        return "; ".join(told)


@dataclass(slots=True)
class Summary:
    """What came of many movies. Print it to read about each."""

    rows: list[Row] = field(default_factory=list)
    path: Path | None = None
    """The CSV file, if it was written."""

    @property
    def failed(self) -> list[Row]:
        """The rows of movies that failed."""
        return [row for row in self.rows if row.state == "failed"]

    @property
    def columns(self) -> list[str]:
        """The titles of the columns."""
        found = dict.fromkeys(name for row in self.rows for name in row.numbers)
        return [*FIRST, *found, *LAST]

    @property
    def cells(self) -> list[list[str]]:
        """The table's text, row by row."""
        return [[_text(self._cell(row, c)) for c in self.columns] for row in self.rows]

    def save(self, path: Path) -> Path:
        """Write the table as CSV, in one piece."""
        with (
            temporary_beside(path) as part,
            part.open("w", encoding="utf-8", newline="") as file,
        ):
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(self.columns)
            lines.writerows(self.cells)
        self.path = path
        return path

    def __str__(self) -> str:
        return "\n".join(map(described, self.rows))

    @staticmethod
    def _cell(row: Row, column: str) -> Any:
        if column in (*FIRST, *LAST):
            return getattr(row, column)
        return row.numbers.get(column)


def described(row: Row) -> str:
    """Return what came of a movie: a line, and one for each thing that was found."""
    said = f"{row.file}: {row.state}"
    said += f": {row.error}" if row.error else f" in {row.seconds:.1f} s"
    found = [
        f"  {outcome.step.name}: {outcome.result}"
        for outcome in row.outcomes
        if outcome.result is not None
    ]
    return "\n".join([said, *found])


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def paths_in(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """Return the files of a folder that end so, hidden ones left out, by name."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.name.lower().endswith(tuple(suffixes)) and not path.name.startswith(".")
    )
