"""Magnified images are the same images on another grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from simulation import spots

import napari_nanopyx as nx
from napari_nanopyx import engine
from napari_nanopyx._kernels.magnify.kernels import Kernel

KERNELS: list[Kernel] = ["catmull_rom", "bilinear", "nearest", "lanczos", "fourier"]


@pytest.fixture(params=["reference", None], ids=["reference", "chosen"])
def implementation(request: pytest.FixtureRequest) -> str | None:
    name: str | None = request.param
    return name


@pytest.fixture(scope="module")
def movie() -> NDArray[np.uint16]:
    return np.random.default_rng(9).poisson(200, (4, 11, 14)).astype(np.uint16)


@pytest.fixture(params=KERNELS)
def kernel(request: pytest.FixtureRequest) -> Kernel:
    name: Kernel = request.param
    return name


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 5, 6, 2.5])
@pytest.mark.parametrize("place", [(7.5, 7.5), (7.3, 7.8)])
def test_a_spot_stays_where_it_is(
    factor: float,
    place: tuple[float, float],
    kernel: Kernel,
    implementation: str | None,
) -> None:
    row, column = (np.array([each]) for each in place)
    image = spots((15, 15), row, column, np.array([1000.0]), sigma=1.2)
    result = nx.magnify(image, factor, kernel=kernel, implementation=implementation)
    y, x = (
        (np.arange(length) + 0.5) - factor * each
        for length, each in zip(result.shape, place, strict=True)
    )
    total = result.sum()
    # Between whole factors, some pixels are repeated more often than others.
    allowed = 0.5 if kernel == "nearest" and factor % 1 else 0.05
    assert abs((result.sum(axis=1) * y).sum() / total) < allowed
    assert abs((result.sum(axis=0) * x).sum() / total) < allowed


def test_factor_one_gives_the_image_back(
    movie: NDArray[np.uint16], kernel: Kernel, implementation: str | None
) -> None:
    result = nx.magnify(movie, 1, kernel=kernel, implementation=implementation)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, movie, rtol=1e-6)


def test_whole_pixel_shifts_move_the_content(
    movie: NDArray[np.uint16], kernel: Kernel, implementation: str | None
) -> None:
    plain = nx.magnify(movie, 3, kernel=kernel, implementation=implementation)
    moved = nx.magnify(
        movie, 3, kernel=kernel, shift=(2, -1), implementation=implementation
    )
    expected = np.zeros_like(plain)
    expected[:, 6:, :-3] = plain[:, :-6, 3:]
    np.testing.assert_allclose(moved, expected, rtol=1e-5, atol=1e-5 * plain.max())


def test_each_frame_can_have_its_own_shift(
    movie: NDArray[np.uint16], kernel: Kernel, implementation: str | None
) -> None:
    shifts = np.random.default_rng(10).uniform(-2, 2, (4, 2))
    together = nx.magnify(
        movie, 2, kernel=kernel, shift=shifts, implementation=implementation
    )
    for frame, shift, result in zip(movie, shifts, together, strict=True):
        alone = nx.magnify(
            frame, 2, kernel=kernel, shift=shift, implementation=implementation
        )
        np.testing.assert_allclose(result, alone, rtol=2e-6)


@pytest.mark.parametrize("factor", [1, 3, 2.5, 0.5, (2, 3.7)])
def test_a_constant_stays_constant(
    factor: float | tuple[float, float], kernel: Kernel, implementation: str | None
) -> None:
    flat = np.full((2, 7, 6), 1234, np.uint16)
    result = nx.magnify(flat, factor, kernel=kernel, implementation=implementation)
    np.testing.assert_allclose(result, 1234, rtol=1e-6)


def test_flips_and_turns(
    movie: NDArray[np.uint16], kernel: Kernel, implementation: str | None
) -> None:
    result = nx.magnify(movie, 4, kernel=kernel, implementation=implementation)
    for turned, expected in [
        (movie[:, ::-1], result[:, ::-1]),
        (movie[:, :, ::-1], result[:, :, ::-1]),
        (np.rot90(movie, axes=(1, 2)), np.rot90(result, axes=(1, 2))),
    ]:
        again = nx.magnify(turned, 4, kernel=kernel, implementation=implementation)
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


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (13, 1), (2, 3), (5, 11)])
@pytest.mark.parametrize("factor", [3, 2.5, (1, 4)])
def test_odd_sizes_stay_within_what_they_hold(
    shape: tuple[int, int],
    factor: float | tuple[float, float],
    kernel: Kernel,
    implementation: str | None,
) -> None:
    image = np.random.default_rng(15).uniform(100, 200, shape)
    result = nx.magnify(image, factor, kernel=kernel, implementation=implementation)
    overshoot = {"catmull_rom": 0.5, "lanczos": 0.5, "fourier": 1.0}
    slack = overshoot.get(kernel, 0.0) * np.ptp(image) + 1e-6 * image.max()
    assert image.min() - slack <= result.min()
    assert result.max() <= image.max() + slack


def test_nearest_repeats_pixels(implementation: str | None) -> None:
    image = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    result = nx.magnify(image, (2, 3), kernel="nearest", implementation=implementation)
    np.testing.assert_array_equal(result, image.repeat(2, 0).repeat(3, 1))
    shifted = nx.magnify(
        image, 1, kernel="nearest", shift=(0.4, -0.6), implementation=implementation
    )
    np.testing.assert_array_equal(shifted, [[2, 3, 0], [5, 6, 0]])


def test_a_pixel_s_edge_is_the_next_pixel_s(implementation: str | None) -> None:
    image = np.arange(8192.0)[np.newaxis]
    result = nx.magnify(
        image,
        (1, 3),
        kernel="nearest",
        shift=(0, 1 / 6),
        implementation=implementation,
    )
    np.testing.assert_array_equal(result[0], np.arange(3 * 8192) // 3)


def test_bilinear_goes_straight_from_pixel_to_pixel(implementation: str | None) -> None:
    image = np.array([[0.0, 8.0]])
    result = nx.magnify(image, (1, 4), kernel="bilinear", implementation=implementation)
    np.testing.assert_allclose(result, [[0, 0, 1, 3, 5, 7, 8, 8]], atol=1e-6)


def test_lanczos_is_symmetric(implementation: str | None) -> None:
    image = np.zeros((1, 21))
    image[0, 10] = 1
    (result,) = nx.magnify(
        image, (1, 5), kernel="lanczos", implementation=implementation
    )
    np.testing.assert_allclose(result, result[::-1], atol=1e-7)
    assert np.count_nonzero(np.abs(result) > 1e-6) == 2 * 4 * 5 - 1 - 6
    distances = np.arange(-3, 5) - 0.4
    weights = np.sinc(distances) * np.sinc(distances / 4)
    np.testing.assert_allclose(result[50], weights[3] / weights.sum(), rtol=1e-6)


@pytest.mark.parametrize(
    ("kernel", "error"),
    [
        ("nearest", 0.3),
        ("bilinear", 0.15),
        ("catmull_rom", 0.05),
        ("lanczos", 0.01),
        ("fourier", 0.001),
    ],
)
def test_a_spot_keeps_its_form(
    kernel: Kernel, error: float, implementation: str | None
) -> None:
    """A spot of σ = 1.2 pixels is hardly sampled well enough: the kernels differ."""
    y, x = 9.3, 11.8
    result, expected = (
        np.exp(
            -(
                (((np.arange(20 * m) + 0.5) / m - y) ** 2)[:, np.newaxis]
                + ((np.arange(23 * m) + 0.5) / m - x) ** 2
            )
            / (2 * 1.2**2)
        )
        for m in (1, 4)
    )
    result = nx.magnify(result, 4, kernel=kernel, implementation=implementation)
    assert np.abs(result - expected).max() < error
    if kernel == "fourier":
        np.testing.assert_allclose(result.mean(), expected.mean(), rtol=1e-5)


@pytest.mark.parametrize("shift", [(1e300, 0), (0, -1e12), (11, 0), (0, -14)])
def test_nothing_is_left_of_an_image_that_is_shifted_out(
    movie: NDArray[np.uint16],
    kernel: Kernel,
    shift: tuple[float, float],
    implementation: str | None,
) -> None:
    result = nx.magnify(
        movie, 2, kernel=kernel, shift=shift, implementation=implementation
    )
    assert result.shape == (4, 22, 28)
    assert not result.any()


@pytest.mark.parametrize("shift", [(0, 0), (0.37, -1.21)])
def test_fourier_interpolates_cosine_waves_exactly(
    shift: tuple[float, float], implementation: str | None
) -> None:
    waves = [(0, 0, 10.0), (1, 3, 1.0), (5, 2, -2.0), (8, 10, 0.5)]

    def image(rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Any:
        return sum(
            height
            * np.outer(np.cos(np.pi * k * rows / 9), np.cos(np.pi * m * columns / 11))
            for k, m, height in waves
        )

    samples = image(np.arange(9) + 0.5, np.arange(11) + 0.5)
    places = [
        (np.arange(3 * n) + 0.5) / 3 - s for n, s in zip((9, 11), shift, strict=True)
    ]
    expected = image(*places)
    for axis, (place, length) in enumerate(zip(places, (9, 11), strict=True)):
        outside = (place < 0) | (place >= length)
        np.moveaxis(expected, axis, 0)[outside] = 0
    result = nx.magnify(
        samples, 3, kernel="fourier", shift=shift, implementation=implementation
    )
    np.testing.assert_allclose(result, expected, atol=2e-5)


def test_fourier_has_implementations_of_its_own(movie: NDArray[np.uint16]) -> None:
    with pytest.raises(engine.ImplementationUnavailable, match="kernel is 'fourier'"):
        nx.magnify(movie, 2, kernel="fourier", implementation="serial")
    with pytest.raises(engine.ImplementationUnavailable, match="must be whole"):
        nx.magnify(movie, 2.5, kernel="fourier", implementation="dct")
    for name in ("dct", "matrix"):
        with pytest.raises(
            engine.ImplementationUnavailable, match="kernel is 'lanczos"
        ):
            nx.magnify(movie, 2, kernel="lanczos", implementation=name)
    with engine.record() as runs:
        nx.magnify(movie, 2, kernel="fourier")
    assert set(runs[0].blocks) <= {"dct", "matrix"}
