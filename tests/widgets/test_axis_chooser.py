"""Which axis is time is asked where that is in doubt, and the answer is obeyed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import napari_nanopyx as nx
from napari_nanopyx.widgets.axes import Axes
from napari_nanopyx.widgets.axis_chooser import AxisChooser

PATIENCE_MILLISECONDS = 60_000


@pytest.fixture
def chooser(viewer: Any, qtbot: Any) -> AxisChooser:
    chooser = AxisChooser(viewer, (2, 3), "TYX")
    qtbot.addWidget(chooser)
    return chooser


def test_a_movie_raises_no_question(viewer: Any, chooser: AxisChooser) -> None:
    chooser.show_layer(viewer.add_image(np.zeros((4, 5, 6))))
    assert chooser.isHidden()
    assert chooser.axes == Axes((0, 1, 2))


def test_labels_answer_and_may_be_overruled(viewer: Any, chooser: AxisChooser) -> None:
    labels = ("C", "T", "Y", "X")
    layer = viewer.add_image(np.zeros((2, 4, 5, 6)), axis_labels=labels)
    viewer.dims.set_current_step(0, 1)
    chooser.show_layer(layer)
    assert not chooser.isHidden()
    assert chooser.axes == Axes((1, 2, 3), {0: 1})
    assert [chooser.positions[axis].isHidden() for axis in (0, 1)] == [False, True]
    assert chooser.note.text() == ""
    chooser.roles[0].setCurrentIndex(0)
    chooser.positions[1].setValue(3)
    assert chooser.axes == Axes((0, 2, 3), {1: 3})
    assert chooser.note.text() == "This takes channel as time."


def test_the_answer_stays_until_there_is_another_layer(
    viewer: Any, chooser: AxisChooser
) -> None:
    layer = viewer.add_image(np.zeros((2, 4, 5, 6)))
    chooser.show_layer(layer)
    chooser.positions[0].setValue(1)
    chooser.show_layer(layer)
    assert chooser.axes == Axes((1, 2, 3), {0: 1})
    chooser.show_layer(viewer.add_image(np.zeros((5, 6))))
    assert chooser.axes == Axes((0, 1))
    chooser.show_layer(None)
    assert chooser.axes is None


def test_planes_taken_for_frames_are_pointed_out(
    viewer: Any, chooser: AxisChooser
) -> None:
    labels = ("Z", "Y", "X")
    chooser.show_layer(viewer.add_image(np.zeros((4, 5, 6)), axis_labels=labels))
    assert not chooser.isHidden()
    assert chooser.note.text() == "This takes z as time."


def test_two_axes_change_places(viewer: Any, qtbot: Any) -> None:
    chooser = AxisChooser(viewer, (3, 4), "TZYX")
    qtbot.addWidget(chooser)
    chooser.show_layer(viewer.add_image(np.zeros((4, 3, 5, 6))))
    assert chooser.axes == Axes((0, 1, 2, 3))
    chooser.roles[0].setCurrentIndex(1)
    assert chooser.axes == Axes((1, 0, 2, 3))
    assert chooser.roles[1].currentIndex() == 0


@pytest.fixture
def run(qtbot: Any) -> Any:
    def run(widget: Any) -> None:
        widget.run()
        qtbot.waitUntil(lambda: not widget.watches, timeout=PATIENCE_MILLISECONDS)

    return run


def test_a_cut_result_lies_where_it_was_cut(
    viewer: Any, open_widget: Any, run: Any, movie: Any
) -> None:
    """(T, Z, Y, X) at plane 2: magnified frames stay in that plane, and in time."""
    scale, translate = (0.5, 0.3, 0.1, 0.1), (0.0, 7.0, 1.0, 2.0)
    stack = np.stack([movie // 2, movie, movie // 3], axis=1)
    cells = viewer.add_image(
        stack,
        name="cells",
        scale=scale,
        translate=translate,
        axis_labels=("T", "Z", "Y", "X"),
        units=("second", "micrometer", "micrometer", "micrometer"),
    )
    widget = open_widget("Magnify")
    chooser = widget.form.choosers["image"]
    chooser.positions[1].setValue(1)
    run(widget)
    layer = viewer.layers[-1]
    np.testing.assert_allclose(layer.data[:, 0], nx.magnify(movie, 2), rtol=1e-5)
    assert layer.data.shape == (12, 1, 40, 48)
    np.testing.assert_allclose(layer.scale, (0.5, 0.3, 0.05, 0.05))
    assert layer.axis_labels == cells.axis_labels
    assert layer.units == cells.units
    np.testing.assert_allclose(
        layer.data_to_world((4, 0, 0.5, 0.5)), cells.data_to_world((4, 1, 0, 0))
    )
    record = layer.metadata["napari_nanopyx"]["inputs"]["image"]
    assert (record["axes"], record["at"]) == ([0, 2, 3], {"1": 1})


def test_planes_before_frames_are_given_back_in_that_order(
    viewer: Any, open_widget: Any, run: Any, movie: Any
) -> None:
    volumes = movie.reshape(4, 3, 20, 24)
    labels = ("Z", "T", "Y", "X")
    viewer.add_image(volumes.swapaxes(0, 1), name="cells", axis_labels=labels)
    widget = open_widget("3-D eSRRF reconstruction")
    widget.form.fields["frames_per_timepoint"].value = 2
    run(widget)
    expected = nx.esrrf_3d(volumes, frames_per_timepoint=2)
    layer = viewer.layers[-1]
    peak = np.abs(expected).max()
    np.testing.assert_allclose(
        layer.data, expected.swapaxes(0, 1), rtol=0, atol=2e-5 * peak
    )
    np.testing.assert_allclose(layer.scale, (0.5, 2.0, 0.5, 0.5))
    assert layer.axis_labels == labels


def test_what_is_copied_names_the_cut(
    viewer: Any, open_widget: Any, movie: Any
) -> None:
    viewer.add_image(np.stack([movie, movie + 1], axis=1), name="cells")
    widget = open_widget("Magnify")
    widget.form.choosers["image"].positions[1].setValue(1)
    image = widget.call().sources["image"]
    assert "image = viewer.layers['cells'].data[:, 1, :, :]\n" in widget.script()
    np.testing.assert_array_equal(image.data, movie + 1)
