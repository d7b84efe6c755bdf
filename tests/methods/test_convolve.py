"""A convolved image is what the sum of weighted neighbours says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

import napari_nanopyx as nx
from napari_nanopyx import engine

NAMES = ("reference", "serial", "separable", "fft", "numba", None)
"""None is the engine's choice."""

MOVIE = np.random.default_rng(30).poisson(200, (3, 17, 22)).astype(np.uint16)
BLUR = np.outer([1, 4, 6, 4, 1], [1, 2, 1]) / 64


@pytest.fixture(params=NAMES, ids=str)
def implementation(request: pytest.FixtureRequest) -> str | None:
    name: str | None = request.param
    return name


def close(actual: NDArray[Any], expected: NDArray[Any]) -> None:
    largest = np.abs(expected).max()
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * largest)


def test_one_bright_pixel_shows_the_kernel_turned_round(
    implementation: str | None,
) -> None:
    image = np.zeros((9, 11))
    image[4, 5] = 1
    kernel = np.outer([1, 2, 3], [4, 5, 6, 7, 8])
    result = nx.convolve(image, kernel, implementation=implementation)
    assert result.dtype == np.float32
    expected = np.zeros((9, 11))
    expected[3:6, 3:8] = kernel[::-1, ::-1]
    close(result, expected)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (4, 4), (2, 7), (6, 1)])
def test_equals_scipy(size: tuple[int, int], implementation: str | None) -> None:
    random = np.random.default_rng(31)
    kernel = np.outer(*(random.normal(size=length) for length in size))
    origin = [-((length + 1) % 2) for length in size]
    expected = [
        ndimage.correlate(frame, kernel, mode="nearest", origin=origin)
        for frame in MOVIE.astype(np.float64)
    ]
    result = nx.convolve(MOVIE, kernel, implementation=implementation)
    close(result, np.array(expected))


def test_a_kernel_larger_than_the_image(implementation: str | None) -> None:
    kernel = np.outer(np.arange(1, 42), np.arange(60, 1, -1))
    expected = ndimage.correlate(MOVIE[0].astype(float), kernel, mode="nearest")
    close(nx.convolve(MOVIE[0], kernel, implementation=implementation), expected)


def test_weights_that_cancel_leave_nothing_of_a_bright_background(
    implementation: str | None,
) -> None:
    x = np.arange(-5, 6)
    bell = np.exp(-(x**2) / 8)
    slope = np.outer(bell, bell * x).astype(np.float32)
    flat = np.full((2, 20, 30), 54321.7, np.float32)
    result = nx.convolve(flat, slope, implementation=implementation)
    total = slope.sum(dtype=np.float64)
    np.testing.assert_allclose(result, float(flat[0, 0, 0]) * total, rtol=1e-6)


def test_weight_one_gives_the_image_back(implementation: str | None) -> None:
    result = nx.convolve(MOVIE, [[1]], implementation=implementation)
    np.testing.assert_allclose(result, MOVIE, rtol=1e-6)


def test_weights_of_zero_give_zero(implementation: str | None) -> None:
    result = nx.convolve(MOVIE, np.zeros((3, 4)), implementation=implementation)
    np.testing.assert_array_equal(result, np.zeros(MOVIE.shape))


def test_one_pixel(implementation: str | None) -> None:
    result = nx.convolve(
        [[7.0]], np.outer([1, 2], [3, 4, 5]), implementation=implementation
    )
    np.testing.assert_allclose(result, [[7 * 36]], rtol=1e-6)


def test_frames_are_independent(implementation: str | None) -> None:
    together = nx.convolve(MOVIE, BLUR, implementation=implementation)
    for frame, result in zip(MOVIE, together, strict=True):
        alone = nx.convolve(frame, BLUR, implementation=implementation)
        np.testing.assert_allclose(result, alone, rtol=2e-6)


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [
        (0, 255, np.uint8),
        (0, 65535, np.uint16),
        (-32768, 32767, np.int16),
        (-(2**62), 2**62, np.int64),
        (-1e30, 1e30, np.float32),
        (1e-36, 3e-36, np.float32),
        (-3e38, 3e38, np.float32),
        (0, 3e38, np.float64),
    ],
)
def test_extreme_values(
    low: float, high: float, dtype: Any, implementation: str | None
) -> None:
    image = np.random.default_rng(32).choice([low, high], (12, 13)).astype(dtype)
    expected = nx.convolve(image, BLUR, implementation="reference")
    assert np.isfinite(expected).all()
    close(nx.convolve(image, BLUR, implementation=implementation), expected)


def test_a_dead_pixel_does_not_spoil_the_rest(implementation: str | None) -> None:
    image = MOVIE[0].astype(np.float64)
    image[8, 11] = 1e6
    kernel = np.outer(np.ones(3), np.ones(3))
    expected = nx.convolve(image, kernel, implementation="reference")
    close(nx.convolve(image, kernel, implementation=implementation), expected)


@pytest.mark.parametrize(
    "changed",
    [
        lambda image: np.asfortranarray(image),
        lambda image: np.repeat(image, 2, axis=2)[:, :, ::2],
        lambda image: image[:, ::-1].copy()[:, ::-1],
        lambda image: image.astype(">u2"),
        lambda image: image.tolist(),
    ],
    ids=["Fortran", "every second", "reversed", "big-endian", "list"],
)
def test_memory_layout_does_not_matter(changed: Callable[[Any], Any]) -> None:
    with engine.use("serial"):
        expected = nx.convolve(MOVIE, BLUR)
        np.testing.assert_allclose(
            nx.convolve(changed(MOVIE), BLUR), expected, rtol=1e-6
        )
        kernel = np.asfortranarray(BLUR)
        np.testing.assert_array_equal(nx.convolve(MOVIE, kernel[::-1][::-1]), expected)


def test_inputs_are_left_alone(implementation: str | None) -> None:
    image, kernel = MOVIE.copy(), BLUR.astype(np.float32)
    for array in (image, kernel):
        array.flags.writeable = False
    nx.convolve(image, kernel, implementation=implementation)
    np.testing.assert_array_equal(image, MOVIE)
    np.testing.assert_array_equal(kernel, BLUR.astype(np.float32))


@pytest.mark.parametrize(
    ("kernel", "error", "message"),
    [
        ([1, 2, 1], ValueError, r"kernel has shape \(3,\), but must be a table"),
        (np.ones((1, 3, 3)), ValueError, r"kernel has shape \(1, 3, 3\), but must"),
        (np.ones((0, 3)), ValueError, r"kernel has shape \(0, 3\), but must"),
        (3.0, ValueError, r"kernel has shape \(\), but must"),
        ([[1, 2], [3]], ValueError, r"kernel is \[\[1, 2\], \[3\]\], but must"),
        (np.ones((3, 3), complex), TypeError, "kernel has dtype complex128, but must"),
        ("gauss", TypeError, "kernel has dtype <U5, but must"),
        (None, TypeError, "kernel has dtype object, but must"),
        ([[1, np.nan]], ValueError, "kernel holds nan in row 0, column 1, but must"),
        ([[1], [-np.inf]], ValueError, "kernel holds -inf in row 1, column 0"),
        ([[1e39]], ValueError, r"kernel holds 1e\+39 .* finite in float32"),
    ],
)
def test_kernels_that_make_no_sense(
    kernel: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        nx.convolve(MOVIE, kernel)


def test_separable_refuses_other_kernels() -> None:
    with pytest.raises(
        engine.ImplementationUnavailable,
        match=r"'separable' .* not a column times a row",
    ):
        nx.convolve(MOVIE, np.eye(3), implementation="separable")


def test_separable_is_not_chosen_for_other_kernels() -> None:
    with engine.record() as runs:
        for _ in range(12):
            nx.convolve(MOVIE, np.eye(3))
    assert all("separable" not in run.blocks for run in runs)
