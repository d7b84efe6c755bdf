"""A task that computes nothing, to see what the engine takes for itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx import _kernels
from napari_nanopyx._engine.backends import BACKENDS
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.types import Implementation, Timing
from napari_nanopyx._kernels.declaration import Cost, Partial, Task

IMPLEMENTATIONS = (
    "serial",
    "threads-static",
    "threads-dynamic",
    "threads-guided",
    "numba",
    "opencl:nothing",
)


@dataclass(frozen=True)
class EmptyPlan:
    """Frames that nothing is done with."""

    shape: tuple[int, ...]
    parameters: Mapping[str, float | str | bool] = field(
        default_factory=lambda: {"magnification": 5, "radius": 1.5, "temporal": "AVG"}
    )
    cost: Cost = field(default_factory=lambda: Cost(16.0, 16.0))
    block_bytes_per_frame: int = 1

    @property
    def segments(self) -> Sequence[range]:
        """All frames at once."""
        return [range(self.shape[0])]

    def merger(self) -> EmptyMerger:
        """Return what collects nothing."""
        return EmptyMerger()


class EmptyMerger:
    """Collects nothing."""

    def places(self, _frames: range) -> Partial:
        """Return no place."""
        return {}

    def add(self, _frames: range, _partial: Partial, threads: int = 1) -> None:
        """Do nothing."""

    def result(self) -> NDArray[np.float32]:
        """Return an empty image."""
        return np.empty(0, np.float32)


class EmptySession:
    """Computes nothing in no time."""

    preferred_frames = 64

    def run(self, *_: Any) -> tuple[Partial, Timing]:
        """Return nothing."""
        return {}, Timing(0.0, 0.0, 1e-6)

    def close(self) -> None:
        """Nothing is held."""


class EmptyBackend:
    """All implementations of the empty task, or none."""

    def __init__(self, names: Sequence[str]) -> None:
        self._listed = [
            Implementation("empty", name, "compiled", "nowhere") for name in names
        ]

    def implementations(self, _task_name: str) -> list[Implementation]:
        """Return them, ready to run."""
        return self._listed

    def open(self, *_: Any) -> EmptySession:
        """Open one."""
        return EmptySession()

    def compiler(self, *_: Any) -> None:
        """Return nothing, as there is nothing to compile."""


@contextmanager
def installed() -> Iterator[Task]:
    """Put the empty task in place of all others meanwhile."""
    task = Task("empty", "computes nothing", (), EmptyPlan, None)  # type: ignore[arg-type]
    backends = dict(BACKENDS)
    before = _kernels.tasks, _kernels.digest, devices.opencl_is_known
    try:
        _kernels.tasks = lambda: {"empty": task}  # type: ignore[assignment]
        _kernels.digest = lambda _name: "1"  # type: ignore[assignment]
        devices.opencl_is_known = lambda: True
        BACKENDS.update({kind: EmptyBackend(()) for kind in backends})
        BACKENDS["compiled"] = EmptyBackend(IMPLEMENTATIONS)
        yield task
    finally:
        _kernels.tasks, _kernels.digest, devices.opencl_is_known = before  # type: ignore[assignment]
        BACKENDS.update(backends)
