"""The step that benchmarks the engine: any task, at sizes or on one's own layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QFontDatabase
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QVBoxLayout,
)

from napari_nanopyx._kernels import tasks
from napari_nanopyx.engine import Benchmark
from napari_nanopyx.widgets.dock import DockContent
from napari_nanopyx.widgets.engine_panel.benchmark_box import BenchmarkBox, sizes_in
from napari_nanopyx.widgets.engine_panel.model import TASKS
from napari_nanopyx.widgets.engine_panel.parameter_fields import (
    ParameterFields,
    offered,
)
from napari_nanopyx.widgets.layers import fits, read
from napari_nanopyx.widgets.parts import folded
from napari_nanopyx.widgets.plot import ResultPlot

if TYPE_CHECKING:
    from napari.viewer import Viewer

GENERATED = "generated images"
LINES = 12


class BenchmarkPanel(DockContent):
    """Times every implementation of a task on the same input, and says who wins."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.tasks = QComboBox()
        for name, title in TASKS.items():
            self.tasks.addItem(title, name)
        self.inputs = QComboBox()
        self.sizes = QLineEdit("64, 128, 256")
        self.sizes.setToolTip("Sides of the generated images, in pixels")
        self.repeats = QSpinBox()
        self.repeats.setRange(1, 100)
        self.repeats.setValue(5)
        self.repeats.setToolTip("Timed blocks of each implementation")
        self.parameters = ParameterFields()
        self.box = BenchmarkBox(self._wanted)
        self.table = QPlainTextEdit()
        self.table.setReadOnly(True)
        self.table.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.table.setFont(QFontDatabase.systemFont(_FIXED))
        self.table.setFixedHeight(LINES * self.table.fontMetrics().lineSpacing())
        self.table.hide()
        self.plot = ResultPlot()
        self._lay_out()
        self._show_task()
        self.tasks.currentIndexChanged.connect(self._show_task)
        self.inputs.currentIndexChanged.connect(self._on_input)
        self.box.measured.connect(self._show_result)

    def _show_task(self) -> None:
        task = tasks()[self.tasks.currentData()]
        self.parameters.show_parameters(offered(task))
        self.reset_choices()

    def reset_choices(self, _event: Any = None) -> None:
        """Offer the layers there are now; napari calls this when they change."""
        chosen = self.inputs.currentText()
        axes = (3, 4) if self.tasks.currentData() == "esrrf_3d" else (2, 3)
        self.inputs.clear()
        self.inputs.addItem(GENERATED)
        for layer in self._viewer.layers:
            if fits(layer, axes):
                self.inputs.addItem(layer.name)
        self.inputs.setCurrentIndex(max(0, self.inputs.findText(chosen)))

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Task", self.tasks)
        form.addRow("Measure on", self.inputs)
        form.addRow("Sizes", self.sizes)
        form.addRow("Repeats", self.repeats)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(folded("Parameters of the task", self.parameters))
        layout.addWidget(self.box)
        layout.addWidget(self.table)
        layout.addWidget(self.plot)
        layout.setAlignment(Qt.AlignmentFlag.AlignTop)

    def _on_input(self) -> None:
        self.sizes.setEnabled(self.inputs.currentIndex() <= 0)

    def _wanted(self) -> dict[str, Any]:
        wanted = {
            "task": self.tasks.currentData(),
            "repeats": self.repeats.value(),
            "parameters": self.parameters.values,
        }
        if self.inputs.currentIndex() <= 0:
            return {**wanted, "sizes": sizes_in(self.sizes.text())}
        layer = self._viewer.layers[self.inputs.currentText()]
        return {**wanted, "data": read(layer).data}

    def _show_result(self, result: Benchmark) -> None:
        self.table.setPlainText(str(result))
        self.table.show()
        if result.winners():
            self.plot.show_result(result)


_FIXED = QFontDatabase.SystemFont.FixedFont
