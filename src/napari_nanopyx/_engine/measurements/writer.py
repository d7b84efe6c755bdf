"""Writes to the file of the history without letting a computation wait for it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from napari_nanopyx._engine.measurements import store
from napari_nanopyx._engine.types import Measurement

Statements = Callable[[sqlite3.Connection], object]

_GATHER_SECONDS = 0.2
_PENDING_AT_MOST = 10_000


class Writer:
    """A thread that writes what has been added, a few times a second.

    A process that is killed loses what was added in its last fraction of a second.

    Parameters
    ----------
    path
        A sound store.
    give_up
        Called, from any thread, with the error that makes writing pointless.
    """

    def __init__(self, path: Path, give_up: Callable[[Exception], None]) -> None:
        self._path = path
        self._give_up = give_up
        self._pending: list[Measurement] = []
        self._statements: list[Statements] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, measurement: Measurement) -> None:
        """Take over a measurement, to be written soon."""
        with self._lock:
            self._pending.append(measurement)
            self._start()
        if not self._wake.is_set():
            self._wake.set()

    def execute(self, statements: Statements) -> None:
        """Take over what is to be done with a connection to the file soon."""
        with self._lock:
            self._statements.append(statements)
            self._start()
        self._wake.set()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._write_on, name="nanopyx-history", daemon=True
            )
            self._thread.start()

    def flush(self) -> None:
        """Write what is pending before returning."""
        if self._pending or self._statements:
            try:
                with store.connect(self._path) as connection:
                    self._write(connection)
            except (OSError, sqlite3.Error) as error:
                self._give_up(error)

    def close(self) -> None:
        """Write what is pending, and end the thread."""
        self._closing.set()
        self._wake.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()
        self.flush()

    def _write_on(self) -> None:
        try:
            with store.connect(self._path) as connection:
                while not self._closing.is_set():
                    self._wake.wait()
                    self._closing.wait(_GATHER_SECONDS)
                    self._wake.clear()
                    self._write(connection)
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)

    def _write(self, connection: sqlite3.Connection) -> None:
        with self._writing:
            with self._lock:
                pending, self._pending = self._pending, []
                statements, self._statements = self._statements, []
            try:
                while statements:
                    statements[0](connection)
                    del statements[0]
                if pending:
                    store.insert(connection, pending)
            except sqlite3.OperationalError as error:
                if store.error_code(error) != sqlite3.SQLITE_BUSY:
                    raise
                with self._lock:
                    self._pending = [*pending, *self._pending][-_PENDING_AT_MOST:]
                    self._statements = [*statements, *self._statements]
