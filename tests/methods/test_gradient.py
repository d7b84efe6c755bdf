"""Gradients, and the small tools beside them."""

from __future__ import annotations

import doctest
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

import napari_nanopyx as nx
from napari_nanopyx import engine
from napari_nanopyx.methods import utilities
from napari_nanopyx.methods.gradient import Operator

GAINS: dict[Operator, float] = {
    "roberts": 2,
    "two_point": 1,
    "three_point": 2,
    "three_point_x": 4,
    "five_point": 1,
}
OPERATORS: tuple[Operator, ...] = get_args(Operator)


@pytest.fixture(scope="module")
def movie() -> NDArray[np.float32]:
    """Input A of the specification."""
    t, y, x = np.meshgrid(np.arange(6), np.arange(16), np.arange(18), indexing="ij")
    values: NDArray[np.float64] = (
        200
        + 80 * np.sin(0.7 * x + 0.3 * t)
        + 60 * np.cos(0.5 * y - 0.2 * t)
        + 30 * np.sin(0.35 * (x + 2 * y))
    )
    return values.astype(np.float32)


@pytest.fixture(scope="module")
def beads() -> list[NDArray[np.float64]]:
    """Two frames of input B of the specification: the second is moved by (1, 2)."""
    random = np.random.default_rng(5)
    places = [random.uniform(12, 52, 2) for _ in range(15)]
    y, x = np.indices((64, 64))
    frames = []
    for down, right in ((0, 0), (1, 2)):
        frame = np.full((64, 64), 100.0)
        for a, b in places:
            squared = (y - a - down) ** 2 + (x - b - right) ** 2
            frame += 1000 * np.exp(-squared / (2 * 1.3**2))
        frames.append(frame)
    return frames


def test_roberts_golden(movie: NDArray[np.float32]) -> None:
    row, column = nx.gradient(movie)
    assert row.dtype == column.dtype == np.float32
    assert row[0, 0, 0] == column[0, 0, 0] == 0
    found = [column[0, 0, 5], column[0, 8, 9], row[0, 5, 0], row[0, 8, 9]]
    np.testing.assert_allclose(found, [-109.811, 96.5771, -87.3459, 19.2467], rtol=5e-6)


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_slope_gives_its_gain(operator: Operator) -> None:
    y, x = np.indices((9, 11))
    row, column = nx.gradient(3.0 * y - 2.0 * x, operator=operator)
    gain = GAINS[operator]
    np.testing.assert_allclose(row[1:-1, 1:-1], 3 * gain)
    np.testing.assert_allclose(column[1:-1, 1:-1], -2 * gain)
    if operator == "five_point":
        np.testing.assert_allclose(row, 3)


@pytest.mark.parametrize("operator", OPERATORS)
def test_turned_images_have_swapped_gradients(
    movie: NDArray[np.float32], operator: Operator
) -> None:
    row, column = nx.gradient(movie, operator=operator)
    swapped = nx.gradient(movie.swapaxes(1, 2), operator=operator)
    np.testing.assert_array_equal(swapped[0], column.swapaxes(1, 2))
    np.testing.assert_array_equal(swapped[1], row.swapaxes(1, 2))


@pytest.mark.parametrize("operator", OPERATORS)
def test_gradients_belong_where_it_is_said(operator: Operator) -> None:
    """Compared with the derivative of a slow wave, there."""
    rows, columns = {
        "roberts": ((0, 0), (0, 0)),
        "two_point": ((0, 0.5), (0.5, 0)),
    }.get(operator, ((0.5, 0.5), (0.5, 0.5)))
    y, x = np.indices((40, 44)) + 0.5
    k = 0.05
    found = nx.gradient(np.sin(k * y + 2 * k * x), operator=operator)
    for each, (dy, dx), slope in zip(found, (rows, columns), (k, 2 * k), strict=True):
        there = k * (y - 0.5 + dy) + 2 * k * (x - 0.5 + dx)
        expected = GAINS[operator] * slope * np.cos(there)
        error = np.abs(each - expected)[2:-2, 2:-2].max()
        assert error < 0.02 * GAINS[operator] * slope


@pytest.mark.parametrize("column", [0, 1, 5, -2, -1])
def test_five_points_are_exact_for_parabolas(column: int) -> None:
    x = np.arange(12.0)
    image = np.tile(2 * x**2 - 3 * x, (6, 1))
    _, slope = nx.gradient(image, operator="five_point")
    np.testing.assert_allclose(slope[:, column], 4 * x[column] - 3, rtol=1e-6)


def test_edges_are_continued() -> None:
    image = np.array([[1.0, 4.0, 9.0]])
    row, column = nx.gradient(image, operator="three_point_x")
    np.testing.assert_array_equal(row, [[0, 0, 0]])
    np.testing.assert_array_equal(column, [[6, 16, 10]])


def test_bad_input(movie: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="operator is 'sobel', but must be one of"):
        nx.gradient(movie, operator="sobel")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 5 along each axis"):
        nx.gradient(np.ones((4, 9)), operator="five_point")
    with pytest.raises(ValueError, match="NaN"):
        nx.gradient(np.full((5, 5), np.nan))
    with pytest.raises(engine.UnknownImplementation):
        nx.gradient(movie, implementation="serial")


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("sum", [[14, 22]]), ("mean", [[3.5, 5.5]]), ("max", [[6, 8]])],
)
def test_rebin(mode: utilities.Mode, expected: Any) -> None:
    image = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])
    np.testing.assert_array_equal(utilities.rebin(image, 2, mode), expected)
    np.testing.assert_array_equal(
        utilities.rebin(np.stack([image, image]), 2, mode), [expected, expected]
    )
    np.testing.assert_array_equal(utilities.rebin(image, 1, mode), image)


def test_padding_puts_the_image_in_the_middle() -> None:
    padded = utilities.pad_with_zeros(np.ones((2, 3)), (5, 6))
    assert padded.shape == (5, 6)
    assert np.argwhere(padded).min(axis=0).tolist() == [1, 1]
    assert padded.sum() == 6


def test_blocks_are_cut_row_by_row_and_put_together() -> None:
    image = np.arange(48).reshape(6, 8)
    blocks = utilities.split_blocks(image, 2, 4)
    np.testing.assert_array_equal(blocks[5], image[3:, 2:4])
    np.testing.assert_array_equal(utilities.assemble_blocks(blocks, 2, 4), image)


def test_pearson_golden(beads: list[NDArray[np.float64]]) -> None:
    first, second = beads
    assert utilities.pearson(first, second) == pytest.approx(0.48285, abs=1e-5)
    assert utilities.pearson(first, second, (1, 2)) == pytest.approx(1, abs=1e-6)
    assert utilities.pearson(second, first, (-1, -2)) == pytest.approx(1, abs=1e-6)
    assert utilities.pearson(first, np.ones((64, 64))) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: utilities.rebin(np.ones((4, 5)), 2), "factor is 2, but must divide"),
        (lambda: utilities.rebin(np.ones((4, 4)), 0), "factor is 0"),
        (lambda: utilities.rebin(np.ones((4, 4)), 2, "total"), "mode is 'total'"),  # type: ignore[arg-type]
        (lambda: utilities.rebin(np.ones(4), 2), "image has shape"),
        (lambda: utilities.pad_with_zeros(np.ones((4, 4)), (3, 9)), "shape is \\(3, 9"),
        (lambda: utilities.split_blocks(np.ones((4, 4)), 3, 2), "must divide"),
        (lambda: utilities.assemble_blocks(np.ones((3, 2, 2)), 2, 2), "must be 4"),
        (lambda: utilities.pearson(np.ones((4, 4)), np.ones((4, 5))), "image_b has"),
        (lambda: utilities.pearson(*np.ones((2, 4, 4)), (4, 0)), "shift is 4"),
    ],
)
def test_what_the_tools_refuse(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_examples_of_the_tools() -> None:
    assert doctest.testmod(utilities).failed == 0
