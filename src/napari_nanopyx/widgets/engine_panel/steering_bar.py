"""The choosers of the engine panel for a pinned implementation and for the policy."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QWidget

from napari_nanopyx.engine import NanoPyxError
from napari_nanopyx.widgets.steering import POLICIES, steering

CHOOSE = "the engine’s choice"


class SteeringBar(QWidget):
    """Says who computes a task from the next run on, and who chooses."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._task = ""
        self.pin = QComboBox()
        self.pin.setToolTip("Who computes, from the next run on")
        self.policy = QComboBox()
        self.policy.setToolTip("How the engine chooses, from the next run on")
        for name, title in POLICIES.items():
            self.policy.addItem(title, name)
        for chooser in (self.pin, self.policy):
            chooser.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        layout.addRow("Compute with", self.pin)
        layout.addRow("Policy", self.policy)
        self.policy.setCurrentIndex(self.policy.findData(steering.policy))
        self.pin.activated.connect(self._pin)
        self.policy.activated.connect(self._switch)

    def offer(self, task: str, names: Sequence[str]) -> None:
        """Offer the implementations of a task, and show what is asked for now."""
        self._task = task
        pinned = steering.pinned(task)
        ordered = sorted(names)
        if pinned is not None and pinned not in ordered:
            ordered.append(pinned)
        if [self.pin.itemData(i) for i in range(1, self.pin.count())] != ordered:
            self.pin.clear()
            self.pin.addItem(CHOOSE, None)
            for name in ordered:
                self.pin.addItem(name, name)
        self.pin.setCurrentIndex(self.pin.findData(pinned) if pinned else 0)
        self.policy.setCurrentIndex(self.policy.findData(steering.policy))

    def _pin(self) -> None:
        steering.pin(self._task, self.pin.currentData())
        self.changed.emit()

    def _switch(self) -> None:
        from napari.utils.notifications import show_error

        try:
            steering.policy = self.policy.currentData()
        except NanoPyxError as problem:
            self.policy.setCurrentIndex(self.policy.findData(steering.policy))
            show_error(str(problem))
        self.changed.emit()
