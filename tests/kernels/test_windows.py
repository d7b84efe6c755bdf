"""Frames are divided into time points as the eSRRF step promises."""

from __future__ import annotations

import pytest

from napari_nanopyx._kernels.windows import segments, windows


def bounds(ranges: list[range]) -> list[tuple[int, int]]:
    return [(each.start, each.stop) for each in ranges]


@pytest.mark.parametrize(
    ("frames", "length", "gap", "expected"),
    [
        (10, 0, 0, [(0, 10)]),
        (10, 25, 0, [(0, 10)]),
        (10, 5, 0, [(0, 5), (5, 10)]),
        (10, 4, 0, [(0, 4), (4, 8), (8, 10)]),
        (10, 4, 3, [(0, 4), (3, 7), (6, 10)]),
        (10, 4, 4, [(0, 4), (4, 8)]),
        (10, 4, 6, [(0, 4), (6, 10)]),
        (10, 4, 100, [(0, 4)]),
        (10, 0, 1, [(0, 10)]),
        (3, 1, 1, [(0, 1), (1, 2), (2, 3)]),
        (1, 0, 0, [(0, 1)]),
    ],
)
def test_windows(
    frames: int, length: int, gap: int, expected: list[tuple[int, int]]
) -> None:
    assert bounds(windows(frames, length, gap)) == expected


def test_segments_are_cut_at_every_edge_and_leave_out_unused_frames() -> None:
    assert bounds(segments(windows(10, 4, 3))) == [
        (0, 3),
        (3, 4),
        (4, 6),
        (6, 7),
        (7, 10),
    ]
    assert bounds(segments(windows(10, 4, 6))) == [(0, 4), (6, 10)]
    assert bounds(segments(windows(10, 4, 0))) == [(0, 4), (4, 8), (8, 10)]
