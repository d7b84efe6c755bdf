"""Computes the blocks of one run as they are chosen, and merges them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine.checks import verification
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.patience import Watch
from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.running import preparing
from napari_nanopyx._engine.running.account import Account
from napari_nanopyx._engine.running.apart import Apart
from napari_nanopyx._engine.running.beside import Job
from napari_nanopyx._engine.running.failures import Failures
from napari_nanopyx._engine.running.finite import Finite, quiet
from napari_nanopyx._engine.running.ordered import Computed, Ordered
from napari_nanopyx._engine.running.reader import Block, Reader
from napari_nanopyx._engine.running.sessions import Sessions
from napari_nanopyx._engine.running.turns import computing
from napari_nanopyx._engine.session import Session
from napari_nanopyx._engine.types import Implementation, Timing, Workload
from napari_nanopyx._kernels.declaration import Partial, Plan, Task

_MANY_THREADS = 8
"""So many threads wait longer for one that shares its core with a driver than they gain
by it."""


class Work:
    """What one run computes, block by block.

    Parameters
    ----------
    task, plan, workload
        What is computed.
    reader
        Hands out its frames, at most `most_frames` at a time.
    sessions, failures, account
        What the run has opened, what has failed, and what it has taken.
    """

    def __init__(
        self,
        task: Task,
        plan: Plan,
        workload: Workload,
        reader: Reader,
        most_frames: int,
        sessions: Sessions,
        failures: Failures,
        account: Account,
    ) -> None:
        self._task, self._plan = task, plan
        self._dtype = workload.dtype
        self._reader = reader
        self._most_frames = most_frames
        self._sessions = sessions
        self._failures = failures
        self._account = account
        self._finite = Finite(workload, plan, sessions)
        self._merger = plan.merger()
        self._ordered = Ordered(self._merger, account.count)
        self.threads = devices.thread_count()
        """How many compute at a time."""
        self.apart = Apart(sessions, reader, self._ordered)
        """What devices apart compute for the run."""

    def compute(self, choice: Choice, is_cancelled: Callable[[], bool]) -> None:
        """Compute one block, unless its implementation fails or is not ready.

        Frames that the block leaves out because it ends early are left to the next.
        """
        session = self._session(choice.implementation)
        if session is None:
            return
        frames, block = self._take(choice, session)
        patience = None if self.apart.is_awaited else choice.patience
        watch = Watch(len(frames), patience, is_cancelled)
        rival = self._look(choice, block, frames) or self.apart.rival
        if rival is not None:
            rival.stops(watch)
        if self.threads >= _MANY_THREADS and self.apart.unfinished():
            watch.spared_threads = 1
        started, disturbed = time.perf_counter(), preparing.is_busy()
        try:
            with computing():
                started = time.perf_counter()
                places = self._merger.places(frames)
                if patience is not None and choice.implementation.apart:
                    job = self.apart.begin(
                        choice, session, block, frames, places, watch
                    )
                    if not job.wait(is_cancelled):
                        self.apart.leave(job)
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
            self.failed(choice.implementation, len(frames), seconds, error)
            return
        disturbed = disturbed or preparing.is_busy()
        self._use(choice, watch, frames, partial, timing, disturbed)

    def take_over(self) -> None:
        """Take over what devices apart have finished meanwhile."""
        if not self.apart.has_jobs:
            return
        for look in self.apart.take_looks():
            try:
                _, timing = look.result()
            except Exception as error:  # noqa: BLE001 - reported
                self.failed(look.implementation, len(look.frames), look.seconds, error)
                continue
            for part in look.watch.measured(timing):
                self._account.seen(look.choice, part)
        job = self.apart.take_left()
        if job is None:
            return
        try:
            _, timing = self._checked(job)
        except Exception as error:  # noqa: BLE001 - reported, or raised from
            self.apart.lost(job)
            self.failed(job.implementation, len(job.frames), job.seconds, error)
            return
        self.apart.won(job, self.threads)
        for part in job.watch.measured(timing):
            self._account.finished(job.choice, part, 0.0, disturbed=False, beside=True)

    def failed(
        self, failed: Implementation, frames: int, seconds: float, error: Exception
    ) -> None:
        """Note a failure, and raise if no other implementation may be used."""
        self._account.failed(failed, frames, seconds)
        self._sessions.close(failed.name)
        self._failures.add(failed, frames, error)

    def result(self) -> NDArray[np.float32]:
        """Return what the merger makes of all blocks."""
        with quiet():
            result = self._merger.result()
        if len(result) < self._account.run.frames_total:
            self._finite.check_reduced(result)
        return result

    def _session(self, implementation: Implementation) -> Session | None:
        """Return a session that can be used now; None if there is none."""
        for job in self.apart.unfinished():
            if job.implementation.name == implementation.name:
                job.rest()  # There is no other implementation, or it were not chosen.
                return None
        if not self._sessions.is_ready(implementation):
            return None
        opened = self.apart.take_session(implementation.name)
        if opened is not None:
            self._sessions.adopt(implementation, opened)
        try:
            with computing():
                return self._sessions.get(implementation)
        except Exception as error:  # noqa: BLE001 - reported, or raised from
            self.failed(implementation, 0, 0.0, error)
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
        return self.apart.look(choice, self._opened_beside, block, frames)

    def _opened_beside(self, implementation: Implementation) -> Session:
        about = implementation, self._task, self._plan, self._dtype
        return verification.open_session(*about)[0]

    def _overtaken(self, rival: Job | None, block: NDArray[Any], frames: range) -> None:
        """Use what a device apart has computed of the same frames before."""
        assert rival is not None  # noqa: S101 - or nothing would have stopped the block
        if rival is self.apart.rival:
            self._reader.give_back(frames, block)
            self.take_over()
            return
        self.apart.take(rival)
        try:
            partial, timing = self._checked(rival)
        except Exception as error:  # noqa: BLE001 - reported
            self._reader.give_back(frames, block)
            self.failed(rival.implementation, len(frames), rival.seconds, error)
            return
        self._use(rival.choice, rival.watch, frames, partial, timing)

    def _checked(self, job: Job) -> tuple[Partial, Timing]:
        """Return what a job has computed; raise what went wrong."""
        partial, timing = job.result()
        about = job.implementation, job.block, job.frames
        self._finite.check(*about, partial, timing.warm)
        return partial, timing

    def _use(
        self,
        choice: Choice,
        watch: Watch,
        frames: range,
        partial: Partial,
        timing: Timing,
        disturbed: bool = False,
    ) -> None:
        """Have a block merged, and remember what it took.

        What was left behind is merged as others have computed it, once that is all.
        """
        started = time.perf_counter()
        with quiet():
            block = Computed(frames, partial, choice.implementation.name)
            self._ordered.add(block, self.threads)
        merging = (time.perf_counter() - started) / len(frames)
        self.apart.end_race(self.threads)
        for part in watch.measured(timing):
            self._account.finished(choice, part, merging, disturbed)
