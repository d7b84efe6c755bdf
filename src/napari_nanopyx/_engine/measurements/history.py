"""Remembers every measurement: at once in memory, soon after in a file."""

from __future__ import annotations

import atexit
import os
import sqlite3
import threading
import warnings
from pathlib import Path

from napari_nanopyx._engine import settings
from napari_nanopyx._engine.errors import HistoryWarning
from napari_nanopyx._engine.measurements import store
from napari_nanopyx._engine.measurements.evidence import Evidence
from napari_nanopyx._engine.measurements.record import RECENT
from napari_nanopyx._engine.measurements.similarity import Features, features
from napari_nanopyx._engine.measurements.verified import Verified
from napari_nanopyx._engine.measurements.writer import Statements, Writer
from napari_nanopyx._engine.types import Measurement, Workload

FILE_NAME = "history.sqlite"

_LOADED_PER_TASK = 2000


class History:
    """The measurements of this machine, at `path` or, where that fails, in memory.

    Measurements that other processes make meanwhile are seen by the next process.
    """

    def __init__(self, path: Path, use_file: bool = True) -> None:
        self.path = path
        self.problem = ""
        """Why the file is not used, or was started anew; empty if all is well."""
        self._said = ""
        self._evidence: dict[tuple[str, str], Evidence] = {}
        self._complete: set[tuple[str, str]] = set()
        self._loaded: set[tuple[str, str, Features]] = set()
        self._lock = threading.RLock()
        self._writer: Writer | None = None
        if use_file:
            self._open()
        self.verified = Verified(
            None if self.in_memory_only else path, self._give_up, self._execute
        )
        """Which implementations have given the right numbers here."""

    @property
    def in_memory_only(self) -> bool:
        """Whether measurements are lost when the process ends."""
        return self._writer is None

    def evidence(self, workload: Workload) -> Evidence:
        """Return what is known of a task, with all there is on this workload."""
        if self.problem != self._said:
            self._warn()
        task = (workload.task, workload.digest)
        exact = (*task, features(workload))
        if exact not in self._loaded:
            with self._lock:
                self.known(*task)
                if exact not in self._loaded and task not in self._complete:
                    self._load_workload(workload)
                self._loaded.add(exact)
        return self._evidence[task]

    def known(self, task: str, digest: str) -> Evidence:
        """Return what is known of a task, at whatever workload."""
        with self._lock:
            if (task, digest) not in self._evidence:
                self._load_task((task, digest))
            return self._evidence[task, digest]

    def record(self, measurement: Measurement, first: bool = False) -> None:
        """Remember a measurement; `first` if it is the first one of a session."""
        self.evidence(measurement.workload).add(measurement, first)
        if self._writer is not None:
            self._writer.add(measurement)

    def measurements(
        self, task: str | None = None, newest: int | None = None
    ) -> list[Measurement]:
        """Return all measurements or those of one task, or the newest, oldest first."""
        self.flush()
        try:
            if self._writer is not None:
                return store.everything(self.path, task, newest)
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)
        if self.problem != self._said:
            self._warn()
        with self._lock:
            known = [
                item for item in self._evidence.items() if task in (None, item[0][0])
            ]
        held = [item for _, evidence in known for item in evidence.measurements()]
        return held if newest is None else held[max(0, len(held) - newest) :]

    def flush(self) -> None:
        """Write what is pending before returning."""
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """Write what is pending, and write nothing from then on."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _execute(self, statements: Statements) -> None:
        if self._writer is not None:
            self._writer.execute(statements)

    def _open(self) -> None:
        try:
            try:
                store.prepare(self.path)
            except store.DamagedError as damage:
                moved = store.set_aside(self.path)
                store.prepare(self.path)
                self.problem = (
                    f"the history {self.path} could not be read ({damage}): it was set "
                    f"aside as {moved.name} and a new one started. The first runs will "
                    "try the implementations again; nothing needs to be done"
                )
            self._writer = Writer(self.path, self._give_up)
        except (
            OSError,
            sqlite3.Error,
            store.NewerSchemaError,
            store.DamagedError,
        ) as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._writer = None
        self.problem = (
            f"the history {self.path} cannot be used ({error}): what is measured is "
            "remembered until this program ends. Set NAPARI_NANOPYX_HOME to a folder "
            "on a local disk that can be written to"
        )

    def _warn(self) -> None:
        with self._lock:
            if self.problem == self._said:
                return
            self._said = self.problem
        warnings.warn(self.problem, HistoryWarning, stacklevel=4)

    def _load_task(self, task: tuple[str, str]) -> None:
        found: list[Measurement] = []
        try:
            if self._writer is not None:
                found = store.newest(self.path, *task, _LOADED_PER_TASK)
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)
        if len(found) < _LOADED_PER_TASK:
            self._complete.add(task)
        self._evidence[task] = Evidence(found)

    def _load_workload(self, workload: Workload) -> None:
        try:
            if self._writer is not None:
                self._writer.flush()
                found = store.newest_of(self.path, workload, RECENT)
                task = (workload.task, workload.digest)
                self._evidence[task].replace(workload, found)
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)


def folder() -> Path:
    """Return the folder that the history is in."""
    wished = settings.folder()
    if wished is not None:
        return wished
    from platformdirs import user_data_path

    return user_data_path("napari-nanopyx", appauthor=False)


_current: History | None = None
_current_lock = threading.Lock()


def current() -> History:
    """Return the history of this process, opened when first asked for."""
    global _current
    if _current is None:
        with _current_lock:
            if _current is None:
                _current = History(folder() / FILE_NAME)
    return _current


def close() -> None:
    """Write what is pending; the next use opens the history again."""
    global _current
    with _current_lock:
        history, _current = _current, None
    if history is not None:
        history.close()


def _after_fork() -> None:
    """Leave an open file to the parent: SQLite must not be carried across a fork."""
    global _current, _current_lock
    _current_lock = threading.Lock()
    if _current is not None:
        _current = History(_current.path, use_file=False)


atexit.register(close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
