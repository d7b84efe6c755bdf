"""Reads and writes drift tables as text; nothing in a file is ever executed."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_nanopyx.io.writing import temporary_beside
from napari_nanopyx.methods.drift_table import AXES, DriftTable

FORMAT = "napari-nanopyx drift table"
VERSION = 2
"""In version 1 there was no uncertainty."""

MOST_BYTES = 1 << 30
"""Largest file that is read; a million frames need a tenth of it."""

_OLDER = "Drift Table"


def write(table: DriftTable, path: str | os.PathLike[str]) -> Path:
    """Write a table to exactly this file, in one piece."""
    place = Path(path)
    if place.is_dir():
        raise ValueError(f"path is {place}, a folder, but must be a file")
    if not place.parent.is_dir():
        raise ValueError(f"path is {place}, but the folder {place.parent} is not there")
    head = {
        "format": FORMAT,
        "version": VERSION,
        "frames": len(table),
        "pixel_size": table.pixel_size,
        "units": table.units,
        "frame_interval": table.frame_interval,
        "frame_shape": table.frame_shape,
        "source": table.source,
        "settings": dict(table.settings),
    }
    names = AXES[-table.shifts.shape[1] :]
    with (
        temporary_beside(place) as part,
        part.open("w", encoding="utf-8", newline="") as file,
    ):
        file.write("# " + json.dumps(head, default=str) + "\n")
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(_titles(names, VERSION))
        rows = zip(
            table.shifts.tolist(),
            table.uncertainty.tolist(),
            table.similarity.tolist(),
            table.flagged.tolist(),
            strict=True,
        )
        for frame, (shift, *others, flagged) in enumerate(rows):
            known = map(_cell, (*shift, *others[0], others[1]))
            lines.writerow((frame, *known, int(flagged)))
    return place


def _titles(names: Sequence[str], version: int) -> list[str]:
    doubts = [f"uncertainty of {name}" for name in names] if version > 1 else []
    return ["frame", *names, *doubts, "similarity", "flagged"]


def _cell(value: float) -> str:
    """Return a number as text, nothing for one that is not known."""
    return "" if math.isnan(value) else repr(value)


def read(path: str | os.PathLike[str]) -> DriftTable:
    """Read a table that this package, NanoPyx 2 or Picasso wrote."""
    place = Path(path)
    if not place.is_file():
        raise ValueError(f"path is {place}, but there is no such file")
    if place.stat().st_size > MOST_BYTES:
        raise ValueError(f"{place} is too large for a drift table")
    try:
        text = place.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{place} is no text, but a drift table must be; a .npy file of NanoPyx is "
            "not read because it may hold code: save the table as CSV"
        ) from error
    lines = text.splitlines()
    try:
        if lines and lines[0].lstrip("# ").startswith("{"):
            return _own(lines)
        if any(line.strip().rstrip(";") == _OLDER for line in lines):
            return _older(lines)
        return _picasso(lines)
    except _BadTableError as error:
        raise ValueError(f"{place} is no drift table: {error}") from error


class _BadTableError(Exception):
    """Says what is wrong with a file."""


def _own(lines: Sequence[str]) -> DriftTable:
    try:
        head = json.loads(lines[0].lstrip("# "))
    except (ValueError, RecursionError) as error:
        raise _BadTableError(f"its first line is damaged ({error})") from error
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise _BadTableError("its first line does not say that it is one")
    version = head.get("version")
    if version not in (1, VERSION):
        raise _BadTableError(
            f"it has version {version!r} of the format, but only those up to {VERSION} "
            "are known: update napari-nanopyx"
        )
    titles = lines[1].split(",") if len(lines) > 1 else []
    names = next((n for n in (AXES, AXES[1:]) if titles == _titles(n, version)), ())
    if not names:
        raise _BadTableError("its second line does not name the columns")
    rows = [line.split(",") for line in lines[2:] if line.strip()]
    if head.get("frames") != len(rows):
        raise _BadTableError(
            f"it announces {head.get('frames')!r} frames, but holds {len(rows)}: it is "
            "cut or was edited"
        )
    for frame, row in enumerate(rows):
        if len(row) != len(titles) or row[0] != str(frame):
            raise _BadTableError(f"the line of frame {frame} is damaged")
    if any(row[-1] not in ("0", "1") for row in rows):
        raise _BadTableError("its column 'flagged' holds something else than 0 and 1")
    axes = len(names)
    others = [[cell or "nan" for cell in row[1 + axes : -1]] for row in rows]
    known = _numbers(others, finite=False)
    return DriftTable(
        _numbers([row[1 : 1 + axes] for row in rows]),
        similarity=known[:, -1],
        flagged=np.array([row[-1] == "1" for row in rows]),
        uncertainty=known[:, :-1],
        **_described(head),
    )


def _described(head: dict[str, Any]) -> dict[str, Any]:
    """Return what the first line says about the movie, if it makes sense."""
    size, units = head.get("pixel_size"), head.get("units", "px")
    shape, settings = head.get("frame_shape"), head.get("settings", {})
    source, interval = head.get("source", ""), head.get("frame_interval")
    wrong = [
        name
        for name, fine in (
            ("pixel_size", size is None or _is_length(size)),
            ("frame_interval", interval is None or _is_length(interval)),
            ("units", isinstance(units, str)),
            ("frame_shape", shape is None or _is_shape(shape)),
            ("source", isinstance(source, str)),
            ("settings", isinstance(settings, dict)),
        )
        if not fine
    ]
    if wrong:
        raise _BadTableError(
            f"its first line gives a wrong {wrong[0]}: {head[wrong[0]]!r}"
        )
    return {
        "pixel_size": size,
        "units": units,
        "frame_interval": interval,
        "frame_shape": None if shape is None else tuple(shape),
        "source": source,
        "settings": settings,
    }


def _is_length(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 < value < math.inf


def _is_shape(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) in (2, 3)
        and all(isinstance(side, int) and side > 0 for side in value)
    )


def _older(lines: Sequence[str]) -> DriftTable:
    """Read NanoPyx 2's table: X and Y are corrections, of columns and rows."""
    cells = [line.strip().split(";") for line in lines]
    start = next(i for i, row in enumerate(cells) if row[0] == _OLDER)
    settings = {row[0]: ";".join(row[1:]) for row in cells[:start] if row[0]}
    if len(cells) < start + 2 or cells[start + 1][:3] != ["XY", "X", "Y"]:
        raise _BadTableError(f"the line after {_OLDER!r} does not name XY, X and Y")
    rows = [row for row in cells[start + 2 :] if row != [""]]
    if not rows or any(len(row) != 3 for row in rows):
        raise _BadTableError("a line does not hold three numbers: it is cut or damaged")
    numbers = _numbers(rows)
    if not np.allclose(
        numbers[:, 0], np.hypot(numbers[:, 1], numbers[:, 2]), atol=0.01
    ):
        raise _BadTableError("its column XY is not the length of X and Y")
    return DriftTable(numbers[:, [2, 1]], settings=settings)


def _picasso(lines: Sequence[str]) -> DriftTable:
    """Read Picasso's drift: x and y of each frame, to be subtracted."""
    rows = [line.split() for line in lines if line.strip()]
    rows = [row for row in rows if not row[0].startswith("#")]
    if not rows or any(len(row) != 2 for row in rows):
        raise _BadTableError(
            "it has neither a first line of this package, nor 'Drift Table' of "
            "NanoPyx, nor two numbers in each line, as Picasso writes them"
        )
    return DriftTable(-_numbers(rows)[:, ::-1], settings={"format": "Picasso"})


def _numbers(
    rows: Iterable[Sequence[str]], finite: bool = True
) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        values = np.array([[float(cell) for cell in row] for row in rows], np.float64)
    except ValueError as error:
        raise _BadTableError(
            f"it holds something else than numbers ({error})"
        ) from error
    if finite and not np.isfinite(values).all():
        raise _BadTableError("it holds NaN or infinity")
    if not len(values):
        raise _BadTableError("it holds no frame")
    return values
