"""The steps of a workflow as a list, with the chosen one below."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QListWidget,
    QMenu,
    QVBoxLayout,
    QWidget,
)

from napari_nanopyx._parameters import summary
from napari_nanopyx.widgets.parts import beside, button, menu_button, show_problem
from napari_nanopyx.widgets.workflow.model import WorkflowModel
from napari_nanopyx.widgets.workflow.step_editor import StepEditor
from napari_nanopyx.workflow.catalogue import KINDS

if TYPE_CHECKING:
    from napari.viewer import Viewer

TITLE = "Workflow"
_FILTER = "Workflows (*.toml)"


class StepList(QWidget):
    """Adds, removes, orders and changes the steps of a model.

    Parameters
    ----------
    viewer
        Passed on to the forms.
    model
        The workflow.
    """

    edited = Signal()
    said = Signal(str)

    def __init__(self, viewer: Viewer, model: WorkflowModel) -> None:
        super().__init__()
        self.viewer = viewer
        self.model = model
        self.steps = QListWidget()
        self.steps.setToolTip("The steps, in the order in which they are run")
        self.steps.setMaximumHeight(130)
        self.steps.currentRowChanged.connect(self._show_step)
        self.editor: StepEditor | None = None
        self._place = QVBoxLayout()
        self._lay_out()
        self._show_steps(0)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        menu = QMenu(self)
        for name, kind in KINDS.items():
            action = menu.addAction(name)
            if action is not None:
                action.setToolTip(summary(kind.function))
                action.triggered.connect(partial(self._add, name))
        menu.setToolTipsVisible(True)
        layout.addLayout(
            beside(
                button("Open …", "Open a workflow's file", self.open),
                button("Save …", "Save the steps as a text file", self.save),
                menu_button("Add", "Add a step at the end", menu),
                button("Remove", "Remove the chosen step", self.remove),
                button("▲", "Move the chosen step up", partial(self.move_step, -1)),
                button("▼", "Move the chosen step down", partial(self.move_step, 1)),
            )
        )
        layout.addWidget(self.steps)
        layout.addLayout(self._place)

    def add(self, function: str) -> None:
        """Add a step at the end, and show it."""
        self._show_steps(self.model.add(function))

    def _add(self, function: str, _checked: bool = False) -> None:
        self.add(function)

    def remove(self) -> None:
        """Remove the chosen step."""
        row = self.steps.currentRow()
        if row >= 0:
            self.model.remove(row)
            self._show_steps(min(row, len(self.model.steps) - 1))

    def move_step(self, by: int) -> None:
        """Move the chosen step up (−1) or down (1)."""
        row = self.steps.currentRow()
        if row >= 0:
            self._show_steps(self.model.move(row, by))

    def open(self, path: str = "") -> None:
        """Take the steps of a file; without a path, ask for one."""
        path = path or QFileDialog.getOpenFileName(self, TITLE, "", _FILTER)[0]
        if path:
            with_problem = partial(self.model.load, path)
            if self._try(with_problem):
                self._show_steps(0)
                self.said.emit(f"Opened {path}")

    def save(self, path: str = "") -> None:
        """Write the steps to a file; without a path, ask for one."""
        path = path or QFileDialog.getSaveFileName(self, TITLE, "", _FILTER)[0]
        if path and not path.endswith(".toml"):
            path += ".toml"
        if path and self._try(partial(self.model.save, path)):
            self.said.emit(f"Saved as {path}")

    def _try(self, action: Callable[[], Any]) -> bool:
        try:
            action()
        except (OSError, ValueError) as problem:
            show_problem(TITLE, problem)
            self.said.emit(str(problem))
            return False
        return True

    def _show_steps(self, chosen: int) -> None:
        self.steps.blockSignals(True)
        self.steps.clear()
        self.steps.addItems([f"{s.name} · {s.function}" for s in self.model.steps])
        self.steps.setCurrentRow(chosen)
        self.steps.blockSignals(False)
        self._show_step(chosen)

    def _show_step(self, row: int) -> None:
        if self.editor is not None:
            self._place.removeWidget(self.editor)
            self.editor.hide()
            self.editor.deleteLater()
            self.editor = None
        if 0 <= row < len(self.model.steps):
            self.editor = StepEditor(self.viewer, self.model, row)
            self.editor.edited.connect(self._on_edit)
            self._place.addWidget(self.editor)
        self._on_edit()

    def _on_edit(self) -> None:
        for row, step in enumerate(self.model.steps):
            item = self.steps.item(row)
            if item is not None:
                item.setText(f"{step.name} · {step.function}")
        self.edited.emit()
