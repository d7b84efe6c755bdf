"""Benchmarks: answers before times, every cell, cancelling, tables and plots."""

from __future__ import annotations

import csv
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from wrong_results import changing

import napari_nanopyx as nx
from napari_nanopyx import engine
from napari_nanopyx._engine.benchmarking import cells as benchmark_cells
from napari_nanopyx._engine.benchmarking.result import Benchmark, BenchmarkRow
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.measurements import history
from napari_nanopyx._engine.policy import agent
from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._kernels import tasks
from napari_nanopyx._kernels.declaration import Cost, Parameter


@pytest.fixture
def bench(toy: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the toy task be benchmarked; `toy.wrong` changes results."""

    def plan(shape: Any, factor: int = 2, kernel: str = "plain") -> Any:
        parameters = {"factor": factor, "kernel": kernel}
        return toy.plan(shape, parameters=parameters, cost=Cost(1e3, 1e3))

    parameters = (
        Parameter("factor", 2, 1, 10),
        Parameter("kernel", "plain", choices=("plain", "fancy")),
    )
    toy.task = replace(toy.task, plan=plan, parameters=parameters)
    toy.wrong = changing(toy, monkeypatch)
    return toy


def off(output: Any) -> Any:
    output.flat[0] += 30
    return output


def fail(block: Any, frames: range) -> None:
    raise RuntimeError("out of resources")


def by_name(result: Benchmark) -> dict[str, BenchmarkRow]:
    return {row.implementation: row for row in result.rows}


def test_every_implementation_is_measured_at_every_size(bench: Any, arm: Any) -> None:
    bench.arms = {
        "serial": arm(4e-3),
        "threads-static": arm(1e-3),
        "numba": arm(2e-3, kind="numba", prepare=3.0),
        "reference": arm(1e-6, kind="reference"),
        "opencl": arm(kind="opencl", reason="no driver"),
    }
    result = engine.benchmark("toy", sizes=[8, (4, 5)], repeats=3)
    names = ["serial", "threads-static", "numba", "opencl"]
    assert [row.implementation for row in result.rows] == 2 * names
    assert [row.shape for row in result.rows] == 4 * [(8, 8)] + 4 * [(4, 5)]
    rows = by_name(result)
    fastest = rows["threads-static"]
    assert (fastest.status, fastest.repeats, fastest.error) == ("ok", 3, 0.0)
    assert fastest.median == pytest.approx(1e-3)
    assert fastest.best == pytest.approx(1e-3)
    assert fastest.frames == 250
    assert rows["serial"].ratio == pytest.approx(4)
    assert result.rows[names.index("numba")].prepare == 3.0
    assert rows["numba"].median == pytest.approx(2e-3)
    assert rows["opencl"].status == "unavailable"
    assert rows["opencl"].reason == "no driver. What to do: add it to the test"
    assert rows["opencl"].median is None
    for each in bench.arms.values():
        assert each.opened == each.closed


def test_winners_and_what_the_agent_would_take(bench: Any, arm: Any) -> None:
    bench.arms = {"serial": arm(1e-3), "threads-static": arm(3e-3)}
    (winner,) = engine.benchmark("toy", sizes=8).winners()
    assert winner.implementation == winner.choice == "serial"
    assert winner.seconds == pytest.approx(1e-3)
    assert winner.choice_ratio == 1.0
    assert winner.choice_is_good
    assert winner.choice_reason.startswith("fastest so far")


def test_a_choice_that_is_not_the_fastest_is_told(
    bench: Any, arm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def choose(situation: Any) -> Any:
        assert situation.workload.shape == (8, 8)
        slower = next(c for c in situation.candidates if c.name == "serial")
        return Choice(slower, 1, None, "a whim")

    monkeypatch.setattr(agent, "choose", choose)
    bench.arms = {"serial": arm(2e-3), "threads-static": arm(1e-3)}
    result = engine.benchmark("toy", sizes=8)
    (winner,) = result.winners()
    assert (winner.implementation, winner.choice) == ("threads-static", "serial")
    assert winner.choice_ratio == pytest.approx(2)
    assert not winner.choice_is_good
    assert "the agent would take serial (a whim)" in str(result)


def test_a_trial_is_not_taken_for_what_the_agent_expects(
    bench: Any, arm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = agent.choose

    def choose(situation: Any) -> Any:
        slower = next(c for c in situation.candidates if c.name == "serial")
        return replace(usual(situation), implementation=slower, reason="a trial")

    monkeypatch.setattr(agent, "choose", choose)
    bench.arms = {"serial": arm(2e-3), "threads-static": arm(1e-3)}
    (winner,) = engine.benchmark("toy", sizes=8).winners()
    assert winner.choice == "threads-static"
    assert "once others are measured again" in winner.choice_reason


def test_a_wrong_one_is_quarantined_and_not_timed(bench: Any, arm: Any) -> None:
    bench.arms = {"serial": arm(1e-3), "threads-dynamic": arm(1e-6)}
    bench.wrong["threads-dynamic"] = off
    announced: list[str] = []

    def note(implementation: engine.Implementation, reason: str) -> None:
        announced.append(implementation.name)

    engine.events.implementation_quarantined.connect(note)
    try:
        result = engine.benchmark("toy", sizes=[8, 9], repeats=2)
    finally:
        engine.events.implementation_quarantined.disconnect(note)
    first, second = (r for r in result.rows if r.implementation == "threads-dynamic")
    assert (first.status, second.status) == ("wrong", "unavailable")
    assert "differs from the reference by" in first.reason
    assert "differs from the reference by" in second.reason
    assert first.median is None
    assert announced == ["threads-dynamic"]
    assert [winner.implementation for winner in result.winners()] == ["serial"] * 2
    timed = {m.implementation for m in engine.history("toy") if m.outcome != "failed"}
    assert timed == {"serial"}
    listed = {each.name: each for each in engine.implementations("toy")}
    assert not listed["threads-dynamic"].available


def test_one_that_raises_is_reported_but_not_condemned(bench: Any, arm: Any) -> None:
    bench.arms = {"serial": arm(1e-3), "threads-dynamic": arm(before=fail)}
    rows = by_name(engine.benchmark("toy", sizes=8))
    assert rows["threads-dynamic"].status == "failed"
    assert rows["threads-dynamic"].reason == "RuntimeError: out of resources"
    assert rows["serial"].status == "ok"
    assert all(each.available for each in engine.implementations("toy"))


def test_measurements_go_into_the_history(bench: Any, arm: Any) -> None:
    bench.arms = {"serial": arm(1e-3, prepare=0.4)}
    engine.benchmark("toy", sizes=8, repeats=3)
    found = engine.history("toy")
    assert found[0].outcome == "cold"
    assert found[0].timing.prepare == 0.4
    assert {m.outcome for m in found[1:]} == {"ok"}
    assert [m.frames for m in found[-3:]] == [250] * 3
    assert found[0].workload.shape == (8, 8)
    assert engine.expected("toy")["serial"] == pytest.approx(1e-3)
    bench.run(plan=bench.plan((6, 8, 8)), image=np.ones((6, 8, 8), np.uint16))
    assert bench.arms["serial"].blocks[-1] == range(6)


def test_lists_make_a_grid(bench: Any, arm: Any) -> None:
    bench.arms = {"serial": arm()}
    result = engine.benchmark(
        "toy", sizes=[4, 8], parameters={"factor": [2, 3]}, kernel=["plain", "fancy"]
    )
    cells = [
        (winner.shape, winner.parameters["factor"], winner.parameters["kernel"])
        for winner in result.winners()
    ]
    assert len(cells) == len(set(cells)) == 8


def test_own_data_is_measured_as_it_is(bench: Any, arm: Any) -> None:
    seen: list[Any] = []
    bench.arms = {"serial": arm(before=lambda block, frames: seen.append(block))}
    data = np.arange(5 * 6 * 7, dtype=np.uint8).reshape(5, 6, 7)
    result = engine.benchmark("toy", data=data)
    assert (result.rows[0].shape, result.rows[0].dtype) == ((6, 7), "uint8")
    assert result.rows[0].frames == 5
    np.testing.assert_array_equal(seen[-1], data)
    assert result.rows[0].checked_on == (5, 6, 7)


def test_a_long_movie_is_read_only_at_its_beginning(bench: Any, arm: Any) -> None:
    class Movie:
        shape, dtype = (100_000, 4, 5), np.dtype(np.uint16)
        asked: list[slice] = []  # noqa: RUF012

        def __getitem__(self, frames: slice) -> Any:
            self.asked.append(frames)
            return np.ones((frames.stop - frames.start, 4, 5), np.uint16)

    bench.arms = {"serial": arm()}
    engine.benchmark("toy", data=Movie())
    assert max(frames.stop for frames in Movie.asked) == benchmark_cells.MOST_FRAMES


def test_progress_ends_at_the_total_and_never_goes_back(bench: Any, arm: Any) -> None:
    bench.arms = {"serial": arm(), "threads-static": arm(before=fail)}
    seen: list[tuple[int, int]] = []
    engine.benchmark(
        "toy", sizes=[4, 8], repeats=3, progress=lambda *given: seen.append(given)
    )
    assert {total for _, total in seen} == {20}
    done = [each for each, _ in seen]
    assert done == sorted(set(done))
    assert done[-1] == 20


@pytest.mark.parametrize("blocks", [0, 1, 7, 12])
def test_cancel_stops_within_a_block_and_keeps_what_was_measured(
    bench: Any, arm: Any, blocks: int
) -> None:
    cancel = threading.Event()
    computed: list[int] = []

    def count(block: Any, frames: range) -> None:
        assert not cancel.is_set(), "computed after it was cancelled"
        computed.append(1)
        if len(computed) == blocks:
            cancel.set()

    if not blocks:
        cancel.set()
    bench.arms = {"serial": arm(0.1, before=count), "numba": arm(0.1, before=count)}
    with pytest.raises(engine.BenchmarkCancelled) as raised:
        engine.benchmark("toy", sizes=[4, 8], repeats=4, cancel=cancel)
    assert isinstance(raised.value, engine.Cancelled)
    assert len(computed) == blocks
    for each in bench.arms.values():
        assert each.opened == each.closed
    result = raised.value.result
    kept = {row.implementation: row.repeats for row in result.rows}
    # Before the timed ones, each has two blocks for the check and one to warm up.
    expected = {7: {"serial": 4}, 12: {"serial": 4, "numba": 2}}
    assert kept == expected.get(blocks, {})
    assert bool(result.winners()) is bool(kept)
    history.current().flush()
    warm = [m for m in engine.history("toy") if m.outcome == "ok"]
    assert len(warm) == sum(kept.values())


WRONG: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "task": ({"task": "tea"}, ValueError, "task is 'tea'"),
    "size 0": ({"sizes": [0]}, ValueError, "sizes holds 0"),
    "negative size": ({"sizes": [(4, -1)]}, ValueError, r"sizes holds \(4, -1\)"),
    "half size": ({"sizes": [2.5]}, TypeError, "sizes holds 2.5"),
    "three sides": ({"sizes": [(1, 2, 3)]}, ValueError, "sizes holds"),
    "no sizes": ({"sizes": []}, ValueError, "sizes is empty"),
    "a word": ({"sizes": "64"}, ValueError, "sizes"),
    "both": ({"sizes": [4], "data": np.ones((2, 3))}, ValueError, "both given"),
    "data": ({"data": np.ones(3)}, ValueError, "data has 1 axes"),
    "huge": ({"sizes": [10**6]}, ValueError, "needs .* GiB"),
    "parameter": ({"speed": 3}, ValueError, "speed is no parameter of toy"),
    "value": ({"factor": 11}, ValueError, "factor is 11, .* from 1 to 10"),
    "kind": ({"factor": [2, 2.5]}, TypeError, "factor is 2.5, .* a whole number"),
    "choice": ({"kernel": "odd"}, ValueError, "kernel is 'odd', .* 'plain', 'fancy'"),
    "empty list": ({"factor": []}, ValueError, "factor is an empty list"),
    "twice": ({"parameters": {"factor": 2}, "factor": 3}, ValueError, "given twice"),
    "repeats": ({"repeats": 0}, ValueError, "repeats is 0"),
    "half repeat": ({"repeats": 1.5}, TypeError, "repeats is 1.5"),
    "name": ({"implementations": ["fast"]}, ValueError, "no implementation of this"),
    "no names": ({"implementations": []}, ValueError, "implementations is empty"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_input_is_told_before_anything_runs(
    bench: Any, arm: Any, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, error, message = WRONG[case]
    bench.arms = {"serial": arm()}
    processor = replace(devices.cpu(), memory_bytes=8 * 2**30)
    monkeypatch.setattr(devices, "cpu", lambda: processor)
    with pytest.raises(error, match=message):
        engine.benchmark(**{"task": "toy", **given})
    assert bench.arms["serial"].opened == 0


def test_only_those_asked_for(bench: Any, arm: Any) -> None:
    bench.arms = {
        "serial": arm(1e-3),
        "numba": arm(1e-3, kind="numba"),
        "reference": arm(1e-2, kind="reference"),
    }
    asked = ["reference", "numba"]
    result = engine.benchmark("toy", sizes=[4], implementations=asked)
    assert set(by_name(result)) == set(asked)
    assert by_name(result)["reference"].ratio == pytest.approx(10)


def test_the_table_holds_every_row(bench: Any, arm: Any, tmp_path: Path) -> None:
    bench.arms = {
        "serial": arm(1e-3),
        "threads-static": arm(before=fail),
        "opencl": arm(kind="opencl", reason="=no driver"),
    }
    result = engine.benchmark("toy", sizes=[4, 8], factor=3)
    text = str(result)
    assert "toy, frames of 8 × 8 (uint16), factor 3" in text
    assert "serial" in text
    assert "1 ms" in text
    assert "failed: RuntimeError: out of resources" in text
    assert "unavailable: =no driver" in text
    assert "in 2 of 2 cases" in text

    result.to_csv(tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(result.rows)
    for row, found in zip(rows, result.rows, strict=True):
        assert row["implementation"] == found.implementation
        assert row["parameter_factor"] == "3"
        assert (row["height"], row["width"]) == tuple(map(str, found.shape))
        median = row["median_seconds_per_frame"]
        assert median == ("" if found.median is None else repr(found.median))
    assert rows[2]["reason"].startswith("'=no driver")
    assert rows[0]["agents_choice"] == "True"
    with pytest.raises(FileNotFoundError, match="no folder"):
        result.to_csv(tmp_path / "none" / "table.csv")


def test_plots(bench: Any, arm: Any) -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure
    bench.arms = {"serial": arm(1e-3), "numba": arm(2e-3, kind="numba")}

    lines = engine.benchmark("toy", sizes=[4, 8]).plot(figure().add_subplot())
    assert [line.get_label() for line in lines.lines] == ["serial", "numba"]
    assert lines.lines[1].get_xdata().tolist() == [4, 8]
    assert lines.lines[1].get_ydata() == pytest.approx([2e-3, 2e-3])
    assert (lines.get_xscale(), lines.get_yscale()) == ("log", "log")

    words = engine.benchmark("toy", sizes=4, kernel=["plain", "fancy"])
    assert words.plot(figure().add_subplot()).get_xlabel() == "kernel"

    grid = engine.benchmark("toy", sizes=[4, 8], factor=[2, 3, 4])
    drawn = grid.plot(figure().add_subplot())
    (image,) = drawn.images
    assert image.get_array().shape == (3, 2, 4)
    assert np.ptp(image.get_array().reshape(-1, 4), axis=0).max() == 0
    assert drawn.get_ylabel() == "factor"
    assert [text.get_text() for text in drawn.get_legend().texts] == ["serial"]

    lists = {"factor": [2, 3], "kernel": ["plain", "fancy"]}
    three = engine.benchmark("toy", sizes=[4, 8], parameters=lists)
    with pytest.raises(ValueError, match="3 things vary"):
        three.plot(figure().add_subplot())
    with pytest.raises(ValueError, match="nothing was measured"):
        Benchmark("toy", []).plot(figure().add_subplot())


def test_magnification_over_the_size_as_published(home: Path) -> None:
    """5 × Catmull-Rom: every implementation of this machine agrees, and is timed."""
    result = engine.benchmark("magnify", sizes=[16, 33], factor=5, repeats=1)
    measured = [row for row in result.rows if row.status != "unavailable"]
    assert {row.status for row in measured} == {"ok"}
    assert {row.implementation for row in measured} >= {"serial", "numba"}
    assert all(0 < row.best <= row.median for row in measured)  # type: ignore[operator]
    assert all(row.error is not None and row.error < 1e-5 for row in measured)
    assert len(result.winners()) == 2
    workloads = {m.workload.shape for m in engine.history("magnify")}
    assert workloads == {(16, 16), (33, 33)}


def test_the_agent_knows_a_run_after_a_benchmark_of_it(home: Path) -> None:
    """The history of a benchmark is that of a run with the same settings."""
    names = ["serial", "threads-static"]
    engine.benchmark("esrrf", sizes=24, magnification=2, implementations=names)
    with engine.record() as runs:
        nx.esrrf(np.ones((2, 24, 24), np.uint16), magnification=2)
    assert "first guess" not in runs[0].reason
    assert "elsewhere" not in runs[0].reason


@pytest.mark.parametrize("name", tasks())
def test_a_large_input_is_checked_on_a_crop_of_it(name: str) -> None:
    task = tasks()[name]
    shape = (3, 400, 600) if task.axes == 3 else (3, 20, 100, 150)
    frames = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    (cell,) = benchmark_cells.cells(task, frames, None, {})
    problem = cell.problem(frames)
    count, *sides = problem.block.shape
    assert problem.plan.shape == problem.block.shape
    assert count == 2
    assert problem.plan.cost.flops * count <= 1.1 * benchmark_cells.CHECKED_FLOPS
    middle = (
        slice((whole - part) // 2, (whole - part) // 2 + part)
        for whole, part in zip(shape[1:], sides, strict=True)
    )
    np.testing.assert_array_equal(problem.block, frames[(slice(2), *middle)])


def test_volumes_of_ones_own_and_generated(home: Path, tmp_path: Path) -> None:
    series = np.random.default_rng(5).poisson(80, (3, 5, 12, 14)).astype(np.uint16)
    names = ["serial", "threads-static"]

    def shapes(**given: Any) -> list[tuple[int, ...]]:
        result = engine.benchmark(
            "esrrf_3d", implementations=names, repeats=1, magnification=1, **given
        )
        assert {row.status for row in result.rows} == {"ok"}
        assert all(row.error is not None and row.error < 1e-5 for row in result.rows)
        result.to_csv(tmp_path / "volumes.csv")
        with (tmp_path / "volumes.csv").open(newline="") as table:
            for line, row in zip(csv.DictReader(table), result.rows, strict=True):
                sides = tuple(int(line[side]) for side in ("depth", "height", "width"))
                assert sides == row.shape
        return [winner.shape for winner in result.winners()]

    assert shapes(data=series) == [(5, 12, 14)]
    assert shapes(data=series[0]) == [(5, 12, 14)]
    assert shapes(sizes=[12, (2, 9, 11), 3]) == [(3, 12, 12), (2, 9, 11), (1, 3, 3)]


def test_sides_of_volumes_are_checked() -> None:
    task = tasks()["esrrf_3d"]
    for wrong in ((4, 5), (1, 2, 3, 4), (0, 2, 3), 0):
        with pytest.raises(ValueError, match="triples of them"):
            benchmark_cells.cells(task, None, [wrong], {})
    with pytest.raises(ValueError, match="data has 5 axes"):
        benchmark_cells.cells(task, np.ones((1, 1, 2, 3, 4)), None, {})
    with pytest.raises(ValueError, match="2500 × 10000 × 10000 pixels needs"):
        benchmark_cells.cells(task, None, [10_000], {})
    assert [cell.shape for cell in benchmark_cells.cells(task, None, None, {})] == [
        (8, 32, 32),
        (16, 64, 64),
        (32, 128, 128),
    ]


def test_magnify_takes_the_parameters_of_the_function() -> None:
    task = tasks()["magnify"]
    (cell,) = benchmark_cells.cells(task, None, [(8, 9)], {"factor": (2, 3)})
    assert dict(cell.plan.parameters) == {
        "row_factor": 2.0,
        "column_factor": 3.0,
        "kernel": "catmull_rom",
    }
    for wrong in (0, -1, 101, (1, 2, 3), 0.01):
        with pytest.raises(ValueError, match="factor is"):
            benchmark_cells.cells(task, None, [8], {"factor": wrong})
    with pytest.raises(ValueError, match="shift is"):
        benchmark_cells.cells(task, None, [8], {"shift": (1, 2, 3)})


def test_esrrf_takes_the_parameters_of_the_function() -> None:
    task = tasks()["esrrf"]
    given = {"drift": True, "frames_per_timepoint": 10, "border": "zero"}
    (cell,) = benchmark_cells.cells(task, None, [8], given)
    assert cell.plan.parameters["drift"] is True
    assert len(cell.plan.segments) > 1
    for name, wrong in {"border": "no", "frame_gap": -1, "magnification": 11}.items():
        with pytest.raises(ValueError, match=name):
            benchmark_cells.cells(task, None, [8], {name: wrong})


def test_a_compiler_that_fails_is_reported(bench: Any, arm: Any) -> None:
    def refuse() -> None:
        raise OSError("no compiler")

    bench.arms = {"serial": arm(), "numba": arm(kind="numba", compiling=refuse)}
    rows = by_name(engine.benchmark("toy", sizes=8, repeats=1))
    assert rows["serial"].status == "ok"
    assert (rows["numba"].status, rows["numba"].reason) == (
        "failed",
        "OSError: no compiler",
    )
    assert bench.arms["numba"].opened == 0


def test_compiling_is_preparation_and_can_be_cancelled(bench: Any, arm: Any) -> None:
    cancel, may_end = threading.Event(), threading.Event()

    def compile_() -> None:
        cancel.set()
        assert may_end.wait(60)

    bench.arms = {"numba": arm(kind="numba", compiling=compile_)}
    with pytest.raises(engine.BenchmarkCancelled):
        engine.benchmark("toy", sizes=8, cancel=cancel)
    may_end.set()
    (row,) = engine.benchmark("toy", sizes=8).rows
    assert row.status == "ok"


def test_convolution_over_image_and_kernel_size_as_published(home: Path) -> None:
    """A kernel of each size is generated; what cannot compute it says so."""
    names = ["serial", "separable", "fft"]
    settings = {"kernel_size": [3, (5, 4)], "separable": [True, False]}
    result = engine.benchmark(
        "convolve", sizes=[20], parameters=settings, implementations=names, repeats=1
    )
    found = {
        (row.parameters["kernel_size"], row.parameters["separable"], row.implementation)
        for row in result.rows
        if row.status == "ok"
    }
    assert len(found) == 10
    assert {row.implementation for row in result.rows if row.status != "ok"} == {
        "separable"
    }
    sizes = {
        tuple(m.workload.parameters[f"kernel_{side}"] for side in ("height", "width"))
        for m in engine.history("convolve")
    }
    assert sizes == {(3, 3), (5, 4)}


def test_convolve_takes_a_kernel_or_its_size() -> None:
    task = tasks()["convolve"]
    kernel = np.ones((3, 2))
    (cell,) = benchmark_cells.cells(task, None, [8], {"kernel": kernel})
    assert cell.plan.parameters == {"kernel_height": 3, "kernel_width": 2}
    for name, wrong in {"kernel_size": 0, "kernel": np.ones(3)}.items():
        with pytest.raises(ValueError, match=name):
            benchmark_cells.cells(task, None, [8], {name: wrong})
