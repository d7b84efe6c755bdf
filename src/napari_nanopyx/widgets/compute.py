"""Runs every computation of the plugin on one long-lived thread.

One thread, because the thread pools of OpenMP and Numba and the queues of OpenCL are
then made once and by one owner, and because runs side by side would spoil each other's
timings. The thread never touches Qt: it leaves numbers in a `Job`, and the GUI looks
at them when it has time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

from napari_nanopyx.widgets.steering import steering

Progress = Callable[[int, int], None]

STARTED = time.time()
"""When this session began, in Unix time."""

_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="nanopyx-compute")


class Job:
    """One call on the compute thread, as the GUI may look at it at any time.

    Parameters
    ----------
    function
        Called as ``function(progress, cancel)`` on the compute thread; `progress`
        takes the frames done and the frames in all, `cancel` has ``is_set()``.
    """

    def __init__(self, function: Callable[[Progress, Event], Any]) -> None:
        self.done = 0
        self.total = 0
        self._cancel = Event()
        self._function = function
        self._future: Future[Any] = _thread.submit(self._run)

    @property
    def started(self) -> bool:
        """Whether its turn has come."""
        return self._future.running() or self._future.done()

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self._future.done()

    @property
    def stopped(self) -> bool:
        """Whether somebody asked it to stop; what it returned is then not wanted."""
        return self._cancel.is_set()

    @property
    def problem(self) -> BaseException | None:
        """What an ended job raised, unless it was stopped."""
        return None if self.stopped else self._future.exception()

    @property
    def result(self) -> Any:
        """What an ended job without a problem returned."""
        return None if self.stopped else self._future.result()

    def stop(self) -> None:
        """Ask the call to stop; one that has not begun never begins."""
        self._cancel.set()
        self._future.cancel()

    def _run(self) -> Any:
        with steering.applied():
            return self._function(self._progress, self._cancel)

    def _progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total
