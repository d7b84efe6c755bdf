"""Algorithms of a task that are Python functions, built on NumPy and SciPy."""

from __future__ import annotations

import time
from typing import Any

from numpy.typing import NDArray

from napari_nanopyx import _kernels
from napari_nanopyx._engine.backends.arguments import allocated
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.patience import Watch
from napari_nanopyx._engine.types import Implementation, Timing
from napari_nanopyx._kernels.declaration import Algorithm, Compute, Partial, Plan, Task


def implementations(task_name: str) -> list[Implementation]:
    """Return one implementation for each such algorithm; most tasks have none."""
    names = [
        algorithm.name
        for algorithm in _kernels.tasks()[task_name].algorithms
        if algorithm.start is not None
    ]
    if not names:
        return []
    device = devices.cpu().identity
    return [Implementation(task_name, name, "python", device) for name in names]


def open(implementation: Implementation, task: Task, plan: Plan) -> PythonSession:
    """Open an algorithm for a plan."""
    algorithm = task.algorithm(implementation.name)
    if algorithm is None:
        raise LookupError(f"{task.name} has no algorithm {implementation.name!r}")
    return PythonSession(algorithm, plan)


def compiler(implementation: Implementation) -> None:
    """Return nothing, as these need no compiling."""


LEAST_FRAMES, MOST_FRAMES = 8, 64

PREFERRED_BYTES = 16 * 2**20
"""Memory of a block that is worth starting threads for."""

_started: set[Algorithm] = set()


class PythonSession:
    """Prepares an algorithm at the first block, then calls it block by block.

    What is prepared depends on the plan, so every run has to do it, and its time counts
    as computing, except the first time in a process, when packages are loaded as well.
    """

    def __init__(self, algorithm: Algorithm, plan: Plan) -> None:
        few = PREFERRED_BYTES // max(1, plan.block_bytes_per_frame)
        self.preferred_frames = max(LEAST_FRAMES, min(few, MOST_FRAMES))
        self._algorithm = algorithm
        self._plan = plan
        self._compute: Compute | None = None

    def run(
        self,
        block: NDArray[Any],
        frames: range,
        places: Partial | None = None,
        watch: Watch | None = None,  # noqa: ARG002
    ) -> tuple[Partial, Timing]:
        """Compute the partial result of a block."""
        started = time.perf_counter()
        prepared = 0.0
        if self._compute is None:
            assert self._algorithm.start is not None  # noqa: S101 - for the type checker
            self._compute = self._algorithm.start(self._plan, devices.thread_count())
            if self._algorithm not in _started:
                _started.add(self._algorithm)
                prepared = time.perf_counter() - started
        partial = allocated(self._plan, frames, places)
        self._compute(block, frames, partial)
        total = time.perf_counter() - started
        return partial, Timing(prepared, 0.0, total - prepared)

    def close(self) -> None:
        """Forget what was prepared."""
        self._compute = None
