"""The file that measurements are kept in: one SQLite table, the newest of each key."""

# ruff: noqa: S608 - only constants of this module become part of a statement

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari_nanopyx._engine.types import Measurement, Timing, Workload

SCHEMA_VERSION = 1
NEWEST_PER_KEY = 200
NEWEST_IN_ALL = 500_000
INSERTS_BETWEEN_COMPACTIONS = 5_000

_BUSY_SECONDS = 5.0
_RETRY_SECONDS = 0.01
_WORKLOAD = "height, width, planes, dtype, parameters"
_COLUMNS = (
    f"task, digest, {_WORKLOAD}, implementation, device, flops, bytes, frames, "
    "prepare_seconds, transfer_seconds, compute_seconds, outcome, at, version"
)
_SCHEMA = f"""
CREATE TABLE measurement (
    id INTEGER PRIMARY KEY,
    task TEXT NOT NULL,
    digest TEXT NOT NULL,
    height INTEGER NOT NULL,
    width INTEGER NOT NULL,
    planes INTEGER NOT NULL,
    dtype TEXT NOT NULL,
    parameters TEXT NOT NULL,
    implementation TEXT NOT NULL,
    device TEXT NOT NULL,
    flops REAL NOT NULL,
    bytes REAL NOT NULL,
    frames INTEGER NOT NULL,
    prepare_seconds REAL NOT NULL,
    transfer_seconds REAL NOT NULL,
    compute_seconds REAL NOT NULL,
    outcome TEXT NOT NULL,
    at REAL NOT NULL,
    version TEXT NOT NULL
);
CREATE INDEX measurement_by_task ON measurement (task, digest, id);
CREATE INDEX measurement_by_workload ON measurement
    (task, digest, {_WORKLOAD}, implementation, device, id);
"""


class NewerSchemaError(Exception):
    """The file was written by a newer version, and is left alone."""


class DamagedError(Exception):
    """The file is not a history, or not a sound one."""


def prepare(path: Path) -> None:
    """Make sure that a sound history is at `path`, creating it if there is none.

    Raises
    ------
    DamagedError
        If what is there is no history or a corrupt one.
    NewerSchemaError
        If a newer version has written it.
    OSError, sqlite3.Error
        If the file cannot be made, read or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise DamagedError("a folder is in its place")
    deadline = time.monotonic() + _BUSY_SECONDS
    while not _is_checked(path, time.monotonic() > deadline):
        time.sleep(_RETRY_SECONDS)


def set_aside(path: Path) -> Path:
    """Rename what is at `path`, so that a new history can be started there."""
    moved = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    path.rename(moved)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return moved


@contextmanager
def connect(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file for one thread of one process, and close it again."""
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        yield connection
    finally:
        connection.close()


def error_code(error: sqlite3.Error) -> int:
    """Return the primary result code of SQLite, or 0 if the error is not from it."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def insert(connection: sqlite3.Connection, measurements: list[Measurement]) -> None:
    """Append measurements, all or none of them; now and then, compact the file."""
    marks = ", ".join("?" * 18)
    with _transaction(connection):
        connection.executemany(
            f"INSERT INTO measurement ({_COLUMNS}) VALUES ({marks})",
            [_row(measurement) for measurement in measurements],
        )
        (last,) = connection.execute("SELECT max(id) FROM measurement").fetchone()
        if last % INSERTS_BETWEEN_COMPACTIONS < len(measurements):
            _drop_surplus(connection)


def newest(path: Path, task: str, digest: str, limit: int) -> list[Measurement]:
    """Return the newest measurements of a task, oldest first."""
    return _select(
        path,
        "WHERE task = ? AND digest = ? ORDER BY id DESC LIMIT ?",
        (task, digest, limit),
    )


def newest_of(path: Path, workload: Workload, limit: int) -> list[Measurement]:
    """Return the newest measurements of each arm at one workload, oldest first."""
    columns = ("task", "digest", *_WORKLOAD.split(", "))
    values = (workload.task, workload.digest, *_workload_columns(workload))
    where = " AND ".join(f"{column} = ?" for column in columns)
    return _select(
        path,
        "WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER "
        "(PARTITION BY implementation, device ORDER BY id DESC) AS rank "
        f"FROM measurement WHERE {where}) WHERE rank <= ?) ORDER BY id DESC",
        (*values, limit),
    )


def everything(
    path: Path, task: str | None = None, limit: int | None = None
) -> list[Measurement]:
    """Return all measurements or those of one task, or the newest, oldest first."""
    where, values = ("", ()) if task is None else ("WHERE task = ? ", (task,))
    most = -1 if limit is None else limit
    return _select(path, f"{where}ORDER BY id DESC LIMIT ?", (*values, most))


def examine(path: Path) -> tuple[str, int]:
    """Return what is wrong with a history ("ok" if nothing), and its measurements."""
    if not path.is_file():
        return "it is no longer there", 0
    with connect(path) as connection:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        (count,) = connection.execute("SELECT count(*) FROM measurement").fetchone()
    return found, count


def compact(connection: sqlite3.Connection) -> None:
    """Drop what is beyond the newest measurements of each key, and of all."""
    with _transaction(connection):
        _drop_surplus(connection)


def _drop_surplus(connection: sqlite3.Connection) -> None:
    key = f"task, digest, {_WORKLOAD}, implementation, device"
    connection.execute(
        "DELETE FROM measurement WHERE id IN (SELECT id FROM (SELECT id, "
        f"row_number() OVER (PARTITION BY {key} ORDER BY id DESC) AS rank "
        "FROM measurement) WHERE rank > ?) "
        "OR id <= (SELECT max(id) FROM measurement) - ?",
        (NEWEST_PER_KEY, NEWEST_IN_ALL),
    )


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _is_checked(path: Path, at_last: bool) -> bool:
    """Check the file; return False if another process is just creating it.

    SQLite does not wait for a lock while it switches a file to WAL.
    """
    try:
        with connect(path) as connection:
            _check(connection)
    except sqlite3.DatabaseError as error:
        if error_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise DamagedError(str(error)) from error
        if error_code(error) == sqlite3.SQLITE_BUSY and not at_last:
            return False
        raise
    return True


def _check(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise NewerSchemaError(
            f"it has schema version {version}, this is {SCHEMA_VERSION}"
        )
    (sound,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if sound != "ok":
        raise DamagedError(sound)
    connection.execute("PRAGMA journal_mode = WAL")
    with _transaction(connection):
        tables = connection.execute("SELECT name FROM sqlite_schema").fetchall()
        if not tables:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        found = connection.execute("PRAGMA table_info(measurement)").fetchall()
        if [column[1] for column in found] != ["id", *_COLUMNS.split(", ")]:
            raise DamagedError("its table is not the one of a history")


def _row(measurement: Measurement) -> tuple[Any, ...]:
    workload, timing = measurement.workload, measurement.timing
    return (
        workload.task,
        workload.digest,
        *_workload_columns(workload),
        measurement.implementation,
        measurement.device,
        workload.flops,
        workload.bytes,
        measurement.frames,
        timing.prepare,
        timing.transfer,
        timing.compute,
        measurement.outcome,
        measurement.at,
        measurement.version,
    )


def _workload_columns(workload: Workload) -> tuple[Any, ...]:
    """Return height, width, planes (0 for an image), dtype and the parameters."""
    *planes, height, width = workload.shape
    parameters = json.dumps(dict(workload.parameters), sort_keys=True)
    return (height, width, *(planes or (0,)), workload.dtype, parameters)


def _select(path: Path, rest: str, values: Iterable[Any]) -> list[Measurement]:
    with connect(path) as connection:
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM measurement {rest}", tuple(values)
        ).fetchall()
    return [_measurement(row) for row in reversed(rows)]


def _measurement(row: tuple[Any, ...]) -> Measurement:
    task, digest, height, width, planes, dtype, parameters, name, device = row[:9]
    flops, moved, frames, prepare_, transfer, compute, outcome, at, version = row[9:]
    shape = (planes, height, width) if planes else (height, width)
    settings = json.loads(parameters)
    return Measurement(
        Workload(task, digest, shape, dtype, settings, flops, moved),
        name,
        device,
        frames,
        Timing(prepare_, transfer, compute),
        outcome,
        at,
        version,
    )
