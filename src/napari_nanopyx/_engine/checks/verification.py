"""Checks an implementation once on this machine, before it may compute or be timed."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from napari_nanopyx import _kernels
from napari_nanopyx._engine import catalogue
from napari_nanopyx._engine.checks.agreement import Agreement, Problem, camera_frames
from napari_nanopyx._engine.errors import WrongResult, describe
from napari_nanopyx._engine.measurements import history
from napari_nanopyx._engine.measurements.measuring import package_version
from napari_nanopyx._engine.measurements.verified import Check
from napari_nanopyx._engine.patience import Watch
from napari_nanopyx._engine.session import Session
from napari_nanopyx._engine.types import Implementation, Timing
from napari_nanopyx._kernels.declaration import Partial, Plan, Task

REFERENCE_FLOPS = 1e7
"""Work of the small problem, if it can be made that small: the reference takes some
ten milliseconds for it."""

_SHAPES = ((3, 17, 37), (2, 13, 37), (2, 9, 19), (2, 6, 17), (2, 5, 7))
"""Odd sizes, with columns beyond a whole vector of sixteen as long as possible."""

_problem: tuple[Plan, str, Problem] | None = None
"""The one made last: several implementations are checked on it in one run."""


def open_session(
    implementation: Implementation, task: Task, plan: Plan, dtype: str
) -> tuple[Session, float]:
    """Open an implementation for a plan, after a check if this is its first use here.

    Returns also the seconds that opening took. The time that the implementation takes
    for the check counts as preparation of the first block; that of the reference does
    not, as it says nothing about later runs.

    Raises
    ------
    WrongResult
        If it does not compute what the reference computes.
    """
    seconds = check(implementation, task, plan, dtype)
    started = time.perf_counter()
    session = catalogue.open_session(implementation, task, plan)
    opening = time.perf_counter() - started
    return _Checked(session, seconds) if seconds else session, opening


def check(implementation: Implementation, task: Task, plan: Plan, dtype: str) -> float:
    """Check an implementation, unless it has passed; return the seconds it took.

    Raises
    ------
    WrongResult
        If it does not compute what the reference computes.
    """
    wanted = _check(implementation, task, plan, dtype)
    if wanted is None or wanted in history.current().verified:
        return 0.0
    try:
        problem = _small_problem(task, plan, dtype)
    except Exception as error:  # noqa: BLE001 - reported
        warnings.warn(
            f"{implementation.name} could not be checked, because the reference of "
            f"{task.name} failed ({describe(error)}): please report this",
            RuntimeWarning,
            stacklevel=3,
        )
        return 0.0
    started = time.perf_counter()
    verify(implementation, task, problem)
    history.current().verified.add(wanted)
    return time.perf_counter() - started


def verify(
    implementation: Implementation,
    task: Task,
    problem: Problem,
    before_block: Callable[[], None] | None = None,
) -> Agreement:
    """Let an implementation compute a problem, and return how far off it is.

    Raises
    ------
    WrongResult
        If the answer is not the reference's; whatever computing it raises is raised.
    """
    session = catalogue.open_session(implementation, task, problem.plan)
    try:
        found = problem.check(session, before_block)
    finally:
        session.close()
    if found.problem:
        raise WrongResult(found.problem)
    return found


def variant(parameters: Mapping[str, float | str | bool], dtype: str) -> str:
    """Return what may lead through other paths of the code, as one word.

    That is the pixel type, each word and truth value, and of each number its sign,
    whether it is whole and whether it is below 1.
    """
    kinds = (f"{name}={_kind(parameters[name])}" for name in sorted(parameters))
    return " ".join((dtype, *kinds))


def _kind(value: float | str | bool) -> str:
    if isinstance(value, str | bool):
        return str(value)
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    size = (
        "below 1" if abs(value) < 1 else "whole" if value == int(value) else "fraction"
    )
    return sign + size


def _check(
    implementation: Implementation, task: Task, plan: Plan, dtype: str
) -> Check | None:
    """Return the check that an implementation has to pass; None if it has none."""
    if implementation.kind == "reference" or task.resized is None:
        return None
    return Check(
        task.name,
        _kernels.digest(task.name),
        implementation.name,
        implementation.device,
        variant(plan.parameters, dtype),
        package_version(),
    )


def _small_problem(task: Task, plan: Plan, dtype: str) -> Problem:
    global _problem
    if _problem is not None and _problem[0] is plan and _problem[1] == dtype:
        return _problem[2]
    assert task.resized is not None  # noqa: S101 - seen to by _check
    for shape in _SHAPES:
        small = task.resized(plan, shape)
        if small.cost.flops * small.shape[0] <= REFERENCE_FLOPS:
            break
    frames = camera_frames(tuple(small.shape), dtype)
    problem = Problem(small, frames, task.tolerance)
    _ = problem.answer
    _problem = (plan, dtype, problem)
    return problem


class _Checked:
    """A session that adds the time of the check to the first block's preparation."""

    def __init__(self, session: Session, seconds: float) -> None:
        self._session = session
        self._seconds = seconds
        self.preferred_frames = session.preferred_frames

    def run(
        self,
        block: NDArray[Any],
        frames: range,
        places: Partial | None = None,
        watch: Watch | None = None,
    ) -> tuple[Partial, Timing]:
        """Compute a block."""
        partial, timing = self._session.run(block, frames, places, watch)
        self.preferred_frames = self._session.preferred_frames
        seconds, self._seconds = self._seconds, 0.0
        prepare = timing.prepare + seconds
        return partial, Timing(prepare, timing.transfer, timing.compute)

    def close(self) -> None:
        """Close the session."""
        self._session.close()
