"""The engine panel in a real viewer."""

from __future__ import annotations

from typing import Any

import pytest
from numpy.typing import NDArray

import napari_nanopyx
from napari_nanopyx import engine
from napari_nanopyx.engine import Implementation
from napari_nanopyx.widgets.engine_panel import EnginePanel, missing_lines

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
        found[item.text(0)] = [item.text(column) for column in (1, 2, 3)]
    return found


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
    milliseconds, timed, last = lines(panel)["reference"]
    assert float(milliseconds) > 0
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
    missing = [
        Implementation("esrrf", name, "compiled", "", **absent)  # type: ignore[arg-type]
        for name in ("serial", "numba")
    ]
    assert missing_lines(missing) == (
        "<b>serial, numba</b>: no &lt;compiler&gt;. <i>get one</i>"
    )
