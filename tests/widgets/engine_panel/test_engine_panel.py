"""The engine panel in a real viewer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray
from qtpy.QtCore import Qt

import napari_nanopyx
from napari_nanopyx import engine
from napari_nanopyx.engine import Implementation
from napari_nanopyx.widgets.engine_panel.model import Row
from napari_nanopyx.widgets.engine_panel.panel import EnginePanel, missing_lines
from napari_nanopyx.widgets.steering import steering

PATIENCE_MILLISECONDS = 60_000


@pytest.fixture
def panel(viewer: Any, open_widget: Any, qtbot: Any) -> Any:
    panel = open_widget("Liquid Engine")
    qtbot.waitUntil(lambda: panel.model.loaded, timeout=PATIENCE_MILLISECONDS)
    return panel


def lines(panel: EnginePanel) -> dict[str, list[str]]:
    """Return the texts of the table by implementation."""
    found = {}
    for place in range(panel.table.topLevelItemCount()):
        item = panel.table.topLevelItem(place)
        assert item is not None
        name = item.data(0, Qt.ItemDataRole.UserRole)
        found[name] = [item.text(column) for column in range(5)]
    return found


def dots(panel: EnginePanel) -> dict[str, int]:
    """Return how many warm blocks the plot shows, by implementation."""
    return {
        name: len(item.getData()[0])
        for (name, _, kind), item in panel.plot._drawn.items()
        if kind == "warm"
    }


def test_every_implementation_is_shown_or_explained(panel: Any) -> None:
    panel._redraw()
    shown = lines(panel)
    for found in engine.implementations("esrrf"):
        if found.available:
            assert found.name in shown
        else:
            assert found.name in panel.missing.text()


def test_a_run_shows_up_with_its_choice(
    panel: Any, movie: NDArray[Any], qtbot: Any
) -> None:
    with engine.use("reference"):
        napari_nanopyx.esrrf(movie, magnification=2)
    panel._redraw()
    qtbot.waitUntil(lambda: panel.model.rows[0].expected is not None)
    panel._redraw()
    _, milliseconds, between, timed, last = lines(panel)["reference"]
    low, high = between.split("–")
    assert 0 < float(low) <= float(milliseconds) <= float(high)
    assert int(timed) > 0
    assert last.endswith("ago")
    assert panel.choice.text().startswith("reference: ")
    assert "12 of 12 frames" in panel.activity.text()
    assert "20 × 24" in panel.workload.text()
    bold = [
        panel.table.topLevelItem(place).text(0)
        for place in range(panel.table.topLevelItemCount())
        if panel.table.topLevelItem(place).font(0).bold()
    ]
    assert bold == ["reference"]


def test_choosing_another_task_reads_its_history(panel: Any, qtbot: Any) -> None:
    panel.tasks.setCurrentIndex(panel.tasks.findData("magnify"))
    assert panel.model.task == "magnify"
    qtbot.waitUntil(lambda: panel.model.loaded, timeout=PATIENCE_MILLISECONDS)


def test_a_hidden_panel_costs_nothing(panel: Any) -> None:
    panel.window().show()
    panel.parent().show()
    assert panel._timer.isActive()
    panel.parent().hide()
    assert not panel._timer.isActive()
    panel.window().hide()


def test_a_closed_panel_no_longer_listens(viewer: Any, panel: Any, qtbot: Any) -> None:
    model = panel.model
    listening = len(engine.events.block_finished)
    gone: list[bool] = []
    panel.destroyed.connect(lambda: gone.append(True))
    viewer.window.remove_dock_widget(panel)
    qtbot.waitUntil(lambda: bool(gone))
    assert len(engine.events.block_finished) == listening - 1
    before = model.revision
    engine.events.run_finished.emit(
        engine.Run(1, "esrrf", {}, (1, 3, 3), "uint8", 1, state="finished")
    )
    assert model.revision == before


def test_missing_ones_with_one_reason_share_a_line() -> None:
    absent = {"available": False, "reason": "no <compiler>", "remedy": "get one"}
    rows = [
        Row(Implementation("esrrf", name, "compiled", "", **absent))  # type: ignore[arg-type]
        for name in ("serial", "numba")
    ]
    assert missing_lines(rows) == (
        "<b>serial, numba</b>: no &lt;compiler&gt;. <i>get one</i>"
    )


def test_blocks_appear_in_the_plot_while_a_run_is_going_on(
    panel: Any, movie: NDArray[Any]
) -> None:
    seen: list[int] = []

    def look(_done: int, _total: int) -> None:
        panel._redraw()
        seen.append(dots(panel).get("reference", 0))

    with engine.use("reference"):
        napari_nanopyx.esrrf(movie, magnification=2, sensitivity=1.3, progress=look)
    assert len(seen) > 1
    assert seen == list(range(seen[0], seen[0] + len(seen)))
    assert seen[0] >= 1


def test_filters_choose_the_blocks_of_the_plot(panel: Any, movie: NDArray[Any]) -> None:
    for name in ("reference", "serial"):
        with engine.use(name):
            napari_nanopyx.esrrf(movie, magnification=3)
    panel._redraw()
    assert {"reference", "serial"} <= dots(panel).keys()
    choose(panel.filters.implementations, "serial")
    panel._redraw()
    assert dots(panel).get("serial", 0) > 0
    assert dots(panel).get("reference", 0) == 0
    choose(panel.filters.implementations, "All implementations")
    with engine.use("serial"):
        napari_nanopyx.esrrf(movie[:, :18, :16], magnification=3)
    panel._redraw()
    few = sum(dots(panel).values())
    choose(panel.filters.frames, "All frames")
    panel._redraw()
    assert sum(dots(panel).values()) > few
    choose(panel.filters.frames, "18 × 16")
    panel._redraw()
    assert sum(dots(panel).values()) == few


def choose(chooser: Any, text: str) -> None:
    place = chooser.findText(text)
    assert place >= 0
    chooser.setCurrentIndex(place)


def test_a_pinned_implementation_computes_the_next_run(
    viewer: Any, panel: Any, movie: NDArray[Any], open_widget: Any, qtbot: Any
) -> None:
    panel._redraw()
    panel.steering.pin.setCurrentIndex(panel.steering.pin.findData("serial"))
    panel.steering.pin.activated.emit(panel.steering.pin.currentIndex())
    try:
        panel._redraw()
        assert lines(panel)["serial"][0] == "serial (pinned)"
        viewer.add_image(movie, name="cells")
        step = open_widget("eSRRF reconstruction")
        step.run()
        qtbot.waitUntil(lambda: not step.watches, timeout=PATIENCE_MILLISECONDS)
        (run,) = viewer.layers[-1].metadata["napari_nanopyx"]["runs"]
        assert list(run["frames_by_implementation"]) == ["serial"]
    finally:
        steering.pin("esrrf", None)


def test_a_policy_that_cannot_be_had_is_refused_with_its_remedy(
    panel: Any, notifications: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "napari_nanopyx._engine.policy.policies.find_spec", lambda _name: None
    )
    panel.steering.policy.setCurrentIndex(panel.steering.policy.findData("paper"))
    panel.steering.policy.activated.emit(panel.steering.policy.currentIndex())
    assert panel.steering.policy.currentData() == "default"
    assert "pip install" in notifications[-1].message


def test_the_history_is_exported(
    panel: Any, movie: NDArray[Any], tmp_path: Path, notifications: list[Any]
) -> None:
    with engine.use("serial"):
        napari_nanopyx.esrrf(movie, magnification=2)
    path = tmp_path / "history.csv"
    panel.export_history(str(path))
    assert path.read_text().startswith("task,")
    assert "measurements saved" in notifications[-1].message
    panel.export_history(str(tmp_path / "nowhere" / "history.csv"))
    assert "could not be saved" in notifications[-1].message


def test_a_tall_panel_is_scrolled_in_a_low_window(panel: Any) -> None:
    assert panel.minimumSizeHint().height() < 450
