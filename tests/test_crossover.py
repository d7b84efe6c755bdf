"""Cross-over maps: what the agent has seen, what it takes, and how it is judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import crossover, crossover_report
from benchmarks.crossover_cells import (
    SEEN,
    MapCell,
    Timed,
    as_data,
    choice,
    from_data,
    judged,
    share,
)
from napari_nanopyx._engine.types import Implementation, Workload

SIDES = (64, 128, 256, 512)
KERNELS = (3, 5, 9, 17)


def cell(side: int, kernel_size: int | None, **seconds: float) -> MapCell:
    size = kernel_size or 4
    settings = {"kernel_height": size, "kernel_width": size}
    work = 2.0 * side**2 * size**2
    at = Workload("toy", "1", (side, side), "uint16", settings, work, 8.0 * side**2)
    timed = [
        Timed(
            Implementation("toy", name, "compiled", "a processor"),
            [each] * 3,
            [(8, 8 * each)] * 4,
        )
        for name, each in seconds.items()
    ]
    return MapCell(side, kernel_size, at, timed)


def grid() -> list[MapCell]:
    """Return a map where transforms win as soon as a kernel is large."""
    return [
        cell(side, size, direct=1e-9 * side**2 * size**2, transforms=1e-7 * side**2)
        for side in SIDES
        for size in KERNELS
    ]


def places(number: int, seen: str) -> set[tuple[int, int | None]]:
    return {each.place for each in SEEN[seen](number, grid())}


def test_which_cells_have_been_seen() -> None:
    everything = {(side, size) for side in SIDES for size in KERNELS}
    assert places(5, "all") == everything
    assert places(5, "all others") == everything - {(128, 5)}
    half = places(5, "every other cell")
    assert len(half) == 8
    assert {(64, 5), (256, 5), (128, 3), (128, 9)} <= half
    assert (128, 5) not in half
    corners = {(64, 3), (64, 17), (512, 3), (512, 17)}
    assert places(5, "corners") == corners
    assert places(0, "corners") == corners - {(64, 3)}


def test_cells_without_a_kernel_are_a_row() -> None:
    row = [cell(side, None, direct=1.0) for side in SIDES]
    assert [each.side for each in SEEN["every other cell"](1, row)] == [64, 256]
    assert [each.side for each in SEEN["corners"](1, row)] == [64, 512]


@pytest.mark.parametrize("seen", ["all", "all others", "every other cell"])
def test_the_agent_finds_the_cross_over(seen: str) -> None:
    found = judged(grid(), SEEN[seen])
    assert {each.cell.winner for each in found} == {"direct", "transforms"}
    assert share(found) == 1.0
    assert all(each.choice == each.cell.winner for each in found)


def test_a_choice_follows_what_was_seen_and_not_the_truth() -> None:
    truth = cell(128, 9, direct=1.0, transforms=2.0)
    opposite = cell(128, 5, direct=2.0, transforms=1.0)
    assert choice(truth, [opposite]) == "transforms"
    (found,) = judged([truth], lambda *_: [opposite])
    assert (found.ratio, found.is_good) == (2.0, False)
    assert choice(truth, []) in {"direct", "transforms"}


@pytest.mark.parametrize(("slower", "good"), [(1.04, 1.0), (1.06, 0.0)])
def test_within_five_per_cent_is_good(slower: float, good: float) -> None:
    truth = cell(128, 9, direct=1.0, transforms=slower)
    opposite = cell(128, 5, direct=2.0, transforms=1.0)
    assert share(judged([truth], lambda *_: [opposite])) == good


def test_a_cell_survives_json() -> None:
    once = cell(128, 9, direct=1.234567e-3, transforms=2e-3)
    again = from_data(json.loads(json.dumps(as_data(once))))
    assert again.workload == once.workload
    assert again.place == once.place
    assert again.seconds == pytest.approx(once.seconds, rel=1e-4)
    assert len(again.measurements()) == len(once.measurements()) == 8
    assert as_data(again) == as_data(from_data(as_data(again)))


def test_passes_are_put_together_and_the_faster_half_counts() -> None:
    disturbed = cell(128, 9, direct=3.0, transforms=2.0, broken=9.0)
    quiet = cell(128, 9, direct=1.0, transforms=2.0)
    both = disturbed.with_(quiet)
    assert (disturbed.winner, both.winner, both.passes) == ("transforms", "direct", 2)
    assert both.seconds == {"direct": 1.0, "transforms": 2.0}
    assert len(both.measurements()) == 16


def test_what_is_missing_is_measured_pass_by_pass() -> None:
    maps = [crossover.Map("toy", (64, 128), (3, 5), {})]
    kept: dict[str, dict[str, list[object]]] = {"cells": {}}
    order = []
    for _ in range(8):
        (_, *place) = next(crossover.missing(maps, kept, passes=2))
        order.append(tuple(place))
        crossover.keep(kept["cells"], cell(*place, direct=1.0))
    assert order == [(64, 3), (64, 5), (128, 3), (128, 5)] * 2
    assert not list(crossover.missing(maps, kept, passes=2))
    assert len(list(crossover.missing(maps, kept, passes=3))) == 4
    found = [from_data(data) for data in kept["cells"]["toy"]]
    assert [each.place for each in found] == order[:4]
    assert {each.passes for each in found} == {2}


def test_parameters_of_a_map() -> None:
    without = crossover.Map("magnify", (64,), (None,), {"factor": 5.0})
    assert list(without.places()) == [(64, None)]
    assert without.parameters(None) == {"factor": 5.0}
    assert crossover.Map("convolve", (64,), (3,), {}).parameters(3) == {
        "kernel_size": 3
    }


def test_the_name_of_a_device_is_part_of_a_file_name() -> None:
    name = crossover.device_name()
    assert name
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_the_report_has_every_cell(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    row = [cell(side, None, direct=1e-3 * side, transforms=1.0) for side in SIDES]
    facts = {"Date": "today", "Processor": "a processor", "Cores available": "2"}
    cells = {"convolve": grid(), "magnify": row}
    path = tmp_path / "crossover-toy.json"
    summary = crossover_report.write(path, facts, cells)
    assert summary[2] == "| convolve | 16 | 100% | 100% | 100% | " + (
        f"{share(judged(grid(), SEEN['corners'])):.0%} |"
    )
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    assert text.count("\n| 512 |") == 4 + 1
    assert "today, a processor, 2 cores, OpenCL: none" in text
    assert path.with_suffix(".png").stat().st_size > 10_000
    assert crossover_report.write(path, facts, {"convolve": []}) == []
