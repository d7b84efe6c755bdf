"""Shows one step of a workflow: name, inputs and parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from napari_nanopyx import ChannelRegistration, DriftTable
from napari_nanopyx._parameters import explanations
from napari_nanopyx.widgets.form import Form
from napari_nanopyx.widgets.table_files import DRIFT, REGISTRATION, path_of_layer
from napari_nanopyx.widgets.workflow.fields import fields_of
from napari_nanopyx.widgets.workflow.model import FILE, WorkflowModel
from napari_nanopyx.workflow.catalogue import KINDS

if TYPE_CHECKING:
    from napari.viewer import Viewer

CHOOSE = "choose a file …"
KEYS = {DriftTable: DRIFT, ChannelRegistration: REGISTRATION}


class StepEditor(QWidget):
    """Changes one step of a model, as fields are changed.

    Parameters
    ----------
    viewer
        Passed on to the form.
    model
        The workflow.
    number
        Which step.
    """

    edited = Signal()

    def __init__(self, viewer: Viewer, model: WorkflowModel, number: int) -> None:
        super().__init__()
        self._viewer = viewer
        self._model = model
        self._number = number
        step = model.steps[number]
        kind = KINDS[step.function]
        self._fields = fields_of(kind)
        self.name = QLineEdit(step.name)
        self.name.setToolTip("What later steps and files call the result")
        self.name.editingFinished.connect(self._rename)
        self.inputs: dict[str, QComboBox] = {}
        self.form = Form(
            kind.function,
            viewer,
            images={},
            options=self._fields.options,
            advanced=self._fields.advanced,
            hidden=self._fields.hidden,
        )
        self._show_parameters()
        self.save = QCheckBox("Keep the result as a layer or file")
        self.save.setChecked(step.save)
        self.save.toggled.connect(self._keep)
        self._lay_out()
        for field in self.form.fields.values():
            field.changed.connect(self._take_parameters)

    def _lay_out(self) -> None:
        rows = QFormLayout()
        rows.addRow("Name", self.name)
        kind = KINDS[self._model.steps[self._number].function]
        tips = explanations(kind.function)
        for name in kind.inputs:
            box = QComboBox()
            box.setEditable(True)
            box.setToolTip(f"Where this comes from. {tips.get(name, '')}")
            self.inputs[name] = box
            rows.addRow(name.replace("_", " ").capitalize(), box)
            self._offer(name)
            box.textActivated.connect(self._connector(name))
            line = box.lineEdit()
            if line is not None:
                line.editingFinished.connect(self._typed(name))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(rows)
        layout.addWidget(self.form)
        layout.addWidget(self.save)

    def _offer(self, name: str) -> None:
        """Fill the chooser of an input."""
        box, loaded = self.inputs[name], KINDS[self._step.function].loaded
        box.blockSignals(True)
        box.clear()
        box.addItems(self._model.choices(self._number, name))
        if name in loaded:
            opened = path_of_layer(self._viewer.layers, KEYS[loaded[name]])
            box.addItems([FILE + opened] if opened else [])
            box.addItem(CHOOSE)
        box.setCurrentText(self._model.connection(self._number, name))
        box.blockSignals(False)

    def _connector(self, name: str) -> Callable[[str], None]:
        def connect(text: str) -> None:
            if text == CHOOSE:
                path, _ = QFileDialog.getOpenFileName(self, f"Open the {name}")
                text = (
                    FILE + path if path else self._model.connection(self._number, name)
                )
            self.connect_input(name, text)

        return connect

    def _typed(self, name: str) -> Callable[[], None]:
        return lambda: self.connect_input(name, self.inputs[name].currentText())

    def connect_input(self, name: str, text: str) -> None:
        """Take where an input comes from, and show it."""
        if text == CHOOSE or text == self._model.connection(self._number, name):
            return
        self._model.connect(self._number, name, text.strip())
        self._offer(name)
        self.edited.emit()

    @property
    def _step(self) -> Any:
        return self._model.steps[self._number]

    def _rename(self) -> None:
        if self.name.text() != self._step.name:
            self._model.change(self._number, name=self.name.text())
            self.edited.emit()

    def _keep(self, wanted: bool) -> None:
        self._model.change(self._number, save=wanted)
        self.edited.emit()

    def _show_parameters(self) -> None:
        for name, value in self._step.parameters.items():
            field = self.form.fields.get(name)
            if field is not None:
                field.value = tuple(value) if _is_pair(field.value, value) else value

    def _take_parameters(self, _value: Any = None) -> None:
        """Keep the values that are not the function's own defaults."""
        kind = KINDS[self._step.function]
        unseen = {
            name: value
            for name, value in self._step.parameters.items()
            if name not in self.form.fields
        }
        self._model.change(self._number, parameters=unseen | self._changed(kind))
        self.edited.emit()

    def _changed(self, kind: Any) -> dict[str, Any]:
        defaults, automatic = kind.defaults, self._fields.automatic
        given = {}
        for name, value in self.form.parameters.items():
            plain = list(value) if isinstance(value, tuple) else value
            if name in automatic and value == automatic[name]:
                plain = None
            default = defaults.get(name, _NONE)
            if isinstance(default, tuple):
                default = list(default)
            if default is _NONE or plain != default:
                given[name] = plain
        return given


_NONE = object()


def _is_pair(shown: Any, value: Any) -> bool:
    return isinstance(shown, tuple) and isinstance(value, list)
