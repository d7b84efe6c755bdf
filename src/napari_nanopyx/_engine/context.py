"""What the caller has asked of the engine for the code that runs now."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from napari_nanopyx._engine.events import Run
from napari_nanopyx._engine.policy import agent, steady
from napari_nanopyx._engine.policy.situation import Policy

_pinned: ContextVar[Mapping[str, str | None]] = ContextVar("pinned", default={})  # noqa: B039 - never changed
_policy: ContextVar[tuple[Policy, int]] = ContextVar(
    "policy", default=(agent.choose, 0)
)
_aside: ContextVar[bool] = ContextVar("aside", default=False)
_recorders: ContextVar[tuple[list[Run], ...]] = ContextVar("recorders", default=())


_EVERY_TASK = ""


def pinned(task_name: str) -> str | None:
    """Return the implementation of a task that was asked for by name, if any."""
    asked = _pinned.get()
    name = asked.get(task_name, asked.get(_EVERY_TASK))
    return name or os.environ.get("NAPARI_NANOPYX_IMPLEMENTATION") or None


def policy() -> tuple[Policy, int]:
    """Return the policy that chooses, and the seed of its draws."""
    return _policy.get()


def is_aside() -> bool:
    """Tell whether runs made now are to leave no trace."""
    return _aside.get()


def recorders() -> tuple[list[Run], ...]:
    """Return the lists that collect the runs made now."""
    return _recorders.get()


@contextmanager
def pin(name: str | None, task_name: str | None = None) -> Iterator[None]:
    """Ask for one implementation by name, for all tasks or for one."""
    if task_name is None:
        token = _pinned.set({_EVERY_TASK: name})
    else:
        token = _pinned.set({**_pinned.get(), task_name: name})
    try:
        yield
    finally:
        _pinned.reset(token)


@contextmanager
def choose_by(policy: Policy, seed: int = 0) -> Iterator[None]:
    """Let another policy choose."""
    token = _policy.set((policy, seed))
    try:
        yield
    finally:
        _policy.reset(token)


@contextmanager
def aside() -> Iterator[None]:
    """Measure and announce nothing, and try no other implementation."""
    token = _aside.set(True)
    try:
        with choose_by(steady.choose):
            yield
    finally:
        _aside.reset(token)


@contextmanager
def record() -> Iterator[list[Run]]:
    """Collect the runs made inside, each as it stands at the end."""
    runs: list[Run] = []
    token = _recorders.set((*_recorders.get(), runs))
    try:
        yield runs
    finally:
        _recorders.reset(token)
