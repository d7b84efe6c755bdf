"""The time of a block: a fixed part, one for each frame, and how long it should be."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_nanopyx._engine.measurements.blocks import (
    FIXED_SHARE,
    LONGEST_SECONDS,
    SHORTEST_SECONDS,
    BlockTime,
    block_time,
)
from napari_nanopyx._engine.measurements.record import Record, Run
from napari_nanopyx._engine.types import Measurement, Timing, Workload


@given(st.floats(1e-6, 1.0), st.floats(1e-6, 1.0), st.integers(2, 25))
def test_both_parts_are_found(fixed: float, per_frame: float, times: int) -> None:
    blocks = [(n, fixed + n * per_frame) for n in (1, 10, 100)] * times
    found = block_time(blocks)
    assert found.most_frames == 100
    for frames, seconds in blocks:
        assert found.seconds(frames) == pytest.approx(seconds, rel=0.03)


def test_outliers_and_noise_hardly_matter() -> None:
    rng, blocks = Random(0), []
    for _ in range(50):
        frames = rng.choice([10, 20, 40, 80])
        late = 5 if rng.random() < 0.2 else 1
        seconds = (0.02 + 0.002 * frames) * rng.lognormvariate(0, 0.05) * late
        blocks.append((frames, seconds))
    found = block_time(blocks)
    assert found.fixed == pytest.approx(0.02, rel=0.2)
    assert found.per_frame == pytest.approx(0.002, rel=0.2)


def test_blocks_of_one_length_show_no_fixed_time() -> None:
    found = block_time([(20, 0.2)] * 5)
    assert (found.fixed, found.per_frame) == pytest.approx((0.0, 0.01))
    assert (found.most_frames, found.spread) == pytest.approx((20, 0.0))
    rng = Random(0)
    alike = [(rng.choice([99, 100]), rng.gauss(1.0, 0.05)) for _ in range(40)]
    assert block_time(alike).fixed < 0.1


@given(
    st.lists(
        st.tuples(st.integers(1, 10**5), st.floats(0, 1e4)), min_size=1, max_size=50
    )
)
def test_any_blocks_give_a_time(blocks: list[tuple[int, float]]) -> None:
    found = block_time(blocks)
    assert found.fixed >= 0
    assert found.per_frame >= 0
    assert found.seconds(1) > 0
    assert 1 <= found.frames <= 4 * max(frames for frames, _ in blocks)


def test_a_block_is_as_short_as_its_fixed_time_allows() -> None:
    cheap = BlockTime(0.0, 1e-3, 10**6)
    assert cheap.frames * 1e-3 == pytest.approx(SHORTEST_SECONDS)
    fixed = 0.0015
    some = BlockTime(fixed, 1e-3, 10**6)
    assert fixed / (some.frames * 1e-3) == pytest.approx(FIXED_SHARE, rel=0.01)
    costly = BlockTime(0.1, 1e-3, 10**6)
    assert costly.seconds(costly.frames) == pytest.approx(LONGEST_SECONDS)
    assert BlockTime(0.0, 10.0, 10**6).frames == 1
    assert BlockTime(1.0, 1e-3, 10**6).frames == 1


def test_a_block_is_not_many_times_longer_than_ever_measured() -> None:
    assert BlockTime(0.0, 1e-5, 10).frames == 40


def test_short_blocks_do_not_make_all_longer_ones_slow() -> None:
    """They may show no time for a frame at all: such a record was once forgotten."""
    work = Workload("toy", "", (64, 64), "float32", {}, 1e6, 1e4)
    first = [(1, 0.42), (5, 0.56), (5, 0.34), (22, 5.98), (16, 1.07)]
    record = Record(work)
    for frames, milliseconds in first + [(25, 1.5), (25, 1.1)] * 40:
        timing = Timing(0.0, 0.0, milliseconds / 1e3)
        each = Measurement(work, "fft", "cpu", frames, timing, "ok", 0.0, "")
        record = record.with_(Run(each, record))
    assert sum(record.slow) <= 2
    assert record.block_time.seconds(25) == pytest.approx(1.2e-3, rel=0.2)
