"""A job is followed from the GUI thread, whatever happens to the window meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from threading import Event
from typing import Any

import pytest
from napari.utils import progress
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QMainWindow

from napari_nanopyx.widgets.compute import Job
from napari_nanopyx.widgets.watch import Watch


class Scene:
    """A window, a job that waits in it, and what its watch reports."""

    def __init__(self, window: QMainWindow) -> None:
        self.go_on, self.begun = Event(), Event()
        self.heard: list[str] = []
        self.job = Job(self._work)
        self.watch = Watch(self.job, "Waiting", window)
        self.watch.progressed.connect(
            lambda done, total: self.heard.append(f"{done} of {total}")
        )
        self.watch.succeeded.connect(lambda result: self.heard.append(result))
        self.watch.failed.connect(lambda problem: self.heard.append(str(problem)))
        self.watch.stopped.connect(lambda: self.heard.append("stopped"))
        self.watch.ended.connect(lambda: self.heard.append("ended"))

    def _work(self, report: Any, cancel: Event) -> str:
        report(3, 10)
        self.begun.set()
        while not self.go_on.wait(0.01):
            if cancel.is_set():
                raise RuntimeError("stopped")
        return "finished"


class Stubborn(QMainWindow):
    """A window that will not close, as when the user answers no."""

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Refuse."""
        event.ignore()


@pytest.fixture
def window() -> Iterator[QMainWindow]:
    window = QMainWindow()
    window.show()
    yield window
    with suppress(RuntimeError):  # a test may have deleted it
        window.deleteLater()


@pytest.fixture
def scene(window: QMainWindow) -> Iterator[Scene]:
    scene = Scene(window)
    yield scene
    scene.go_on.set()


def bars() -> list[Any]:
    """Return the bars of the activity dock."""
    return [bar for bar in progress._all_instances if "Waiting" in bar.desc]


def test_success_is_reported_after_progress(scene: Scene, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: scene.heard == ["3 of 10"])
    scene.go_on.set()
    qtbot.waitUntil(lambda: scene.heard[1:] == ["finished", "ended"])


def test_the_activity_dock_shows_how_far_it_is(scene: Scene, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: [(bar.n, bar.total) for bar in bars()] == [(3, 10)])
    scene.go_on.set()
    qtbot.waitUntil(lambda: not bars())


def test_cancel_in_the_activity_dock_stops_the_job(scene: Scene, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: len(bars()) == 1)
    bars()[0].cancel()
    qtbot.waitUntil(lambda: scene.heard[-2:] == ["stopped", "ended"])
    assert not bars()


def test_a_closed_window_stops_the_job_and_hears_nothing(
    scene: Scene, window: QMainWindow, qtbot: Any
) -> None:
    qtbot.waitUntil(lambda: len(bars()) == 1)
    heard = list(scene.heard)
    window.close()
    qtbot.waitUntil(lambda: scene.job.ended)
    qtbot.wait(150)
    assert scene.job.stopped
    assert scene.heard == heard
    assert not bars()


def test_a_deleted_window_stops_the_job(
    scene: Scene, window: QMainWindow, qtbot: Any
) -> None:
    assert scene.begun.wait(30)
    window.deleteLater()
    qtbot.waitUntil(lambda: scene.job.ended)
    assert scene.job.stopped
    assert "ended" not in scene.heard


def test_a_window_that_stays_open_keeps_its_job(qtbot: Any) -> None:
    window = Stubborn()
    window.show()
    scene = Scene(window)
    assert scene.begun.wait(30)
    assert not window.close()
    scene.go_on.set()
    qtbot.waitUntil(lambda: scene.heard[-2:] == ["finished", "ended"])
    window.deleteLater()


def test_problems_are_handed_over(window: QMainWindow, qtbot: Any) -> None:
    def work(report: Any, cancel: Event) -> None:
        raise ValueError("radius is 0")

    heard: list[BaseException] = []
    watch = Watch(Job(work), "Waiting", window)
    watch.failed.connect(heard.append)
    qtbot.waitUntil(lambda: len(heard) == 1)
    assert str(heard[0]) == "radius is 0"
