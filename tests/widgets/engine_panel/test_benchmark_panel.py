"""The benchmark of the engine, from its own step and from the engine panel."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_nanopyx import engine
from napari_nanopyx._engine.benchmarking.cells import cells
from napari_nanopyx._kernels import tasks
from napari_nanopyx.engine import Benchmark, BenchmarkCancelled, BenchmarkRow
from napari_nanopyx.widgets.engine_panel.benchmark_box import summary
from napari_nanopyx.widgets.engine_panel.model import TASKS
from napari_nanopyx.widgets.engine_panel.parameter_fields import offered

PATIENCE_MILLISECONDS = 120_000


@pytest.fixture
def panel(viewer: Any, open_widget: Any) -> Any:
    return open_widget("Benchmark the engine")


def choose(panel: Any, task: str) -> None:
    panel.tasks.setCurrentIndex(panel.tasks.findData(task))


def finish(qtbot: Any, panel: Any) -> None:
    qtbot.waitUntil(lambda: panel.box.watch is None, timeout=PATIENCE_MILLISECONDS)


def test_a_benchmark_is_run_shown_and_saved(
    panel: Any, qtbot: Any, tmp_path: Path
) -> None:
    choose(panel, "magnify")
    panel.sizes.setText("16, 24")
    panel.repeats.setValue(1)
    seen: list[int] = []
    panel.box.bar.valueChanged.connect(seen.append)
    panel.box.run_button.click()
    assert not panel.box.run_button.isEnabled()
    finish(qtbot, panel)
    assert "16 × 16" in panel.box.said.text()
    assert "24 × 24" in panel.box.said.text()
    assert "implementation" in panel.table.toPlainText()
    assert panel.plot.isVisibleTo(panel)
    assert seen
    assert any(m.workload.shape == (24, 24) for m in engine.history("magnify"))
    path = tmp_path / "benchmark.csv"
    panel.box.save(str(path))
    assert path.read_text().startswith("task,")


def test_a_layer_of_ones_own_can_be_measured(
    viewer: Any, panel: Any, movie: NDArray[np.uint16], qtbot: Any
) -> None:
    viewer.add_image(movie, name="cells")
    choose(panel, "magnify")
    panel.inputs.setCurrentIndex(panel.inputs.findText("cells"))
    assert not panel.sizes.isEnabled()
    panel.repeats.setValue(1)
    panel.box.run()
    finish(qtbot, panel)
    assert "20 × 24" in panel.box.said.text()


def test_stop_keeps_what_was_measured(
    panel: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = Event()

    def benchmark(task: str, *, cancel: Any, **given: Any) -> Benchmark:
        begun.set()
        assert cancel.wait(30)
        raise BenchmarkCancelled(Benchmark(task, []))

    monkeypatch.setattr(engine, "benchmark", benchmark)
    panel.box.run()
    assert begun.wait(30)
    panel.box.stop_button.click()
    finish(qtbot, panel)
    assert "Stopped" in panel.box.said.text()
    assert panel.box.run_button.isEnabled()


def test_parameters_of_the_task_are_measured(panel: Any, qtbot: Any) -> None:
    choose(panel, "convolve")
    fields = panel.parameters.fields
    assert list(fields) == ["kernel_size", "separable"]
    fields["kernel_size"].setText("3, 5")
    panel.sizes.setText("16")
    panel.repeats.setValue(1)
    panel.box.run()
    finish(qtbot, panel)
    measured = [row.parameters for row in panel.box.result.rows]
    assert {each["kernel_size"] for each in measured} == {3, 5}


def test_choices_are_measured_one_or_each(panel: Any) -> None:
    choose(panel, "esrrf")
    assert panel.parameters.values == {}
    fields = panel.parameters.fields
    choose_text(fields["temporal"], "VAR")
    choose_text(fields["intensity_weighting"], "no")
    choose_text(fields["gradient"], "each of them")
    assert panel.parameters.values == {
        "temporal": "VAR",
        "intensity_weighting": False,
        "gradient": ["roberts", "two_point"],
    }
    choose(panel, "magnify")
    assert panel.parameters.values == {}


def choose_text(chooser: Any, text: str) -> None:
    place = chooser.findText(text)
    assert place >= 0
    chooser.setCurrentIndex(place)


@pytest.mark.parametrize("task", TASKS)
def test_the_engine_takes_every_parameter_that_is_offered(task: str) -> None:
    declared = tasks()[task]
    assert offered(declared)
    for parameter in offered(declared):
        values = [*parameter.choices] or [parameter.default]
        if isinstance(parameter.default, bool):
            values = [True, False]
        assert cells(declared, None, [32], {parameter.name: values})


def test_parameters_that_are_no_numbers_are_told(panel: Any, qtbot: Any) -> None:
    choose(panel, "esrrf")
    panel.parameters.fields["magnification"].setText("2.5")
    panel.box.run()
    assert "magnification is '2.5'" in panel.box.said.text()
    assert "whole numbers" in panel.box.said.text()
    assert panel.box.watch is None
    panel.parameters.fields["magnification"].setText("200")
    panel.box.run()
    finish(qtbot, panel)
    assert "from 1 to 10" in panel.box.said.text()


def test_sizes_that_are_no_numbers_are_told(panel: Any) -> None:
    panel.sizes.setText("64, big")
    panel.box.run()
    assert "whole numbers" in panel.box.said.text()
    assert panel.box.watch is None


def test_sizes_that_the_task_refuses_are_told(panel: Any, qtbot: Any) -> None:
    panel.sizes.setText("-3")
    panel.box.run()
    finish(qtbot, panel)
    assert "sizes holds -3" in panel.box.said.text()


def test_the_engine_panel_benchmarks_its_task(
    open_widget: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def benchmark(task: str, **given: Any) -> Benchmark:
        asked.append((task, given["sizes"]))
        return Benchmark(task, [])

    monkeypatch.setattr(engine, "benchmark", benchmark)
    panel = open_widget("Liquid Engine")
    panel.tasks.setCurrentIndex(panel.tasks.findData("srrf"))
    panel.benchmark.run_button.click()
    qtbot.waitUntil(lambda: panel.benchmark.watch is None)
    assert asked == [("srrf", (64, 128, 256))]


def test_wrong_numbers_are_said_in_the_summary() -> None:
    row = BenchmarkRow("magnify", (8, 8), "uint16", {}, "odd", "", "wrong", "too large")
    assert summary(Benchmark("magnify", [row])) == (
        "odd gives other numbers than the reference: too large"
    )
    assert summary(Benchmark("magnify", [])) == "Nothing could be measured."
