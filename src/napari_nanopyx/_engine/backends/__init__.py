"""The five ways of computing, each a module with the same two functions."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol, cast

from napari_nanopyx._engine.errors import ImplementationUnavailable, describe
from napari_nanopyx._engine.session import Session
from napari_nanopyx._engine.types import Compiler, Implementation
from napari_nanopyx._kernels.declaration import Plan, Task


class Backend(Protocol):
    """What a backend module offers."""

    def implementations(self, task_name: str) -> list[Implementation]:
        """Return those that can run here, and the others with reason and remedy.

        Does not raise, and is cheap after the first call.
        """

    def open(self, implementation: Implementation, task: Task, plan: Plan) -> Session:
        """Get ready to compute blocks of one plan."""

    def compiler(self, implementation: Implementation) -> Compiler | None:
        """Return what compiles it when it is used first; None if nothing does."""


BACKENDS: dict[str, str | Backend] = {
    "compiled": "napari_nanopyx._engine.backends.compiled",
    "numba": "napari_nanopyx._engine.backends.numba",
    "opencl": "napari_nanopyx._engine.backends.opencl",
    "python": "napari_nanopyx._engine.backends.python",
    "reference": "napari_nanopyx._engine.backends.reference",
}
"""Module of each kind of implementation, in the order in which users see them."""


def backend(kind: str) -> Backend:
    """Return the backend of a kind of implementation, imported when first needed."""
    found = BACKENDS[kind]
    if isinstance(found, str):
        try:
            found = cast("Backend", import_module(found))
        except ImportError as error:
            found = BrokenBackend(kind, describe(error))
        BACKENDS[kind] = found
    return found


class BrokenBackend:
    """Stands in for a backend that cannot be imported, and tells why."""

    remedy = "install napari-nanopyx again"

    def __init__(self, kind: str, reason: str) -> None:
        self._kind = kind
        self._reason = f"its part of napari-nanopyx cannot be imported ({reason})"

    def implementations(self, task_name: str) -> list[Implementation]:
        """Return one that cannot run."""
        missing = Implementation(
            task_name, self._kind, self._kind, "", False, self._reason, self.remedy
        )
        return [missing]

    def open(self, implementation: Implementation, *_: Any) -> Session:
        """Raise the reason."""
        raise ImplementationUnavailable(implementation.name, self._reason, self.remedy)

    def compiler(self, implementation: Implementation) -> None:
        """Return None: there is nothing to compile."""
