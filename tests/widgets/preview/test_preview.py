"""The preview in a real viewer: it follows settings and view, and goes when told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import napari_nanopyx as nx
from napari_nanopyx.widgets.compute import Job
from napari_nanopyx.widgets.preview import request as preview_request
from napari_nanopyx.widgets.preview.live import TOO_SLOW_SECONDS, LivePreview
from napari_nanopyx.widgets.preview.pace import Pace
from napari_nanopyx.widgets.preview.place import camera, visible
from napari_nanopyx.widgets.steering import steering

PATIENCE_MILLISECONDS = 60_000
VIEW = ((4, 16), (6, 20))


@pytest.fixture
def cells(viewer: Any, movie: NDArray[Any]) -> Any:
    layer = viewer.add_image(
        movie,
        name="cells",
        scale=(0.5, 0.11, 0.13),
        translate=(0, 3, -2),
        units=("second", "micrometer", "micrometer"),
    )
    viewer.dims.set_current_step(0, 5)
    return layer


@pytest.fixture
def step(cells: Any, open_widget: Any) -> Any:
    widget = open_widget("eSRRF reconstruction")
    widget.form.fields["magnification"].value = 2
    widget.form.fields["macro_pixel_correction"].value = False
    return widget


@pytest.fixture
def settled(qtbot: Any) -> Callable[[Any], None]:
    """Wait until a preview has nothing more to compute."""

    def settled(step: Any) -> None:
        preview: LivePreview = step.preview
        qtbot.waitUntil(
            lambda: preview._job is None and not preview._collecting.isActive(),
            timeout=PATIENCE_MILLISECONDS,
        )

    return settled


@pytest.fixture
def pinned() -> Iterator[Callable[[str], None]]:
    yield lambda name: steering.pin("esrrf", name)
    steering.pin("esrrf", None)


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Say what is in view: a window that is not shown draws nothing."""

    def look(view: Any) -> None:
        monkeypatch.setattr(
            "napari_nanopyx.widgets.preview.live.visible", lambda _: view
        )

    look(None)
    return look


def switch_on(step: Any, settled: Any) -> Any:
    step.preview.toggle.setChecked(True)
    settled(step)
    return step.viewer.layers[-1]


def test_the_preview_is_a_layer_over_what_is_in_view(
    viewer: Any, step: Any, cells: Any, settled: Any, look: Any, movie: NDArray[Any]
) -> None:
    look(VIEW)
    step.form.fields["sensitivity"].value = 1.2
    layer = switch_on(step, settled)
    assert layer.name == "Preview: eSRRF AVG ×2"
    assert layer.data.shape == (24, 28)
    frames = layer_frames(step)
    whole = nx.esrrf(movie[frames], 2, sensitivity=1.2, macro_pixel_correction=False)
    part = whole[0, 8:32, 12:40]
    np.testing.assert_allclose(layer.data, part, atol=1e-4 * part.max())
    for output, pixel in (((-0.5, -0.5), (3.5, 5.5)), ((23.5, 27.5), (15.5, 19.5))):
        np.testing.assert_allclose(
            layer.data_to_world(output), cells.data_to_world((0, *pixel))[1:], atol=1e-9
        )
    assert [str(unit) for unit in layer.units] == ["micrometer", "micrometer"]
    assert viewer.layers.selection.active == cells
    assert step.form.layers["image"] == cells


def layer_frames(step: Any) -> slice:
    words = step.preview.said.text().split("frame")[1].replace("s ", " ").split(":")[0]
    numbers = [int(word) for word in words.replace("to", " ").split()]
    assert numbers[0] <= 5 <= numbers[-1]
    return slice(numbers[0], numbers[-1] + 1)


def test_it_follows_the_settings(step: Any, settled: Any) -> None:
    layer = switch_on(step, settled)
    before = layer.data
    step.form.fields["sensitivity"].value = 3.0
    settled(step)
    assert not np.array_equal(layer.data, before)
    step.form.fields["magnification"].value = 3
    settled(step)
    assert layer.data.shape == (60, 72)
    np.testing.assert_allclose(layer.scale, (0.11 / 3, 0.13 / 3))
    assert layer.name == "Preview: eSRRF AVG ×3"
    assert len(step.viewer.layers) == 2


def test_it_follows_the_view_and_the_frame(
    viewer: Any, step: Any, settled: Any, look: Any
) -> None:
    step.preview._pace = Pace(most=3)
    layer = switch_on(step, settled)
    assert layer.data.shape == (40, 48)
    look(VIEW)
    camera(viewer).zoom *= 2
    settled(step)
    assert layer.data.shape == (24, 28)
    first = layer.data
    viewer.dims.set_current_step(0, 11)
    settled(step)
    assert "to 11:" in step.preview.said.text()
    assert not np.array_equal(layer.data, first)


def test_what_is_in_view_is_what_napari_draws(viewer: Any, cells: Any) -> None:
    cells.corner_pixels = np.array([[0, 4, 6], [0, 15, 19]])
    assert visible(cells) == VIEW
    cells.corner_pixels = np.zeros((2, 3), int)
    assert visible(cells) is None


def test_a_zoom_makes_the_preview_smaller(
    viewer: Any, step: Any, settled: Any, qtbot: Any
) -> None:
    viewer.window.show()
    layer = switch_on(step, settled)
    camera(viewer).zoom *= 4
    qtbot.waitUntil(lambda: layer.data.shape[0] < 30, timeout=PATIENCE_MILLISECONDS)
    settled(step)


def test_it_goes_when_it_is_switched_off(viewer: Any, step: Any, settled: Any) -> None:
    switch_on(step, settled)
    step.preview.toggle.setChecked(False)
    assert [layer.name for layer in viewer.layers] == ["cells"]
    step.form.fields["sensitivity"].value = 2.0
    settled(step)
    assert len(viewer.layers) == 1
    assert step.preview.said.text() == ""


def test_a_preview_that_is_deleted_is_switched_off(
    viewer: Any, step: Any, settled: Any
) -> None:
    viewer.layers.remove(switch_on(step, settled))
    assert not step.preview.toggle.isChecked()
    switch_on(step, settled)
    assert len(viewer.layers) == 2


def test_it_goes_with_its_panel(
    viewer: Any, step: Any, settled: Any, qtbot: Any
) -> None:
    switch_on(step, settled)
    viewer.window.remove_dock_widget(step)
    qtbot.waitUntil(lambda: len(viewer.layers) == 1)
    camera(viewer).zoom *= 2
    viewer.dims.set_current_step(0, 2)
    qtbot.wait(50)
    assert len(viewer.layers) == 1


def test_without_its_movie_it_says_so(viewer: Any, step: Any, settled: Any) -> None:
    switch_on(step, settled)
    viewer.layers.remove("cells")
    settled(step)
    assert len(viewer.layers) == 0
    assert "open an image" in step.preview.said.text()


def test_the_viewer_may_be_closed_meanwhile(
    viewer: Any, step: Any, settled: Any, qtbot: Any, notifications: list[Any]
) -> None:
    switch_on(step, settled)
    step.form.fields["sensitivity"].value = 2.0
    viewer.close()
    qtbot.wait(150)
    assert notifications == []


def test_in_3d_it_says_what_to_do(viewer: Any, step: Any, settled: Any) -> None:
    switch_on(step, settled)
    viewer.dims.ndisplay = 3
    settled(step)
    assert [layer.name for layer in viewer.layers] == ["cells"]
    assert "2-D view" in step.preview.said.text()
    viewer.dims.ndisplay = 2
    settled(step)
    assert len(viewer.layers) == 2


def test_of_many_changes_the_last_one_is_shown(
    step: Any, settled: Any, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    go_on, seen = Event(), []

    def held(request: Any, cropper: Any, cancel: Any) -> Any:
        seen.append(request.parameters["sensitivity"])
        assert go_on.wait(30)
        return preview_request.compute(request, cropper, cancel)

    monkeypatch.setattr("napari_nanopyx.widgets.preview.live.compute", held)
    step.preview.toggle.setChecked(True)
    qtbot.waitUntil(lambda: len(seen) == 1)
    for sensitivity in (1.5, 2.0, 2.5, 3.0):
        step.form.fields["sensitivity"].value = sensitivity
        qtbot.wait(5)
    go_on.set()
    settled(step)
    assert list(dict.fromkeys(seen)) == [1.0, 3.0]


def test_it_waits_for_a_run_and_then_shows_the_latest(
    step: Any, settled: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []

    def noted(request: Any, cropper: Any, cancel: Any) -> Any:
        seen.append(request.parameters["sensitivity"])
        return preview_request.compute(request, cropper, cancel)

    monkeypatch.setattr("napari_nanopyx.widgets.preview.live.compute", noted)
    run = Event()
    Job(lambda _progress, _cancel: run.wait(30))
    step.preview.toggle.setChecked(True)
    qtbot.waitUntil(lambda: "waiting" in step.preview.said.text())
    step.form.fields["sensitivity"].value = 2.0
    step.form.fields["sensitivity"].value = 2.5
    run.set()
    settled(step)
    assert set(seen) == {2.5}
    assert len(step.viewer.layers) == 2


def test_it_is_computed_on_the_compute_thread(
    step: Any, settled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []

    def noted(request: Any, cropper: Any, cancel: Any) -> Any:
        threads.append(threading.current_thread().name)
        return preview_request.compute(request, cropper, cancel)

    monkeypatch.setattr("napari_nanopyx.widgets.preview.live.compute", noted)
    switch_on(step, settled)
    assert set(threads) == {"nanopyx-compute_0"}


def test_with_the_reference_pinned_it_is_off_and_says_why(
    viewer: Any, step: Any, settled: Any, pinned: Any
) -> None:
    pinned("reference")
    step.preview.toggle.setChecked(True)
    assert not step.preview.toggle.isChecked()
    assert "reference is pinned" in step.preview.said.text()
    assert len(viewer.layers) == 1


def test_a_pinned_implementation_that_turns_out_slow_switches_it_off(
    viewer: Any,
    step: Any,
    settled: Any,
    pinned: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def slow(request: Any, cropper: Any, cancel: Any) -> Any:
        picture = preview_request.compute(request, cropper, cancel)
        seconds = TOO_SLOW_SECONDS + 1
        return preview_request.Picture(
            request,
            picture.image,
            picture.placement,
            picture.limits,
            picture.contrast,
            seconds,
        )

    monkeypatch.setattr("napari_nanopyx.widgets.preview.live.compute", slow)
    pinned("serial")
    step.preview.toggle.setChecked(True)
    settled(step)
    assert not step.preview.toggle.isChecked()
    assert "serial is pinned, and takes 1.5 s" in step.preview.said.text()
    assert len(viewer.layers) == 1


def test_a_wrong_setting_is_told_and_a_right_one_helps(
    step: Any, settled: Any, notifications: list[Any]
) -> None:
    step.form.fields["temporal"].value = "TAC2"
    switch_on(step, settled)
    step.viewer.layers["cells"].data = np.full((3, 9, 9), np.nan, np.float32)
    step.form.fields["sensitivity"].value = 2.0
    settled(step)
    assert "NaN" in step.preview.said.text()
    assert len(step.viewer.layers) == 1
    assert notifications == []
    assert step.preview.toggle.isChecked()


def test_a_contrast_that_the_user_has_chosen_stays(step: Any, settled: Any) -> None:
    layer = switch_on(step, settled)
    before = tuple(layer.contrast_limits)
    step.form.fields["sensitivity"].value = 2.0
    settled(step)
    assert tuple(layer.contrast_limits) != before
    low, high = layer.contrast_limits
    layer.contrast_limits = (low, (low + high) / 2)
    step.form.fields["sensitivity"].value = 3.0
    settled(step)
    assert tuple(layer.contrast_limits) == (low, (low + high) / 2)


def test_a_run_beside_it_takes_the_movie(
    viewer: Any, step: Any, settled: Any, qtbot: Any
) -> None:
    switch_on(step, settled)
    step.run()
    qtbot.waitUntil(lambda: not step.watches, timeout=PATIENCE_MILLISECONDS)
    assert viewer.layers[-1].name == "cells eSRRF AVG ×2"
    record = viewer.layers[-1].metadata["napari_nanopyx"]
    assert record["inputs"]["image"]["layer"] == "cells"


@pytest.mark.parametrize(
    "name", ["SRRF reconstruction", "Magnify", "Denoise by non-local means"]
)
def test_other_steps_have_it_too(
    name: str, viewer: Any, cells: Any, open_widget: Any, settled: Any
) -> None:
    step = open_widget(name)
    layer = switch_on(step, settled)
    assert layer.name.startswith("Preview: ")
    step.preview.toggle.setChecked(False)
    assert len(viewer.layers) == 1


def test_steps_without_a_part_have_none(cells: Any, open_widget: Any) -> None:
    assert open_widget("Estimate drift").preview is None


def test_a_multiscale_movie_is_previewed_in_full_resolution(
    viewer: Any, open_widget: Any, settled: Any, movie: NDArray[Any]
) -> None:
    viewer.add_image(
        [movie, movie[:, ::2, ::2]], name="cells", contrast_limits=(0, 500)
    )
    step = open_widget("eSRRF reconstruction")
    step.form.fields["magnification"].value = 2
    layer = switch_on(step, settled)
    np.testing.assert_allclose(layer.scale, (0.5, 0.5))


def test_of_a_layer_with_channels_the_chosen_one_is_previewed(
    viewer: Any, open_widget: Any, settled: Any, look: Any, movie: NDArray[Any]
) -> None:
    channels = np.stack([movie, movie[:, ::-1]])
    viewer.add_image(channels, name="cells", axis_labels=("C", "T", "Y", "X"))
    step = open_widget("Magnify")
    layer = switch_on(step, settled)
    frame = int(step.preview.said.text().split("frame ")[1].split(":")[0])
    position = step.form.choosers["image"].positions[0]
    expected = nx.magnify(channels[position.value(), frame], 2.0)
    np.testing.assert_allclose(layer.data, expected, rtol=1e-4, atol=1e-2)
    position.setValue(1 - position.value())
    settled(step)
    expected = nx.magnify(channels[position.value(), frame], 2.0)
    np.testing.assert_allclose(layer.data, expected, rtol=1e-4, atol=1e-2)


def test_of_volumes_it_follows_the_plane(
    viewer: Any, open_widget: Any, settled: Any, look: Any
) -> None:
    series = np.random.default_rng(5).poisson(100, (3, 9, 24, 26)).astype(np.uint16)
    viewer.add_image(series, name="volumes", scale=(1.0, 0.5, 0.1, 0.1))
    viewer.dims.set_current_step(1, 4)
    widget = open_widget("3-D eSRRF reconstruction")
    layer = switch_on(widget, settled)
    assert layer.data.shape == (48, 52)
    assert "plane 4" in widget.preview.said.text()
    np.testing.assert_allclose(layer.scale, (0.05, 0.05))
    before = layer.data
    viewer.dims.set_current_step(1, 6)
    settled(widget)
    assert "plane 6" in widget.preview.said.text()
    assert not np.array_equal(layer.data, before)
    widget.preview.toggle.setChecked(False)
    assert len(viewer.layers) == 1
