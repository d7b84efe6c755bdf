"""Corrected movies stand still, and tables for other movies are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import napari_nanopyx as nx

MOVIE = np.random.default_rng(0).integers(0, 5000, (4, 20, 24)).astype(np.uint16)
SHIFTS = np.array([[0, 0], [2, -3], [-1.5, 0.25], [0, 0]])


@pytest.mark.parametrize("kernel", ["catmull_rom", "bilinear", "fourier"])
def test_it_is_magnify_without_magnification(kernel: Any) -> None:
    result = nx.correct_drift(MOVIE, SHIFTS, kernel=kernel)
    assert result.dtype == np.float32
    expected = nx.magnify(MOVIE, 1, kernel=kernel, shift=SHIFTS)
    np.testing.assert_allclose(result, expected, atol=0.05)
    np.testing.assert_array_equal(result[[0, 3]], MOVIE[[0, 3]])
    np.testing.assert_allclose(result[1, 2:, :-3], MOVIE[1, :-2, 3:], atol=0.05)


def test_what_comes_in() -> None:
    shifts = np.array([[2.0, -3.0]])
    frame = MOVIE[0]
    zero = nx.correct_drift(frame, shifts)
    assert zero.shape == frame.shape
    assert not zero[:2].any()
    assert not zero[:, -3:].any()
    shown = np.zeros(frame.shape, bool)
    shown[2:, :-3] = True
    for fill in (7, -1.5, np.nan):
        filled = nx.correct_drift(frame, shifts, fill=fill)
        np.testing.assert_array_equal(filled[shown], zero[shown])
        np.testing.assert_array_equal(filled[~shown], np.float32(fill))
    edge = nx.correct_drift(frame, shifts, fill="edge")
    expected = np.pad(frame[:-2, 3:], ((2, 0), (0, 3)), mode="edge")
    np.testing.assert_allclose(edge, expected, atol=0.05)


def test_blocks_and_places_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = nx.correct_drift(MOVIE, SHIFTS, implementation="serial")
    monkeypatch.setattr(
        "napari_nanopyx.methods.correct_drift.BLOCK_BYTES", 4 * MOVIE[0].size
    )
    out = np.full(MOVIE.shape, 3, np.float32)
    calls: list[tuple[int, int]] = []
    result = nx.correct_drift(
        MOVIE,
        SHIFTS,
        out=out,
        implementation="serial",
        progress=lambda *count: calls.append(count),
    )
    assert result is out
    np.testing.assert_array_equal(out, whole)
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_table_serves_reconstructions() -> None:
    table = nx.DriftTable(SHIFTS, frame_shape=(20, 24))
    for function in (nx.esrrf, nx.srrf):
        np.testing.assert_array_equal(
            function(MOVIE, magnification=2, drift=table, implementation="serial"),
            function(MOVIE, magnification=2, drift=SHIFTS, implementation="serial"),
        )
    np.testing.assert_array_equal(
        nx.correct_drift(MOVIE, table, implementation="serial"),
        nx.correct_drift(MOVIE, SHIFTS, implementation="serial"),
    )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"table": SHIFTS[:3]}, ValueError, "table is for 3 frames, but image has 4"),
        ({"table": SHIFTS.T}, ValueError, "table has shape"),
        ({"table": np.zeros((4, 3))}, ValueError, "table has shape"),
        ({"table": SHIFTS * np.nan}, ValueError, "NaN"),
        ({"table": SHIFTS * 10}, ValueError, "moves frame 1 by"),
        ({"table": "drift.csv"}, TypeError, "table is 'drift.csv'.*DriftTable.load"),
        ({"table": None}, TypeError, "table is None, but must be a drift table"),
        (
            {"table": nx.DriftTable(SHIFTS, frame_shape=(9, 9))},
            ValueError,
            "frames of shape",
        ),
        ({"kernel": "nearest"}, ValueError, "kernel is 'nearest'"),
        ({"fill": "wrap"}, ValueError, "fill is 'wrap'"),
        ({"fill": np.inf}, ValueError, "fill is inf"),
        ({"fill": None}, TypeError, "fill is None"),
        ({"out": np.zeros((4, 20, 20))}, ValueError, "out has shape"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        nx.correct_drift(MOVIE, **{"table": SHIFTS, **arguments})
