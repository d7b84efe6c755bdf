"""Runs a task block by block: the one place where the parts of the engine meet."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine import (
    beside,
    catalogue,
    context,
    devices,
    events,
    history,
    preparing,
    settings,
    verification,
)
from napari_nanopyx._engine.account import Account
from napari_nanopyx._engine.apart import Apart
from napari_nanopyx._engine.beside import Job
from napari_nanopyx._engine.errors import Cancelled
from napari_nanopyx._engine.events import Run
from napari_nanopyx._engine.failures import Failures
from napari_nanopyx._engine.finite import Finite, quiet
from napari_nanopyx._engine.measuring import workload_of
from napari_nanopyx._engine.ordered import Ordered
from napari_nanopyx._engine.patience import Watch
from napari_nanopyx._engine.reader import Block, Reader
from napari_nanopyx._engine.sessions import Sessions
from napari_nanopyx._engine.situation import BACKGROUND_SHARE, Situation
from napari_nanopyx._engine.source import as_source
from napari_nanopyx._engine.turns import computing
from napari_nanopyx._engine.types import Choice, Implementation, Session
from napari_nanopyx._kernels.declaration import Partial, Plan, Task

BLOCK_BYTES = 256 * 2**20
"""Memory that one block may need, whatever the implementation would prefer."""


_MANY_THREADS = 8
"""So many threads wait longer for one that shares its core with a driver than they gain
by it."""


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
        self._task, self._plan = task, plan
        self._pinned = pinned
        self._policy, self._seed = context.policy()
        source = as_source(image, axes=len(plan.shape))
        self._reader = Reader(source, plan.segments)
        self._workload = workload_of(task, plan, source.dtype_name)
        self._sessions = Sessions(task, plan, self._workload.dtype)
        self._failures = Failures(task.name, plan, pinned is not None)
        self._finite = Finite(self._workload, plan, self._sessions)
        self._merger = plan.merger()
        self._ordered = Ordered(self._merger)
        self._apart = Apart(self._sessions, self._reader, self._ordered)
        self._most_frames = max(1, _block_bytes() // max(1, plan.block_bytes_per_frame))
        self._threads = devices.thread_count()
        run = Run(
            events.next_run_id(),
            task.name,
            dict(plan.parameters),
            tuple(plan.shape),
            self._workload.dtype,
            self._reader.remaining,
        )
        self._account = Account(run, self._workload, self._sessions)

    def run(
        self, progress: Callable[[int, int], object] | None, cancel: Cancel | None
    ) -> NDArray[np.float32]:
        """Compute all blocks, and merge them."""
        run, state, is_shared = self._account.run, "failed", False
        is_cancelled = bool if cancel is None else cancel.is_set
        self._account.announce(events.run_started)
        try:
            while self._reader.remaining or self._apart.is_awaited:
                _stop_if(is_cancelled)
                done = run.frames_done
                self._block(is_cancelled)
                if run.frames_done > done and progress is not None:
                    progress(run.frames_done, run.frames_total)
            _stop_if(is_cancelled)
            with quiet():
                result = self._merger.result()
            if len(result) < run.frames_total:
                self._finite.check_reduced(result)
            state = "finished"
        except Cancelled:
            state = "cancelled"
            raise
        finally:
            self._reader.close()
            is_shared = self._apart.abandon(self._account.remember)
            self._sessions.close_all()
            self._account.close(state)
        # A device that is still at it may write its frames to where they belong.
        return result.copy() if is_shared else result

    def _block(self, is_cancelled: Callable[[], bool]) -> None:
        """Compute one block, unless its implementation fails or is not ready.

        The next choice is made among those that are ready, if there are any. Frames
        that the block leaves out because it ends early are left to that, too.
        """
        for failed, reason in self._sessions.take_failed():
            self._failed(failed, 0, 0.0, reason)
        self._take_over()
        if not self._reader.remaining:
            self._apart.race()
        if not self._reader.remaining:
            return
        choice = self._choose()
        for wanted in choice.prepare:
            self._sessions.prepare(wanted)
        session = self._session(choice.implementation)
        if session is None:
            return
        frames, block = self._take(choice, session)
        patience = None if self._apart.is_awaited else choice.patience
        watch = Watch(len(frames), patience, is_cancelled)
        rival = self._look(choice, block, frames) or self._apart.rival
        if rival is not None:
            rival.stops(watch)
        if self._threads >= _MANY_THREADS and self._apart.unfinished():
            watch.spared_threads = 1
        started, disturbed = time.perf_counter(), preparing.is_busy()
        try:
            with computing():
                started = time.perf_counter()
                places = self._merger.places(frames)
                if patience is not None and choice.implementation.apart:
                    job = self._apart.begin(
                        choice, session, block, frames, places, watch
                    )
                    if not job.wait(is_cancelled):
                        self._apart.leave(job)
                        return
                    partial, timing = job.result()
                else:
                    partial, timing = session.run(block, frames, places, watch)
            if watch.stop[0]:
                self._overtaken(rival, block, frames)
                return
            if watch.frames < len(frames):
                self._reader.give_back(frames[watch.frames :], block[watch.frames :])
                frames, block = frames[: watch.frames], block[: watch.frames]
            self._finite.check(
                choice.implementation, block, frames, partial, timing.warm
            )
        except Exception as error:  # noqa: BLE001 - reported, or raised from
            self._reader.give_back(frames, block)
            seconds = time.perf_counter() - started
            self._failed(choice.implementation, len(frames), seconds, error)
            return
        disturbed = disturbed or preparing.is_busy()
        merging = self._merge(frames, partial)
        for part in watch.measured(timing):
            self._account.finished(choice, part, merging, disturbed)
        self._end_race(choice, len(frames))

    def _session(self, implementation: Implementation) -> Session | None:
        """Return a session that can be used now; None if there is none."""
        for job in self._apart.unfinished():
            if job.implementation.name == implementation.name:
                job.rest()  # There is no other implementation, or it were not chosen.
                return None
        if not self._sessions.is_ready(implementation):
            return None
        opened = self._apart.take_session(implementation.name)
        if opened is not None:
            self._sessions.adopt(implementation, opened)
        try:
            with computing():
                return self._sessions.get(implementation)
        except Exception as error:  # noqa: BLE001 - reported, or raised from
            self._failed(implementation, 0, 0.0, error)
            return None

    def _take(self, choice: Choice, session: Session) -> Block:
        """Take the frames of the next block."""
        at_most = max(1, min(self._most_frames, session.preferred_frames))
        at_most = self._failures.most_frames(choice.implementation.name, at_most)
        size = min(choice.frames, at_most)
        taken = self._reader.take(size, at_most)
        if choice.expected_seconds is not None:
            self._reader.read_ahead(size)
        return taken

    def _look(self, choice: Choice, block: NDArray[Any], frames: range) -> Job | None:
        """Have a block computed apart as well, if it was chosen so."""
        if choice.look is None or self._account.is_aside:
            return None
        if not self._sessions.is_ready(choice.look.implementation):
            return None
        return self._apart.look(choice, self._opened_beside, block, frames)

    def _opened_beside(self, implementation: Implementation) -> Session:
        about = implementation, self._task, self._plan, self._workload.dtype
        return verification.open_session(*about)[0]

    def _overtaken(self, rival: Job | None, block: NDArray[Any], frames: range) -> None:
        """Use what a device apart has computed of the same frames before."""
        assert rival is not None  # noqa: S101 - or nothing would have stopped the block
        if rival is self._apart.rival:
            self._reader.give_back(frames, block)
            self._take_over()
            return
        self._apart.take(rival)
        try:
            partial, timing = rival.result()
            self._finite.check(
                rival.implementation, block, frames, partial, timing.warm
            )
        except Exception as error:  # noqa: BLE001 - reported
            self._reader.give_back(frames, block)
            self._failed(rival.implementation, len(frames), rival.seconds, error)
            return
        merging = self._merge(frames, partial)
        for part in rival.watch.measured(timing):
            self._account.finished(rival.choice, part, merging, disturbed=False)
        self._end_race(rival.choice, len(frames))

    def _take_over(self) -> None:
        """Take over what devices apart have finished meanwhile."""
        if not self._apart.has_jobs:
            return
        for look in self._apart.take_looks():
            try:
                _, timing = look.result()
            except Exception as error:  # noqa: BLE001 - reported
                self._failed(look.implementation, len(look.frames), look.seconds, error)
                continue
            for part in look.watch.measured(timing):
                self._account.seen(look.choice, part)
        job = self._apart.take_left()
        if job is None:
            return
        try:
            partial, timing = job.result()
            self._finite.check(
                job.implementation, job.block, job.frames, partial, timing.warm
            )
        except Exception as error:  # noqa: BLE001 - reported, or raised from
            self._apart.lost(job)
            self._failed(job.implementation, len(job.frames), job.seconds, error)
            return
        self._account.decide(used=False)
        self._apart.won(job, self._threads)
        for part in job.watch.measured(timing):
            self._account.finished(job.choice, part, 0.0, disturbed=False, beside=True)

    def _end_race(self, choice: Choice, frames: int) -> None:
        """Merge what was left behind by what others have computed, once that is all."""
        if self._apart.is_raced:
            self._account.doubt(choice, frames)
        if self._apart.end_race(self._threads):
            self._account.decide(used=True)

    def _merge(self, frames: range, partial: Partial) -> float:
        """Merge a block, and return the seconds that a frame took."""
        started = time.perf_counter()
        with quiet():
            self._ordered.add(frames, partial, self._threads)
        return (time.perf_counter() - started) / len(frames)

    def _choose(self) -> Choice:
        if self._pinned is not None:
            candidates = [self._pinned]
        else:
            candidates = self._failures.candidates(self._sessions.pending())
        choice = self._policy(
            Situation(
                self._workload,
                candidates,
                history.current().evidence(self._workload),
                self._reader.remaining,
                self._sessions.ready(candidates),
                self._sessions.opened() | self._apart.opened(),
                pinned=self._pinned is not None,
                seed=self._seed,
                background_share=BACKGROUND_SHARE / self._threads,
                busy=self._busy(candidates),
                awaited=self._apart.is_awaited,
                disturbed=preparing.is_busy(),
            )
        )
        self._account.chose(choice)
        return choice

    def _busy(self, candidates: Sequence[Implementation]) -> set[str]:
        """Return the names of those whose device computes something already, apart."""
        devices_busy = beside.busy_devices()
        if not devices_busy:
            return set()
        return {c.name for c in candidates if c.apart and c.device in devices_busy}

    def _failed(
        self, failed: Implementation, frames: int, seconds: float, error: Exception
    ) -> None:
        """Note a failure, and raise if no other implementation may be used."""
        self._account.failed(failed, frames, seconds)
        self._sessions.close(failed.name)
        self._failures.add(failed, frames, error)


def _stop_if(is_cancelled: Callable[[], bool]) -> None:
    if is_cancelled():
        raise Cancelled("the computation was cancelled")


def _block_bytes() -> int:
    if wished := settings.memory_bytes():
        return wished
    memory_bytes = devices.memory_bytes()
    return min(BLOCK_BYTES, memory_bytes // 8) if memory_bytes else BLOCK_BYTES
