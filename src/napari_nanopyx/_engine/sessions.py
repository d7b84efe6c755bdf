"""The implementations that one run has opened, each closed again at the end."""

from __future__ import annotations

import warnings

from napari_nanopyx._engine import catalogue
from napari_nanopyx._engine.errors import describe
from napari_nanopyx._engine.types import Implementation, Session
from napari_nanopyx._kernels.declaration import Plan, Task


class Sessions:
    """Opens implementations for one plan when they are first needed."""

    def __init__(self, task: Task, plan: Plan) -> None:
        self._task = task
        self._plan = plan
        self._open: dict[str, Session] = {}

    def get(self, implementation: Implementation) -> Session:
        """Return the session of an implementation; what opening it raises is raised."""
        name = implementation.name
        if name not in self._open:
            opened = catalogue.open_session(implementation, self._task, self._plan)
            self._open[name] = opened
        return self._open[name]

    def close(self, name: str) -> None:
        """Close a session, if it is open; a failure is reported and harms nothing."""
        session = self._open.pop(name, None)
        if session is None:
            return
        try:
            session.close()
        except Exception as error:  # noqa: BLE001 - reported
            warnings.warn(
                f"closing {name} after {self._task.name} failed: {describe(error)}",
                RuntimeWarning,
                stacklevel=2,
            )

    def close_all(self) -> None:
        """Close whatever is open."""
        for name in list(self._open):
            self.close(name)
