"""The dock panel that shows which implementation the engine chooses, and why."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from html import escape
from typing import Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
)

from napari_nanopyx import engine
from napari_nanopyx.widgets.dock import DockContent
from napari_nanopyx.widgets.doctor_panel import DoctorWindow
from napari_nanopyx.widgets.engine_panel.benchmark_box import BenchmarkBox
from napari_nanopyx.widgets.engine_panel.filters import FilterBar
from napari_nanopyx.widgets.engine_panel.model import TASKS, PanelModel, Row, missing
from napari_nanopyx.widgets.engine_panel.plot import TimesPlot
from napari_nanopyx.widgets.engine_panel.steering_bar import SteeringBar
from napari_nanopyx.widgets.engine_panel.table import ImplementationTable, paint
from napari_nanopyx.widgets.scrolled import ScrolledColumn
from napari_nanopyx.widgets.steering import steering

REDRAW_EVERY_MILLISECONDS = 150
REDRAWING_SHARE = 0.08
"""Of the time, what drawing may take: the rest is there for the user."""
SELDOMEST_MILLISECONDS = 3000
AGE_EVERY_SECONDS = 10.0
BENCHMARK_SIZES = (64, 128, 256)


class EnginePanel(DockContent):
    """Shows a `PanelModel` while visible, at most seven times a second.

    Where drawing takes long, on a busy computer, it is drawn less often.
    """

    def __init__(self) -> None:
        super().__init__()
        self.model = PanelModel()
        self.destroyed.connect(self.model.listen())
        self.tasks = QComboBox()
        for name, title in TASKS.items():
            self.tasks.addItem(title, name)
        self.tasks.setToolTip("The task whose implementations are listed")
        self.activity = _text()
        self.choice = _text()
        self.delays = _text()
        self.table = ImplementationTable()
        self.workload = _text()
        self.steering = SteeringBar()
        self.filters = FilterBar()
        self.plot = TimesPlot()
        self.missing = _text()
        self.benchmark = BenchmarkBox(self._benchmark_wanted)
        self.export = QPushButton("Export …")
        self.export.setToolTip("Save everything measured of this task as a table (CSV)")
        self.doctor = QPushButton("Doctor …")
        self.doctor.setToolTip("What was found on this computer, and what is missing")
        self._scrolled = ScrolledColumn()
        self._drawn_revision = -1
        self._drawn_at = 0.0
        self._ended_run = -1
        self._timer = QTimer(self)
        self._timer.setInterval(REDRAW_EVERY_MILLISECONDS)
        self._timer.timeout.connect(self._redraw)
        self._painted = QTimer(self)
        self._painted.setSingleShot(True)
        self._painted.setInterval(1)  # at 0 it would come before the painting
        self._painted.timeout.connect(self._take_time)
        self._lay_out()
        self.tasks.currentIndexChanged.connect(self._show_task)
        self.doctor.clicked.connect(self._show_doctor)
        self.export.clicked.connect(lambda _checked: self.export_history())
        self.filters.changed.connect(self._filter)
        self.steering.changed.connect(self._forget_drawing)
        self.benchmark.measured.connect(lambda _result: self._begin(self.model.load))
        self._begin(self.model.load)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Begin to follow the model."""
        super().showEvent(event)
        self._redraw()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        """Cost nothing while nobody looks."""
        self._timer.stop()
        super().hideEvent(event)

    def export_history(self, path: str = "") -> None:
        """Save what was measured of the task; without a path, ask for one."""
        if not path:
            path, _ = QFileDialog.getSaveFileName(
                self, "Save the history", f"{self.model.task}.csv", "Tables (*.csv)"
            )
        if not path:
            return
        from napari.utils.notifications import show_error, show_info

        try:
            count = engine.export_history(path, self.model.task)
            show_info(f"{count} measurements saved as {path}")
        except OSError as problem:
            show_error(f"The history could not be saved: {problem}")

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.export)
        buttons.addWidget(self.doctor)
        column = self._scrolled.column
        column.addWidget(self.tasks)
        column.addWidget(self.activity)
        column.addWidget(self.choice)
        column.addWidget(self.plot, stretch=1)
        column.addWidget(self.table)
        for widget in (self.delays, self.workload, self.filters, self.steering):
            column.addWidget(widget)
        column.addWidget(self.benchmark)
        column.addLayout(buttons)
        column.addWidget(self.missing)
        layout = QVBoxLayout(self)
        layout.addWidget(self._scrolled)

    def _show_doctor(self) -> None:
        window = DoctorWindow(self)
        window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        window.show()

    def _show_task(self) -> None:
        self.model.show(self.tasks.currentData())
        self._filter()
        self._begin(self.model.load)

    def _filter(self) -> None:
        self.model.filter(self.filters.filters, self.filters.only_alike)

    def _forget_drawing(self) -> None:
        self._drawn_revision = -1

    def _benchmark_wanted(self) -> dict[str, Any]:
        return {"task": self.model.task, "sizes": BENCHMARK_SIZES}

    def _begin(self, reading: Callable[[], None]) -> None:
        # A thread of its own: the compute thread may be busy for minutes.
        threading.Thread(target=reading, name="nanopyx-panel", daemon=True).start()

    def _redraw(self) -> None:
        revision, now = self.model.revision, time.monotonic()
        old = now - self._drawn_at > AGE_EVERY_SECONDS
        if revision == self._drawn_revision and not old:
            return
        self._drawn_revision, self._drawn_at = revision, now
        rows = self.model.rows
        available = [row for row in rows if row.implementation.available]
        self.activity.setText(self.model.activity)
        _show(self.choice, self.model.choice)
        _show(self.delays, "\n".join(map(str, self.model.delays)))
        self.workload.setText(self.model.workload)
        self._draw_times(rows, available)
        self.filters.offer(*self.model.choices())
        self.steering.offer(
            self.model.task, [row.implementation.name for row in available]
        )
        _show(self.missing, missing_lines(rows))
        self._scrolled.claim_height()
        self._look_again_after_a_run()
        self._painted.start()

    def _take_time(self) -> None:
        """Wait the longer, the longer it took to draw and to paint."""
        cost = 1000 * (time.monotonic() - self._drawn_at)
        pause = max(REDRAW_EVERY_MILLISECONDS, round(cost / REDRAWING_SHARE))
        self._timer.setInterval(min(pause, SELDOMEST_MILLISECONDS))

    def _draw_times(self, rows: list[Row], available: list[Row]) -> None:
        names = [row.implementation.name for row in rows]
        pinned = steering.pinned(self.model.task)
        self.table.show_rows(available, pinned, time.time())
        paint(self.table, names)
        expected = {
            row.implementation.name: row.expected
            for row in rows
            if row.expected is not None and row.expected.exact
        }
        wanted = expected if self.filters.only_alike else {}
        self.plot.show_times(self.model.series, names, wanted)

    def _look_again_after_a_run(self) -> None:
        run = self.model.run
        if run is not None and run.state != "running" and run.id != self._ended_run:
            self._ended_run = run.id
            self._begin(self.model.refresh)


def missing_lines(rows: list[Row]) -> str:
    """Return why implementations cannot run here and what to do, as rich text."""
    return "<br>".join(
        f"<b>{escape(', '.join(named))}</b>: {escape(reason)}. <i>{escape(remedy)}</i>"
        for named, reason, remedy in missing(rows)
    )


def _text() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _show(label: QLabel, text: str) -> None:
    label.setText(text)
    label.setVisible(bool(text))
