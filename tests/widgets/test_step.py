"""Steps in a real viewer: run, watch, stop, fail, and close things meanwhile."""

from __future__ import annotations

import gc
import json
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from threading import Event
from typing import Any

import dask.array
import numpy as np
import pytest
from napari.utils import progress
from numpy.typing import NDArray

import napari_nanopyx
from napari_nanopyx import engine
from napari_nanopyx.widgets.step import StepWidget

PATIENCE_MILLISECONDS = 60_000


@pytest.fixture
def cells(viewer: Any, movie: NDArray[Any]) -> Any:
    return viewer.add_image(
        movie,
        name="cells",
        scale=(0.5, 0.11, 0.13),
        translate=(0, 3, -2),
        units=("second", "micrometer", "micrometer"),
        axis_labels=("T", "Y", "X"),
        colormap="green",
    )


@pytest.fixture
def finish(qtbot: Any) -> Callable[[StepWidget], None]:
    """Wait until a step has nothing more to do."""

    def finish(widget: StepWidget) -> None:
        qtbot.waitUntil(lambda: not widget.watches, timeout=PATIENCE_MILLISECONDS)

    return finish


def test_esrrf_gives_a_layer_over_the_movie(
    viewer: Any, cells: Any, open_widget: Any, finish: Any, movie: NDArray[Any]
) -> None:
    widget = open_widget("eSRRF reconstruction")
    widget.form.fields["magnification"].value = 3
    widget.form.fields["temporal"].value = "VAR"
    widget.run_button.click()
    finish(widget)
    layer = viewer.layers[-1]
    assert layer.name == "cells eSRRF VAR ×3"
    expected = napari_nanopyx.esrrf(movie, magnification=3, temporal="VAR")[0]
    scale = np.abs(expected).max()
    np.testing.assert_allclose(layer.data, expected, rtol=0, atol=2e-5 * scale)
    np.testing.assert_allclose(layer.scale, (0.11 / 3, 0.13 / 3))
    assert [str(unit) for unit in layer.units] == ["micrometer", "micrometer"]
    assert layer.axis_labels == ("Y", "X")
    for corner in (np.array((-0.5, -0.5)), np.array((19.5, 23.5))):
        np.testing.assert_allclose(
            layer.data_to_world((corner + 0.5) * 3 - 0.5),
            cells.data_to_world((0, *corner))[1:],
            atol=1e-9,
        )


def test_the_layer_says_how_it_was_made(
    viewer: Any, cells: Any, open_widget: Any, finish: Any
) -> None:
    widget = open_widget("eSRRF reconstruction")
    widget.form.fields["magnification"].value = 2
    widget.run()
    finish(widget)
    record = viewer.layers[-1].metadata["napari_nanopyx"]
    assert json.loads(json.dumps(record)) == record
    assert record["function"] == "napari_nanopyx.esrrf"
    assert record["parameters"]["magnification"] == 2
    assert record["inputs"]["image"]["layer"] == "cells"
    (run,) = record["runs"]
    assert sum(run["frames_by_implementation"].values()) == 12
    assert set(run["devices"]) == set(run["frames_by_implementation"])
    assert run["last_choice"] in widget.status.text()
    assert run["reason"] in widget.status.text()


def test_time_points_keep_their_times(
    viewer: Any, cells: Any, open_widget: Any, finish: Any
) -> None:
    widget = open_widget("eSRRF reconstruction")
    widget.form.fields["magnification"].value = 2
    widget.form.fields["frames_per_timepoint"].value = 4
    widget.run()
    finish(widget)
    layer = viewer.layers[-1]
    assert layer.data.shape == (3, 40, 48)
    np.testing.assert_allclose(layer.scale, (2.0, 0.055, 0.065))
    np.testing.assert_allclose(layer.translate[0], 1.5 * 0.5)
    assert layer.axis_labels == ("T", "Y", "X")


def test_magnify_keeps_the_colormap_and_the_frames(
    viewer: Any, cells: Any, open_widget: Any, finish: Any
) -> None:
    widget = open_widget("Magnify")
    widget.form.fields["factor"].value = 2.5
    widget.run()
    finish(widget)
    layer = viewer.layers[-1]
    assert layer.name == "cells magnified ×2.5"
    assert layer.colormap.name == "green"
    assert layer.data.shape == (12, 50, 60)
    np.testing.assert_allclose(layer.scale, (0.5, 0.11 / 2.5, 0.13 / 2.5))


@pytest.mark.parametrize("kind", ["dask", "multiscale", "float32", "one image"])
def test_layers_of_every_kind_are_taken(
    kind: str, viewer: Any, open_widget: Any, finish: Any, movie: NDArray[Any]
) -> None:
    data: Any = {
        "dask": lambda: dask.array.from_array(  # type: ignore[no-untyped-call]
            movie, chunks=(5, 20, 24)
        ),
        "multiscale": lambda: [movie, movie[:, ::2, ::2]],
        "float32": lambda: movie.astype(np.float32),
        "one image": lambda: movie[0],
    }[kind]()
    viewer.add_image(data, name="cells", contrast_limits=(0, 500))
    widget = open_widget("eSRRF reconstruction")
    widget.form.fields["magnification"].value = 2
    widget.run()
    finish(widget)
    expected = napari_nanopyx.esrrf(movie[:1] if kind == "one image" else movie, 2)[0]
    peak = np.abs(expected).max()
    result = viewer.layers["cells eSRRF AVG ×2"]
    np.testing.assert_allclose(result.data, expected, rtol=0, atol=2e-5 * peak)
    np.testing.assert_allclose(result.scale, (0.5, 0.5))
    np.testing.assert_allclose(result.translate, (-0.25, -0.25))


def test_a_wrong_value_is_told_in_a_sentence(
    viewer: Any, open_widget: Any, finish: Any, notifications: list[Any]
) -> None:
    broken = np.ones((3, 8, 8), np.float32)
    broken[1, 2, 3] = np.nan
    viewer.add_image(broken, name="broken", contrast_limits=(0, 2))
    widget = open_widget("eSRRF reconstruction")
    widget.run()
    finish(widget)
    assert len(viewer.layers) == 1
    (notification,) = notifications
    assert str(notification.severity) == "error"
    assert notification.message.startswith("eSRRF: image")
    assert "Traceback" not in notification.message
    assert not hasattr(notification, "exception")
    assert widget.status.text() == notification.message
    assert widget.run_button.isEnabled()


def test_a_mistake_in_the_program_keeps_its_traceback(
    waiting_step: StepWidget, finish: Any, notifications: list[Any], waiting: Any
) -> None:
    waiting.begun = None
    waiting_step.run()
    finish(waiting_step)
    (notification,) = notifications
    assert isinstance(notification.exception, AttributeError)


def test_the_gui_thread_does_not_compute(
    waiting_step: StepWidget, waiting: Any, finish: Any
) -> None:
    waiting_step.run()
    waiting.go_on.set()
    finish(waiting_step)
    assert waiting.threads == ["nanopyx-compute_0"]


def test_progress_is_shown_in_the_panel_and_the_activity_dock(
    waiting_step: StepWidget, waiting: Any, qtbot: Any, finish: Any
) -> None:
    waiting_step.run()
    qtbot.waitUntil(lambda: waiting_step.progress_bar.value() == 1)
    assert waiting_step.progress_bar.maximum() == 12
    (bar,) = (bar for bar in progress._all_instances if "cells" in bar.desc)
    assert (bar.n, bar.total) == (1, 12)
    waiting.go_on.set()
    finish(waiting_step)
    assert not waiting_step.progress_bar.isVisibleTo(waiting_step)


def test_stop_adds_no_layer(
    viewer: Any, waiting_step: StepWidget, waiting: Any, finish: Any
) -> None:
    waiting_step.run_button.click()
    assert waiting.begun.wait(30)
    assert waiting_step.stop_button.isEnabled()
    waiting_step.stop_button.click()
    finish(waiting_step)
    assert waiting.cancelled
    assert len(viewer.layers) == 1
    assert "Stopped" in waiting_step.status.text()
    assert not waiting_step.stop_button.isEnabled()


def test_stop_reaches_a_real_method(
    viewer: Any, cells: Any, open_widget: Any, finish: Any, qtbot: Any
) -> None:
    widget = open_widget("eSRRF reconstruction")
    raised: list[BaseException] = []
    stopped = Event()

    def esrrf(image: Any, **given: Any) -> Any:
        assert stopped.wait(30)
        try:
            return napari_nanopyx.esrrf(image, **given)
        except engine.Cancelled as problem:
            raised.append(problem)
            raise

    widget.step = replace(widget.step, function=esrrf)
    widget.run()
    qtbot.waitUntil(lambda: widget.watches[0].job.started)
    widget.stop_button.click()
    stopped.set()
    finish(widget)
    assert len(raised) == 1
    assert len(viewer.layers) == 1
    assert "Stopped" in widget.status.text()


def test_runs_wait_for_each_other(
    viewer: Any, waiting_step: StepWidget, waiting: Any, finish: Any
) -> None:
    waiting_step.run()
    waiting_step.form.fields["magnification"].value = 3
    waiting_step.run()
    assert "1 waiting" in waiting_step.status.text()
    jobs = [watch.job for watch in waiting_step.watches]
    left: list[int] = []
    for watch in waiting_step.watches:
        watch.ended.connect(lambda: left.append(len(waiting_step.watches)))
    waiting.go_on.set()
    while not all(job.ended for job in jobs):
        time.sleep(0.01)  # both have ended before the first is looked at
    finish(waiting_step)
    assert left == [1, 0]
    names = [layer.name for layer in viewer.layers]
    assert names == ["cells", "cells waited ×2", "cells waited ×3"]


def test_the_input_may_be_removed_meanwhile(
    viewer: Any, waiting_step: StepWidget, waiting: Any, finish: Any
) -> None:
    waiting_step.run()
    assert waiting.begun.wait(30)
    viewer.layers.remove("cells")
    waiting.go_on.set()
    finish(waiting_step)
    (layer,) = viewer.layers
    assert layer.name == "cells waited ×2"
    np.testing.assert_allclose(layer.scale, (0.05, 0.05))


def test_the_viewer_may_be_closed_meanwhile(
    viewer: Any,
    waiting_step: StepWidget,
    waiting: Any,
    qtbot: Any,
    notifications: list[Any],
) -> None:
    waiting_step.run()
    assert waiting.begun.wait(30)
    job = waiting_step.watches[0].job
    viewer.close()
    qtbot.waitUntil(lambda: job.ended, timeout=PATIENCE_MILLISECONDS)
    qtbot.wait(150)
    assert waiting.cancelled
    assert len(viewer.layers) == 0
    assert notifications == []


def test_the_panel_may_be_closed_meanwhile(
    viewer: Any, waiting_step: StepWidget, waiting: Any, qtbot: Any
) -> None:
    waiting_step.run()
    assert waiting.begun.wait(30)
    gone: list[bool] = []
    waiting_step.destroyed.connect(lambda: gone.append(True))
    viewer.window.remove_dock_widget(waiting_step)
    qtbot.waitUntil(lambda: bool(gone))
    waiting.go_on.set()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=PATIENCE_MILLISECONDS)
    assert viewer.layers[-1].name == "cells waited ×2"


def test_a_deleted_layer_gives_its_memory_back(
    viewer: Any, open_widget: Any, finish: Any, movie: NDArray[Any], qtbot: Any
) -> None:
    """Neither the panel nor the compute thread keeps what a run has used or made."""
    widget = open_widget("Magnify")
    viewer.add_image(movie.copy(), name="cells")
    widget.run()
    finish(widget)
    kept = [weakref.ref(viewer.layers[0].data), weakref.ref(viewer.layers[1].data)]
    viewer.layers.clear()

    def are_gone() -> None:
        gc.collect()
        assert [each() is None for each in kept] == [True, True]

    qtbot.waitUntil(are_gone)


def test_without_an_image_the_step_says_what_to_do(
    viewer: Any, open_widget: Any, movie: NDArray[Any]
) -> None:
    widget = open_widget("eSRRF reconstruction")
    assert not widget.run_button.isEnabled()
    assert "Open Sample" in widget.status.text()
    assert widget.sample_button.isVisibleTo(widget)
    viewer.add_image(movie, name="cells")
    assert widget.run_button.isEnabled()
    assert not widget.sample_button.isVisibleTo(widget)
    assert widget.status.text() == ""
    viewer.layers.clear()
    assert not widget.run_button.isEnabled()
