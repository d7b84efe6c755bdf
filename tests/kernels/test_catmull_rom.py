"""The Catmull-Rom taps reproduce what the kernel must reproduce."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_nanopyx._kernels import catmull_rom


def interpolate(
    values: NDArray[np.float64],
    output_length: int,
    factor: float,
    shift: float,
    *,
    offset: float = 0.5,
    border: catmull_rom.Border = "replicate",
) -> NDArray[np.float64]:
    points = catmull_rom.coordinates(output_length, factor, shift, offset=offset)
    indices, weights = catmull_rom.taps_at(len(values), points, border=border)
    result: NDArray[np.float64] = (values[indices] * weights).sum(axis=1)
    return result


@pytest.mark.parametrize("power", [0, 1, 2])
@pytest.mark.parametrize("factor", [1, 2, 5, 2.5, 0.75])
def test_reproduces_parabolas_away_from_the_border(power: int, factor: float) -> None:
    centres = np.arange(20, dtype=np.float64) + 0.5
    count = int(20 * factor)
    points = catmull_rom.coordinates(count, factor, 0.3)
    inner = (points > 2) & (points < 18)
    result = interpolate(centres**power, count, factor, 0.3)
    np.testing.assert_allclose(result[inner], points[inner] ** power, rtol=1e-12)


def test_halfway_weights_are_nine_and_minus_one_sixteenths() -> None:
    _, weights = catmull_rom.taps_at(8, np.array([4.0]))
    np.testing.assert_array_equal(weights, [[-1 / 16, 9 / 16, 9 / 16, -1 / 16]])


def test_factor_one_is_the_identity() -> None:
    values = np.random.default_rng(0).normal(size=9)
    np.testing.assert_array_equal(interpolate(values, 9, 1, 0.0), values)


def test_positive_shift_moves_content_towards_larger_indices() -> None:
    values = np.arange(9.0)
    np.testing.assert_array_equal(
        interpolate(values, 9, 1, 2.0), [0, 0, 0, 1, 2, 3, 4, 5, 6]
    )


def test_replicated_border_keeps_a_constant() -> None:
    np.testing.assert_allclose(interpolate(np.ones(3), 15, 5, 0.0), 1.0, rtol=1e-14)


def test_dropped_border_is_not_renormalised() -> None:
    result = interpolate(np.ones(8), 16, 2, 0.0, offset=0.0, border="drop")
    np.testing.assert_allclose(result[[0, 2, 8]], [0.5, 1.0625, 1.0], rtol=1e-14)


@pytest.mark.parametrize("border", ["replicate", "drop"])
def test_points_outside_weigh_nothing_and_read_inside(
    border: catmull_rom.Border,
) -> None:
    points = np.array([-7.0, -1e-6, 4.0, 11.0])
    indices, weights = catmull_rom.taps_at(4, points, border=border)
    assert not weights.any()
    assert indices.min() >= 0
    assert indices.max() <= 3


def test_axis_of_one_sample() -> None:
    np.testing.assert_allclose(interpolate(np.array([7.0]), 5, 5, 0.0), 7.0, rtol=1e-14)


def test_magnified_length_counts_whole_samples() -> None:
    assert catmull_rom.magnified_length(7, 2.5) == 17
    assert catmull_rom.magnified_length(100, 0.29) == 29
    assert catmull_rom.magnified_length(3, 0.3) == 0


@pytest.mark.parametrize("factor", [1, 2, 3, 5, 7])
def test_rounding_of_a_shift_decides_nothing(factor: int) -> None:
    for steps in range(1, 3 * factor + 1):
        points = catmull_rom.coordinates(5 * factor, factor, (steps + 0.5) / factor)
        assert np.count_nonzero(catmull_rom.inside(points, 5)) == 5 * factor - steps
        off_margin = catmull_rom.inside(points, 5, steps / factor)
        assert np.count_nonzero(off_margin) == max(5 * factor - 2 * steps, 0)
