"""Noise is taken off a reference, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_nanopyx._kernels import reference_noise


def scene(shape: tuple[int, ...], blur: float) -> np.ndarray:
    noise = np.random.default_rng(1).normal(size=shape)
    smooth = ndimage.gaussian_filter(noise, blur)
    return (smooth / smooth.std()).astype(np.float32)


@pytest.mark.parametrize("shape", [(64, 80), (24, 30, 40)])
def test_it_is_more_like_the_scene_as_it_says(shape: tuple[int, ...]) -> None:
    clear = scene(shape, 2.0)
    random = np.random.default_rng(2)
    one, other = (clear + random.normal(0, 1, shape).astype("f4") for _ in range(2))
    one -= one.mean()
    before = np.corrcoef(one.ravel(), other.ravel())[0, 1]
    found, about = reference_noise.taken_off(one, before)
    after = np.corrcoef(found.ravel(), other.ravel())[0, 1]
    assert after * about.likeness == pytest.approx(before, abs=0.03)
    assert np.corrcoef(found.ravel(), clear.ravel())[0, 1] > 0.95
    assert np.corrcoef(one.ravel(), clear.ravel())[0, 1] < 0.75


def test_without_noise_it_stays_what_it_is() -> None:
    clear = scene((64, 80), 1.5)
    clear -= clear.mean()
    found, about = reference_noise.taken_off(clear, 1.0)
    assert about.likeness == 1
    np.testing.assert_array_equal(found, clear)
    found, about = reference_noise.taken_off(clear, 0.9)  # moved by half a pixel
    assert np.corrcoef(found.ravel(), clear.ravel())[0, 1] > 0.999
    assert about.likeness > 0.99


def test_fine_detail_is_no_noise() -> None:
    """Its shortest waves are as strong as all others."""
    detail = np.random.default_rng(3).normal(size=(64, 64)).astype(np.float32)
    detail -= detail.mean()
    found, _ = reference_noise.taken_off(detail, 0.95)
    assert np.corrcoef(found.ravel(), detail.ravel())[0, 1] > 0.98
