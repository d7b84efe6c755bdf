"""The choosers over the plot of the engine panel: which measured times are shown."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QWidget

from napari_nanopyx.widgets.compute import STARTED
from napari_nanopyx.widgets.engine_panel.samples import Filters

ALIKE = "alike"


class FilterBar(QWidget):
    """Four choosers: sessions, frames, implementation, device."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.sessions = _chooser("Of which sessions")
        self.frames = _chooser("Of what frames")
        self.implementations = _chooser("Of which implementation")
        self.devices = _chooser("On which device")
        self.sessions.addItem("All sessions", 0.0)
        self.sessions.addItem("This session", STARTED)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        choosers = (self.sessions, self.frames, self.implementations, self.devices)
        for place, chooser in enumerate(choosers):
            layout.addWidget(chooser, place // 2, place % 2)
        self.offer([], [], [])
        for chooser in choosers:
            chooser.currentIndexChanged.connect(self.changed)

    def offer(
        self, implementations: list[str], devices: list[str], shapes: list[Any]
    ) -> None:
        """Offer what there is; what was chosen stays chosen if it is still there."""
        sizes = [(" × ".join(map(str, shape)), shape) for shape in shapes]
        alike = [("Frames like the last", ALIKE), ("All frames", None)]
        _fill(self.frames, [*alike, *sizes])
        _fill(self.implementations, _named("All implementations", implementations))
        _fill(self.devices, _named("All devices", devices))

    @property
    def only_alike(self) -> bool:
        """Whether only frames like those measured last are wanted."""
        return bool(self.frames.currentData() == ALIKE)

    @property
    def filters(self) -> Filters:
        """What is chosen."""
        frames = self.frames.currentData()
        return Filters(
            implementation=self.implementations.currentData(),
            device=self.devices.currentData(),
            shape=None if self.only_alike or frames is None else tuple(frames),
            since=self.sessions.currentData(),
        )


def _named(everything: str, names: list[str]) -> list[tuple[str, Any]]:
    return [(everything, None), *((name, name) for name in names)]


def _fill(chooser: QComboBox, items: list[tuple[str, Any]]) -> None:
    if [chooser.itemText(place) for place in range(chooser.count())] == [
        text for text, _ in items
    ]:
        return
    chosen = chooser.currentText()
    chooser.blockSignals(True)
    chooser.clear()
    for text, value in items:
        chooser.addItem(text, value)
    chooser.setCurrentIndex(max(0, chooser.findText(chosen)))
    chooser.blockSignals(False)
    if chosen and chooser.currentText() != chosen:
        chooser.currentIndexChanged.emit(chooser.currentIndex())


def _chooser(tip: str) -> QComboBox:
    chooser = QComboBox()
    chooser.setToolTip(tip)
    chooser.setSizeAdjustPolicy(
        QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
    )
    chooser.setMinimumContentsLength(10)
    return chooser
