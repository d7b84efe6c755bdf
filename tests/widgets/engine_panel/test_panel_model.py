"""What the engine panel shows, without a window."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from napari_nanopyx import engine
from napari_nanopyx.engine import (
    Choice,
    Expected,
    Implementation,
    Measurement,
    Run,
    Timing,
    Workload,
)
from napari_nanopyx.widgets.engine_panel.model import PanelModel, Row, missing
from napari_nanopyx.widgets.engine_panel.samples import Filters

SERIAL = Implementation("esrrf", "serial", "compiled", "a processor")
THREADS = Implementation("esrrf", "threads-dynamic", "compiled", "a processor")
NUMBA = Implementation(
    "esrrf", "numba", "numba", "", False, "numba is not installed", "pip install numba"
)
SMALL = Workload("esrrf", "d", (20, 24), "uint16", {"magnification": 5}, 1.0, 1.0)
LARGE = Workload("esrrf", "d", (200, 240), "uint16", {"magnification": 5}, 1.0, 1.0)


def measurement(
    name: str, workload: Workload = SMALL, at: float = 1.0, outcome: str = "ok"
) -> Measurement:
    timing = Timing(0.0, 0.0, 0.5)
    return Measurement(workload, name, "a processor", 10, timing, outcome, at)


def run(task: str = "esrrf", **changes: Any) -> Run:
    return Run(
        **{
            "id": 1,
            "task": task,
            "parameters": {"magnification": 5},
            "shape": (100, 20, 24),
            "dtype": "uint16",
            "frames_total": 100,
            **changes,
        }
    )


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[PanelModel]:
    """Model of an engine with two implementations, a missing one, a short history."""
    history = [
        measurement("serial", LARGE),
        measurement("serial", SMALL, at=2.0),
        measurement("serial", SMALL, at=3.0),
        measurement("serial", SMALL, at=4.0, outcome="failed"),
    ]
    monkeypatch.setattr(
        engine, "implementations", lambda task: [SERIAL, THREADS, NUMBA]
    )
    monkeypatch.setattr(engine, "history", lambda task, newest: history)
    monkeypatch.setattr(engine, "expected", lambda task: {"serial": Expected(0.05, ())})
    model = PanelModel()
    end = model.listen()
    yield model
    end()


def emit_block(name: Implementation, **changes: Any) -> None:
    changes = {"frames_done": 10, "implementation": name.name, **changes}
    slowdown = changes.pop("slowdown", 1.0)
    now = run(reason="fastest so far", **changes)
    known = {
        "serial": Expected(0.06, ()),
        "threads-dynamic": Expected(0.02, (), slowdown),
    }
    choice = Choice(name, 10, 0.02, "fastest so far", known)
    engine.events.block_finished.emit(
        now, choice, measurement(name.name, at=9.0), now.frames_done, now.frames_total
    )


def test_nothing_is_known_before_loading(model: PanelModel) -> None:
    assert model.rows == []
    assert not model.loaded
    assert model.choice == ""
    assert model.activity == "Not running."


def test_loading_counts_what_was_measured_on_such_frames(model: PanelModel) -> None:
    model.load()
    serial, threads, numba = model.rows
    assert (serial.implementation, serial.measurements) == (SERIAL, 2)
    assert (serial.expected, serial.last) == (0.05, 3.0)
    assert (threads.measurements, threads.expected, threads.last) == (0, None, None)
    assert numba.implementation is NUMBA
    assert model.workload == "For frames of 20 × 24, uint16; magnification 5."


def test_missing_implementations_come_last(model: PanelModel) -> None:
    model.load()
    available = [row.implementation.available for row in model.rows]
    assert available == [True, True, False]


def test_a_block_moves_the_choice_and_the_expectations(model: PanelModel) -> None:
    model.load()
    emit_block(THREADS)
    first, second, _ = model.rows
    assert (first.implementation, first.expected, first.current) == (
        THREADS,
        0.02,
        True,
    )
    assert (first.measurements, first.last) == (1, 9.0)
    assert (second.implementation, second.expected) == (SERIAL, 0.06)
    assert not second.current
    assert model.choice == "threads-dynamic: fastest so far."
    assert model.activity.startswith("Running: 10 of 100 frames")
    emit_block(SERIAL)
    assert [row.implementation.name for row in model.rows if row.current] == ["serial"]


def test_other_tasks_change_nothing(model: PanelModel) -> None:
    model.load()
    before = model.revision, model.rows
    emit_block(THREADS, task="magnify")
    engine.events.run_finished.emit(run("magnify", state="finished"))
    assert (model.revision, model.rows) == before


def test_the_end_of_a_run_is_told(model: PanelModel) -> None:
    model.load()
    engine.events.run_finished.emit(
        run(state="cancelled", frames_done=40, seconds=1.25)
    )
    assert model.activity == "Cancelled: 40 of 100 frames, 1.25 s."


def test_a_failed_implementation_moves_to_the_missing_ones(model: PanelModel) -> None:
    model.load()
    engine.events.implementation_quarantined.emit(SERIAL, "it ran out of memory")
    row = next(row for row in model.rows if row.implementation.name == "serial")
    assert not row.implementation.available
    assert row.implementation.reason == "it ran out of memory"


def test_every_change_raises_the_revision(model: PanelModel) -> None:
    seen = [model.revision]
    model.load()
    seen.append(model.revision)
    emit_block(THREADS)
    seen.append(model.revision)
    engine.events.run_finished.emit(run(state="finished"))
    seen.append(model.revision)
    model.show("magnify")
    seen.append(model.revision)
    assert seen == sorted(set(seen))


def test_turning_to_another_task_forgets_the_old_one(model: PanelModel) -> None:
    model.load()
    emit_block(THREADS)
    model.show("magnify")
    assert model.rows == []
    assert model.choice == ""


def test_a_load_that_comes_too_late_is_dropped(
    model: PanelModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def turn_meanwhile(task: str) -> dict[str, float]:
        model.show("magnify")
        return {}

    monkeypatch.setattr(engine, "expected", turn_meanwhile)
    model.load()
    assert not model.loaded
    assert model.rows == []


def test_a_delay_is_told_when_it_is_noticed_and_when_it_ends(
    model: PanelModel,
) -> None:
    model.load()
    emit_block(THREADS, slowdown=3.0)
    (delay,) = model.delays
    assert (delay.implementation, delay.ended) == ("threads-dynamic", None)
    emit_block(THREADS, slowdown=1.0)
    assert all(each.ended is not None for each in model.delays)


def test_times_of_frames_like_the_last_follow_the_run(model: PanelModel) -> None:
    model.load()
    assert model.series["serial"].warm[0] == [1, 2]
    model.filter(Filters(), only_alike=False)
    assert model.series["serial"].warm[0] == [1, 2, 3]
    model.filter(Filters(), only_alike=True)
    larger = measurement("serial", LARGE, at=9.0)
    choice = Choice(SERIAL, 10, 0.02, "fastest so far")
    engine.events.block_finished.emit(run(), choice, larger, 10, 100)
    assert model.series["serial"].warm[0] == [1, 2]
    assert "200 × 240" in model.workload


def test_filters_outlive_another_reading(model: PanelModel) -> None:
    model.load()
    model.filter(Filters(implementation="numba"), only_alike=False)
    model.load()
    assert model.series == {}


def test_what_to_expect_can_be_asked_again(
    model: PanelModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.load()
    monkeypatch.setattr(engine, "expected", lambda task: {"serial": Expected(7.0, ())})
    model.refresh()
    assert model.rows[0].expected == 7.0


def test_missing_ones_with_one_reason_share_a_line() -> None:
    absent = {"available": False, "reason": "no compiler", "remedy": "get one"}
    rows = [
        Row(Implementation("esrrf", name, "compiled", "", **absent))  # type: ignore[arg-type]
        for name in ("serial", "numba")
    ]
    assert missing([*rows, Row(THREADS)]) == [
        (["serial", "numba"], "no compiler", "get one")
    ]


def test_listening_can_be_ended(model: PanelModel) -> None:
    other = PanelModel()
    end = other.listen()
    end()
    end()
    before = other.revision
    engine.events.run_started.emit(run())
    assert other.revision == before


def test_the_model_needs_no_window() -> None:
    code = (
        "import sys; import napari_nanopyx.widgets.engine_panel.model; "
        "print({'qtpy', 'napari', 'magicgui'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
