"""Every step explains itself, runs, can be stopped, and fails in a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from magicgui.widgets import FloatSpinBox, SpinBox
from npe2 import PluginManifest

import napari_nanopyx as nx
from napari_nanopyx.data import telomeres
from napari_nanopyx.widgets.step import StepWidget
from napari_nanopyx.widgets.steps.simulation import SimulateStep

PATIENCE_MILLISECONDS = 60_000
MANIFEST = Path(__file__).parents[2] / "napari.yaml"
CONTRIBUTIONS = PluginManifest.from_file(MANIFEST).contributions
_HOMES = {command.id: command.python_name for command in CONTRIBUTIONS.commands or ()}
STEPS = [
    widget.display_name
    for widget in CONTRIBUTIONS.widgets or ()
    if ".widgets.steps." in _HOMES[widget.command]
]
QUICK: dict[str, Any] = {
    "radii": [1.0],
    "sensitivities": [1.0],
    "magnification": 2,
    "patch_distance": 3,
    "n_r": 20,
    "blocks_per_axis": 1,
    "blocks": 2,
}
METHODS = {
    "correct_drift",
    "decorrelation",
    "decorrelation_map",
    "denoise_nlm",
    "error_map",
    "esrrf",
    "esrrf_3d",
    "estimate_channel_shifts",
    "estimate_drift",
    "frc",
    "frc_map",
    "magnify",
    "register_channels",
    "srrf",
    "sweep_esrrf",
    "transform",
}


def pages(widget: Any) -> list[StepWidget]:
    """Return the forms of a widget: one, or one for each simulated scene."""
    if not isinstance(widget, SimulateStep):
        return [widget]
    found = [widget.forms.widget(place) for place in range(widget.forms.count())]
    return [page for page in found if isinstance(page, StepWidget)]


def test_every_method_has_a_step(open_widget: Any) -> None:
    functions = {
        page.step.function.__name__
        for name in STEPS
        for page in pages(open_widget(name))
    }
    assert functions >= METHODS


@pytest.mark.parametrize("name", STEPS)
def test_every_field_explains_itself_and_has_a_range(
    name: str, open_widget: Any
) -> None:
    unlimited = FloatSpinBox().max, SpinBox().max
    for page in pages(open_widget(name)):
        for field_name, field in page.form.fields.items():
            assert len(field.tooltip or "") > 10, field_name
            assert "`" not in field.tooltip, field_name
            if isinstance(field, FloatSpinBox | SpinBox):
                assert field.min <= field.value <= field.max
                assert field.max not in unlimited, field_name


@pytest.mark.parametrize("name", STEPS)
def test_reset_brings_every_field_back(name: str, open_widget: Any) -> None:
    for page in pages(open_widget(name)):
        before = page.form.parameters
        for field in page.form.fields.values():
            if isinstance(field, FloatSpinBox | SpinBox):
                field.value = field.max
        page.reset_button.click()
        assert page.form.parameters == before


@pytest.mark.parametrize("name", [name for name in STEPS if "Simul" not in name])
def test_every_step_runs_on_real_data_stops_and_fails_in_a_sentence(
    name: str,
    viewer: Any,
    open_widget: Any,
    notifications: list[Any],
    qtbot: Any,
    tmp_path: Path,
) -> None:
    movie = telomeres()[0][:10, 30:94, 40:104]
    if "hannel" in name:  # frames of a moving cell are no channels of one scene
        movie = np.stack([movie[0], np.roll(movie[0], 2, axis=0)])
    viewer.add_image(movie, name="telomeres")
    widget = open_widget(name)
    for field, value in QUICK.items():
        if field in widget.form.fields:
            widget.form.fields[field].value = value
    _give_files(widget, movie, tmp_path)

    def finish() -> None:
        qtbot.waitUntil(lambda: not widget.watches, timeout=PATIENCE_MILLISECONDS)

    widget.run_button.click()
    finish()
    assert "Done in" in widget.status.text()
    made = widget.step.place is not None
    assert len(viewer.layers) == 1 + made

    real, stopped = widget.step.function, Event()

    def waits(**given: Any) -> Any:
        assert stopped.wait(30)
        return real(**given)

    widget.step = replace(widget.step, function=waits)
    widget.run_button.click()
    qtbot.waitUntil(lambda: widget.watches[0].job.started)
    widget.stop_button.click()
    stopped.set()
    finish()
    assert "Stopped" in widget.status.text()
    assert len(viewer.layers) == 1 + made
    assert notifications == []

    widget.step = replace(widget.step, function=real)
    broken = movie.astype(np.float32)
    broken[:, 30, 30] = np.nan
    viewer.layers.clear()
    viewer.add_image(broken, name="broken", contrast_limits=(0, 300))
    widget.run_button.click()
    finish()
    assert len(viewer.layers) == 1
    (notification,) = notifications
    assert "NaN" in notification.message
    assert "Traceback" not in notification.message
    assert widget.run_button.isEnabled()


def _give_files(widget: StepWidget, movie: Any, folder: Path) -> None:
    if "table" in widget.form.fields:
        nx.estimate_drift(movie).save(folder / "drift.csv")
        widget.form.fields["table"].value = folder / "drift.csv"
    if "registration" in widget.form.fields:
        found = nx.estimate_channel_shifts(movie, max_shift=5, blocks_per_axis=1)
        found.save(folder / "channels.tif")
        widget.form.fields["registration"].value = folder / "channels.tif"


@pytest.mark.parametrize("place", range(5))
def test_every_scene_is_simulated(
    place: int, viewer: Any, open_widget: Any, qtbot: Any
) -> None:
    widget = open_widget("Simulate data")
    widget.scenes.setCurrentIndex(place)
    page = widget.step_widget
    if "frames" in page.form.fields:
        page.form.fields["frames"].value = 7
    page.run_button.click()
    qtbot.waitUntil(lambda: not page.watches, timeout=PATIENCE_MILLISECONDS)
    (layer,) = viewer.layers
    assert layer.name == page.step.title
    assert layer.axis_labels == tuple(page.step.axes)
    assert np.ptp(layer.data) > 0
    record = layer.metadata["napari_nanopyx"]
    variables: dict[str, Any] = {}
    exec(page.script(), variables)
    image = page.step.image(variables["result"])
    np.testing.assert_array_equal(np.squeeze(image), layer.data)
    assert record["function"].startswith("napari_nanopyx.simulate.")


def test_a_simulation_that_cannot_be_is_told(
    viewer: Any, open_widget: Any, notifications: list[Any], qtbot: Any
) -> None:
    widget = open_widget("Simulate data")
    widget.scenes.setCurrentIndex(widget.scenes.count() - 1)
    page = widget.step_widget
    page.form.fields["margin"].value = 900.0
    page.run_button.click()
    qtbot.waitUntil(lambda: not page.watches, timeout=PATIENCE_MILLISECONDS)
    assert len(viewer.layers) == 0
    (notification,) = notifications
    assert "margin" in notification.message
