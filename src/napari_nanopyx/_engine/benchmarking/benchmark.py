"""Runs every implementation of a task on the same inputs, and says who wins where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from napari_nanopyx import _kernels
from napari_nanopyx._engine import catalogue
from napari_nanopyx._engine.benchmarking.cells import cells as every_cell
from napari_nanopyx._engine.benchmarking.result import Benchmark, BenchmarkRow
from napari_nanopyx._engine.benchmarking.steps import Steps, steps_of
from napari_nanopyx._engine.benchmarking.timing import CellBench
from napari_nanopyx._engine.errors import BenchmarkCancelled, UnknownImplementation
from napari_nanopyx._engine.running.runner import Cancel
from napari_nanopyx._engine.types import Implementation


def benchmark(
    task: str,
    *,
    data: ArrayLike | None = None,
    sizes: Sequence[int | tuple[int, ...]] | int | None = None,
    parameters: Mapping[str, Any] | None = None,
    implementations: Sequence[str] | None = None,
    repeats: int = 5,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
    **more_parameters: Any,
) -> Benchmark:
    """Measure every implementation of a task on the same input.

    Before an implementation is timed, its answer is compared with the reference's, on
    the input itself or, where that would take the reference long, on two frames or a
    crop from their middle. One that computes other numbers is reported, quarantined
    and not timed. All times go into the history, so that the agent learns from them.

    Parameters
    ----------
    task : str
        Name of the task, such as ``"magnify"``.
    data : array_like, shape (T, Y, X) or (Y, X), optional
        Frames of your own: NumPy, Dask, Zarr, or anything with ``shape``, ``dtype`` and
        slicing. Of a long movie the first frames are taken. For a task on volumes,
        (T, Z, Y, X) or (Z, Y, X).
    sizes : sequence of int or tuple of int, optional
        Sides of generated images (uint16), in pixels, or (rows, columns). Without data
        and sizes: 64, 128, 256 and 512. For a task on volumes, (planes, rows, columns),
        or a side: a volume has a quarter as many planes; or else 32, 64 and 128.
    parameters : mapping, optional
        Parameters of the task by name. A list stands for each of its values in turn;
        two lists, or a list and several sizes, make a grid.
    implementations : sequence of str, optional
        Names of those to measure; by default all but the reference.
    repeats : int
        Timed blocks of each implementation, after a check and a warm-up; 1 or more. A
        block has about as many frames as in a run.
    progress : callable, optional
        Called after each check, warm-up and timed block, with those done and in all.
    cancel : object with ``is_set()``, optional
        Asked before each of them whether to stop, for example a `threading.Event`.
    **more_parameters
        Parameters of the task, as in `parameters`.

    Returns
    -------
    Benchmark
        Its `rows` hold, for each implementation in each cell, status and reason, the
        fastest and the median seconds per frame, the ratio to the fastest, and the
        difference from the reference. It has `winners()`, with what the agent would
        choose, `to_csv(path)` and `plot(ax=None)`; printed, it is a table.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, not in its range, or a size too large
        for the memory.
    BenchmarkCancelled
        If `cancel` is set; its `result` is what was measured until then.
    UnknownImplementation
        If `implementations` has a name that the task does not have.

    Examples
    --------
    >>> result = benchmark("magnify", sizes=[32], factor=2, repeats=1)
    >>> result.winners()[0].shape
    (32, 32)
    """
    both = set(parameters or {}) & set(more_parameters)
    if both:
        raise ValueError(f"{', '.join(sorted(both))} is given twice: give it once")
    listed = catalogue.implementations(task)
    wanted = _wanted(task, listed, implementations)
    _check_repeats(repeats)
    given = {**(parameters or {}), **more_parameters}
    cells = every_cell(_kernels.tasks()[task], data, sizes, given)
    usable = sum(each.available for each in listed if each.name in wanted)
    steps = Steps(len(cells) * usable * steps_of(repeats), progress, cancel)
    rows: list[BenchmarkRow] = []
    choices: dict[int, tuple[str, str]] = {}
    for number, cell in enumerate(cells, start=1):
        bench = CellBench(cell, wanted, repeats, steps)
        cancelled = not bench.measure()
        found = bench.rows()
        if any(row.median is not None for row in found):
            choices[len(rows)] = bench.choice()
        rows += found
        if cancelled:
            raise BenchmarkCancelled(Benchmark(task, rows, choices))
        steps.go_to(number * usable * steps_of(repeats))
    return Benchmark(task, rows, choices)


def _wanted(
    task_name: str,
    listed: Sequence[Implementation],
    names: Sequence[str] | None,
) -> list[str]:
    """Return the names to measure: those asked for, or all but the reference."""
    known = [each.name for each in listed]
    if names is None:
        return [each.name for each in listed if each.kind != "reference"]
    asked = [names] if isinstance(names, str) else list(names)
    if not asked:
        raise ValueError(
            f"implementations is empty, but must name some of {', '.join(known)}"
        )
    for name in asked:
        if name not in known:
            raise UnknownImplementation(name, task_name, known)
    return asked


def _check_repeats(repeats: Any) -> None:
    allowed = "a whole number from 1 up"
    if isinstance(repeats, bool) or not isinstance(repeats, int | np.integer):
        raise TypeError(f"repeats is {repeats!r}, but must be {allowed}")
    if repeats < 1:
        raise ValueError(f"repeats is {repeats!r}, but must be {allowed}")
