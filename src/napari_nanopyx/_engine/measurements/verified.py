"""Remembers, in the file of the history, which implementations have been checked."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from napari_nanopyx._engine.measurements import store
from napari_nanopyx._engine.measurements.writer import Statements

NEWEST_IN_ALL = 5_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS verified (
    task TEXT NOT NULL,
    digest TEXT NOT NULL,
    implementation TEXT NOT NULL,
    device TEXT NOT NULL,
    variant TEXT NOT NULL,
    version TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (task, digest, implementation, device, variant, version)
)
"""


class Check(NamedTuple):
    """What was checked; whatever of it changes makes another check necessary."""

    task: str
    digest: str
    implementation: str
    device: str
    """Identity of the device, its driver included."""
    variant: str
    """Pixel type and kind of parameters: what may take other paths through the code."""
    version: str
    """Version of this package."""


class Verified:
    """The checks that were passed on this machine, for any number of threads.

    Parameters
    ----------
    path
        A sound history; None to remember until the process ends.
    give_up
        Called with the error if the file can no longer be used.
    execute
        Does something with a connection to the file, soon: the computation that has to
        be checked first does not wait for it.
    """

    def __init__(
        self,
        path: Path | None,
        give_up: Callable[[Exception], None],
        execute: Callable[[Statements], None],
    ) -> None:
        self._path = path
        self._give_up = give_up
        self._execute = execute
        self._passed: set[Check] | None = None
        self._lock = threading.Lock()

    def __contains__(self, check: Check) -> bool:
        passed = self._passed
        if passed is None:
            with self._lock:
                passed = self._load()
        return check in passed

    def add(self, check: Check) -> None:
        """Remember a check that was passed."""
        with self._lock:
            self._load().add(check)
            if self._path is not None:
                self._execute(partial(_write, check, time.time()))

    def _load(self) -> set[Check]:
        if self._passed is None:
            self._passed = set()
            if self._path is not None:
                self._passed |= self._read(self._path)
        return self._passed

    def _read(self, path: Path) -> set[Check]:
        try:
            with store.connect(path) as connection:
                rows = connection.execute(
                    "SELECT task, digest, implementation, device, variant, version "
                    "FROM verified"
                ).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return set()
            self._stop(error)
        except (OSError, sqlite3.Error) as error:
            self._stop(error)
        else:
            return {Check(*row) for row in rows}
        return set()

    def _stop(self, error: Exception) -> None:
        """Remember in memory only; a file that is merely busy is no reason to."""
        busy = isinstance(error, sqlite3.Error) and (
            store.error_code(error) == sqlite3.SQLITE_BUSY
        )
        if not busy:
            self._path = None
            self._give_up(error)


def _write(check: Check, at: float, connection: sqlite3.Connection) -> None:
    connection.execute(_SCHEMA)
    connection.execute(
        "INSERT OR REPLACE INTO verified VALUES (?, ?, ?, ?, ?, ?, ?)", (*check, at)
    )
    connection.execute(
        "DELETE FROM verified WHERE rowid NOT IN "
        "(SELECT rowid FROM verified ORDER BY at DESC LIMIT ?)",
        (NEWEST_IN_ALL,),
    )
