"""Numba: the kernel's Python twin, compiled on first use and kept on disk."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine.backends.arguments import Arguments, allocated
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.patience import Watch
from napari_nanopyx._engine.types import Compiler, Implementation, Timing
from napari_nanopyx._kernels.declaration import Partial, Plan, Task

FRAMES = 8
"""Frames of a block: their lattices are all in memory at once."""


def implementations(task_name: str) -> list[Implementation]:
    """Return the Numba implementation, available or with what is missing."""
    if not _is_installed("numba"):
        return [
            Implementation(
                task_name,
                "numba",
                "numba",
                "",
                False,
                "numba is not installed",
                "pip install napari-nanopyx[numba]",
            )
        ]
    if not _is_installed(f"napari_nanopyx._generated.{task_name}_numba"):
        reason = "the generated Numba module is not installed"
        remedy = "reinstall napari-nanopyx"
        return [Implementation(task_name, "numba", "numba", "", False, reason, remedy)]
    device = devices.cpu().identity
    return [Implementation(task_name, "numba", "numba", device, most_frames=FRAMES)]


@cache
def _is_installed(module: str) -> bool:
    return find_spec(module) is not None


def open(implementation: Implementation, task: Task, plan: Plan) -> NumbaSession:  # noqa: ARG001
    """Open the Numba implementation for a plan."""
    return NumbaSession(task.name, plan)


def compiler(implementation: Implementation) -> Compiler:
    """Return Numba; it keeps what it has compiled on disk, for other processes too."""

    def compile_(task: Task, plan: Plan, dtype: str) -> None:
        open(implementation, task, plan).compile(dtype)

    return Compiler(f"numba {version('numba')}", compile_)


UNUSED = np.empty(0, np.float32)
"""What stands for an output that these parameters do not need."""


class NumbaSession:
    """Calls the jitted steps of a kernel in order."""

    preferred_frames = FRAMES

    def __init__(self, task_name: str, plan: Plan) -> None:
        self._task_name = task_name
        self._plan = plan
        self._arguments = Arguments(plan, plan.shape[-2])
        self._steps: list[tuple[Callable[..., None], list[str]]] = []

    def run(
        self,
        block: NDArray[Any],
        frames: range,
        places: Partial | None = None,
        watch: Watch | None = None,  # noqa: ARG002
    ) -> tuple[Partial, Timing]:
        """Compute the partial result of a block."""
        start = time.perf_counter()
        partial = allocated(self._plan, frames, places)
        values = self._values(block, frames, partial)
        prepared = 0.0
        if not self._steps:
            self._compile(values)
            prepared = time.perf_counter() - start
        for step, names in self._steps:
            step(*(values.get(name, UNUSED) for name in names))
        total = time.perf_counter() - start
        return partial, Timing(prepared, 0.0, total - prepared)

    def compile(self, dtype: str) -> None:
        """Compile the steps before there is a block to compute."""
        frames = self._plan.segments[0][:1]
        block = np.zeros((1, *self._plan.shape[1:]), dtype)
        self._compile(self._values(block, frames, allocated(self._plan, frames, None)))

    def close(self) -> None:
        """Nothing is held: compiled code stays for the next session."""

    def _values(
        self, block: NDArray[Any], frames: range, partial: Partial
    ) -> dict[str, Any]:
        scalars = self._arguments.block_scalars(block, frames)
        work = {
            name: np.empty(len(frames) * size, np.float32)
            for name, size in self._plan.work_floats(self._arguments.part_rows).items()
        }
        return {
            **scalars,
            **self._arguments.tables(frames),
            **self._arguments.prepared(block, frames, devices.thread_count()),
            **work,
            **{name: array.reshape(-1) for name, array in partial.items()},
            "frames": np.array(block, np.float32).reshape(-1),
        }

    def _compile(self, values: dict[str, Any]) -> None:
        """Compile the steps for these argument types, or load them from the disk."""
        import numba
        from numba.core import config

        generated = import_module(f"napari_nanopyx._generated.{self._task_name}_numba")
        numba.set_num_threads(
            min(devices.thread_count(), int(vars(config)["NUMBA_NUM_THREADS"]))
        )
        for step in generated.STEPS:
            names = list(inspect.signature(step.py_func).parameters)
            given = [values.get(name, UNUSED) for name in names]
            typeof: Callable[[Any], Any] = numba.typeof
            step.compile(tuple(typeof(value) for value in given))
            self._steps.append((step, names))
