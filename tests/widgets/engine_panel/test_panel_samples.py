"""Measured times are filtered, kept in order and bounded."""

from __future__ import annotations

from typing import Any

import pytest

from napari_nanopyx.engine import Measurement, Timing, Workload
from napari_nanopyx.widgets.engine_panel.samples import (
    MOST_SHOWN,
    Filters,
    Samples,
    key_of,
)

SMALL = Workload("esrrf", "d", (20, 24), "uint16", {"magnification": 5}, 1.0, 1.0)
LARGE = Workload("esrrf", "d", (200, 240), "uint16", {"magnification": 5}, 1.0, 1.0)


def measured(name: str = "serial", workload: Workload = SMALL, **how: Any) -> Any:
    given = {"device": "a processor", "frames": 10, "outcome": "ok", "at": 5.0, **how}
    seconds = given.pop("seconds", 0.5)
    device, frames = given.pop("device"), given.pop("frames")
    timing = Timing(0.0, 0.0, seconds)
    return Measurement(workload, name, device, frames, timing, **given)


def test_times_are_for_a_frame_and_in_order() -> None:
    samples = Samples([measured(), measured("numba"), measured(seconds=1.0)])
    series = samples.series()
    assert series["serial"].warm == ([1, 3], [50.0, 100.0])
    assert series["numba"].warm == ([2], [50.0])


def test_cold_and_failed_blocks_are_kept_apart() -> None:
    outcomes = ("ok", "cold", "failed", "cancelled")
    series = Samples([measured(outcome=how) for how in outcomes]).series()["serial"]
    assert [kind[0] for kind in (series.warm, series.cold, series.failed)] == [
        [1],
        [2],
        [3],
    ]


@pytest.mark.parametrize(
    "filters",
    [
        Filters(implementation="numba"),
        Filters(device="a card"),
        Filters(shape=(200, 240)),
        Filters(key=key_of(LARGE)),
        Filters(since=100.0),
    ],
)
def test_each_filter_lets_only_its_own_through(filters: Filters) -> None:
    wanted = measured("numba", LARGE, device="a card", at=200.0)
    samples = Samples([measured(), wanted])
    samples.select(filters)
    samples.add(measured())
    samples.add(wanted)
    assert samples.series()["numba"].warm[0] == [1, 2]
    assert list(samples.series()) == ["numba"]


def test_a_block_that_failed_before_its_first_frame_has_no_place() -> None:
    samples = Samples([measured(frames=0, outcome="failed")])
    assert samples.series() == {}


def test_only_the_newest_are_shown() -> None:
    samples = Samples(measured(seconds=1.0) for _ in range(MOST_SHOWN + 10))
    samples.add(measured(seconds=2.0))
    places, times = samples.series()["serial"].warm
    assert len(places) == places[-1] == MOST_SHOWN
    assert times[-1] == 200.0


def test_what_can_be_filtered_by_is_what_there_is() -> None:
    samples = Samples([measured(), measured("numba", LARGE, device="a card")])
    assert samples.choices() == (
        ["numba", "serial"],
        ["a card", "a processor"],
        [(20, 24), (200, 240)],
    )
