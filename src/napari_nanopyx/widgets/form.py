"""Builds a form from the signature, type hints and docstring of a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from magicgui.widgets import create_widget
from magicgui.widgets.bases import CategoricalWidget, ValueWidget
from qtpy.QtWidgets import QFormLayout, QLabel, QWidget

from napari_nanopyx._parameters import PROGRAMMATIC, explanations, parameters
from napari_nanopyx.widgets.axis_chooser import AxisChooser
from napari_nanopyx.widgets.layers import Source, fits, read
from napari_nanopyx.widgets.parts import folded

if TYPE_CHECKING:
    from napari.viewer import Viewer


class Form(QWidget):
    """Fields for the parameters of a function, with a chooser for each image.

    Parameters
    ----------
    function
        Typed, with a numpydoc docstring: hints (`Annotated` for ranges, `Literal` for
        choices) make the fields, the docstring makes the tool-tips.
    viewer
        Its layers are offered for the images.
    images
        The parameters that are images, with the numbers of axes they may have. One that
        has a default need not be chosen; what that means is the option ``absent``.
    axes
        The axes of the method where it is given most, such as ``"TYX"``.
    options
        What the hints cannot say, by parameter: any option of a magicgui widget.
    advanced
        Parameters that are folded away at first.
    hidden
        Parameters that get no field, besides those for scripts only.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        viewer: Viewer,
        *,
        images: Mapping[str, Sequence[int]],
        axes: str = "TYX",
        options: Mapping[str, Mapping[str, Any]] | None = None,
        advanced: Sequence[str] = (),
        hidden: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._images = dict(images)
        self._optional: set[str] = set()
        self.fields: dict[str, ValueWidget[Any]] = {}
        self.choosers: dict[str, AxisChooser] = {}
        tips = explanations(function)
        rows, rest = _rows(self), QWidget()
        folded_rows = _rows(rest)
        for parameter, hint in parameters(function):
            name = parameter.name
            if (name in PROGRAMMATIC and name not in (options or {})) or name in hidden:
                continue
            tip = tips.get(name, "").replace("`", "")
            chosen = {"tooltip": tip, **(options or {}).get(name, {})}
            label = str(chosen.pop("label", name.replace("_", " ").capitalize()))
            if name in images:
                if parameter.default is not inspect.Parameter.empty:
                    self._optional.add(name)
                field = self._layer_field(name, chosen)
            else:
                field = parameter_field(parameter, hint, chosen)
            self.fields[name] = field
            _add_row(folded_rows if name in advanced else rows, label, field)
            if name in images:
                chooser = AxisChooser(viewer, images[name], axes)
                field.changed.connect(chooser.show_layer)
                self.choosers[name] = chooser
                rows.addRow(chooser)
        self._defaults = self.parameters
        if folded_rows.rowCount():
            rows.addRow(folded("More settings", rest))
        self.reset_choices()
        self._choose_active_layer()

    @property
    def layers(self) -> dict[str, Any]:
        """The chosen layers by parameter; None where no layer fits."""
        return {name: self.fields[name].value for name in self._images}

    @property
    def ready(self) -> bool:
        """Whether there is a layer for each image that must be given."""
        return all(
            layer is not None or name in self._optional
            for name, layer in self.layers.items()
        )

    @property
    def sources(self) -> dict[str, Source]:
        """What a run keeps of the chosen layers, cut to the axes that are taken."""
        self._follow_layers()
        return {
            name: read(layer, self.choosers[name].axes)
            for name, layer in self.layers.items()
            if layer is not None
        }

    @property
    def parameters(self) -> dict[str, Any]:
        """The other values by parameter."""
        return {
            name: field.value
            for name, field in self.fields.items()
            if name not in self._images
        }

    def reset(self) -> None:
        """Put every parameter back to its default; the chosen layers stay."""
        for name, value in self._defaults.items():
            self.fields[name].value = value

    def reset_choices(self, _event: Any = None) -> None:
        """Offer the layers there are now; napari calls this when they change."""
        for name in self._images:
            field = self.fields[name]
            if isinstance(field, CategoricalWidget):
                field.reset_choices()
        self._follow_layers()

    def _follow_layers(self) -> None:
        for name, layer in self.layers.items():
            self.choosers[name].show_layer(layer)

    def _layer_field(self, name: str, options: dict[str, Any]) -> ValueWidget[Any]:
        absent = options.pop("absent", "none")
        first = [(absent, None)] if name in self._optional else []
        choices = partial(self._fitting_layers, self._images[name], first)
        field = create_widget(
            name=name,
            widget_type="ComboBox",
            options={"choices": choices, "nullable": False, **options},
        )
        return cast("ValueWidget[Any]", field)

    def _fitting_layers(
        self, dimensions: Sequence[int], first: list[tuple[str, None]], _field: Any
    ) -> list[tuple[str, Any]]:
        layers = self._viewer.layers
        fitting = [(str(each), each) for each in layers if fits(each, dimensions)]
        return [*first, *fitting]

    def _choose_active_layer(self) -> None:
        active = self._viewer.layers.selection.active
        for name, dimensions in self._images.items():
            if name not in self._optional and fits(active, dimensions):
                self.fields[name].value = active
                return


def parameter_field(
    parameter: inspect.Parameter, hint: Any, options: Mapping[str, Any]
) -> ValueWidget[Any]:
    """Return the field for one parameter.

    Parameters
    ----------
    parameter
        Its default is the field's first value, unless `options` has a ``value``.
    hint
        Its type, with a range or choices if it has any.
    options
        What the hint cannot say; these win.
    """
    settings = dict(options)
    value = settings.pop("value", parameter.default)
    widget_type = settings.pop("widget_type", None)
    if isinstance(value, bool):
        settings.setdefault("text", " ")  # the label beside the box says it
    if "choices" in settings:
        hint, widget_type = None, widget_type or "ComboBox"
        settings.setdefault("nullable", False)  # None has words of its own, if allowed
    try:
        widget = create_widget(
            value=value,
            annotation=settings.pop("annotation", hint),
            name=parameter.name,
            widget_type=widget_type,
            options=settings,
        )
    except ValueError as error:
        raise TypeError(
            f"parameter {parameter.name!r} has the type {hint!r}, which has no field: "
            "give a widget_type in the options of the step, or hide it"
        ) from error
    return cast("ValueWidget[Any]", widget)


def _rows(parent: QWidget) -> QFormLayout:
    layout = QFormLayout(parent)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return layout


def _add_row(rows: QFormLayout, text: str, field: ValueWidget[Any]) -> None:
    label = QLabel(text)
    label.setToolTip(field.tooltip or "")
    rows.addRow(label, field.native)
