"""Recorded traces, the delay experiment and the overhead, with a load that is none."""

from __future__ import annotations

import argparse
import json
import platform
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import delays, delays_report, overhead, recording
from benchmarks import trace as traces
from benchmarks.empty_task import IMPLEMENTATIONS, EmptyPlan, installed
from benchmarks.home import history_in
from benchmarks.jobs import JOBS, Job
from benchmarks.load import Load
from benchmarks.recording import SCHEDULES, Recorder
from benchmarks.replay import PLAYERS
from benchmarks.replaying import replay
from napari_nanopyx import engine
from napari_nanopyx._engine import catalogue
from napari_nanopyx._engine.measurements import history
from napari_nanopyx._engine.running import runner

TINY = Job("magnify", {"factor": (2.0, 2.0)}, 2, 12)


class NoLoad:
    """Remembers when it was switched, and loads nothing."""

    summary = "no load"

    def __init__(self) -> None:
        self.is_on = False
        self.switched: list[bool] = []

    def switch(self, on: bool) -> None:
        """Be on or off."""
        if on != self.is_on:
            self.switched.append(on)
        self.is_on = on


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    monkeypatch.setattr(recording, "FEWEST_STEPS", 40)
    monkeypatch.setattr(recording, "MOST_STEPS", 40)
    return Recorder(TINY, NoLoad())  # type: ignore[arg-type]


def test_load_works_and_rests_when_told() -> None:
    with Load(gpu=False, processes=1) as load:
        assert not load.is_on
        for on in (True, True, False, True):
            load.switch(on)
            assert load.is_on == on
        (child,) = load._children
        assert child.poll() is None
    assert child.returncode is not None


def test_a_load_that_has_gone_is_an_error() -> None:
    with Load(gpu=False, processes=1) as load:
        load._children[0].kill()
        load._children[0].wait()
        with pytest.raises((RuntimeError, BrokenPipeError)):
            load.switch(on=True)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule.name)
def test_a_recorded_trace_can_be_replayed(
    recorder: Recorder,
    schedule: recording.Schedule,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recording, "HOPELESS", np.inf)
    recorded = recorder.record(schedule, 0.0, "here")
    recorder.close()
    assert recorded.name == f"here magnify, {schedule.name}"
    usable = {
        each.name
        for each in catalogue.candidates("magnify", wait=True, plan=TINY.plan())
        if each.available and each.kind != "reference"
    }
    assert set(recorded.seconds) == set(recorded.kinds) == usable
    for seconds in recorded.seconds.values():
        assert seconds.shape == (40,)
        assert (seconds > 0).all()
    assert bool(recorded.history) == bool(recorded.prepared) == schedule.is_known
    assert len(recorded.workloads) == len(schedule.sizes)
    traces.write(recorded, tmp_path / "trace.json")
    assert platform.node() not in (tmp_path / "trace.json").read_text()
    again = traces.read(tmp_path / "trace.json")
    assert again.machine["Processor"]
    assert sum(replay(again, PLAYERS["default"]).frames.values()) == 40 * TINY.frames
    assert set(recorded.block_seconds) == usable
    assert all(seconds >= 0 for seconds in recorded.block_seconds.values())


def test_the_load_follows_the_schedule(recorder: Recorder) -> None:
    loaded = {}
    for schedule in SCHEDULES:
        parts = [schedule.is_loaded(step / 40) for step in range(40)]
        loaded[schedule.name] = sum(parts) / 40
        load = recorder._load = NoLoad()  # type: ignore[assignment]
        recorder.record(schedule, 0.0)
        expected = 2 * sum(
            now and not before
            for now, before in zip(parts, [False, *parts], strict=False)
        )
        # It is also tried for a moment to learn how many steps the time allows, and the
        # first time who is hopeless even then.
        tried = any(parts) + (len(loaded) == 1)
        assert len(load.switched) == expected + 2 * tried
        assert not load.is_on
    recorder.close()
    assert loaded["steady"] == 0
    assert loaded["load that stays"] == pytest.approx(2 / 3, abs=0.03)
    assert loaded["load that ends"] == pytest.approx(1 / 3, abs=0.03)


def test_what_fails_has_no_time(recorder: Recorder) -> None:
    bench = recorder._bench(1.0)
    works = bench.sessions["serial"].run
    calls = [0]

    def fail(*given: Any) -> Any:
        calls[0] += 1
        if calls[0] > 40:
            raise RuntimeError("gone")
        return works(*given)

    bench.sessions["serial"].run = fail  # type: ignore[method-assign]
    (steady,) = (each for each in SCHEDULES if each.name == "steady")
    seconds = recorder.record(steady, 0.0).seconds["serial"]
    recorder.close()
    assert 0 < np.isnan(seconds).sum() < 40
    assert np.isnan(seconds[-1])


def test_every_job_is_the_call_of_a_user() -> None:
    for name, job in JOBS.items():
        small = replace(job, frames=2, side=24)
        with engine.record() as runs:
            small.call(small.movie())
        (run,) = runs
        assert run.task == name
        assert dict(run.parameters) == dict(small.plan().parameters)
        assert run.shape == small.plan().shape


def test_the_delay_experiment_tells_of_every_run(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    options = argparse.Namespace(frames=2, runs=6, repeats=2)
    load = NoLoad()
    found = delays.experiment(TINY, load, options)  # type: ignore[arg-type]
    assert load.switched == [True, False] * 6
    first, *others = delays.POLICIES
    order = [sequence["policy"] for sequence in found["sequences"]]
    assert order == [first, *others, *others, first]
    for sequence in found["sequences"]:
        assert [run["loaded"] for run in sequence["runs"]] == [0, 0, 1, 1, 0, 0]
        for run in sequence["runs"]:
            assert sum(run["frames"].values()) == 2
            assert run["reason"]
            assert run["seconds"] > 0
    results = {
        "date": "2026-01-01",
        "machine": {"Processor": "abacus"},
        "load": "no load",
        "tasks": {"magnify": found},
    }
    delays_report.write(tmp_path, results, "delays")
    assert json.loads((tmp_path / "delays.json").read_text())["tasks"]
    assert (tmp_path / "delays.png").stat().st_size > 1000


def test_the_table_of_the_delay_experiment() -> None:
    def sequence(policy: str, milliseconds: list[float], names: str) -> dict[str, Any]:
        runs = [
            {
                "seconds": each / 1e3,
                "loaded": 2 <= number < 4,
                "frames": {name: 1},
                "reason": "so",
            }
            for number, (each, name) in enumerate(zip(milliseconds, names, strict=True))
        ]
        return {"policy": policy, "repeat": 0, "runs": runs}

    found = {
        "frames": 2,
        "side": 12,
        "tried": {"2": {"g": [0.001, 0.02], "c": [0.004, 0.005]}},
        "sequences": [
            sequence("paper", [1, 1, 6, 4, 1, 3], "ggcggg"),
            sequence("paper without delays", [1, 1, 20, 20, 1, 1], "gggggg"),
        ],
    }
    results = {"date": "", "machine": {}, "load": "", "tasks": {"toy": found}}
    text = "\n".join(delays_report.markdown(results))
    assert "| paper | 1.00 | 5.00 | 2.00 | 2.67 | c 50%, g 50% |" in text
    assert "| paper without delays | 1.00 | 20.00 | 1.00 | 7.33 | g 100% |" in text
    assert "4.00 times shorter during the load, 2.75 times in all" in text
    assert "| g | 1.00 | 20.00 |" in text
    assert delays.gain(found["tried"]["2"]) == 4.0  # type: ignore[index]


def test_histories_are_kept_apart(tmp_path: Path) -> None:
    before = history.folder()
    with history_in(tmp_path):
        assert history.current().path.parent == tmp_path
    assert history.folder() == before


@pytest.mark.parametrize("count", [0, 1, 3000])
def test_the_history_is_filled(tmp_path: Path, count: int) -> None:
    image = np.zeros((1, 4, 4), np.uint8)
    with history_in(tmp_path), installed() as task:
        overhead.fill(count)
        assert len(engine.history("empty")) == count
        with engine.record() as runs:
            runner.run(task, image, EmptyPlan(image.shape))
        assert runs[0].implementation in IMPLEMENTATIONS
        assert len(engine.history("empty")) == count + 1
    assert "serial" in {each.name for each in engine.implementations("magnify")}


def test_the_overhead_is_measured_and_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    results = overhead.measure((0, 20), calls=3)
    stored = [point["stored"] for point in results["points"]]
    assert sorted(set(stored)) == [0, 20]
    assert all(0 < point["median"] <= point["p99"] for point in results["points"])
    assert len(list(overhead.markdown(results))) > len(stored)
    overhead.draw(tmp_path / "overhead.png", results)
    assert (tmp_path / "overhead.png").stat().st_size > 1000
