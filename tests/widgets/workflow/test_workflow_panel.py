"""The workflow panel in a real viewer: built, run on layers and files, stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from movie_files import write_movie
from numpy.typing import NDArray

import napari_nanopyx as nx
from napari_nanopyx.widgets.workflow.panel import WorkflowPanel
from napari_nanopyx.workflow import Step, Workflow, run, typical
from napari_nanopyx.workflow.catalogue import KINDS

PATIENCE_MILLISECONDS = 60_000
CHAIN = Workflow(
    (
        Step(
            "estimate_drift",
            "drift",
            {"image": "movie"},
            {},
            {"implementation": "serial"},
        ),
        Step(
            "esrrf",
            "sr",
            {"image": "movie", "drift": "drift"},
            {},
            {"magnification": 2, "frames_per_timepoint": 6},
        ),
        Step("decorrelation", "resolution", {"image": "sr.mean"}),
    )
)


@pytest.fixture
def panel(viewer: Any, open_widget: Any, tmp_path: Path) -> WorkflowPanel:
    widget: WorkflowPanel = open_widget("Workflow")
    return widget


@pytest.fixture
def chain(panel: WorkflowPanel, tmp_path: Path) -> WorkflowPanel:
    """Open a small chain."""
    panel.chain.open(str(CHAIN.save(tmp_path / "chain.toml")))
    return panel


def finish(panel: WorkflowPanel, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not panel.watches, timeout=PATIENCE_MILLISECONDS)


def test_results_lie_over_the_layer(
    viewer: Any, chain: WorkflowPanel, qtbot: Any, movie: NDArray[Any]
) -> None:
    viewer.add_image(
        movie,
        name="cells",
        scale=(0.5, 0.1, 0.1),
        translate=(0, 7, 8),
        units=("s", "um", "um"),
        axis_labels=("T", "Y", "X"),
    )
    assert chain.source.currentText() == "cells"
    assert not chain.folders.isVisibleTo(chain)
    chain.run_button.click()
    finish(chain, qtbot)
    track, layer = viewer.layers[1:]
    assert (track.name, layer.name) == ("cells drift", "cells sr")
    table = nx.estimate_drift(movie, implementation="serial")
    np.testing.assert_array_equal(track.metadata["drift_table"].shifts, table.shifts)
    np.testing.assert_allclose(track.scale, (0.5, 0.1, 0.1))
    np.testing.assert_allclose(track.translate, (0, 7, 8))
    assert track.metadata["napari_nanopyx"]["step"] == "drift"
    expected = nx.esrrf(movie, 2, drift=table, frames_per_timepoint=6)
    atol = 2e-5 * np.abs(expected).max()
    np.testing.assert_allclose(layer.data, expected, rtol=0, atol=atol)
    np.testing.assert_allclose(layer.scale, (3.0, 0.05, 0.05))
    np.testing.assert_allclose(layer.translate, (1.25, 6.975, 7.975))
    assert [str(unit) for unit in layer.units][1:] == ["micrometer"] * 2
    assert layer.axis_labels == ("T", "Y", "X")
    record = layer.metadata["napari_nanopyx"]
    assert record["function"] == "napari_nanopyx.esrrf"
    assert record["parameters"]["radius"] == 1.5
    assert record["inputs"]["movie"]["layer"] == "cells"
    assert record["workflow"] == CHAIN.text
    assert record["frames_by_implementation"]
    layer.name = "renamed"
    chain.reset_choices()
    assert "Drift of 12 frames" in chain.status.text()
    assert "µm" in chain.status.text()


def test_channels_of_a_layer_come_back_in_its_order(
    viewer: Any, panel: WorkflowPanel, qtbot: Any, movie: NDArray[Any]
) -> None:
    channels = np.stack([movie, movie[:, ::-1]])
    viewer.add_image(channels, name="two", scale=(1, 0.5, 0.1, 0.1))
    esrrf = Step("esrrf", "sr", {"image": "movie"}, {}, {"magnification": 2})
    panel.model.workflow = Workflow((esrrf,))
    panel.run_button.click()
    finish(panel, qtbot)
    layer = viewer.layers[-1]
    expected = np.stack([nx.esrrf(each, 2) for each in channels])
    assert layer.data.shape == expected.shape == (2, 1, 40, 48)
    atol = 2e-5 * np.abs(expected).max()
    np.testing.assert_allclose(layer.data, expected, rtol=0, atol=atol)
    np.testing.assert_allclose(layer.scale, (1, 6, 0.05, 0.05))


def test_steps_are_added_changed_and_saved(
    panel: WorkflowPanel, tmp_path: Path
) -> None:
    panel.chain.add("magnify")
    assert panel.chain.steps.currentRow() == 4
    editor = panel.chain.editor
    assert editor is not None
    editor.form.fields["factor"].value = 3.0
    editor.name.setText("large")
    editor.name.editingFinished.emit()
    editor.save.setChecked(False)
    assert panel.chain.steps.item(4).text() == "large · magnify"
    editor.connect_input("image", "movie.mean")
    panel.chain.save(str(tmp_path / "mine"))
    last = Workflow.load(tmp_path / "mine.toml").steps[-1]
    assert last == Step(
        "magnify", "large", {"image": "movie.mean"}, {}, {"factor": 3.0}, False
    )
    panel.chain.move_step(-4)
    assert panel.model.steps[0].name == "large"
    panel.chain.remove()
    assert panel.model.workflow.steps == typical().steps


@pytest.mark.parametrize("function", KINDS)
def test_every_step_has_a_form(panel: WorkflowPanel, function: str) -> None:
    """What the form shows at first is what the function takes by default."""
    panel.model.workflow = Workflow(())
    panel.chain.add(function)
    editor = panel.chain.editor
    assert editor is not None
    before = panel.model.steps[0].parameters
    editor._take_parameters()
    assert panel.model.steps[0].parameters == before
    shown = {*editor.form.fields, *editor.inputs}
    assert shown >= KINDS[function].hints.keys() & {"kernel", "radius", "factor"}


def test_what_is_wrong_is_said_and_cannot_run(
    viewer: Any, panel: WorkflowPanel, movie: NDArray[Any]
) -> None:
    viewer.add_image(movie)
    assert panel.run_button.isEnabled()
    panel.chain.steps.setCurrentRow(0)
    panel.chain.remove()
    assert not panel.run_button.isEnabled()
    assert "inputs.drift is 'drift'" in panel.status.text()


def test_a_file_that_is_no_workflow_is_a_notification(
    panel: WorkflowPanel, notifications: list[Any], tmp_path: Path
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text("import os")
    panel.chain.open(str(path))
    assert "no TOML text" in notifications[-1].message
    assert panel.model.workflow == typical()


def test_a_folder_of_files_gives_a_table(
    panel: WorkflowPanel, chain: WorkflowPanel, qtbot: Any, tmp_path: Path, movie: Any
) -> None:
    assert chain.source.currentText() == "a folder of files"
    assert not chain.run_button.isEnabled()
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    write_movie(folder / "a.tif", movie)
    (folder / "b.tif").write_bytes(b"nothing")
    (folder / "notes.txt").write_text("not a movie")
    chain.choose("input", str(folder))
    chain.choose("output", str(output))
    assert chain.run_button.isEnabled()
    chain.run_button.click()
    finish(chain, qtbot)
    assert chain.table.rowCount() == 2
    titles = [
        chain.table.horizontalHeaderItem(column).text()
        for column in range(chain.table.columnCount())
    ]
    state = titles.index("state")
    assert chain.table.item(0, state).text() == "done"
    assert chain.table.item(1, state).text() == "failed"
    assert "1 of 2 movies done" in chain.status.text()
    assert "b.tif: failed" in chain.status.text()
    assert (output / "a_sr.tif").exists()
    assert (output / "summary.csv").exists()
    chain.run_button.click()
    finish(chain, qtbot)
    assert "would be replaced" in chain.status.text()


def test_an_image_that_does_not_suit_is_a_notification(
    viewer: Any, chain: WorkflowPanel, qtbot: Any, notifications: list[Any]
) -> None:
    viewer.add_image(np.ones((12, 20, 24), np.float32), name="flat")
    chain.model.workflow = Workflow((Step("frc", "f", {"image_a": "movie"}),))
    chain.run_button.click()
    finish(chain, qtbot)
    assert "'movie' has 12 frames" in notifications[-1].message
    assert len(viewer.layers) == 1


def test_stopping_adds_nothing(
    viewer: Any,
    chain: WorkflowPanel,
    qtbot: Any,
    movie: NDArray[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from threading import Event

    from napari_nanopyx.widgets.workflow import runs as workflow_runs

    begun, calls = Event(), []

    def waiting(*arguments: Any, report: Any, **options: Any) -> Any:
        def told(moment: Any) -> None:
            report(moment)
            calls.append(moment.step)
            begun.set()
            while not options["cancel"].wait(0.01):
                pass

        return run(*arguments, report=told, **options)

    monkeypatch.setattr(workflow_runs, "run", waiting)
    viewer.add_image(movie, name="cells")
    chain.run_button.click()
    qtbot.waitUntil(begun.is_set, timeout=PATIENCE_MILLISECONDS)
    chain.stop_button.click()
    finish(chain, qtbot)
    assert "Stopped" in chain.status.text()
    assert len(viewer.layers) == 1
    assert set(calls) == {"drift"}


def test_results_arrive_though_the_panel_is_closed(
    viewer: Any, chain: WorkflowPanel, qtbot: Any, movie: NDArray[Any]
) -> None:
    layer = viewer.add_image(movie, name="cells")
    chain.run_button.click()
    chain.run_button.click()
    assert len(chain.watches) == 2
    assert "1 waiting" in chain.status.text()
    viewer.layers.remove(layer)
    viewer.window.remove_dock_widget(chain)
    qtbot.waitUntil(lambda: len(viewer.layers) == 4, timeout=PATIENCE_MILLISECONDS)
    assert [each.name for each in viewer.layers[:2]] == ["cells drift", "cells sr"]
