"""A typed function becomes a form."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import pytest
from magicgui.widgets import CheckBox, ComboBox, FloatSpinBox, SpinBox

from napari_nanopyx._parameters import explanations
from napari_nanopyx.widgets.form import Form


def method(
    image: Any,
    magnification: Annotated[int, {"min": 1, "max": 10}] = 5,
    radius: Annotated[float, {"min": 0.1, "max": 3.0, "step": 0.1}] = 1.5,
    *,
    temporal: Literal["AVG", "VAR"] = "AVG",
    weighting: bool = True,
    shift: Any = (0, 0),
    drift: Any = None,
    implementation: str | None = None,
    progress: Any = None,
    cancel: Any = None,
) -> None:
    """Do nothing.

    Parameters
    ----------
    image : array
        A movie.
    magnification : int
        Output pixels along
        one input pixel.
    radius, weighting
        Shared words.
    """


@pytest.fixture
def form(viewer: Any, qtbot: Any) -> Form:
    form = Form(
        method,
        viewer,
        images={"image": (2, 3)},
        options={"temporal": {"choices": [("Mean", "AVG"), ("Variance", "VAR")]}},
        advanced=("weighting",),
        hidden=("shift",),
    )
    qtbot.addWidget(form)
    return form


def test_hints_decide_on_the_fields(form: Form) -> None:
    kinds = {name: type(field) for name, field in form.fields.items()}
    assert kinds == {
        "image": ComboBox,
        "magnification": SpinBox,
        "radius": FloatSpinBox,
        "temporal": ComboBox,
        "weighting": CheckBox,
    }
    radius = form.fields["radius"]
    assert isinstance(radius, FloatSpinBox)
    assert (radius.min, radius.max, radius.step) == (0.1, 3.0, 0.1)


def test_a_check_box_does_not_repeat_its_label(form: Form) -> None:
    field = form.fields["weighting"]
    assert isinstance(field, CheckBox)
    assert field.text.strip() == ""


def test_defaults_are_the_functions_defaults(form: Form) -> None:
    assert form.parameters == {
        "magnification": 5,
        "radius": 1.5,
        "temporal": "AVG",
        "weighting": True,
    }


def test_reset_brings_the_defaults_back(form: Form, viewer: Any) -> None:
    viewer.add_image(np.zeros((4, 5, 6)), name="movie")
    form.reset_choices()
    form.fields["radius"].value = 0.7
    form.fields["temporal"].value = "VAR"
    form.reset()
    assert form.parameters["radius"] == 1.5
    assert form.parameters["temporal"] == "AVG"
    assert form.layers["image"].name == "movie"


def test_tooltips_come_from_the_docstring(form: Form) -> None:
    expected = "Output pixels along one input pixel."
    assert form.fields["magnification"].tooltip == expected
    assert explanations(method)["weighting"] == "Shared words."


def test_only_layers_that_fit_are_offered(form: Form, viewer: Any) -> None:
    viewer.add_image(np.zeros((4, 5, 6)), name="movie")
    viewer.add_image(np.zeros((5, 6)), name="picture")
    viewer.add_image(np.zeros((2, 4, 5, 6)), name="four axes")
    viewer.add_image(np.zeros((5, 6, 3), np.uint8), rgb=True, name="photograph")
    viewer.add_labels(np.zeros((4, 5, 6), int), name="labels")
    form.reset_choices()
    field = form.fields["image"]
    assert isinstance(field, ComboBox)
    assert [str(layer) for layer in field.choices] == ["movie", "picture", "four axes"]


def test_the_selected_layer_is_offered_first(viewer: Any, qtbot: Any) -> None:
    viewer.add_image(np.zeros((4, 5, 6)), name="movie")
    viewer.add_image(np.zeros((5, 6)), name="picture")
    form = Form(method, viewer, images={"image": (2, 3)}, hidden=("shift",))
    qtbot.addWidget(form)
    assert form.layers["image"].name == "picture"


def test_a_default_of_none_shows_the_words_of_its_choice(
    viewer: Any, qtbot: Any
) -> None:
    """And is offered once, not beside an empty line."""

    def method(image: Any, correction: bool | None = None) -> None:
        """Do nothing."""

    choices = [("on", True), ("if need be", None), ("off", False)]
    form = Form(
        method,
        viewer,
        images={"image": (2,)},
        options={"correction": {"choices": choices}},
    )
    qtbot.addWidget(form)
    field = form.fields["correction"]
    assert field.choices == (True, None, False)
    assert field.current_choice == "if need be"
    field.value = False
    form.reset()
    assert field.current_choice == "if need be"


def test_no_layer_is_none(form: Form) -> None:
    assert form.layers == {"image": None}


def test_a_type_without_a_field_is_refused_by_name(viewer: Any) -> None:
    def odd(image: Any, table: dict[str, bytes] = {}) -> None:  # noqa: B006
        """Take something no form can show."""

    with pytest.raises(TypeError, match="'table' has the type"):
        Form(odd, viewer, images={"image": (2, 3)})
