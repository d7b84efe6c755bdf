"""Puts into words what a run computes and what a block took, for the history."""

from __future__ import annotations

import time
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from napari_nanopyx import _kernels
from napari_nanopyx._engine.types import Implementation, Measurement, Timing, Workload
from napari_nanopyx._kernels.declaration import Plan, Task

COLD_SECONDS = 0.02
"""A block that took longer to prepare says little about the next one.

Buffers and tables are prepared for every run; compiling takes longer."""


NOTICED_SECONDS = 1e-4
"""Opening or closing that takes less changes no choice, and is not remembered."""


def workload_of(task: Task, plan: Plan, dtype: str) -> Workload:
    """Return all that the run time of a frame may depend on."""
    return Workload(
        task.name,
        _kernels.digest(task.name),
        tuple(plan.shape[1:]),
        dtype,
        dict(plan.parameters),
        plan.cost.flops,
        plan.cost.bytes,
    )


def measured(
    workload: Workload,
    implementation: Implementation,
    frames: int,
    timing: Timing,
    failed: bool = False,
    opening: float = 0.0,
    disturbed: bool = False,
    confirmed: bool = False,
    beside: bool = False,
) -> Measurement:
    """Return the measurement of a block that has just ended.

    It is disturbed if this process was preparing something meanwhile, and computes on
    the processor, too.

    Opening the implementation for the run counts as preparation of its first block. As
    each run does so, it makes no measurement a cold one.
    """
    outcome = "failed" if failed else "cold" if timing.prepare > COLD_SECONDS else "ok"
    if outcome == "ok" and opening > NOTICED_SECONDS:
        prepare = timing.prepare + opening
        timing = Timing(prepare, timing.transfer, timing.compute)
    if outcome == "ok" and disturbed and implementation.shares_processor:
        outcome = "disturbed"
    return Measurement(
        workload,
        implementation.name,
        implementation.device,
        frames,
        timing,
        outcome,
        time.time(),
        package_version(),
        confirmed,
        beside,
    )


@cache
def package_version() -> str:
    """Return the version of this package; empty if it is not installed."""
    try:
        return version("napari-nanopyx")
    except PackageNotFoundError:
        return ""
