"""Computes with float64 NumPy straight from the formulas, to check all others by."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from numpy.typing import NDArray

from napari_nanopyx._engine.machine.devices import cpu
from napari_nanopyx._engine.patience import Watch
from napari_nanopyx._engine.types import Implementation, Timing
from napari_nanopyx._kernels.declaration import Partial, Plan, Task


def implementations(task_name: str) -> list[Implementation]:
    """Return the one implementation, which runs everywhere."""
    return [Implementation(task_name, "reference", "reference", cpu().identity)]


def open(
    implementation: Implementation,  # noqa: ARG001
    task: Task,  # noqa: ARG001
    plan: Plan,
) -> ReferenceSession:
    """Get ready to compute blocks of one plan."""
    return ReferenceSession(plan)


def compiler(implementation: Implementation) -> None:
    """Return None: all is compiled already."""


class ReferenceSession:
    """Calls the reference of a plan, block by block."""

    preferred_frames = 8

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def run(
        self,
        block: NDArray[Any],
        frames: range,
        places: Partial | None = None,  # noqa: ARG002
        watch: Watch | None = None,  # noqa: ARG002
    ) -> tuple[Partial, Timing]:
        """Compute the partial result of a block, in float64 and so not in place."""
        started = perf_counter()
        partial = self._plan.reference(block, frames)
        return partial, Timing(0.0, 0.0, perf_counter() - started)

    def close(self) -> None:
        """Give back nothing: nothing is held."""
