"""A column of widgets with a scroll bar: a tall panel must not make the window grow."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

LEAST_HEIGHT = 320


class ScrolledColumn(QScrollArea):
    """As wide as its place, as tall as it needs to be, and scrolled where that is less.

    Widgets are added to its `column`.
    """

    def __init__(self) -> None:
        super().__init__()
        content = QWidget()
        self.column = QVBoxLayout(content)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(LEAST_HEIGHT)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Ask for room for everything."""
        content = self.widget()
        return super().sizeHint() if content is None else content.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Keep room for every line, however often it wraps at this width."""
        super().resizeEvent(event)
        self.claim_height()

    def claim_height(self) -> None:
        """Make the column as tall as its texts are now."""
        content, width = self.widget(), self.viewport().width()
        if content is not None and width > 0:
            content.setMinimumHeight(max(0, self.column.totalHeightForWidth(width)))
            self.setMinimumWidth(content.minimumSizeHint().width())
