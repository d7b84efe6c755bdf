"""Windows, spectra and crossings give the number that nanopyx 2.1.5 gave."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage, signal

from napari_nanopyx._kernels import ring_correlation, ring_threshold

SIDE = 128
CENTRE = SIDE // 2


@pytest.fixture(scope="module")
def images() -> list[NDArray[np.float64]]:
    """Return noise up to 0.25 cycles per pixel, twice, each time with other noise."""
    random = np.random.default_rng(42)
    frequencies = np.fft.fftfreq(SIDE)
    passes = np.hypot(*np.meshgrid(frequencies, frequencies)) < 0.25
    white = random.standard_normal((SIDE, SIDE))
    scene = np.fft.ifft2(np.fft.fft2(white) * passes).real
    scene /= scene.std()
    return [scene + 0.3 * random.standard_normal(scene.shape) for _ in range(2)]


def test_profile_c(images: list[NDArray[np.float64]]) -> None:
    """Points on circles, an axis that ends too early, an even window to smooth with."""
    windowed = [ring_correlation.windowed(image) for image in images]
    a, b = (np.fft.fftshift(np.fft.fft2(image)) for image in windowed)
    maps = (a * b.conj()).real, abs(a) ** 2, abs(b) ** 2
    curve = np.ones(CENTRE - 1)
    for ring in range(1, CENTRE - 1):
        angles = np.arange(0, 2 * np.pi, 1 / ring)
        points = CENTRE + ring * np.array([np.sin(angles), np.cos(angles)])
        cross, one, other = (
            ndimage.map_coordinates(each, points, order=1).sum() for each in maps
        )
        curve[ring] = cross / np.sqrt(one * other)
    smooth = signal.savgol_filter(curve, 4, 3)
    ring_found = ring_threshold.crossing(smooth, np.full(len(smooth), 1 / 7))
    assert ring_found is not None
    step = 0.5 / (CENTRE - 2)
    assert 1 / (step * ring_found) == pytest.approx(3.48726, rel=1e-4)


def test_profile_p_is_near(images: list[NDArray[np.float64]]) -> None:
    """The same pair on whole rings, not smoothed, on the right axis."""
    curve = ring_correlation.ring_correlation(*images)
    ring_found = ring_threshold.crossing(curve, np.full(len(curve), 1 / 7))
    assert ring_found is not None
    assert SIDE / ring_found == pytest.approx(3.5696, rel=1e-4)


@pytest.mark.parametrize(("name", "share"), [("tukey", 0.25), ("hann", 1)])
@pytest.mark.parametrize("length", [8, 9, 64])
def test_windows(name: ring_correlation.Window, share: float, length: int) -> None:
    window = ring_correlation.taper(length, ring_correlation.TAPERED[name])
    expected = signal.windows.tukey(length, share)
    np.testing.assert_allclose(window, expected, atol=1e-15)


def crossing(correlation: list[float], threshold: list[float]) -> float | None:
    return ring_threshold.crossing(np.array(correlation), np.array(threshold))


def test_the_first_fall_counts() -> None:
    assert crossing([1, 0.6, 0.2, 0.7, 0.1], [0.4] * 5) == pytest.approx(1.5)


def test_a_rise_does_not_count() -> None:
    inf = float("inf")
    assert crossing([1, 0.9, 0.9, 0.8], [inf, 1.7, 0.9, 0.8]) is None
    assert crossing([1, 0.9, 0.9, 0.5], [inf, 1.7, 0.8, 0.7]) == pytest.approx(7 / 3)


def test_a_fall_near_one_counts_only_if_it_is_the_last() -> None:
    inf = float("inf")
    threshold = [inf, 0.95, 0.97, 0.6, 0.5, 0.5]
    correlation = [1, 0.99, 0.93, 0.9, 0.6, 0.4]
    assert crossing(correlation, threshold) == pytest.approx(4.5)
    assert crossing(correlation[:3], threshold[:3]) == pytest.approx(1.5)
