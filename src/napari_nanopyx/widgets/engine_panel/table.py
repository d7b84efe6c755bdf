"""The table of implementations in the engine panel, coloured as the plot is."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
)

from napari_nanopyx.widgets.engine_panel.model import Row
from napari_nanopyx.widgets.words import ago, milliseconds

HEADINGS = ("Implementation", "ms/frame", "Range", "Timed", "Last")
TIPS = (
    "Bold: the present choice",
    "What a frame is expected to take now",
    "Where that lies in 9 of 10 cases",
    "How many blocks of such frames have been timed",
    "When the last of them was timed",
)
MOST_ROWS = 10
COLOURS = (
    "#56b4e9",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#f0e442",
    "#d55e00",
    "#0072b2",
    "#999999",
)
"""Told apart by people who see colours differently (after Okabe and Ito)."""

_SWATCH = 10
_COLOUR_ROLE = Qt.ItemDataRole.UserRole + 1


class ImplementationTable(QTreeWidget):
    """Shows the implementations that run here, as many lines as there are."""

    def __init__(self) -> None:
        super().__init__()
        self.setColumnCount(len(HEADINGS))
        self.setHeaderLabels(HEADINGS)
        self.setRootIsDecorated(False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        titles = self.headerItem()
        for column, tip in enumerate(TIPS):
            if titles is not None:
                titles.setToolTip(column, tip)
                if column:
                    titles.setTextAlignment(column, Qt.AlignmentFlag.AlignRight)

    def show_rows(self, rows: Sequence[Row], pinned: str | None, now: float) -> None:
        """Show these rows in this order.

        Parameters
        ----------
        rows
            Of implementations that run here.
        pinned
            The one that was asked for, if any.
        now
            Unix time.
        """
        while self.topLevelItemCount() > len(rows):
            self.takeTopLevelItem(len(rows))
        while self.topLevelItemCount() < len(rows):
            self.addTopLevelItem(_item())
        if rows:
            self.setFixedHeight(self._height(min(len(rows), MOST_ROWS)))
        for place, row in enumerate(rows):
            item = self.topLevelItem(place)
            if item is not None:
                _draw(item, row, row.implementation.name == pinned, now)

    def _height(self, rows: int) -> int:
        header = self.header().sizeHint().height()
        return header + rows * self.sizeHintForRow(0) + 2 * self.frameWidth()


def colour(name: str, names: Sequence[str]) -> str:
    """Return the colour of one of these implementations.

    Examples
    --------
    >>> colour("numba", ["serial", "numba"]) == colour("numba", ["numba", "serial"])
    True
    """
    ordered = sorted(names)
    place = ordered.index(name) if name in ordered else -1
    return COLOURS[place % len(COLOURS)]


def _draw(item: QTreeWidgetItem, row: Row, pinned: bool, now: float) -> None:
    name, expected = row.implementation.name, row.expected
    low_to_high = "–"
    if expected is not None:
        low_to_high = f"{milliseconds(expected.low)}–{milliseconds(expected.high)}"
    texts = (
        f"{name} (pinned)" if pinned else name,
        milliseconds(expected),
        low_to_high,
        str(row.measurements),
        ago(row.last, now),
    )
    font = item.font(0)
    font.setBold(row.current)
    for column, text in enumerate(texts):
        item.setText(column, text)
        item.setFont(column, font)
    item.setData(0, Qt.ItemDataRole.UserRole, name)
    device = row.implementation.device
    item.setToolTip(0, f"{name} on {device}" if device else name)


def paint(table: ImplementationTable, names: Sequence[str]) -> None:
    """Put the colour of each implementation before its name."""
    for place in range(table.topLevelItemCount()):
        item = table.topLevelItem(place)
        if item is None:
            continue
        own = colour(item.data(0, Qt.ItemDataRole.UserRole), names)
        if item.data(0, _COLOUR_ROLE) == own:
            continue  # a new swatch would have all columns measured again
        item.setData(0, _COLOUR_ROLE, own)
        swatch = QPixmap(_SWATCH, _SWATCH)
        swatch.fill(QColor(own))
        item.setData(0, Qt.ItemDataRole.DecorationRole, swatch)


def _item() -> QTreeWidgetItem:
    item = QTreeWidgetItem()
    for column in range(1, len(HEADINGS)):
        item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight)
    return item
