"""The steps of the plugin, as the menu opens them, on a small movie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
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


def test_one_image_is_compared_with_itself_where_there_is_no_second(
    viewer: Any, open_widget: Any, run: Any
) -> None:
    random = np.random.default_rng(2)
    scene = nx.convolve(random.normal(size=(128, 128)), np.ones((9, 9)) / 9)
    image = scene + random.normal(0, 0.02, scene.shape)
    viewer.add_image(image, name="a", scale=(0.1, 0.1), units=("um", "um"))
    widget = open_widget("Fourier ring correlation")
    assert widget.form.fields["image_b"].value is None
    run(widget)
    expected = nx.frc(image, pixel_size=0.1, units="µm")
    assert np.isfinite(expected.resolution)
    assert str(expected) in widget.status.text()
    variables = {"viewer": viewer}
    exec(widget.script(), variables)
    assert str(variables["result"]) == str(expected)


def test_a_second_image_that_is_removed_is_no_longer_compared_with(
    viewer: Any, open_widget: Any
) -> None:
    for name in "ab":
        viewer.add_image(np.zeros((16, 16)), name=name)
    widget = open_widget("Map of Fourier ring correlation")
    widget.form.fields["image_b"].value = viewer.layers["b"]
    assert set(widget.call().sources) == {"image_a", "image_b"}
    viewer.layers.remove("b")
    assert set(widget.call().sources) == {"image_a"}
    assert widget.run_button.isEnabled()
    viewer.layers.clear()
    assert not widget.run_button.isEnabled()


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


def test_drift_is_estimated_saved_and_corrected_from_the_file(
    viewer: Any, open_widget: Any, run: Any, movie: NDArray[Any], tmp_path: Path
) -> None:
    shifts = np.linspace((0.0, 0.0), (2.0, -1.5), len(movie))
    still = np.repeat(movie.mean(0, keepdims=True), len(movie), 0)
    moving = nx.magnify(still, 1, shift=shifts)
    viewer.add_image(moving, name="cells", scale=(0.5, 0.1, 0.1))
    widget = open_widget("Estimate drift")
    run(widget)
    expected = nx.estimate_drift(moving, pixel_size=0.1)
    assert widget.result.frame_interval is None  # the layer's unit is no time
    assert str(expected).split(",")[0] in widget.status.text()
    assert widget.plot.isVisibleTo(widget)
    assert widget.save_button.isVisibleTo(widget)
    path = tmp_path / "drift.csv"
    widget.save(str(path))
    correct = open_widget("Correct drift")
    correct.form.fields["table"].value = path
    run(correct)
    layer = viewer.layers[-1]
    assert layer.name == "cells drift corrected"
    np.testing.assert_allclose(
        layer.data, nx.correct_drift(moving, expected), rtol=1e-4, atol=1e-2
    )
    record = layer.metadata["napari_nanopyx"]
    assert record["parameters"]["table"] == str(path)


def test_drift_is_estimated_with_the_time_of_the_layer(
    viewer: Any, open_widget: Any, run: Any, movie: NDArray[Any], tmp_path: Path
) -> None:
    units = ("ms", "um", "um")
    viewer.add_image(movie, scale=(500, 0.1, 0.1), units=units)
    widget = open_widget("Estimate drift")
    run(widget)
    assert widget.result.frame_interval == 0.5
    assert "frame_interval=0.5" in widget.script()
    widget.save(str(tmp_path / "drift.csv"))
    (track,) = viewer.open(str(tmp_path / "drift.csv"), plugin="napari-nanopyx")
    np.testing.assert_allclose(track.scale, (0.5, 0.1, 0.1))
    assert str(track.units[0]) == "second"


def test_a_drift_table_that_is_missing_is_told_in_a_sentence(
    viewer: Any, open_widget: Any, run: Any, movie: NDArray[Any], notifications: Any
) -> None:
    viewer.add_image(movie, name="cells")
    widget = open_widget("Correct drift")
    run(widget)
    assert len(viewer.layers) == 1
    assert "table" in widget.status.text()


def test_channels_are_registered_from_a_file(
    viewer: Any, open_widget: Any, run: Any, tmp_path: Path
) -> None:
    scene = nx.convolve(
        np.random.default_rng(3).gamma(0.2, 100, (96, 96)), np.ones((5, 5)) / 25
    )
    moved = nx.magnify(scene, 1, shift=(2.0, -1.0))
    channels = np.stack([scene, moved])
    viewer.add_image(channels, name="channels")
    widget = open_widget("Estimate channel registration")
    widget.form.fields["blocks_per_axis"].value = 1
    run(widget)
    path = tmp_path / "channels.tif"
    widget.save(str(path))
    apply = open_widget("Register channels")
    apply.form.fields["registration"].value = path
    run(apply)
    inner = (slice(10, -10), slice(10, -10))
    registered = viewer.layers[-1].data[1][inner]
    assert np.corrcoef(registered.ravel(), scene[inner].ravel())[0, 1] > 0.99


def test_denoising_takes_zero_for_automatic(
    viewer: Any, open_widget: Any, run: Any, movie: NDArray[Any]
) -> None:
    viewer.add_image(movie[:2], name="cells")
    widget = open_widget("Denoise by non-local means")
    run(widget)
    expected = nx.denoise_nlm(movie[:2])
    layer = viewer.layers[-1]
    np.testing.assert_allclose(layer.data, expected, rtol=1e-4, atol=1e-2)


def test_a_sweep_names_the_best_pair_and_draws_the_scores(
    viewer: Any, open_widget: Any, run: Any, movie: NDArray[Any]
) -> None:
    viewer.add_image(movie, name="cells")
    widget = open_widget("eSRRF parameter sweep")
    widget.form.fields["radii"].value = [1.0, 1.5]
    widget.form.fields["sensitivities"].value = [1.0, 2.0]
    run(widget)
    expected = nx.sweep_esrrf(movie, [1.0, 1.5], [1.0, 2.0])
    assert str(expected) in widget.status.text()
    assert widget.plot.isVisibleTo(widget)


def test_a_volume_lies_over_its_movie(
    viewer: Any, open_widget: Any, run: Any, movie: NDArray[Any]
) -> None:
    volumes = movie.reshape(2, 6, 20, 24)
    viewer.add_image(volumes, name="cells", scale=(1.0, 0.4, 0.1, 0.1))
    widget = open_widget("3-D eSRRF reconstruction")
    run(widget)
    layer = viewer.layers[-1]
    assert layer.data.shape == (12, 40, 48)
    np.testing.assert_allclose(layer.scale, (0.2, 0.05, 0.05))
    np.testing.assert_allclose(layer.translate, (-0.1, -0.025, -0.025))
