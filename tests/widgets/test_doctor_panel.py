"""The doctor's report in a real viewer."""

from __future__ import annotations

from threading import Event, current_thread, main_thread
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_nanopyx import doctor
from napari_nanopyx.widgets.doctor_panel import LOOKING, DoctorWindow

PATIENCE_MILLISECONDS = 60_000


class Report:
    """Stands in for the doctor: says who asked, when the test lets it."""

    def __init__(self) -> None:
        self.go_on = Event()
        self.asked: list[bool] = []

    def __call__(self) -> str:
        """Wait, and answer."""
        self.asked.append(current_thread() is main_thread())
        assert self.go_on.wait(60)
        return f"report {len(self.asked)}"


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> Report:
    report = Report()
    monkeypatch.setattr(doctor, "report", report)
    return report


def test_the_menu_opens_what_the_command_prints(
    viewer: Any, open_widget: Any, qtbot: Any
) -> None:
    panel = open_widget("Doctor")
    qtbot.waitUntil(lambda: panel.ready, timeout=PATIENCE_MILLISECONDS)
    assert panel.text.toPlainText() == doctor.report()
    assert panel.text.isReadOnly()
    selectable = Qt.TextInteractionFlag.TextSelectableByMouse
    assert panel.text.textInteractionFlags() & selectable


def test_the_window_stays_responsive_and_copies(report: Report, qtbot: Any) -> None:
    window = DoctorWindow()
    qtbot.addWidget(window)
    panel = window.panel
    qtbot.waitUntil(lambda: bool(report.asked))
    assert panel.text.toPlainText() == LOOKING
    assert not panel.copy.isEnabled()
    report.go_on.set()
    qtbot.waitUntil(lambda: panel.ready)
    assert panel.text.toPlainText() == "report 1"
    panel.copy.click()
    assert QApplication.clipboard().text() == "report 1"
    panel.again.click()
    qtbot.waitUntil(lambda: panel.ready)
    assert panel.text.toPlainText() == "report 2"
    assert report.asked == [False, False]


def test_a_report_that_fails_is_shown(
    monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    def fail() -> str:
        raise RuntimeError("out of order")

    monkeypatch.setattr(doctor, "report", fail)
    window = DoctorWindow()
    qtbot.addWidget(window)
    qtbot.waitUntil(lambda: window.panel.ready)
    assert "RuntimeError: out of order" in window.panel.text.toPlainText()


def test_a_window_closed_meanwhile(report: Report, qtbot: Any) -> None:
    window = DoctorWindow()
    gone: list[bool] = []
    window.panel.destroyed.connect(lambda: gone.append(True))
    inquiry = window.panel._inquiry
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    window.show()
    window.close()
    qtbot.waitUntil(lambda: bool(gone))
    report.go_on.set()
    assert inquiry is not None
    qtbot.waitUntil(lambda: inquiry.text == "report 1")


def test_the_engine_panel_has_a_button_for_it(
    report: Report, open_widget: Any, qtbot: Any
) -> None:
    report.go_on.set()
    panel = open_widget("Liquid Engine")
    qtbot.waitUntil(lambda: panel.model.loaded, timeout=PATIENCE_MILLISECONDS)
    panel.doctor.click()
    (window,) = panel.findChildren(DoctorWindow)
    assert not window.isModal()
    qtbot.waitUntil(lambda: window.panel.ready)
    assert window.panel.text.toPlainText() == "report 1"
    window.close()
    qtbot.waitUntil(lambda: not panel.findChildren(DoctorWindow))
