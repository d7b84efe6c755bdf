"""What the measures of quality and denoising make of images that are no good.

Each is refused in one sentence that names the argument, or gives the documented value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

import napari_nanopyx as nx
from napari_nanopyx.methods.utilities import pearson

RANDOM = np.random.default_rng(21)
SCENE = 20 * ndimage.gaussian_filter(RANDOM.normal(size=(64, 80)), 1.5)
A, B = (SCENE + RANDOM.normal(size=SCENE.shape) for _ in range(2))

PAIRS: dict[str, Callable[..., Any]] = {
    "frc": nx.frc,
    "frc_map": lambda a, b: nx.frc_map(a, b, blocks=2),
    "error_map": nx.error_map,
    "pearson": pearson,
}
SINGLES: dict[str, Callable[..., Any]] = {
    "frc": nx.frc,
    "decorrelation": nx.decorrelation,
    "decorrelation_map": nx.decorrelation_map,
    "denoise_nlm": nx.denoise_nlm,
    "convolve": lambda image: nx.convolve(image, np.ones((3, 3))),
}


@pytest.mark.parametrize("name", PAIRS)
def test_images_of_different_shapes(name: str) -> None:
    with pytest.raises(ValueError, match=r"has shape \(64, 79\).*\(64, 80\)"):
        PAIRS[name](A, B[:, :79])


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_pairs_with_values_that_are_no_numbers(name: str, value: float) -> None:
    bad = B.copy()
    bad[3, 5] = value
    with pytest.raises(ValueError, match=r"^(image_b|super_resolved) holds NaN"):
        PAIRS[name](A, bad)
    with pytest.raises(ValueError, match=r"^(image_a|reference) holds NaN"):
        PAIRS[name](bad, A)


@pytest.mark.parametrize("name", SINGLES)
@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_single_images_with_values_that_are_no_numbers(name: str, value: float) -> None:
    bad = A.copy()
    bad[3, 5] = value
    with pytest.raises(ValueError, match=r"^image(_a)? holds NaN"):
        SINGLES[name](bad)


def test_identical_images() -> None:
    assert "identical" in nx.frc(A, A).reason
    assert set(np.ravel(nx.frc_map(A, A, blocks=2).reasons)) == {nx.frc(A, A).reason}
    found = nx.error_map(A, A)
    assert (found.rsp, found.alpha) == (pytest.approx(1), pytest.approx(1))
    assert found.rse == pytest.approx(0, abs=1e-6)
    assert pearson(A, A) == pytest.approx(1)


@pytest.mark.parametrize("value", [0.0, -3.5, 1e9])
def test_constant_images(value: float) -> None:
    constant = np.full(A.shape, value)
    assert nx.frc(constant).reason == "image_a is constant"
    assert nx.frc(A, constant).reason == "image_b is constant"
    assert nx.decorrelation(constant).reason == "the image is constant"
    found = nx.error_map(A, constant)
    assert (found.rsp, found.reason) == (0, "the super-resolved image is constant")
    assert pearson(A, constant) == 0
    np.testing.assert_array_equal(nx.denoise_nlm(constant), np.float32(constant))
    np.testing.assert_array_equal(
        nx.convolve(constant, np.full((3, 3), 0.125)), np.float32(1.125 * constant)
    )


def test_zero_padding() -> None:
    one, other, scene = (np.pad(image + 50, 20) for image in (A, B, SCENE))
    inner = (slice(20, -20), slice(20, -20))
    assert "stays above the threshold" in nx.frc(one, other).reason
    assert nx.frc(one[inner], other[inner]).reason == ""
    assert nx.decorrelation(one).reason == ""
    assert nx.error_map(scene, one).rsp == pytest.approx(1, abs=0.01)
    assert pearson(one, other) > pearson(A, B)
    calm = nx.denoise_nlm(one)
    assert abs(calm[:10]).max() < 1e-30
    left, plain = (calm[inner] - 50 - SCENE).std(), (nx.denoise_nlm(A) - SCENE).std()
    assert left == pytest.approx(plain, rel=0.1)
    assert left < (A - SCENE).std()


def test_negative_values() -> None:
    np.testing.assert_allclose(
        nx.frc(A - 500, -B).correlation[1:], -nx.frc(A, B).correlation[1:], atol=1e-3
    )
    one, other = nx.decorrelation(A), nx.decorrelation(-A)
    assert other.resolution == pytest.approx(one.resolution)
    assert nx.error_map(-A, A).rsp == pytest.approx(-1)
    assert pearson(A - 500, -A) == pytest.approx(-1)
    calm = nx.denoise_nlm(A)
    np.testing.assert_allclose(nx.denoise_nlm(-A), -calm, atol=1e-4 * abs(A).max())
    kernel = -np.ones((3, 3))
    np.testing.assert_allclose(
        nx.convolve(-A, kernel), nx.convolve(A, -kernel), atol=1e-4 * abs(A).max()
    )


@pytest.mark.parametrize("shape", [(3, 4), (4, 4), (2, 5), (201, 1), (90, 131)])
def test_kernels_that_are_even_or_larger_than_the_image(shape: tuple[int, int]) -> None:
    kernel = RANDOM.normal(size=shape)
    image = A[:17, :23].astype(np.float32)
    before = [(length - 1) // 2 for length in shape]
    margins = [(n, m - 1 - n) for n, m in zip(before, shape, strict=True)]
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(image.astype(np.float64), margins, mode="edge"), shape
    )
    expected = (windows * kernel.astype(np.float32)).sum(axis=(-2, -1))
    found = nx.convolve(image, kernel)
    assert abs(found - expected).max() <= 1e-5 * abs(expected).max()


@pytest.mark.parametrize("mode", ["fast", "gaussian"])
def test_a_search_wider_than_the_image(mode: Any) -> None:
    small = A[:5, :6]
    calm = nx.denoise_nlm(small, patch_distance=20, sigma=1.0, mode=mode)
    assert calm.shape == small.shape
    assert small.min() - 1e-4 <= calm.min() <= calm.max() <= small.max() + 1e-4


def test_a_reference_that_does_not_go_into_the_image() -> None:
    with pytest.raises(ValueError, match=r"super_resolved has shape .* whole number"):
        nx.error_map(A, np.zeros((127, 160)))
    with pytest.raises(ValueError, match="the same along both axes"):
        nx.error_map(A, np.zeros((128, 240)))


def test_nothing_but_noise() -> None:
    noise = RANDOM.normal(size=(2, 200, 200))
    assert math.isnan(nx.decorrelation(noise[0]).resolution)
    assert math.isnan(nx.frc(*noise, threshold="3-sigma").resolution)
    assert abs(pearson(*noise)) < 0.03
