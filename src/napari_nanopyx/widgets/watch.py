"""Follows a job from the GUI thread: progress, Stop, and windows that close meanwhile.

A timer looks at the job twenty times a second; what it shows changes less often.
Nothing of Qt is touched by the compute thread, so there is nothing to lock and nothing
to call in a window that is gone.
"""

from __future__ import annotations

import time

from qtpy.QtCore import QEvent, QObject, QTimer, Signal
from qtpy.QtWidgets import QWidget

from napari_nanopyx.widgets.activity import ActivityBar
from napari_nanopyx.widgets.compute import Job

LOOK_EVERY_MILLISECONDS = 50
SHOW_EVERY_SECONDS = 0.2
SHOWING_SHARE = 0.08
"""Of the time, what showing may take: each bar that moves has the window painted."""


class Watch(QObject):
    """Reports what becomes of a job, and shows it in napari's activity dock.

    One of `succeeded`, `failed` and `stopped` is emitted, then `ended`; none of them
    once the window has closed.

    Parameters
    ----------
    job
        What to follow.
    title
        Words for the activity dock.
    window
        The viewer's main window. When it closes, the job is stopped.
    """

    progressed = Signal(int, int)
    succeeded = Signal(object)
    failed = Signal(object)
    stopped = Signal()
    ended = Signal()

    def __init__(self, job: Job, title: str, window: QWidget | None) -> None:
        super().__init__(window)
        self.job = job
        self.over = False
        """Whether everything has been reported, which is later than the job's end."""
        self._bar = ActivityBar(title)
        self._done = 0
        self._show_from = 0.0
        self._looking = False
        self._closing = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(LOOK_EVERY_MILLISECONDS)
        self._decision = QTimer(self)
        self._decision.setSingleShot(True)
        self._decision.timeout.connect(self._decide)
        # The window takes this object with it, however it goes.
        self.destroyed.connect(job.stop)
        self.destroyed.connect(self._bar.close)
        if window is not None:
            window.installEventFilter(self)

    def stop(self) -> None:
        """Ask the job to stop; `stopped` follows when it has."""
        self.job.stop()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """See the window begin to close, which may still be refused."""
        if event.type() == QEvent.Type.Close:
            self._closing = True
            self._decision.start(0)
        return False

    def _decide(self) -> None:
        window = self.parent()
        self._closing = False
        if not (isinstance(window, QWidget) and window.isVisible()):
            self._leave()

    def _look(self) -> None:
        # napari's progress bars process events, so a look can begin inside a look.
        if self._looking or self._closing:
            return
        self._looking = True
        if self.job.ended:
            self._finish()
        elif self.job.started:
            self._show_progress()
        self._looking = False

    def _show_progress(self) -> None:
        if self._bar.cancelled:
            self.job.stop()
        done, total = self.job.done, self.job.total
        began = time.monotonic()
        if began < self._show_from:
            return
        if done > self._done:
            self._done = done
            self.progressed.emit(done, total)
        self._bar.show(done, total)
        ended = time.monotonic()
        pause = max(SHOW_EVERY_SECONDS, (ended - began) / SHOWING_SHARE)
        self._show_from = ended + pause

    def _finish(self) -> None:
        job, self.over = self.job, True
        self._leave()
        if job.stopped:
            self.stopped.emit()
        elif job.problem is not None:
            self.failed.emit(job.problem)
        else:
            self.succeeded.emit(job.result)
        self.ended.emit()

    def _leave(self) -> None:
        self._timer.stop()
        self._bar.close()
        if not self.job.ended:
            self.job.stop()
        self.deleteLater()
