"""Small parts that several panels are made of."""

from __future__ import annotations

import logging
from collections.abc import Callable

from qtpy.QtCore import QSize
from qtpy.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget
from superqt import QCollapsible

from napari_nanopyx.widgets.messages import explain


def beside(*widgets: QWidget) -> QHBoxLayout:
    """Return widgets beside each other."""
    made = QHBoxLayout()
    for widget in widgets:
        made.addWidget(widget)
    return made


def button(text: str, tip: str, pressed: Callable[[], None]) -> QPushButton:
    """Return a button."""
    made = QPushButton(text)
    made.setToolTip(tip)
    made.clicked.connect(lambda _checked: pressed())
    return made


def menu_button(text: str, tip: str, menu: QMenu) -> QPushButton:
    """Return a button that opens a menu."""
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setMenu(menu)
    return made


def folded(title: str, content: QWidget) -> QCollapsible:
    """Return a widget that is folded away at first, under a title."""
    # The arrow is text: as an icon it would not have the colours of napari's theme.
    folded = QCollapsible(f"▸ {title}", None, " ", " ")
    folded.toggleButton().setIconSize(QSize(0, 0))
    folded.toggled.connect(
        lambda is_open: folded.setText(f"{'▾' if is_open else '▸'} {title}")
    )
    folded.setContent(content)
    folded.collapse(animate=False)
    layout = folded.layout()
    if layout is not None:
        layout.setContentsMargins(0, 0, 0, 0)
    return folded


def show_problem(title: str, problem: BaseException) -> None:
    """Show a problem as a notification; one of the program with its traceback."""
    from napari.utils.notifications import notification_manager, show_error

    sentence = explain(title, problem)
    if sentence is None:
        notification_manager.receive_error(
            type(problem), problem, problem.__traceback__
        )
        return
    logging.getLogger(__name__).info("%s failed", title, exc_info=problem)
    show_error(sentence)
