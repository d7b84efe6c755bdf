"""The doctor's report as a text to read, select and copy."""

from __future__ import annotations

import threading
import traceback

from qtpy.QtCore import QTimer
from qtpy.QtGui import QFontDatabase
from qtpy.QtWidgets import (
    QApplication,
    QDialog,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_nanopyx import doctor, engine
from napari_nanopyx.widgets.dock import DockContent

LOOK_EVERY_MILLISECONDS = 50
LOOKING = "Looking for devices …"
COLUMNS, LINES = 90, 30


class Inquiry:
    """One report, made on a thread that knows nothing of windows.

    Parameters
    ----------
    anew
        Whether to look for devices again instead of telling what is known.
    """

    def __init__(self, anew: bool) -> None:
        self.text: str | None = None
        """The report, or why there is none; None until then."""
        threading.Thread(
            target=self._make, args=[anew], name="nanopyx-doctor", daemon=True
        ).start()

    def _make(self, anew: bool) -> None:
        try:
            if anew:
                engine.refresh()
            self.text = doctor.report()
        except Exception:  # noqa: BLE001 - shown
            self.text = f"The report could not be made.\n\n{traceback.format_exc()}"


class DoctorPanel(DockContent):
    """Shows what ``napari-nanopyx doctor`` prints."""

    def __init__(self) -> None:
        super().__init__()
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        self.text.setFont(fixed)
        self.text.setAccessibleName("The doctor's report")
        self.copy = QPushButton("Copy")
        self.copy.setToolTip("Copy the whole report, for an e-mail or a bug report")
        self.copy.clicked.connect(self._copy)
        self.again = QPushButton("Look again")
        self.again.setToolTip(
            "Look for devices anew, and give implementations that failed another chance"
        )
        self.again.clicked.connect(lambda: self._ask(anew=True))
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY_MILLISECONDS)
        self._timer.timeout.connect(self._look)
        self._ask(anew=False)

    @property
    def ready(self) -> bool:
        """Whether the report is shown."""
        return self._inquiry is None

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.again)
        buttons.addWidget(self.copy)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addLayout(buttons)

    def _ask(self, anew: bool) -> None:
        self._inquiry: Inquiry | None = Inquiry(anew)
        self.text.setPlainText(LOOKING)
        for button in (self.copy, self.again):
            button.setEnabled(False)
        self._timer.start()

    def _look(self) -> None:
        if self._inquiry is None or self._inquiry.text is None:
            return
        self.text.setPlainText(self._inquiry.text)
        self._inquiry = None
        self._timer.stop()
        for button in (self.copy, self.again):
            button.setEnabled(True)

    def _copy(self) -> None:
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(self.text.toPlainText())


class DoctorWindow(QDialog):
    """The panel in a window of its own, which leaves the others usable."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("NanoPyx doctor")
        self.panel = DoctorPanel()
        layout = QVBoxLayout(self)
        layout.addWidget(self.panel)
        metrics = self.panel.text.fontMetrics()
        self.resize(
            COLUMNS * metrics.horizontalAdvance("x"), LINES * metrics.lineSpacing()
        )
