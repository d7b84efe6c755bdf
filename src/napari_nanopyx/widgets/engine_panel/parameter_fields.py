"""The fields for the parameters of a task that is to be benchmarked."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from qtpy.QtWidgets import QComboBox, QFormLayout, QLineEdit, QWidget

from napari_nanopyx._kernels.declaration import Parameter, Task

EACH = "each of them"
"""The choice that measures all of a parameter's values, one after the other."""

_IN_OTHER_WORDS: Mapping[str, tuple[Parameter, ...]] = {
    "magnify": (
        Parameter("factor", 5.0, 0.1, 20.0, summary="output pixels per pixel"),
    ),
    "convolve": (
        Parameter("kernel_size", 7, 1, 101, summary="rows and columns of the kernel"),
        Parameter("separable", False, summary="a kernel that is a column times a row"),
    ),
}
"""What a benchmark is given instead of what such a task tells the agent."""


def offered(task: Task) -> tuple[Parameter, ...]:
    """Return the parameters of a task that a benchmark can be given."""
    others = _IN_OTHER_WORDS.get(task.name, ())
    known = inspect.signature(task.arguments or task.plan).parameters
    passes_on = any(each.kind is each.VAR_KEYWORD for each in known.values())
    return others + tuple(
        each for each in task.parameters if each.name in known or passes_on
    )


class ParameterFields(QWidget):
    """A field for each parameter; several values are measured one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self._fields: dict[str, _Numbers | _Choice] = {}
        self._rows = QFormLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setFieldGrowthPolicy(
            QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow
        )

    def show_parameters(self, parameters: tuple[Parameter, ...]) -> None:
        """Turn to the parameters of another task, at their defaults."""
        while self._rows.rowCount():
            self._rows.removeRow(0)
        self._fields = {}
        for parameter in parameters:
            is_number = not parameter.choices and not isinstance(
                parameter.default, bool
            )
            field = _Numbers(parameter) if is_number else _Choice(parameter)
            self._fields[parameter.name] = field
            words = parameter.name.replace("_", " ").capitalize()
            self._rows.addRow(words, field)

    @property
    def fields(self) -> Mapping[str, QWidget]:
        """The fields by parameter."""
        return self._fields

    @property
    def values(self) -> dict[str, Any]:
        """The parameters that are not at their default: a value, or a list of several.

        Raises
        ------
        ValueError
            If what is written in a field is no number.
        """
        found = {name: field.read() for name, field in self._fields.items()}
        return {
            name: values if len(values) > 1 else values[0]
            for name, values in found.items()
            if values != [self._fields[name].parameter.default]
        }


class _Numbers(QLineEdit):
    """A number, or several with commas."""

    def __init__(self, parameter: Parameter) -> None:
        super().__init__(f"{parameter.default:g}")
        self.parameter = parameter
        limits = f"from {parameter.minimum:g} to {parameter.maximum:g}"
        summary = f"{parameter.summary}, " if parameter.summary else ""
        self.setToolTip(
            f"{summary}{limits}; several, with commas, are measured in turn"
        )

    def read(self) -> list[Any]:
        """Return the numbers."""
        kind = int if isinstance(self.parameter.default, int) else float
        try:
            return [kind(word) for word in self.text().split(",")]
        except ValueError as problem:
            words = "whole numbers" if kind is int else "numbers"
            raise ValueError(
                f"{self.parameter.name} is {self.text()!r}, but must be {words} with "
                "commas between them, such as 2, 5"
            ) from problem


class _Choice(QComboBox):
    """One of a few values, or each of them."""

    def __init__(self, parameter: Parameter) -> None:
        super().__init__()
        self.parameter = parameter
        self._values: list[Any] = list(parameter.choices) or [True, False]
        texts = {True: "yes", False: "no"}
        for value in self._values:
            self.addItem(texts.get(value, str(value)))
        self.addItem(EACH)
        self.setCurrentIndex(self._values.index(parameter.default))
        self.setToolTip(parameter.summary or "One of these, or each of them in turn")

    def read(self) -> list[Any]:
        """Return what is chosen."""
        place = self.currentIndex()
        return self._values[place : place + 1] or list(self._values)
