"""Magnified images are the same images on another grid."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from simulation import spots

import napari_nanopyx as nx


@pytest.fixture(params=["reference", None], ids=["reference", "chosen"])
def implementation(request: pytest.FixtureRequest) -> str | None:
    name: str | None = request.param
    return name


@pytest.fixture(scope="module")
def movie() -> NDArray[np.uint16]:
    return np.random.default_rng(9).poisson(200, (4, 11, 14)).astype(np.uint16)


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 5, 6, 2.5])
@pytest.mark.parametrize("place", [(7.5, 7.5), (7.3, 7.8)])
def test_a_spot_stays_where_it_is(
    factor: float, place: tuple[float, float], implementation: str | None
) -> None:
    row, column = (np.array([each]) for each in place)
    image = spots((15, 15), row, column, np.array([1000.0]), sigma=1.2)
    result = nx.magnify(image, factor, implementation=implementation)
    y, x = (
        (np.arange(length) + 0.5) - factor * each
        for length, each in zip(result.shape, place, strict=True)
    )
    total = result.sum()
    assert abs((result.sum(axis=1) * y).sum() / total) < 0.05
    assert abs((result.sum(axis=0) * x).sum() / total) < 0.05


def test_factor_one_gives_the_image_back(
    movie: NDArray[np.uint16], implementation: str | None
) -> None:
    result = nx.magnify(movie, 1, implementation=implementation)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, movie, rtol=1e-6)


def test_whole_pixel_shifts_move_the_content(
    movie: NDArray[np.uint16], implementation: str | None
) -> None:
    plain = nx.magnify(movie, 3, implementation=implementation)
    moved = nx.magnify(movie, 3, shift=(2, -1), implementation=implementation)
    expected = np.zeros_like(plain)
    expected[:, 6:, :-3] = plain[:, :-6, 3:]
    np.testing.assert_allclose(moved, expected, rtol=1e-5, atol=1e-5 * plain.max())


def test_each_frame_can_have_its_own_shift(
    movie: NDArray[np.uint16], implementation: str | None
) -> None:
    shifts = np.random.default_rng(10).uniform(-2, 2, (4, 2))
    together = nx.magnify(movie, 2, shift=shifts, implementation=implementation)
    for frame, shift, result in zip(movie, shifts, together, strict=True):
        alone = nx.magnify(frame, 2, shift=shift, implementation=implementation)
        np.testing.assert_allclose(result, alone, rtol=1e-6)


@pytest.mark.parametrize("factor", [1, 3, 2.5, 0.5, (2, 3.7)])
def test_a_constant_stays_constant(
    factor: float | tuple[float, float], implementation: str | None
) -> None:
    flat = np.full((2, 7, 6), 1234, np.uint16)
    result = nx.magnify(flat, factor, implementation=implementation)
    np.testing.assert_allclose(result, 1234, rtol=1e-6)


def test_flips_and_turns(movie: NDArray[np.uint16], implementation: str | None) -> None:
    result = nx.magnify(movie, 4, implementation=implementation)
    for turned, expected in [
        (movie[:, ::-1], result[:, ::-1]),
        (movie[:, :, ::-1], result[:, :, ::-1]),
        (np.rot90(movie, axes=(1, 2)), np.rot90(result, axes=(1, 2))),
    ]:
        again = nx.magnify(turned, 4, implementation=implementation)
        np.testing.assert_allclose(again, expected, rtol=2e-6)


@pytest.mark.parametrize(
    ("factor", "size"), [(2.5, (27, 35)), (0.3, (3, 4)), ((1, 0.5), (11, 7))]
)
def test_size_of_the_result(
    movie: NDArray[np.uint16],
    factor: float | tuple[float, float],
    size: tuple[int, int],
    implementation: str | None,
) -> None:
    result = nx.magnify(movie, factor, implementation=implementation)
    assert result.shape == (4, *size)
    single = nx.magnify(movie[0], factor, implementation=implementation)
    np.testing.assert_allclose(single, result[0], rtol=1e-6)
