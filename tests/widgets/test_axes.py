"""Axes of a layer are picked, ordered and guessed without reading the array."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_nanopyx.widgets.axes import Axes, Picked, guess, letter, wanted_axes

ARRAY = np.arange(2 * 3 * 4 * 5 * 6).reshape(2, 3, 4, 5, 6)
PICKS = {
    "all": (Axes((0, 1, 2, 3, 4)), ARRAY),
    "one channel": (Axes((1, 2, 3, 4), {0: 1}), ARRAY[1]),
    "one plane": (Axes((0, 1, 3, 4), {2: 3}), ARRAY[:, :, 3]),
    "one of two axes": (Axes((1, 3, 4), {0: 0, 2: 2}), ARRAY[0, :, 2]),
    "turned round": (Axes((2, 0, 3, 4), {1: 2}), ARRAY[:, 2].transpose(1, 0, 2, 3)),
    "an image": (Axes((3, 4), {0: 1, 1: 0, 2: 3}), ARRAY[1, 0, 3]),
}
KEYS: list[Any] = [
    slice(None),
    slice(1, 3),
    slice(0, 4, 2),
    1,
    (slice(1, 2), slice(0, 2), 3),
]


class Noting:
    """An array that can only be sliced, and notes how."""

    shape, dtype = ARRAY.shape, ARRAY.dtype

    def __init__(self) -> None:
        self.pixels = 0

    def __getitem__(self, key: Any) -> Any:
        """Count what is read."""
        part = ARRAY[key]
        self.pixels += np.size(part)
        return part


@pytest.mark.parametrize("name", PICKS)
def test_numpy_is_viewed(name: str) -> None:
    axes, expected = PICKS[name]
    picked = axes.pick(ARRAY)
    assert np.shares_memory(picked, ARRAY)
    np.testing.assert_array_equal(picked, expected)


@pytest.mark.parametrize("key", KEYS, ids=str)
@pytest.mark.parametrize("name", [name for name in PICKS if name != "all"])
def test_anything_else_is_read_where_it_is_indexed(name: str, key: Any) -> None:
    axes, expected = PICKS[name]
    if expected.ndim == 2 and isinstance(key, tuple):
        key = key[:2]
    noting = Noting()
    picked = axes.pick(noting)
    assert isinstance(picked, Picked)
    assert (picked.shape, len(picked)) == (expected.shape, len(expected))
    assert noting.pixels == 0
    np.testing.assert_array_equal(picked[key], expected[key])
    assert noting.pixels == np.size(expected[key])


def test_all_axes_leave_the_array_alone() -> None:
    noting = Noting()
    assert PICKS["all"][0].pick(noting) is noting


@pytest.mark.parametrize(
    ("label", "unit", "expected"),
    [
        ("T", "", "T"),
        (" frames", "", "T"),
        ("z", "micrometer", "Z"),
        ("Channel", "", "C"),
        ("-3", "", ""),
        ("-3", "second", "T"),
        ("", "pixel", ""),
    ],
)
def test_labels_and_units_are_understood(label: str, unit: str, expected: str) -> None:
    assert letter(label, unit) == expected


@pytest.mark.parametrize(
    ("wanted", "shape", "letters", "expected"),
    [
        ("TYX", (9, 5, 5), "   ", (0, 1, 2)),
        ("TYX", (2, 9, 5, 5), "    ", (1, 2, 3)),
        ("TYX", (9, 9, 5, 5), "    ", (0, 2, 3)),
        ("TYX", (9, 40, 5, 5), "TZ  ", (0, 2, 3)),
        ("TYX", (40, 9, 5, 5), "C   ", (1, 2, 3)),
        ("TYX", (40, 9, 5, 5), "ZC  ", (0, 2, 3)),
        ("CYX", (40, 2, 5, 5), "TC  ", (1, 2, 3)),
        ("TZYX", (3, 9, 5, 5), "ZT  ", (1, 0, 2, 3)),
        ("TZYX", (3, 9, 5, 5), "    ", (0, 1, 2, 3)),
        ("TZYX", (2, 30, 9, 5, 5), "     ", (1, 2, 3, 4)),
        ("YX", (2, 9, 5, 5), "    ", (2, 3)),
    ],
)
def test_what_is_labelled_comes_first_then_what_is_long(
    wanted: str, shape: tuple[int, ...], letters: str, expected: tuple[int, ...]
) -> None:
    assert guess(wanted, shape, [each.strip() for each in letters]) == expected


def test_a_method_takes_as_many_axes_as_there_are() -> None:
    assert wanted_axes((2, 3), "TYX", 2) == "YX"
    assert wanted_axes((2, 3), "TYX", 5) == "TYX"
    assert wanted_axes((2,), "TYX", 4) == "YX"
    assert wanted_axes((3, 4), "TZYX", 3) == "ZYX"
