"""Asks which axis of a layer is time, and which channel or plane is meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QLabel, QSpinBox, QWidget

from napari_nanopyx.widgets.axes import Axes, guess, letter, wanted_axes

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

ROLES = {"T": "Frames along", "Z": "Planes along", "C": "Channels along"}
SPOKEN = {"T": "time", "Z": "z", "C": "channel"}


class AxisChooser(QWidget):
    """Says which axes of a layer are taken; asks only where that is in doubt.

    Parameters
    ----------
    viewer
        Where its sliders stand is what is taken of the other axes at first.
    dimensions
        How many axes the method may be given.
    method
        Its axes where it is given most, such as ``"TYX"``.
    """

    changed = Signal()

    def __init__(self, viewer: Viewer, dimensions: Sequence[int], method: str) -> None:
        super().__init__()
        self._viewer = viewer
        self._dimensions = tuple(dimensions)
        self._method = method
        self._known: Any = None
        self._taken: list[int] = []
        self.roles: list[QComboBox] = []
        """For each axis of the method before the rows, the axis of the layer."""
        self.positions: dict[int, QSpinBox] = {}
        """For each axis of the layer before the rows, the pixel where it is cut."""
        self.note = QLabel()
        self._letters: tuple[str, ...] = ()
        self._wanted = ""
        self._rows = QFormLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self.hide()

    @property
    def axes(self) -> Axes | None:
        """What is chosen; None without a layer."""
        if self._known is None:
            return None
        ndim = len(self._known[1])
        taken = (*self._taken, ndim - 2, ndim - 1)
        fixed = {
            axis: field.value()
            for axis, field in self.positions.items()
            if axis not in taken
        }
        return Axes(taken, fixed)

    def show_layer(self, layer: Image | None) -> None:
        """Turn to a layer; if it is the one from before, what was chosen stays."""
        known = None if layer is None else _properties(layer)
        if known == self._known:
            return
        self._known = known
        self._clear()
        if layer is not None and known is not None:
            self._ask(layer, *known[1:])
        self.changed.emit()

    def _ask(
        self, layer: Image, shape: tuple[int, ...], letters: tuple[str, ...]
    ) -> None:
        wanted = wanted_axes(self._dimensions, self._method, len(shape))
        self._taken = list(guess(wanted, shape, letters)[:-2])
        titles = [
            f"{SPOKEN.get(letters[axis]) or f'axis {axis}'} ({shape[axis]} long)"
            for axis in range(len(shape) - 2)
        ]
        for place, role in enumerate(wanted[:-2]):
            field = QComboBox()
            field.addItems(titles)
            field.setCurrentIndex(self._taken[place])
            field.setToolTip("The axis of the layer that is taken for this")
            field.currentIndexChanged.connect(self._on_role)
            self.roles.append(field)
            self._rows.addRow(ROLES[role], field)
        for axis, position in enumerate(_shown(self._viewer, layer, shape)[:-2]):
            number = QSpinBox()
            number.setRange(0, shape[axis] - 1)
            number.setValue(position)
            number.setToolTip("Which one is taken, counted from 0")
            number.valueChanged.connect(lambda _: self.changed.emit())
            self.positions[axis] = number
            name = SPOKEN.get(letters[axis], f"axis {axis}").capitalize()
            self._rows.addRow(f"{name} (of {shape[axis]})", number)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self._rows.addRow(self.note)
        self._letters, self._wanted = letters, wanted
        self._show_rows()
        contradicted = any(
            letters[axis] not in ("", role)
            for axis, role in zip(self._taken, wanted, strict=False)
        )
        in_doubt = len(shape) > len(wanted) or len(self.roles) > 1 or contradicted
        self.setVisible(in_doubt)

    def _on_role(self) -> None:
        """Take another axis; a role that had it gets the one given up."""
        chosen = [field.currentIndex() for field in self.roles]
        for place, (before, now) in enumerate(zip(self._taken, chosen, strict=True)):
            if before != now and now in self._taken:
                other = self._taken.index(now)
                self._taken[place], self._taken[other] = now, before
                self.roles[other].setCurrentIndex(before)
                break
        self._taken = [field.currentIndex() for field in self.roles]
        self._show_rows()
        self.changed.emit()

    def _show_rows(self) -> None:
        for axis, field in self.positions.items():
            self._rows.setRowVisible(field, axis not in self._taken)
        said = [
            f"{SPOKEN[self._letters[axis]]} as {SPOKEN[role]}"
            for axis, role in zip(self._taken, self._wanted, strict=False)
            if self._letters[axis] not in ("", role)
        ]
        self.note.setText(f"This takes {', '.join(said)}." if said else "")
        self.note.setVisible(bool(said))

    def _clear(self) -> None:
        self.hide()
        while self._rows.rowCount():
            self._rows.removeRow(0)
        self._taken, self.roles, self.positions = [], [], {}


def _properties(layer: Image) -> tuple[int, tuple[int, ...], tuple[str, ...]]:
    """Return what an answer holds for: the layer, and its axes."""
    data = layer.data[0] if layer.multiscale else layer.data
    shape = tuple(int(length) for length in data.shape)
    letters = map(letter, layer.axis_labels, layer.units)
    return id(layer), shape, tuple(letters)


def _shown(viewer: Viewer, layer: Image, shape: tuple[int, ...]) -> list[int]:
    """Return the pixel of a layer at which the viewer stands, along every axis."""
    point = np.asarray(viewer.dims.point, dtype=float)[-len(shape) :]
    if len(point) < len(shape):
        return [0] * len(shape)
    pixel = np.rint(np.asarray(layer.world_to_data(point)))
    return [int(each) for each in np.clip(pixel, 0, np.array(shape) - 1)]
