"""The implementations that one run has opened, each closed again at the end."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable
from functools import partial

from napari_nanopyx._engine.checks import verification
from napari_nanopyx._engine.errors import describe
from napari_nanopyx._engine.running import preparing
from napari_nanopyx._engine.session import Session
from napari_nanopyx._engine.types import Implementation
from napari_nanopyx._kernels.declaration import Plan, Task

_WAIT_SECONDS = 0.05


class Sessions:
    """Opens implementations for one plan when they are first needed."""

    def __init__(self, task: Task, plan: Plan, dtype: str) -> None:
        self._task = task
        self._plan = plan
        self._dtype = dtype
        self._open: dict[str, tuple[Implementation, Session]] = {}
        self._jobs: dict[str, tuple[Implementation, preparing.Job]] = {}
        self._preparation: dict[str, float] = {}
        self._opening: dict[str, float] = {}
        self.closing: list[tuple[Implementation, float]] = []
        """Those that have been closed, and the seconds that this took."""
        self._ready: set[str] = set()

    def prepare(self, implementation: Implementation) -> None:
        """Begin to compile an implementation, unless it is ready or begun."""
        name = implementation.name
        if name in self._ready or name in self._jobs:
            return
        about = (implementation, self._task, self._plan, self._dtype)
        check = partial(verification.check, *about)
        job = preparing.begin(*about, check)
        if job is None:
            self._ready.add(name)
        else:
            self._jobs[name] = implementation, job

    def is_ready(self, implementation: Implementation) -> bool:
        """Tell whether an implementation can be opened and used at once.

        If not, it is being compiled from now on. Who asks again meanwhile has nothing
        better to do, and waits a moment.
        """
        name = implementation.name
        if name in self._ready:
            return True
        if name in self._jobs:
            self._jobs[name][1].wait(_WAIT_SECONDS)
        self.prepare(implementation)
        self._collect()
        return name in self._ready

    def ready(self, candidates: Iterable[Implementation]) -> set[str]:
        """Return the names of those that need not be compiled any more."""
        compiled = (
            each.name
            for each in candidates
            if preparing.is_over(each, self._task, self._dtype)
        )
        return self._ready.union(compiled)

    def is_open(self, name: str) -> bool:
        """Tell whether an implementation has been opened."""
        return name in self._open

    def opened(self) -> set[str]:
        """Return the names of those that are open."""
        return set(self._open)

    def pending(self) -> set[str]:
        """Return the names of those that are being compiled."""
        if not self._jobs:
            return set()
        self._collect()
        return {name for name, (_, job) in self._jobs.items() if not job.has_ended}

    def take_failed(self) -> list[tuple[Implementation, Exception]]:
        """Return those that could not be compiled and what was raised, only once."""
        if not self._jobs:
            return []
        failed = [
            (implementation, job.error)
            for implementation, job in self._jobs.values()
            if job.has_ended
        ]
        found = [(each, error) for each, error in failed if error is not None]
        for implementation, _ in found:
            del self._jobs[implementation.name]
        return found

    def take_preparation(self, name: str) -> float:
        """Return the seconds that compiling took, only once."""
        return self._preparation.pop(name, 0.0)

    def take_opening(self, name: str) -> float:
        """Return the seconds that opening took, only once."""
        return self._opening.pop(name, 0.0)

    def adopt(self, implementation: Implementation, session: Session) -> None:
        """Take over a session that others have opened."""
        self.close(implementation.name)
        self._open[implementation.name] = implementation, session

    def get(self, implementation: Implementation) -> Session:
        """Return the session of an implementation; what opening it raises is raised."""
        name = implementation.name
        if name not in self._open:
            session, self._opening[name] = verification.open_session(
                implementation, self._task, self._plan, self._dtype
            )
            self._open[name] = implementation, session
        return self._open[name][1]

    def close(self, name: str) -> None:
        """Close a session, if it is open; a failure is reported and harms nothing."""
        found = self._open.pop(name, None)
        if found is None:
            return
        implementation, session = found
        started = time.perf_counter()
        try:
            session.close()
        except Exception as error:  # noqa: BLE001 - reported
            warnings.warn(
                f"closing {name} after {self._task.name} failed: {describe(error)}",
                RuntimeWarning,
                stacklevel=2,
            )
        self.closing.append((implementation, time.perf_counter() - started))

    def release(self, name: str) -> Session | None:
        """Hand over an open session to whoever closes it."""
        found = self._open.pop(name, None)
        return None if found is None else found[1]

    def close_all(self) -> None:
        """Close whatever is open."""
        for name in list(self._open):
            self.close(name)

    def _collect(self) -> None:
        """Note which compilations have ended well."""
        for name, (_, job) in list(self._jobs.items()):
            if job.has_ended and job.error is None:
                del self._jobs[name]
                self._ready.add(name)
                self._preparation[name] = job.seconds
