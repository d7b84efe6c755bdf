"""Computes blocks on devices apart, in threads of their own, beside the processor."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from napari_nanopyx._engine.patience import Watch
from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.types import Implementation, Timing
from napari_nanopyx._kernels.declaration import Partial

_AT_EXIT_SECONDS = 10.0
_LONGEST_WAIT_SECONDS = 0.02
_SHORTEST_WAIT_SECONDS = 2e-4

_jobs: set[Job] = set()
_is_exiting = False
_lock = threading.Lock()


class Job:
    """A block that is being computed.

    Parameters
    ----------
    choice
        Which implementation computes it, and why.
    block, frames
        The frames, and which ones they are.
    watch
        Says when it should end early. Another one's `stop` may be set by `stops`.
    compute
        Computes the block.
    """

    def __init__(
        self,
        choice: Choice,
        block: NDArray[Any],
        frames: range,
        watch: Watch,
        compute: Callable[[], tuple[Partial, Timing]],
    ) -> None:
        self.choice = choice
        self.block = block
        self.frames = frames
        self.watch = watch
        self.partial: Partial = {}
        self.timing: Timing | None = None
        self.error: Exception | None = None
        self.seconds = 0.0
        """What it took until it was over or failed."""
        self._compute = compute
        self._over = threading.Event()
        self._rivals: list[Watch] = []
        self._settle: Callable[[Job], None] | None = None
        self._started = time.perf_counter()
        self._thread = threading.Thread(
            target=self._work, name="nanopyx-beside", daemon=True
        )
        with _lock:
            _jobs.add(self)
        self._thread.start()

    @property
    def implementation(self) -> Implementation:
        """What computes it."""
        return self.choice.implementation

    @property
    def is_over(self) -> bool:
        """Whether it has been computed, in part at least, or failed."""
        return self._over.is_set()

    @property
    def is_whole(self) -> bool:
        """Whether all its frames have been computed."""
        return self.timing is not None and self.watch.frames == len(self.frames)

    def wait(self, is_cancelled: Callable[[], bool] = bool) -> bool:
        """Wait until it is over; leave it behind once patience has run out.

        Return whether it is over.
        """
        while not self._over.wait(self._wait_seconds()):
            if is_cancelled() or self._is_late():
                self.watch.leave()
                return self._over.is_set()
        return True

    def rest(self) -> None:
        """Wait for a moment, or until it is over: there is nothing else to do."""
        self._over.wait(_LONGEST_WAIT_SECONDS)

    def result(self) -> tuple[Partial, Timing]:
        """Return what is computed, once it is over; raise what went wrong."""
        if self.error is not None:
            raise self.error
        assert self.timing is not None  # noqa: S101 - it is over
        return self.partial, self.timing

    def stops(self, rival: Watch) -> None:
        """Have another one that computes the same stopped, if this is whole before."""
        with _lock:
            if not self._over.is_set():
                self._rivals.append(rival)
            elif self.is_whole:
                rival.stop[0] = 1

    def abandon(self, settle: Callable[[Job], None]) -> None:
        """Have a function called with it once it is over, in whatever thread."""
        with _lock:
            if not self._over.is_set():
                self._settle = settle
                return
        settle(self)

    def _wait_seconds(self) -> float:
        started = self.watch.started
        if started is None:
            return _LONGEST_WAIT_SECONDS
        left = started + self.watch.deadline - time.perf_counter()
        return min(max(left, _SHORTEST_WAIT_SECONDS), _LONGEST_WAIT_SECONDS)

    def _is_late(self) -> bool:
        started = self.watch.started
        if started is None:
            return False
        return time.perf_counter() - started > self.watch.deadline

    def _work(self) -> None:
        try:
            self.partial, self.timing = self._compute()
        except Exception as error:  # noqa: BLE001 - reported by the run
            self.error = error
        self.seconds = time.perf_counter() - self._started
        with _lock:
            _jobs.discard(self)
            self._over.set()
            settle = self._settle
            if self.is_whole:
                for rival in self._rivals:
                    rival.stop[0] = 1
        if settle is not None and not _is_exiting:
            settle(self)


def busy_devices() -> set[str]:
    """Return the identities of the devices that compute something now."""
    if not _jobs:
        return set()
    with _lock:
        return {job.implementation.device for job in _jobs}


def _before_exit() -> None:
    """Let no thread be inside a driver while the interpreter is taken apart.

    The history may have been closed before.
    """
    global _is_exiting
    _is_exiting = True
    deadline = time.monotonic() + _AT_EXIT_SECONDS
    for job in list(_jobs):
        job._thread.join(max(0.0, deadline - time.monotonic()))


def _after_fork() -> None:
    """Start anew: the threads are the parent's."""
    global _lock
    _lock = threading.Lock()
    _jobs.clear()


atexit.register(_before_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
