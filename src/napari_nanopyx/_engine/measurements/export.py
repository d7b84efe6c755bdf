"""Makes a table of measurements: as arrays, or as a file for other programs."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine.types import Measurement

Cell = str | int | float | bool | datetime | None

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
    names = _parameters(measurements)
    write_rows(path, _headings(names), (_row(m, names) for m in measurements))


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


def as_columns(measurements: Sequence[Measurement]) -> dict[str, NDArray[Any]]:
    """Return the table as one array a column, in the order of the file's columns."""
    names = _parameters(measurements)
    headings = _headings(names)
    rows = [_row(measurement, names) for measurement in measurements]
    columns = zip(*rows, strict=True) if rows else [()] * len(headings)
    return {
        heading: _array(column)
        for heading, column in zip(headings, columns, strict=True)
    }


def _parameters(measurements: Sequence[Measurement]) -> list[str]:
    return sorted({name for m in measurements for name in m.workload.parameters})


def _headings(parameters: Sequence[str]) -> list[str]:
    return [*_BEFORE, *(f"parameter_{name}" for name in parameters), *_AFTER]


def _array(cells: Sequence[Cell]) -> NDArray[Any]:
    """Return a column; where numbers are missing it has NaN, among others None."""
    moments = [cell.replace(tzinfo=None) for cell in cells if type(cell) is datetime]
    if moments:
        return np.array(moments, "datetime64[us]")
    kinds = {type(cell) for cell in cells}
    if len(kinds) <= 1:
        return np.array(cells)
    are_numbers = kinds <= {int, float, type(None)}
    return np.array(cells, np.float64 if are_numbers else object)


def _row(measurement: Measurement, names: Sequence[str]) -> list[Cell]:
    """Return the cells of a measurement; None where it has no such parameter."""
    workload, timing = measurement.workload, measurement.timing
    *planes, height, width = workload.shape
    return [
        workload.task,
        workload.digest,
        *(planes or (0,)),
        height,
        width,
        workload.dtype,
        *(workload.parameters.get(name) for name in names),
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
        datetime.fromtimestamp(measurement.at, UTC),
        measurement.version,
    ]


def _harmless(cells: Iterable[Cell]) -> list[Cell]:
    return [_harmless_cell(cell) for cell in cells]


def _harmless_cell(cell: Cell) -> Cell:
    if isinstance(cell, datetime):
        return cell.isoformat()
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return cell
