"""The public door to the Liquid Engine: what can run here, what was chosen and why."""

from __future__ import annotations

from contextlib import AbstractContextManager
from os import PathLike
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_nanopyx import _kernels
from napari_nanopyx._engine import catalogue, context, events
from napari_nanopyx._engine import settings as _settings
from napari_nanopyx._engine.benchmarking.benchmark import benchmark
from napari_nanopyx._engine.benchmarking.result import Benchmark, BenchmarkRow, Winner
from napari_nanopyx._engine.errors import (
    BenchmarkCancelled,
    Cancelled,
    HistoryWarning,
    ImplementationFailed,
    ImplementationUnavailable,
    MissingPackage,
    NanoPyxError,
    NoImplementationLeft,
    NotFinite,
    NotFiniteWarning,
    PreparationFailed,
    UnknownImplementation,
    WrongResult,
)
from napari_nanopyx._engine.events import Run
from napari_nanopyx._engine.machine import devices as _devices
from napari_nanopyx._engine.measurements import history as _history
from napari_nanopyx._engine.measurements.delays import DEVIATIONS
from napari_nanopyx._engine.measurements.expected import Expected
from napari_nanopyx._engine.measurements.export import as_columns, write_csv
from napari_nanopyx._engine.policy import policies
from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.policy.estimates import Expectations as _Expectations
from napari_nanopyx._engine.policy.estimates import estimates
from napari_nanopyx._engine.types import (
    Device,
    Implementation,
    Measurement,
    Timing,
    Workload,
)

__all__ = [
    "Benchmark",
    "BenchmarkCancelled",
    "BenchmarkRow",
    "Cancelled",
    "Choice",
    "Device",
    "Expected",
    "HistoryWarning",
    "Implementation",
    "ImplementationFailed",
    "ImplementationUnavailable",
    "Measurement",
    "MissingPackage",
    "NanoPyxError",
    "NoImplementationLeft",
    "NotFinite",
    "NotFiniteWarning",
    "PreparationFailed",
    "Run",
    "Timing",
    "UnknownImplementation",
    "Winner",
    "Workload",
    "WrongResult",
    "aside",
    "benchmark",
    "configure",
    "devices",
    "events",
    "expected",
    "export_history",
    "history",
    "history_table",
    "implementations",
    "policy",
    "record",
    "refresh",
    "use",
]


def implementations(task: str) -> list[Implementation]:
    """Return every implementation of a task, also those that cannot run here.

    Parameters
    ----------
    task
        Name of the task, such as ``"esrrf"``.

    Returns
    -------
    list of Implementation
        Each with `name`, `kind`, `device`, `available` and, if it cannot run here,
        `reason` and `remedy`. ``"reference"`` is always one of them.

    Notes
    -----
    The first call looks for OpenCL devices, which can take some seconds.
    """
    return catalogue.implementations(task)


def devices() -> list[Device]:
    """Return the processor and the OpenCL devices that work here."""
    return [_devices.cpu(), *_devices.opencl_devices()]


def refresh() -> None:
    """Look for devices again, and give implementations that failed another chance."""
    catalogue.refresh()


def configure(
    *,
    threads: int | None = None,
    devices: str | None = None,
    memory_mb: int | None = None,
    folder: str | None = None,
) -> None:
    """Set what holds for the whole program, as napari's preferences do.

    What is not given stays as it is. An environment variable has the last word:
    NAPARI_NANOPYX_THREADS, NAPARI_NANOPYX_DEVICES, NAPARI_NANOPYX_MEMORY_MB and
    NAPARI_NANOPYX_HOME.

    Parameters
    ----------
    threads
        Threads to compute with; 0 for one on each core.
    devices
        Parts of the names of the OpenCL devices to use, with commas between them;
        ``""`` for all, ``"none"`` to look for none.
    memory_mb
        Megabytes that a block of frames may need; 0 for what suits this computer.
    folder
        Where the history is kept; ``""`` for the user data folder.

    Raises
    ------
    TypeError, ValueError
        If one of them makes no sense; then all stay as they are.

    Examples
    --------
    >>> configure(threads=2)
    >>> configure(threads=0)
    """
    given = {
        "threads": threads,
        "devices": devices,
        "memory_mb": memory_mb,
        "folder": folder,
    }
    before = _settings.current()
    _settings.change(
        {name: value for name, value in given.items() if value is not None}
    )
    now = _settings.current()
    if now.folder != before.folder:
        _history.close()
    if now.devices != before.devices:
        catalogue.refresh()


def history(task: str | None = None, newest: int | None = None) -> list[Measurement]:
    """Return the recorded measurements, oldest first.

    Parameters
    ----------
    task
        Name of a task; by default the measurements of all tasks are returned.
    newest
        How many to return at most; by default all, which can be hundred thousands.
    """
    return _history.current().measurements(task, newest)


def history_table(
    task: str | None = None, newest: int | None = None
) -> dict[str, NDArray[Any]]:
    """Return the recorded measurements as a table, oldest first.

    Parameters
    ----------
    task
        Name of a task; by default the measurements of all tasks are returned.
    newest
        How many to return at most; by default all, which can be hundred thousands.

    Returns
    -------
    dict of numpy.ndarray
        A column for each thing that `export_history` writes, by the same names, all of
        one length; ``pandas.DataFrame`` takes it as it is. The column ``time`` is
        datetime64, in UTC. A parameter that a measurement does not have is NaN in a
        column of numbers, and otherwise None.

    Examples
    --------
    >>> table = history_table("esrrf")
    >>> serial = table["implementation"] == "serial"
    >>> seconds = table["compute_seconds"][serial] / table["frames"][serial]
    """
    return as_columns(history(task, newest))


def export_history(path: str | PathLike[str], task: str | None = None) -> int:
    """Write the recorded measurements to a CSV file, oldest first.

    Parameters
    ----------
    path
        The file, replaced as a whole if it exists; its folder must exist.
    task
        Name of a task; by default the measurements of all tasks are written.

    Returns
    -------
    int
        How many measurements were written, each a row: task, digest of its code,
        shape and data type of a frame, each parameter, implementation, device, work of
        a frame, frames of the block, seconds, outcome, time (UTC) and version.
    """
    measurements = history(task)
    write_csv(Path(path), measurements)
    return len(measurements)


def expected(task: str) -> dict[str, Expected]:
    """Return the seconds that a frame is expected to take, by implementation.

    Parameters
    ----------
    task
        Name of a task.

    Returns
    -------
    dict
        For the input measured last in this process, or else ever, with the present
        code; implementations of which nothing is known are left out. Each is a number
        with `low` and `high` bounds, `measurements`, and whether it is `exact`, that
        is, measured at this very input rather than predicted from similar ones.
    """
    listed = catalogue.implementations(task)
    evidence = _history.current().known(task, _kernels.digest(task))
    workload = evidence.newest_workload()
    if workload is None:
        return {}
    usable = [implementation for implementation in listed if implementation.available]
    found = estimates(workload, usable, evidence)
    return dict(_Expectations(found))


def use(
    implementation: str | None, *, task: str | None = None
) -> AbstractContextManager[None]:
    """Compute everything inside with one implementation.

    Parameters
    ----------
    implementation
        Its name, such as ``"serial"``; None lets the agent choose, as it does
        outside. A task that has no such implementation raises when it is called.
    task
        The only task that this is for, such as ``"esrrf"``; by default all are meant.

    Notes
    -----
    It holds for the thread that enters it. The environment variable
    NAPARI_NANOPYX_IMPLEMENTATION does the same for a whole program.

    Examples
    --------
    >>> with use("reference"):
    ...     pass
    """
    return context.pin(implementation, task)


def policy(
    name: str, *, k: float = DEVIATIONS, seed: int = 0
) -> AbstractContextManager[None]:
    """Let another policy choose the implementations of everything inside.

    Parameters
    ----------
    name
        ``"default"``: the fastest so far, others tried while that costs little.
        ``"paper"``: the policy published with NanoPyx; it needs scikit-learn, which
        ``pip install napari-nanopyx[paper]`` brings.
    k
        For ``"paper"``: how many standard deviations above the mean of its faster
        runs make a run a delayed one. The publication gives 4, and in an equation 2.
    seed
        For ``"paper"``, which draws lots: the same seed and history give the same
        choices.

    Examples
    --------
    >>> with policy("default"):
    ...     pass
    """
    return context.choose_by(policies.policy(name, k), seed)


def aside() -> AbstractContextManager[None]:
    """Compute inside without leaving a trace, as for a preview.

    Nothing is measured or announced to `events`, and no other implementation is tried
    or compiled: the one that is expected to be done first, or the pinned one, computes
    all frames. `record` still collects the runs.

    Examples
    --------
    >>> with aside():
    ...     pass
    """
    return context.aside()


def record() -> AbstractContextManager[list[Run]]:
    """Collect what the engine did inside, as a list of runs.

    Examples
    --------
    >>> with record() as runs:
    ...     pass
    >>> [(run.task, run.implementation, run.reason) for run in runs]
    []
    """
    return context.record()
