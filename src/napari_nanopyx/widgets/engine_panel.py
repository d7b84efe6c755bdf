"""The dock panel that shows which implementation the engine chooses, and why."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from html import escape

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QHideEvent, QResizeEvent, QShowEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
)

from napari_nanopyx.engine import Implementation
from napari_nanopyx.widgets.dock import DockContent
from napari_nanopyx.widgets.doctor_panel import DoctorWindow
from napari_nanopyx.widgets.panel_model import TASKS, PanelModel, Row
from napari_nanopyx.widgets.words import ago, milliseconds

REDRAW_EVERY_MILLISECONDS = 100
AGE_EVERY_SECONDS = 10.0
MOST_ROWS = 10
HEADINGS = ("Implementation", "ms/frame", "Timed", "Last")


class EnginePanel(DockContent):
    """Shows a `PanelModel`, at most ten times a second and only while visible."""

    def __init__(self) -> None:
        super().__init__()
        self.model = PanelModel()
        self.destroyed.connect(self.model.listen())
        self.tasks = QComboBox()
        for name, title in TASKS.items():
            self.tasks.addItem(title, name)
        self.tasks.setToolTip("The task whose implementations are listed")
        self.table = _table()
        self.workload = _text()
        self.choice = _text()
        self.activity = _text()
        self.missing = _text()
        self.doctor = QPushButton("Doctor …")
        self.doctor.setToolTip("What was found on this computer, and what is missing")
        self._drawn_revision = -1
        self._drawn_at = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(REDRAW_EVERY_MILLISECONDS)
        self._timer.timeout.connect(self._redraw)
        self._lay_out()
        self.tasks.currentIndexChanged.connect(self._show_task)
        self.doctor.clicked.connect(self._show_doctor)
        self._load()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Begin to follow the model."""
        super().showEvent(event)
        self._redraw()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        """Cost nothing while nobody looks."""
        self._timer.stop()
        super().hideEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Keep room for every line, however often it wraps at this width."""
        super().resizeEvent(event)
        self._claim_height()

    def _claim_height(self) -> None:
        layout = self.layout()
        if layout is not None and self.width() > 0:
            height = layout.totalHeightForWidth(self.width())
            self.setMinimumHeight(max(0, height))

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.addWidget(self.tasks)
        layout.addWidget(self.activity)
        layout.addWidget(self.choice)
        layout.addWidget(self.table)
        layout.addWidget(self.workload)
        layout.addWidget(self.missing)
        layout.addWidget(self.doctor)
        layout.addStretch()

    def _show_doctor(self) -> None:
        window = DoctorWindow(self)
        window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        window.show()

    def _show_task(self) -> None:
        self.model.show(self.tasks.currentData())
        self._load()

    def _load(self) -> None:
        # A thread of its own: the compute thread may be busy for minutes.
        threading.Thread(
            target=self.model.load, name="nanopyx-panel", daemon=True
        ).start()

    def _redraw(self) -> None:
        revision, now = self.model.revision, time.monotonic()
        old = now - self._drawn_at > AGE_EVERY_SECONDS
        if revision == self._drawn_revision and not old:
            return
        self._drawn_revision, self._drawn_at = revision, now
        rows = self.model.rows
        self.activity.setText(self.model.activity)
        _show(self.choice, self.model.choice)
        self.workload.setText(self.model.workload)
        self._draw_table([row for row in rows if row.implementation.available])
        listed = [row.implementation for row in rows]
        missing = [found for found in listed if not found.available]
        _show(self.missing, missing_lines(missing))
        self._claim_height()

    def _draw_table(self, rows: list[Row]) -> None:
        while self.table.topLevelItemCount() > len(rows):
            self.table.takeTopLevelItem(len(rows))
        while self.table.topLevelItemCount() < len(rows):
            self.table.addTopLevelItem(_item())
        if rows:
            self.table.setFixedHeight(_height(self.table, min(len(rows), MOST_ROWS)))
        now = time.time()
        for place, row in enumerate(rows):
            item = self.table.topLevelItem(place)
            if item is not None:
                _draw_row(item, row, now)


def _draw_row(item: QTreeWidgetItem, row: Row, now: float) -> None:
    texts = (
        row.implementation.name,
        milliseconds(row.seconds),
        str(row.measurements),
        ago(row.last, now),
    )
    font = item.font(0)
    font.setBold(row.current)
    for column, text in enumerate(texts):
        item.setText(column, text)
        item.setFont(column, font)
    device = row.implementation.device
    item.setToolTip(0, f"{row.implementation.name} on {device}" if device else "")
    item.setSelected(row.current)


def _height(table: QTreeWidget, rows: int) -> int:
    frame = 2 * table.frameWidth()
    return table.header().sizeHint().height() + rows * table.sizeHintForRow(0) + frame


def missing_lines(missing: Iterable[Implementation]) -> str:
    """Return why implementations cannot run here and what to do, as rich text.

    Those that are missing for the same reason share a line.
    """
    names: dict[tuple[str, str], list[str]] = {}
    for found in missing:
        names.setdefault((found.reason, found.remedy), []).append(found.name)
    return "<br>".join(
        f"<b>{escape(', '.join(named))}</b>: {escape(reason)}. <i>{escape(remedy)}</i>"
        for (reason, remedy), named in names.items()
    )


def _table() -> QTreeWidget:
    table = QTreeWidget()
    table.setColumnCount(len(HEADINGS))
    table.setHeaderLabels(HEADINGS)
    table.setRootIsDecorated(False)
    table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    table.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
    header = table.header()
    header.setStretchLastSection(False)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    return table


def _item() -> QTreeWidgetItem:
    item = QTreeWidgetItem()
    for column in range(1, len(HEADINGS)):
        item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight)
    return item


def _text() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _show(label: QLabel, text: str) -> None:
    label.setText(text)
    label.setVisible(bool(text))
