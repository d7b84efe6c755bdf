"""What devices apart compute for one run: blocks, and looks beside those of others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial as bound
from threading import Lock
from typing import Any

from numpy.typing import NDArray

from napari_nanopyx._engine.patience import Watch
from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.running.beside import Job
from napari_nanopyx._engine.running.ordered import Computed, Ordered
from napari_nanopyx._engine.running.reader import Reader
from napari_nanopyx._engine.running.sessions import Sessions
from napari_nanopyx._engine.session import Session
from napari_nanopyx._engine.types import Implementation, Timing
from napari_nanopyx._kernels.declaration import Partial


class Apart:
    """The jobs of one run.

    A block that is slow is left behind: the run goes on with the frames after it. When
    there are no others, what was left behind is computed by others, too, and the first
    to be ready wins.

    Parameters
    ----------
    sessions
        What the run has opened. One whose job is not over when the run ends is closed
        by the job.
    reader
        Gets back the frames that are to be computed once more.
    ordered
        Waits for what was left behind.
    """

    def __init__(self, sessions: Sessions, reader: Reader, ordered: Ordered) -> None:
        self._sessions = sessions
        self._reader = reader
        self._ordered = ordered
        self._jobs: list[Job] = []
        self._opened: dict[str, Session] = {}
        self._has_ended = False
        self._lock = Lock()
        self._looks: list[Job] = []
        self._left: Job | None = None
        self._is_raced = False

    @property
    def is_awaited(self) -> bool:
        """Whether frames were left behind that are not merged yet."""
        return self._left is not None or self._is_raced

    @property
    def rival(self) -> Job | None:
        """What computes the same frames as the next block; None if nothing does."""
        return self._left if self._is_raced else None

    @property
    def has_jobs(self) -> bool:
        """Whether a device apart has computed anything for the run."""
        return bool(self._jobs or self._looks or self._left)

    def begin(
        self,
        choice: Choice,
        session: Session,
        block: NDArray[Any],
        frames: range,
        places: Partial,
        watch: Watch,
    ) -> Job:
        """Have a block computed."""
        compute = bound(session.run, block, frames, places, watch)
        return self._begun(Job(choice, block, frames, watch, compute))

    def look(
        self,
        choice: Choice,
        open_session: Callable[[Implementation], Session],
        block: NDArray[Any],
        frames: range,
    ) -> Job:
        """Have a block computed, at first only to see how long that takes.

        The session is opened beside the others' computation as well, and kept for the
        next look.
        """
        assert choice.look is not None  # noqa: S101 - or there is nothing to begin
        implementation, patience, reason = choice.look
        seen = Choice(implementation, len(frames), None, reason, choice.expected)
        watch = Watch(len(frames), patience, is_look=True)

        def compute() -> tuple[Partial, Timing]:
            session = self.take_session(implementation.name)
            session = session or open_session(implementation)
            try:
                return session.run(block, frames, None, watch)
            finally:
                self._keep(implementation.name, session)

        job = self._begun(Job(seen, block, frames, watch, compute))
        self._looks.append(job)
        return job

    def opened(self) -> set[str]:
        """Return the names of those that have a session for the next look."""
        return set(self._opened)

    def take_session(self, name: str) -> Session | None:
        """Return a session that was opened for looks, only once."""
        with self._lock:
            return self._opened.pop(name, None)

    def take(self, look: Job) -> None:
        """Take what a look has computed for that of the block: it is no look then."""
        self._looks.remove(look)

    def take_looks(self) -> list[Job]:
        """Return the looks that are over, only once."""
        over = [job for job in self._looks if job.is_over]
        for job in over:
            self._looks.remove(job)
        return over

    def leave(self, job: Job) -> None:
        """Go on without waiting for a job, with the frames that it has not begun."""
        count = job.watch.frames
        if count < len(job.frames):
            self._reader.give_back(job.frames[count:], job.block[count:])
        job.frames, job.block = job.frames[:count], job.block[:count]
        self._ordered.wait_for(job.frames)
        self._left = job

    def race(self) -> None:
        """Have the frames that were left behind computed by others as well."""
        if self._left is not None:
            self._again(self._left)

    def take_left(self) -> Job | None:
        """Return what was left behind if it is over, only once."""
        if self._left is None or not self._left.is_over:
            return None
        job, self._left = self._left, None
        return job

    def lost(self, job: Job) -> None:
        """Have others compute what a job that was left behind has failed to."""
        if not self._is_raced:
            self._again(job)

    def won(self, job: Job, threads: int) -> None:
        """Merge what was left behind, and what waited for it."""
        if self._is_raced:
            self._reader.give_up()
        self._is_raced = False
        block = Computed(job.frames, job.partial, job.implementation.name)
        self._ordered.settle(block, threads)

    def end_race(self, threads: int) -> None:
        """Merge what others have computed of what was left behind, if that is all."""
        if self._is_raced and not self._reader.remaining:
            self._left, self._is_raced = None, False
            self._ordered.settle(None, threads)

    def unfinished(self) -> list[Job]:
        """Return the jobs that are not over."""
        return [job for job in self._jobs if not job.is_over] if self._jobs else []

    def abandon(self, remember: Callable[[Job], None]) -> bool:
        """Let go of all jobs, each of which closes its session once it is over.

        Return whether there are any. They may still write to places that they were
        given.
        """
        unfinished = self.unfinished()
        for job in unfinished:
            session = None
            if job not in self._looks:
                session = self._sessions.release(job.implementation.name)
            job.abandon(bound(_close, session=session, remember=remember))
        with self._lock:
            self._has_ended = True
            opened, self._opened = self._opened, {}
        for session in opened.values():
            session.close()
        return any(job not in self._looks for job in unfinished)

    def _begun(self, job: Job) -> Job:
        """Keep a job until it is over."""
        self._jobs = [*self.unfinished(), job]
        return job

    def _keep(self, name: str, session: Session) -> None:
        with self._lock:
            if not self._has_ended:
                self._opened[name] = session
                return
        session.close()

    def _again(self, job: Job) -> None:
        self._reader.give_back(job.frames, job.block)
        self._is_raced = True


def _close(job: Job, session: Session | None, remember: Callable[[Job], None]) -> None:
    """Remember what a job took, and close its session."""
    remember(job)
    if session is not None:
        session.close()
