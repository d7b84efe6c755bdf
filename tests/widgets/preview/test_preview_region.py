"""What a preview computes: what is in view, with a margin, and not too much."""

from __future__ import annotations

import numpy as np
import pytest

from napari_nanopyx.widgets.preview.pace import MOST_FRAMES, SLOWEST_SECONDS, Pace
from napari_nanopyx.widgets.preview.region import MOST_PIXELS, region


def test_a_method_may_show_less() -> None:
    found = region((5, 300, 400), None, 0, 1, 4, most_pixels=100 * 100)
    rows, columns = found.size
    assert 0.95 * 100**2 < rows * columns <= 100**2
    assert found.rows[0] + found.rows[1] == pytest.approx(300, abs=1)
    assert found.columns[0] + found.columns[1] == pytest.approx(400, abs=1)


def test_what_is_in_view_is_read_with_a_margin_that_is_not_shown() -> None:
    found = region((30, 200, 300), ((50, 90), (100, 160)), 12, 4, 7)
    assert (found.rows, found.columns) == ((50, 90), (100, 160))
    assert (found.read_rows, found.read_columns) == ((43, 97), (93, 167))
    assert found.size == (40, 60)
    rows, columns = found.output((0.2, 0.2))
    assert (rows, columns) == (slice(35, 235), slice(35, 335))


def test_the_edges_of_the_image_need_no_margin() -> None:
    found = region((30, 64, 80), ((-20, 64), (-5, 30)), 0, 4, 7)
    assert (found.rows, found.columns) == ((0, 64), (0, 30))
    assert (found.read_rows, found.read_columns) == ((0, 64), (0, 37))
    assert found.output((0.5, 0.5)) == (slice(0, 128), slice(0, 60))


@pytest.mark.parametrize(
    ("frame", "frames", "expected"),
    [(0, 5, (0, 5)), (12, 5, (10, 15)), (29, 5, (25, 30)), (3, 99, (0, 30))],
)
def test_frames_lie_around_the_present_one(
    frame: int, frames: int, expected: tuple[int, int]
) -> None:
    assert region((30, 64, 80), None, frame, frames, 3).frames == expected


def test_of_a_large_view_the_middle_is_shown_in_its_proportions() -> None:
    found = region((10, 2000, 3000), ((0, 1000), (1000, 3000)), 0, 1, 5)
    height, width = found.size
    assert 0.95 * MOST_PIXELS < height * width <= MOST_PIXELS
    assert width == pytest.approx(2 * height, rel=0.02)
    assert sum(found.rows) == pytest.approx(1000, abs=1)
    assert sum(found.columns) == pytest.approx(4000, abs=1)


@pytest.mark.parametrize("visible", [None, ((500, 600), (0, 50)), ((3, 5), (0, 50))])
def test_without_a_view_of_the_image_all_of_it_is_meant(
    visible: tuple[tuple[int, int], tuple[int, int]] | None,
) -> None:
    found = region((64, 80), visible, 0, 4, 3)
    assert found.rows == (0, 64)
    assert found.frames == (0, 1)


def test_output_pixels_that_straddle_the_edge_are_left_out() -> None:
    found = region((1, 100, 100), ((20, 40), (20, 41)), 0, 1, 5)
    rows, columns = found.output((1 / 2.5, 1 / 1.5))
    centres = (np.arange(1000) + 0.5) / 2.5 + 15
    assert centres[rows].min() - 0.2 >= 20 - 1e-9
    assert centres[rows].max() + 0.2 <= 40 + 1e-9
    assert rows.stop - rows.start == 49
    assert columns == slice(8, 39)


def test_slow_previews_get_fewer_frames_and_quick_ones_more() -> None:
    pace = Pace()
    for _ in range(20):
        pace.took(0.01 * pace.frames, pace.frames)
    frames = pace.frames
    assert 0.01 * frames <= SLOWEST_SECONDS
    assert frames > 3
    pace.took(0.05 * frames, frames)
    assert pace.frames < frames


def test_a_pace_that_will_do_changes_nothing() -> None:
    pace = Pace()
    pace.took(0.001, 10)
    frames = pace.frames
    pace.took(0.07, frames)
    assert pace.frames == frames


def test_frames_are_bounded() -> None:
    pace, single = Pace(), Pace(most=1)
    for _ in range(20):
        pace.took(1e-6, pace.frames)
        single.took(1e-6, single.frames)
    assert (pace.frames, single.frames) == (MOST_FRAMES, 1)
    for _ in range(20):
        pace.took(10.0, pace.frames)
    assert pace.frames == 1
