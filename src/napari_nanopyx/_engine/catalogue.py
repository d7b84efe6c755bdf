"""Which implementations a task has, which of them run here, and which have failed."""

from __future__ import annotations

from dataclasses import replace

from napari_nanopyx import _kernels
from napari_nanopyx._engine.backends import BACKENDS, backend, programs
from napari_nanopyx._engine.checks import verdicts
from napari_nanopyx._engine.errors import (
    ImplementationUnavailable,
    UnknownImplementation,
)
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.running import preparing
from napari_nanopyx._engine.session import Session
from napari_nanopyx._engine.types import Implementation
from napari_nanopyx._kernels.declaration import Plan, Task, always_fit

_quarantined: dict[tuple[str, str], tuple[str, str]] = {}
_lost: set[str] = set()


def implementations(task_name: str) -> list[Implementation]:
    """Return all implementations of a task, with those missing and why.

    Raises
    ------
    ValueError
        If there is no task of this name.
    """
    known = _kernels.tasks()
    if task_name not in known:
        raise ValueError(
            f"task is {task_name!r}, but must be one of {', '.join(sorted(known))}"
        )
    return _listed(task_name, list(BACKENDS))


def candidates(
    task_name: str, wait: bool = False, plan: Plan | None = None
) -> list[Implementation]:
    """Return the implementations to choose from now, for a plan if one is given.

    Unless told to wait, the search for OpenCL devices goes on meanwhile, and theirs
    appear when it is over.
    """
    kinds = list(BACKENDS)
    if "opencl" in kinds and not wait and not devices.opencl_is_known():
        kinds.remove("opencl")
    return [fitting(found, plan) for found in _listed(task_name, kinds)]


def named(task_name: str, name: str, plan: Plan | None = None) -> Implementation:
    """Return one implementation by name, for a plan if one is given.

    Raises
    ------
    UnknownImplementation
        If the task has none of this name.
    ImplementationUnavailable
        If it cannot run here, or not compute this plan.
    """
    kinds = list(BACKENDS)
    if not name.startswith("opencl"):
        kinds = [kind for kind in kinds if kind != "opencl"]
    for found in _listed(task_name, kinds, quarantine=False):
        if found.name == name:
            found = fitting(found, plan)
            if not found.available:
                raise ImplementationUnavailable(name, found.reason, found.remedy)
            return found
    listed = _listed(task_name, list(BACKENDS))
    raise UnknownImplementation(name, task_name, [found.name for found in listed])


def fitting(implementation: Implementation, plan: Plan | None) -> Implementation:
    """Return an implementation as it is for a plan.

    One that cannot compute it is unavailable; of other algorithms, `work` is known.
    """
    if plan is None or not implementation.available:
        return implementation
    task = _kernels.tasks()[implementation.task]
    if not task.algorithms and task.unfit is always_fit:
        return implementation
    algorithm = task.algorithm(implementation.name)
    if algorithm is not None:
        reason = algorithm.unfit(plan)
    else:
        reason = "" if implementation.kind == "reference" else task.unfit(plan)
    if reason:
        remedy = (
            "ask for another implementation, or for none: then one that fits is chosen"
        )
        return replace(implementation, available=False, reason=reason, remedy=remedy)
    if algorithm is None:
        return implementation
    return replace(
        implementation, work=algorithm.flops(plan) / max(plan.cost.flops, 1.0)
    )


def open_session(implementation: Implementation, task: Task, plan: Plan) -> Session:
    """Get an implementation ready to compute blocks of a plan."""
    return backend(implementation.kind).open(implementation, task, plan)


def quarantine(implementation: Implementation, reason: str, remedy: str = "") -> None:
    """Choose an implementation no more, until this process ends or it is released."""
    remedy = remedy or "start the program again to give it another chance"
    _quarantined[implementation.task, implementation.name] = (reason, remedy)


def release(task_name: str | None = None, name: str | None = None) -> None:
    """Let one implementation, or all in quarantine, be chosen again."""
    if task_name is None or name is None:
        _quarantined.clear()
    else:
        _quarantined.pop((task_name, name), None)


def refresh() -> None:
    """Look for devices again, and give whatever has failed another chance."""
    release()
    _lost.clear()
    verdicts.forget_problems()
    _start_anew()


def lose(implementation: Implementation, reason: str) -> None:
    """Look for devices again, as this one has been lost; the second time is enough."""
    if implementation.device in _lost:
        quarantine(implementation, reason)
    _lost.add(implementation.device)
    _start_anew()


def _start_anew() -> None:
    devices.refresh()
    programs.forget()
    preparing.forget()


def _listed(
    task_name: str, kinds: list[str], quarantine: bool = True
) -> list[Implementation]:
    listed = [
        implementation
        for kind in kinds
        for implementation in backend(kind).implementations(task_name)
    ]
    if not quarantine or not (_quarantined or verdicts.problems()):
        return listed
    return [_judged(implementation) for implementation in listed]


def _judged(implementation: Implementation) -> Implementation:
    """Return an implementation as unavailable if it has failed."""
    if not implementation.available:
        return implementation
    if known := _quarantined.get((implementation.task, implementation.name)):
        reason, remedy = known
        return replace(
            implementation,
            available=False,
            reason=f"it failed earlier in this session: {reason}",
            remedy=remedy,
        )
    if problem := preparing.problem(implementation):
        return replace(
            implementation, available=False, reason=problem, remedy=preparing.REMEDY
        )
    return implementation
