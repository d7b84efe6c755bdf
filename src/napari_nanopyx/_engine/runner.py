"""Runs a task block by block: the one place where the parts of the engine meet."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine import (
    catalogue,
    context,
    devices,
    events,
    history,
    preparing,
    settings,
)
from napari_nanopyx._engine.errors import Cancelled
from napari_nanopyx._engine.estimates import arm_of
from napari_nanopyx._engine.events import Run
from napari_nanopyx._engine.evidence import Evidence
from napari_nanopyx._engine.failures import Failures
from napari_nanopyx._engine.finite import Finite, quiet
from napari_nanopyx._engine.measuring import NOTICED_SECONDS, measured, workload_of
from napari_nanopyx._engine.patience import Part, Watch
from napari_nanopyx._engine.reader import Reader
from napari_nanopyx._engine.sessions import Sessions
from napari_nanopyx._engine.situation import BACKGROUND_SHARE, Situation
from napari_nanopyx._engine.source import as_source
from napari_nanopyx._engine.turns import computing
from napari_nanopyx._engine.types import Choice, Implementation, Timing
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
        self._task = task
        self._pinned = pinned
        self._policy, self._seed = context.policy()
        self._is_aside = context.is_aside()
        source = as_source(image, axes=len(plan.shape))
        self._reader = Reader(source, plan.segments)
        self._workload = workload_of(task, plan, source.dtype.name)
        self._sessions = Sessions(task, plan, self._workload.dtype)
        self._failures = Failures(task.name, plan, pinned is not None)
        self._finite = Finite(self._workload, plan, self._sessions)
        self._merger = plan.merger()
        self._most_frames = max(1, _block_bytes() // max(1, plan.block_bytes_per_frame))
        self._threads = devices.thread_count()
        self._evidence: Evidence | None = None
        self._started = time.perf_counter()
        self._run = Run(
            events.next_run_id(),
            task.name,
            dict(plan.parameters),
            tuple(plan.shape),
            self._workload.dtype,
            self._reader.remaining,
        )

    def run(
        self, progress: Callable[[int, int], object] | None, cancel: Cancel | None
    ) -> NDArray[np.float32]:
        """Compute all blocks, and merge them."""
        state = "failed"
        is_cancelled = bool if cancel is None else cancel.is_set
        self._announce(events.run_started)
        try:
            while self._reader.remaining:
                _stop_if(is_cancelled)
                if self._block(is_cancelled) and progress is not None:
                    progress(self._run.frames_done, self._run.frames_total)
            _stop_if(is_cancelled)
            with quiet():
                result = self._merger.result()
            if len(result) < self._run.frames_total:
                self._finite.check_reduced(result)
            state = "finished"
            return result
        except Cancelled:
            state = "cancelled"
            raise
        finally:
            self._reader.close()
            self._sessions.close_all()
            self._note_closing()
            self._run.state = state
            self._announce(events.run_finished)
            for runs in context.recorders():
                runs.append(self._run.snapshot())

    def _block(self, is_cancelled: Callable[[], bool]) -> bool:
        """Compute one block; return False if its implementation failed or is not ready.

        The next choice is made among those that are ready, if there are any. Frames
        that the block leaves out because it ends early are left to that, too.
        """
        for failed, reason in self._sessions.take_failed():
            self._failed(failed, 0, 0.0, reason)
        choice = self._choose()
        implementation = choice.implementation
        for wanted in choice.prepare:
            self._sessions.prepare(wanted)
        if not self._sessions.is_ready(implementation):
            return False
        try:
            with computing():
                session = self._sessions.get(implementation)
        except Exception as error:  # noqa: BLE001 - reported, or raised from
            self._failed(implementation, 0, 0.0, error)
            return False
        at_most = max(1, min(self._most_frames, session.preferred_frames))
        at_most = self._failures.most_frames(implementation.name, at_most)
        size = min(choice.frames, at_most)
        frames, block = self._reader.take(size, at_most)
        if choice.expected_seconds is not None:
            self._reader.read_ahead(size)
        started, disturbed = time.perf_counter(), preparing.is_busy()
        try:
            with computing():
                started = time.perf_counter()
                places = self._merger.places(frames)
                watch = Watch(len(frames), choice.patience, is_cancelled)
                partial, timing = session.run(block, frames, places, watch)
            if watch.frames < len(frames):
                self._reader.give_back(frames[watch.frames :], block[watch.frames :])
                frames, block = frames[: watch.frames], block[: watch.frames]
            self._finite.check(implementation, block, frames, partial, timing.warm)
        except Exception as error:  # noqa: BLE001 - reported, or raised from
            self._reader.give_back(frames, block)
            seconds = time.perf_counter() - started
            self._failed(implementation, len(frames), seconds, error)
            return False
        disturbed = disturbed or preparing.is_busy()
        started = time.perf_counter()
        with quiet():
            self._merger.add(frames, partial, self._threads)
        merging = (time.perf_counter() - started) / len(frames)
        for part in watch.measured(timing):
            self._finished(choice, part, merging, disturbed)
        return True

    def _choose(self) -> Choice:
        evidence = self._evidence = history.current().evidence(self._workload)
        if self._pinned is not None:
            candidates = [self._pinned]
        else:
            candidates = self._failures.candidates(self._sessions.pending())
        choice = self._policy(
            Situation(
                self._workload,
                candidates,
                evidence,
                self._reader.remaining,
                self._sessions.ready(candidates),
                self._sessions.opened(),
                pinned=self._pinned is not None,
                seed=self._seed,
                background_share=BACKGROUND_SHARE / self._threads,
                disturbed=preparing.is_busy(),
            )
        )
        self._run.implementation = choice.implementation.name
        self._run.reason = choice.reason
        return choice

    def _finished(
        self, choice: Choice, part: Part, merging: float, disturbed: bool
    ) -> None:
        """Remember what frames took that have been computed, and merging each."""
        name, frames, timing = choice.implementation.name, part.frames, part.timing
        timing = replace(
            timing,
            prepare=timing.prepare + self._sessions.take_preparation(name),
            compute=timing.compute + merging * frames,
        )
        measurement = measured(
            self._workload,
            choice.implementation,
            frames,
            timing,
            opening=self._sessions.take_opening(name),
            disturbed=disturbed,
            confirmed=part.confirmed,
        )
        if not self._is_aside:
            history.current().record(measurement, first=name not in self._run.blocks)
        self._run.blocks[name] = self._run.blocks.get(name, 0) + frames
        self._run.frames_done += frames
        done, total = self._run.frames_done, self._run.frames_total
        self._announce(events.block_finished, choice, measurement, done, total)

    def _failed(
        self, failed: Implementation, frames: int, seconds: float, error: Exception
    ) -> None:
        """Note a failure, and raise if no other implementation may be used."""
        timing = Timing(0.0, 0.0, seconds)
        failure = measured(self._workload, failed, frames, timing, failed=True)
        if not self._is_aside:
            history.current().record(failure)
        self._sessions.close(failed.name)
        self._failures.add(failed, frames, error)

    def _note_closing(self) -> None:
        """Remember what closing took: the next run will need that again."""
        if self._is_aside or self._evidence is None:
            return
        for implementation, seconds in self._sessions.closing:
            if seconds > NOTICED_SECONDS:
                self._evidence.closed(arm_of(implementation), seconds)

    def _announce(self, signal: Any, *values: Any) -> None:
        self._run.seconds = time.perf_counter() - self._started
        if len(signal) and not self._is_aside:
            events.publish(signal, self._run.snapshot(), *values)


def _stop_if(is_cancelled: Callable[[], bool]) -> None:
    if is_cancelled():
        raise Cancelled("the computation was cancelled")


def _block_bytes() -> int:
    if wished := settings.memory_bytes():
        return wished
    memory_bytes = devices.memory_bytes()
    return min(BLOCK_BYTES, memory_bytes // 8) if memory_bytes else BLOCK_BYTES
