"""The steps of the plugin, as the menu opens them, on a small movie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from qtpy.QtWidgets import QApplication

import napari_nanopyx as nx
from napari_nanopyx.widgets.step import StepWidget

PATIENCE_MILLISECONDS = 60_000


@pytest.fixture
def run(qtbot: Any) -> Callable[[StepWidget], None]:
    """Press Run, and wait until the step has nothing more to do."""

    def run(widget: StepWidget) -> None:
        widget.run_button.click()
        qtbot.waitUntil(lambda: not widget.watches, timeout=PATIENCE_MILLISECONDS)

    return run


def test_srrf_gives_a_layer_over_the_movie(
    viewer: Any, open_widget: Any, run: Any, movie: NDArray[Any]
) -> None:
    viewer.add_image(movie, name="cells", scale=(0.5, 0.1, 0.1))
    widget = open_widget("SRRF reconstruction")
    widget.form.fields["magnification"].value = 3
    widget.form.fields["temporal"].value = "TRAC2"
    widget.form.fields["frames_per_timepoint"].value = 6
    run(widget)
    layer = viewer.layers[-1]
    assert layer.name == "cells SRRF TRAC2 ×3"
    expected = nx.srrf(movie, 3, temporal="TRAC2", frames_per_timepoint=6)
    atol = 2e-5 * np.abs(expected).max()
    np.testing.assert_allclose(layer.data, expected, rtol=0, atol=atol)
    np.testing.assert_allclose(layer.scale, (3.0, 0.1 / 3, 0.1 / 3))


def test_a_resolution_is_said_with_the_layers_unit_and_drawn(
    viewer: Any, open_widget: Any, run: Any
) -> None:
    random = np.random.default_rng(1)
    scene = nx.convolve(random.normal(size=(128, 128)), np.ones((5, 5)) / 5)
    images = [scene + random.normal(size=scene.shape) for _ in range(2)]
    for name, image in zip("ab", images, strict=True):
        viewer.add_image(image, name=name, scale=(0.1, 0.1), units=("um", "um"))
    widget = open_widget("Fourier ring correlation")
    widget.form.fields["image_a"].value = viewer.layers["a"]
    widget.form.fields["image_b"].value = viewer.layers["b"]
    run(widget)
    expected = nx.frc(*images, pixel_size=0.1, units="µm")
    assert str(expected) in widget.status.text()
    assert len(viewer.layers) == 2
    (axes,) = widget.plot.findChildren(_canvas())[0].figure.axes
    np.testing.assert_allclose(axes.lines[0].get_ydata(), expected.correlation)


def test_the_resolution_of_one_image_is_said_with_the_layers_unit(
    viewer: Any, open_widget: Any, run: Any
) -> None:
    random = np.random.default_rng(1)
    image = nx.convolve(random.normal(size=(128, 128)), np.ones((5, 5)) / 5)
    image = image + random.normal(0, 0.02, image.shape)
    viewer.add_image(image, scale=(0.1, 0.1), units=("um", "um"))
    widget = open_widget("Decorrelation analysis")
    run(widget)
    expected = nx.decorrelation(image, pixel_size=0.1, units="µm")
    assert str(expected) in widget.status.text()


def test_an_error_map_lies_over_the_super_resolved_image(
    viewer: Any, open_widget: Any, run: Any
) -> None:
    fine = np.random.default_rng(2).gamma(0.3, 100, (60, 72)).astype(np.float32)
    coarse = fine.reshape(30, 2, 36, 2).mean((1, 3))
    viewer.add_image(coarse, name="mean", scale=(0.1, 0.1), units=("um", "um"))
    place = {"scale": (0.05, 0.05), "translate": (-0.025, -0.025)}
    viewer.add_image(fine, name="fine", units=("um", "um"), **place)
    widget = open_widget("Error map")
    widget.form.fields["reference"].value = viewer.layers["mean"]
    widget.form.fields["super_resolved"].value = viewer.layers["fine"]
    run(widget)
    layer, expected = viewer.layers[-1], nx.error_map(coarse, fine)
    np.testing.assert_allclose(layer.data, expected.map)
    assert layer.name == "fine error map"
    np.testing.assert_allclose(layer.scale, (0.05, 0.05))
    np.testing.assert_allclose(layer.translate, (-0.025, -0.025))
    assert str(expected) in widget.status.text()
    assert layer.metadata["napari_nanopyx"]["result"] == str(expected)


def test_a_turned_image_stays_in_place(
    viewer: Any, open_widget: Any, run: Any, movie: NDArray[Any]
) -> None:
    viewer.add_image(movie, name="cells", scale=(0.5, 0.1, 0.1))
    widget = open_widget("Shift, scale and turn")
    widget.form.fields["shift"].value = (1.5, -2.0)
    widget.form.fields["angle"].value = 0.3
    run(widget)
    expected = nx.transform(movie, shift=(1.5, -2.0), angle=0.3)
    layer = viewer.layers[-1]
    np.testing.assert_allclose(layer.data, expected, rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(layer.scale, (0.5, 0.1, 0.1))


def test_pixels_that_are_not_square_give_a_resolution_in_pixels(
    viewer: Any, open_widget: Any, run: Any
) -> None:
    random = np.random.default_rng(1)
    for name in "ab":
        viewer.add_image(random.normal(size=(64, 64)), name=name, scale=(0.1, 0.2))
    widget = open_widget("Fourier ring correlation")
    assert "pixel_size" not in widget._chosen()[1]


def test_what_is_copied_gives_the_same(
    viewer: Any, open_widget: Any, run: Any, movie: NDArray[Any]
) -> None:
    viewer.add_image(movie, name="cells")
    widget = open_widget("SRRF reconstruction")
    widget.form.fields["magnification"].value = 2
    widget.copy_button.click()
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    script = clipboard.text()
    variables: dict[str, Any] = {"viewer": viewer}
    exec(script, variables)
    np.testing.assert_array_equal(variables["result"].shape, (1, 40, 48))
    run(widget)
    np.testing.assert_allclose(
        variables["result"][0], viewer.layers[-1].data, rtol=0, atol=1e-3
    )


def _canvas() -> Any:
    from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg

    return FigureCanvasQTAgg
