"""Writes measurements as a table for spreadsheets and other programs."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from napari_nanopyx._engine.types import Measurement

Cell = str | int | float | bool

_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
"""What makes a spreadsheet compute a text instead of showing it."""

_BEFORE = ("task", "digest", "planes", "height", "width", "dtype")
_AFTER = (
    "implementation",
    "device",
    "flops_per_frame",
    "bytes_per_frame",
    "frames",
    "prepare_seconds",
    "transfer_seconds",
    "compute_seconds",
    "total_seconds",
    "outcome",
    "time",
    "version",
)


def write_csv(path: Path, measurements: Sequence[Measurement]) -> None:
    """Write one row for each measurement, and a column for each parameter."""
    names = sorted({name for m in measurements for name in m.workload.parameters})
    headings = [*_BEFORE, *(f"parameter_{name}" for name in names), *_AFTER]
    write_rows(path, headings, (_row(m, names) for m in measurements))


def write_rows(
    path: Path, headings: Sequence[Cell], rows: Iterable[Iterable[Cell]]
) -> None:
    """Write a table with headings.

    The file appears at once and whole, or an error leaves what was there. A text that
    a spreadsheet would take for a formula gets an apostrophe before it.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"path is {str(path)!r}, but there is no folder {str(path.parent)!r}: "
            "create it, or give a path in a folder that exists"
        )
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{time.time_ns()}")
    try:
        with unfinished.open("x", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_harmless(headings))
            writer.writerows(_harmless(row) for row in rows)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _row(measurement: Measurement, names: Sequence[str]) -> list[Cell]:
    """Return the cells of a measurement; empty where it has no such parameter."""
    workload, timing = measurement.workload, measurement.timing
    *planes, height, width = workload.shape
    return [
        workload.task,
        workload.digest,
        *(planes or (0,)),
        height,
        width,
        workload.dtype,
        *(workload.parameters.get(name, "") for name in names),
        measurement.implementation,
        measurement.device,
        workload.flops,
        workload.bytes,
        measurement.frames,
        timing.prepare,
        timing.transfer,
        timing.compute,
        timing.total,
        measurement.outcome,
        datetime.fromtimestamp(measurement.at, UTC).isoformat(),
        measurement.version,
    ]


def _harmless(cells: Iterable[Cell]) -> list[Cell]:
    return [
        f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
        for cell in cells
    ]
