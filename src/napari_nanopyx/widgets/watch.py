"""Follows a job from the GUI thread: progress, Stop, and windows that close meanwhile.

A timer looks at the job twenty times a second. Nothing of Qt is touched by the compute
thread, so there is nothing to lock and nothing to call in a window that is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, QTimer, Signal

from napari_nanopyx.widgets.compute import Job

if TYPE_CHECKING:
    from napari.utils import cancelable_progress
    from qtpy.QtWidgets import QWidget

LOOK_EVERY_MILLISECONDS = 50
BAR_FORMAT = "{l_bar}{bar}| {remaining} left"
"""Short, so that napari's Cancel button beside it stays in sight."""


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
        self._title = title
        self._window = window
        self._bar: cancelable_progress | None = None
        self._looking = False
        self._closing = False
        self._abandoned = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(LOOK_EVERY_MILLISECONDS)
        self._decision = QTimer(self)
        self._decision.setSingleShot(True)
        self._decision.timeout.connect(self._decide)
        if window is not None:
            window.installEventFilter(self)

    def stop(self) -> None:
        """Ask the job to stop; `stopped` follows when it has."""
        self.job.stop()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """See the window close. A close may still be refused, a deletion may not."""
        if event.type() == QEvent.Type.Close:
            self._closing = True
            self._decision.start(0)
        elif event.type() == QEvent.Type.DeferredDelete:
            self._abandon()
        return False

    def _decide(self) -> None:
        if self._window is not None and self._window.isVisible():
            self._closing = False
        else:
            self._abandon()

    def _abandon(self) -> None:
        self._abandoned = True
        self._timer.stop()
        self.job.stop()
        self._close_bar()

    def _look(self) -> None:
        # napari's progress bars process events, so a look can begin inside a look.
        if self._looking or self._closing or self._abandoned:
            return
        self._looking = True
        if self.job.ended:
            self._finish()
        elif self.job.started:
            self._show_progress()
        self._looking = False

    def _show_progress(self) -> None:
        from napari.utils import cancelable_progress

        done, total = self.job.done, self.job.total
        if self._bar is None:
            self._bar = cancelable_progress(
                total=total or None, desc=self._title, bar_format=BAR_FORMAT
            )
            if self._abandoned:
                self._close_bar()
            return
        if self._bar.is_canceled:
            self.job.stop()
        if done > self._bar.n:
            self.progressed.emit(done, total)
            if self._bar.total != total:
                self._bar.total = total
            self._bar.update(done - self._bar.n)

    def _finish(self) -> None:
        self._timer.stop()
        self._close_bar()
        if self.job.stopped:
            self.stopped.emit()
        elif self.job.problem is not None:
            self.failed.emit(self.job.problem)
        else:
            self.succeeded.emit(self.job.result)
        self.ended.emit()
        self.deleteLater()

    def _close_bar(self) -> None:
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.close()
