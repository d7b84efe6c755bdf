"""The C core through Cython: on one thread, or on all with three OpenMP schedules."""

from __future__ import annotations

import os
import time
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx import _kernels
from napari_nanopyx._engine.backends.arguments import Arguments, allocated
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.patience import Watch
from napari_nanopyx._engine.types import Implementation, Timing
from napari_nanopyx._kernels.declaration import Partial, Plan, Task

NAMES = ("serial", "threads-static", "threads-dynamic", "threads-guided")
ALGORITHM_SCHEDULE = "threads-dynamic"
"""How the other algorithms share out the parts of a block."""

LEVELS = {"base": 0, "v2": 2, "v3": 3, "v4": 4}
"""x86-64 instruction sets that the core is compiled for; base is one lane at a time."""

MOST_FRAMES = 64
"""Sums over more frames than this would lose digits in float32."""


def implementations(task_name: str) -> list[Implementation]:
    """Return all compiled implementations, each available or with its reason."""
    algorithms = tuple(
        algorithm.name
        for algorithm in _kernels.tasks()[task_name].algorithms
        if algorithm.rewritten is not None
    )
    return _implementations(task_name, algorithms, devices.cpu().identity)


@lru_cache
def _implementations(
    task_name: str, algorithms: tuple[str, ...], device: str
) -> list[Implementation]:
    try:
        module = _module(task_name)
    except ImportError as error:
        reason = f"the compiled part is not installed ({error})"
        remedy = "reinstall napari-nanopyx from a wheel, or with a C compiler at hand"
        every = [*NAMES, *algorithms]
        return [_missing(task_name, name, reason, remedy) for name in every]
    result = [_found(task_name, "serial", device)]
    for name in NAMES[1:]:
        if module.has_openmp():
            result.append(_found(task_name, name, device))
        else:
            reason = "the compiled part was built by a compiler without OpenMP"
            remedy = (
                "install a wheel, or build with OpenMP (macOS: brew install libomp)"
            )
            result.append(_missing(task_name, name, reason, remedy))
    result += [_found(task_name, name, device) for name in algorithms]
    return result


def open(implementation: Implementation, task: Task, plan: Plan) -> CompiledSession:
    """Open a compiled implementation for a plan."""
    algorithm = task.algorithm(implementation.name)
    if algorithm is None or algorithm.rewritten is None:
        return CompiledSession(implementation.name, task.name, plan)
    return CompiledSession(ALGORITHM_SCHEDULE, task.name, algorithm.rewritten(plan))


def compiler(implementation: Implementation) -> None:
    """Return None: all is compiled already."""


def level(task_name: str) -> int:
    """Return the x86-64 level in use; NAPARI_NANOPYX_SIMD may ask for a lower one."""
    best: int = _module(task_name).level()
    asked = os.environ.get("NAPARI_NANOPYX_SIMD", "")
    if not asked:
        return best
    if asked not in LEVELS:
        allowed = ", ".join(LEVELS)
        raise ValueError(f"NAPARI_NANOPYX_SIMD is {asked!r}; allowed are {allowed}")
    return min(best, LEVELS[asked])


class CompiledSession:
    """Calls one generated driver, block by block."""

    preferred_frames = MOST_FRAMES

    def __init__(self, name: str, task_name: str, plan: Plan) -> None:
        self._plan = plan
        self._threads = 1 if name == "serial" else devices.thread_count()
        self._run = getattr(_module(task_name), name.replace("-", "_"))
        self._level = level(task_name)
        self._arguments = Arguments(plan, plan.part_rows(self._threads))

    def run(
        self,
        block: NDArray[Any],
        frames: range,
        places: Partial | None = None,
        watch: Watch | None = None,
    ) -> tuple[Partial, Timing]:
        """Compute the partial result of a block, until the watch says stop."""
        start = time.perf_counter()
        watch = watch or Watch(len(frames))
        threads = max(1, self._threads - watch.spared_threads)
        part_rows = self._arguments.part_rows
        tables = self._arguments.tables(frames)
        partial = allocated(self._plan, frames, places)
        records = {
            name: table.view(np.uint8) if table.dtype.names else table
            for name, table in tables.items()
        }
        values = {
            **self._arguments.block_scalars(block, frames),
            **records,
            **self._arguments.prepared(block, frames, threads),
            **{name: array.reshape(-1) for name, array in partial.items()},
            "frames": block.reshape(-1).view(np.uint8),
        }
        parts = self._plan.parts(len(frames), part_rows)
        scratch = self._plan.scratch_floats(part_rows)
        self._run(values, parts, scratch, threads, self._level, watch.stop)
        return partial, Timing(0.0, 0.0, time.perf_counter() - start)

    def close(self) -> None:
        """Nothing is held."""


def _module(task_name: str) -> ModuleType:
    return import_module(f"napari_nanopyx._generated.{task_name}")


def _found(task: str, name: str, device: str) -> Implementation:
    return Implementation(task, name, "compiled", device, most_frames=MOST_FRAMES)


def _missing(task: str, name: str, reason: str, remedy: str) -> Implementation:
    return Implementation(task, name, "compiled", "", False, reason, remedy)
