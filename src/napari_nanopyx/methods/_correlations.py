"""Computes the correlations that registering takes, on the engine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine import catalogue, context
from napari_nanopyx._engine.running.runner import Cancel, run
from napari_nanopyx._kernels import tasks
from napari_nanopyx._kernels.correlate.plan import CorrelatePlan
from napari_nanopyx._kernels.correlation import Sums


def correlations(implementation: str | None, cancel: Cancel | None) -> Sums:
    """Return what computes plans of the task `correlate`.

    Raises
    ------
    UnknownImplementation
        If there is no implementation of this name.
    ImplementationUnavailable
        If it cannot run here.
    """
    task = tasks()["correlate"]
    name = implementation or context.pinned(task.name)
    if name:
        catalogue.named(task.name, name)

    def sums(frames: NDArray[Any], plan: CorrelatePlan) -> NDArray[np.float32]:
        return run(task, frames, plan, implementation=implementation, cancel=cancel)

    return sums
