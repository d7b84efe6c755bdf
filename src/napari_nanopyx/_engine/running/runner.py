"""Runs a task block by block: the one place where the parts of the engine meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine import catalogue, context, events, settings
from napari_nanopyx._engine.errors import Cancelled
from napari_nanopyx._engine.events import Run
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.measurements import history
from napari_nanopyx._engine.measurements.measuring import workload_of
from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.policy.situation import BACKGROUND_SHARE, Situation
from napari_nanopyx._engine.running import beside, preparing
from napari_nanopyx._engine.running.account import Account
from napari_nanopyx._engine.running.failures import Failures
from napari_nanopyx._engine.running.reader import Reader
from napari_nanopyx._engine.running.sessions import Sessions
from napari_nanopyx._engine.running.source import as_source
from napari_nanopyx._engine.running.work import Work
from napari_nanopyx._engine.types import Implementation
from napari_nanopyx._kernels.declaration import Plan, Task

BLOCK_BYTES = 256 * 2**20
"""Memory that one block may need, whatever the implementation would prefer."""


class Cancel(Protocol):
    """What a caller can set to stop a run, such as a `threading.Event`."""

    def is_set(self) -> bool:
        """Tell whether to stop."""


def run(
    task: Task,
    image: Any,
    plan: Plan,
    *,
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> NDArray[np.float32]:
    """Compute a task.

    Parameters
    ----------
    task
        What to compute.
    image
        Anything with shape, dtype and slicing, frames first.
    plan
        The task, bound to the shape of the image and to parameter values.
    implementation
        The only implementation to use; by default the agent chooses for each block.
    progress
        Called after each block with the frames done and the frames in all.
    cancel
        Asked between blocks, and launches of a block, whether to stop.

    Returns
    -------
    numpy.ndarray
        What the merger of the plan makes of all blocks.

    Raises
    ------
    Cancelled
        If `cancel` is set.
    ImplementationUnavailable, ImplementationFailed
        If the implementation asked for cannot run, or raises.
    NoImplementationLeft
        If none was asked for and all have failed.
    """
    name = implementation or context.pinned(task.name)
    pinned = catalogue.named(task.name, name, plan) if name else None
    return _Runner(task, image, plan, pinned).run(progress, cancel)


class _Runner:
    """One run: what it is about, and how far it has come."""

    def __init__(
        self, task: Task, image: Any, plan: Plan, pinned: Implementation | None
    ) -> None:
        self._pinned = pinned
        self._policy, self._seed = context.policy()
        source = as_source(image, axes=len(plan.shape))
        self._reader = Reader(source, plan.segments)
        self._workload = workload_of(task, plan, source.dtype_name)
        self._sessions = Sessions(task, plan, self._workload.dtype)
        self._failures = Failures(task.name, plan, pinned is not None)
        run = Run(
            events.next_run_id(),
            task.name,
            dict(plan.parameters),
            tuple(plan.shape),
            self._workload.dtype,
            self._reader.remaining,
        )
        self._account = Account(run, self._workload, self._sessions)
        self._work = Work(
            task,
            plan,
            self._workload,
            self._reader,
            max(1, _block_bytes() // max(1, plan.block_bytes_per_frame)),
            self._sessions,
            self._failures,
            self._account,
        )

    def run(
        self, progress: Callable[[int, int], object] | None, cancel: Cancel | None
    ) -> NDArray[np.float32]:
        """Compute all blocks, and merge them."""
        run, state, is_shared = self._account.run, "failed", False
        is_cancelled = bool if cancel is None else cancel.is_set
        self._account.announce(events.run_started)
        try:
            while self._reader.remaining or self._work.apart.is_awaited:
                _stop_if(is_cancelled)
                done = run.frames_done
                self._block(is_cancelled)
                if run.frames_done > done and progress is not None:
                    progress(run.frames_done, run.frames_total)
            _stop_if(is_cancelled)
            result = self._work.result()
            state = "finished"
        except Cancelled:
            state = "cancelled"
            raise
        finally:
            self._reader.close()
            is_shared = self._work.apart.abandon(self._account.remember)
            self._sessions.close_all()
            self._account.close(state)
        # A device that is still at it may write its frames to where they belong.
        return result.copy() if is_shared else result

    def _block(self, is_cancelled: Callable[[], bool]) -> None:
        """Choose what computes the next block, and have it computed, if any is left.

        If that fails or is not ready, the next choice is made among those that are, if
        there are any.
        """
        for failed, reason in self._sessions.take_failed():
            self._work.failed(failed, 0, 0.0, reason)
        self._work.take_over()
        if not self._reader.remaining:
            self._work.apart.race()
        if not self._reader.remaining:
            return
        choice = self._choose()
        self._account.chose(choice)
        for wanted in choice.prepare:
            self._sessions.prepare(wanted)
        self._work.compute(choice, is_cancelled)

    def _choose(self) -> Choice:
        if self._pinned is not None:
            candidates = [self._pinned]
        else:
            candidates = self._failures.candidates(self._sessions.pending())
        return self._policy(
            Situation(
                self._workload,
                candidates,
                history.current().evidence(self._workload),
                self._reader.remaining,
                self._sessions.ready(candidates),
                self._sessions.opened() | self._work.apart.opened(),
                pinned=self._pinned is not None,
                seed=self._seed,
                background_share=BACKGROUND_SHARE / self._work.threads,
                busy=self._busy(candidates),
                awaited=self._work.apart.is_awaited,
                disturbed=preparing.is_busy(),
            )
        )

    def _busy(self, candidates: Sequence[Implementation]) -> set[str]:
        """Return the names of those whose device computes something already, apart."""
        devices_busy = beside.busy_devices()
        if not devices_busy:
            return set()
        return {c.name for c in candidates if c.apart and c.device in devices_busy}


def _stop_if(is_cancelled: Callable[[], bool]) -> None:
    if is_cancelled():
        raise Cancelled("the computation was cancelled")


def _block_bytes() -> int:
    if wished := settings.memory_bytes():
        return wished
    memory_bytes = devices.memory_bytes()
    return min(BLOCK_BYTES, memory_bytes // 8) if memory_bytes else BLOCK_BYTES
