"""Shows the summary of a workflow's run on many movies."""

from __future__ import annotations

from qtpy.QtWidgets import QTableWidget, QTableWidgetItem

from napari_nanopyx.workflow import Summary

LEAST_HEIGHT = 120


class SummaryTable(QTableWidget):
    """A row for each movie; only for reading."""

    def __init__(self) -> None:
        super().__init__()
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setMinimumHeight(LEAST_HEIGHT)

    def show_summary(self, summary: Summary) -> None:
        """Show what came of each movie."""
        columns, cells = summary.columns, summary.cells
        self.setColumnCount(len(columns))
        self.setHorizontalHeaderLabels(columns)
        self.setRowCount(len(cells))
        for row, texts in enumerate(cells):
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                self.setItem(row, column, item)
        self.resizeColumnsToContents()
        self.show()
