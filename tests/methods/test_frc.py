"""The Fourier ring correlation finds the resolution, and says when there is none."""

from __future__ import annotations

import math
from threading import Event
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage, signal

import napari_nanopyx as nx
from napari_nanopyx import engine
from napari_nanopyx._engine.errors import MissingPackage

Image = NDArray[np.float64]


def pair(shape: tuple[int, int], noise: float = 1.0, seed: int = 0) -> list[Image]:
    """Return a blurred scene twice, each time with other noise."""
    random = np.random.default_rng(seed)
    scene = 4 * ndimage.gaussian_filter(random.normal(size=shape), 1.5, mode="wrap")
    return [scene + noise * random.normal(size=shape) for _ in range(2)]


A, B = pair((64, 64))


def rings_of(first: Image, second: Image, window: Any) -> Image:
    """Return the correlation of whole rings, pixel by pixel, as it is defined."""
    side = max(first.shape) + max(first.shape) % 2
    spectra = []
    for image in (first, second):
        rows, columns = (signal.get_window(window, n, False) for n in image.shape)
        weights = np.outer(rows, columns)
        centred = image - (image * weights).sum() / weights.sum()
        spectra.append(np.fft.fft2(centred * weights, (side, side)))
    index = np.minimum(np.arange(side), side - np.arange(side))
    ring = np.rint(np.hypot(*np.meshgrid(index, index)))
    curve = [1.0]
    for r in range(1, side // 2 + 1):
        a, b = (spectrum[ring == r] for spectrum in spectra)
        cross = (a * b.conj()).real.sum()
        curve.append(cross / math.sqrt((abs(a) ** 2).sum() * (abs(b) ** 2).sum()))
    return np.array(curve)


@pytest.mark.parametrize("shape", [(16, 16), (33, 33), (24, 41), (70, 8)])
@pytest.mark.parametrize(
    ("name", "window"),
    [("tukey", ("tukey", 0.25)), ("hann", "hann"), ("none", "boxcar")],
)
def test_curve_is_the_correlation_on_whole_rings(
    shape: tuple[int, int], name: Any, window: Any
) -> None:
    images = [image.astype(np.float32).astype(float) + 50 for image in pair(shape)]
    result = nx.frc(*images, window=name)
    expected = rings_of(*images, window)
    np.testing.assert_allclose(result.correlation, expected, atol=1e-5)


def test_frequencies_run_from_zero_to_nyquist() -> None:
    result = nx.frc(*pair((30, 21)), pixel_size=0.2)
    np.testing.assert_allclose(result.frequency, np.arange(16) / (30 * 0.2))
    assert len(result.correlation) == len(result.threshold) == 16
    assert result.correlation[0] == 1


def test_resolution_is_where_the_curve_meets_the_threshold() -> None:
    result = nx.frc(A, B)
    at = 1 / result.resolution
    height = np.interp(at, result.frequency, result.correlation)
    assert height == pytest.approx(1 / 7)
    assert (result.correlation[result.frequency < at] >= 1 / 7).all()
    assert result.reason == ""


@pytest.mark.parametrize("threshold", ["1/7", "half-bit", "one-bit", "3-sigma", 0.5])
def test_thresholds(threshold: str | float) -> None:
    result = nx.frc(A, B, threshold=threshold)
    root = np.sqrt(2 * np.pi * np.arange(1, 33))
    expected = {
        "1/7": np.full(32, 1 / 7),
        "half-bit": (0.2071 + 1.9102 / root) / (1.2071 + 0.9102 / root),
        "one-bit": (0.5 + 2.4142 / root) / (1.5 + 1.4142 / root),
        "3-sigma": 3 / (root / math.sqrt(2)),
        0.5: np.full(32, 0.5),
    }[threshold]
    np.testing.assert_allclose(result.threshold[1:], expected, rtol=1e-4)
    at = 1 / result.resolution
    height = np.interp(at, result.frequency, result.correlation)
    assert height == pytest.approx(
        np.interp(at, result.frequency[1:], result.threshold[1:])
    )
    assert result.criterion == str(threshold)


def test_padding_gives_no_samples() -> None:
    strip = nx.frc(*pair((32, 128)), threshold="2-sigma")
    square = nx.frc(*pair((128, 128)), threshold="2-sigma")
    np.testing.assert_allclose(strip.threshold[1:], 2 * square.threshold[1:])


def band_limited(shape: tuple[int, int], seed: int) -> tuple[list[Image], float]:
    """Return what a microscope sees of a random scene, twice, and the true resolution.

    The transfer falls to zero at 0.45 cycles per pixel. The signal is 1/6 of the noise,
    so that the correlation is 1/7, just before that. The scene continues outside.
    """
    random = np.random.default_rng(seed)
    height, width = shape
    size = 2 * height, 2 * width
    frequency = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, size), indexing="ij"))
    transfer = np.maximum(0, 1 - frequency / 0.45)
    spectrum = np.fft.fft2(random.normal(size=size)) * transfer * math.sqrt(30)
    scene = np.fft.ifft2(spectrum).real[:height, :width]
    images = [scene + random.normal(size=shape) for _ in range(2)]
    return images, 1 / (0.45 * (1 - math.sqrt(1 / 6 / 30)))


@pytest.mark.parametrize("window", ["tukey", "hann"])
@pytest.mark.parametrize(
    ("shape", "pairs"),
    [
        *(((64, 64), 25), ((65, 65), 25), ((64, 90), 25), ((127, 127), 9)),
        *(((128, 128), 9), ((255, 200), 5), ((256, 256), 3), ((512, 511), 1)),
        *(((300, 1000), 1), ((1024, 1024), 1)),
    ],
)
def test_a_known_resolution_is_found(
    shape: tuple[int, int], pairs: int, window: Any
) -> None:
    """Within 2 %; of small images, which are noisier, the median of several pairs."""
    found = []
    for seed in range(pairs):
        images, true = band_limited(shape, seed)
        found.append(nx.frc(*images, window=window).resolution)
    assert np.median(found) == pytest.approx(true, rel=0.02)


@pytest.mark.parametrize(("window", "rings"), [("none", 1), ("hann", 3), ("tukey", 5)])
@pytest.mark.parametrize("side", [64, 256])
def test_an_abrupt_end_is_found_within_a_few_rings(
    window: Any, rings: float, side: int
) -> None:
    """A window spreads a strong signal, here 50 times the noise, by some rings."""
    random = np.random.default_rng(7)
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(side)] * 2))
    spectrum = np.fft.fft2(random.normal(size=(side, side))) * (frequency < 0.25)
    scene = np.fft.ifft2(spectrum).real * math.sqrt(50)
    images = [scene + random.normal(size=scene.shape) for _ in range(2)]
    ring = side / nx.frc(*images, window=window).resolution
    assert side / 4 <= ring <= side / 4 + rings


def seen_once(shape: tuple[int, int], cut: float, seed: int) -> tuple[Image, float]:
    """Return a scene with noise, and its true resolution when it is cut into halves.

    The transfer falls to zero at `cut` cycles per pixel. In each half the signal is 1/6
    of the noise where in the whole it is 1/3.
    """
    random = np.random.default_rng(seed)
    size = 2 * shape[0], 2 * shape[1]
    frequency = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, size), indexing="ij"))
    spectrum = np.fft.fft2(random.normal(size=size)) * np.maximum(
        0, 1 - frequency / cut
    )
    scene = np.fft.ifft2(spectrum * math.sqrt(30)).real[: shape[0], : shape[1]]
    return scene + random.normal(size=shape), 1 / (cut * (1 - math.sqrt(1 / 3 / 30)))


@pytest.mark.parametrize("shape", [(256, 256), (255, 255), (200, 333), (512, 512)])
@pytest.mark.parametrize("cut", [0.2, 0.35])
def test_a_single_image_has_the_resolution_of_its_halves(
    shape: tuple[int, int], cut: float
) -> None:
    found = []
    for seed in range(8):
        image, truth = seen_once(shape, cut, seed)
        found.append(nx.frc(image).resolution / truth)
    assert np.median(found) == pytest.approx(1, rel=0.02)


def test_a_single_image_is_as_good_as_its_photons_shared_out() -> None:
    random = np.random.default_rng(5)
    light = ndimage.gaussian_filter(random.gamma(0.3, size=(400, 400)), 2.0)
    counts = random.poisson(60 * light / light.mean())
    one = nx.frc(counts)
    half = random.binomial(counts, 0.5)
    two = nx.frc(half, counts - half)
    assert one.resolution == pytest.approx(two.resolution, rel=0.03)
    rings = len(one.correlation)
    assert abs(one.correlation - two.correlation[:rings]).mean() < 0.03


def test_halves_are_the_squares_of_a_chessboard() -> None:
    rows, columns = np.indices(A.shape)
    white = (rows + columns) % 2 == 0
    centred = A - A.mean()
    expected = rings_of(centred * white, centred * ~white, "boxcar")
    found = nx.frc(A, window="none").correlation
    assert len(found) == 1 + int(64 / math.sqrt(8))
    np.testing.assert_allclose(found[3:], expected[3 : len(found)], atol=0.01)


def test_a_single_image_without_a_resolution() -> None:
    noise = np.random.default_rng(6).normal(size=(300, 300))
    assert "too little in common" in nx.frc(noise, threshold="3-sigma").reason
    assert nx.frc(np.ones((32, 32))).reason == "image_a is constant"
    sharp = nx.frc(seen_once((128, 128), 0.5, 0)[0], pixel_size=0.1, units="µm")
    assert math.isnan(sharp.resolution)
    assert "one image can tell, so it is 0.2828 µm or finer" in sharp.reason


def test_symmetric_in_the_images() -> None:
    one, other = nx.frc(A, B), nx.frc(B, A)
    assert one.resolution == other.resolution
    np.testing.assert_array_equal(one.correlation, other.correlation)


@pytest.mark.parametrize("scale", [-8.0, 1e-30, 3.7, 1e30])
def test_brightness_does_not_matter(scale: float) -> None:
    one, other = nx.frc(A, B), nx.frc(scale * A, scale * B)
    np.testing.assert_allclose(other.correlation, one.correlation, atol=1e-6)
    assert other.resolution == pytest.approx(one.resolution, rel=1e-5)


def test_background_does_not_matter() -> None:
    one, other = nx.frc(A, B), nx.frc(A + 1000, B + 2000)
    np.testing.assert_allclose(other.correlation, one.correlation, atol=1e-4)


def test_orientation_does_not_matter() -> None:
    images = pair((41, 60))
    one = nx.frc(*images)
    other = nx.frc(*(image.T[::-1] for image in images))
    np.testing.assert_allclose(other.correlation, one.correlation, atol=1e-12)


def test_pixel_size_and_units() -> None:
    one, other = nx.frc(A, B), nx.frc(A, B, pixel_size=65, units="nm")
    assert other.resolution == pytest.approx(65 * one.resolution)
    np.testing.assert_allclose(65 * other.frequency, one.frequency)
    assert str(one) == f"FRC resolution: {one.resolution:.4g} px (1/7 threshold)"
    assert str(other) == f"FRC resolution: {other.resolution:.4g} nm (1/7 threshold)"


def test_one_frame_is_an_image() -> None:
    one, other = nx.frc(A[np.newaxis], B.tolist()), nx.frc(A, B)
    np.testing.assert_array_equal(one.correlation, other.correlation)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int64, ">f4"])
def test_number_types(dtype: Any) -> None:
    images = [np.rint(10 * image + 128).clip(0, 255) for image in (A, B)]
    one, other = nx.frc(*images), nx.frc(*(image.astype(dtype) for image in images))
    np.testing.assert_array_equal(one.correlation, other.correlation)


@pytest.mark.parametrize("threshold", ["1/7", "half-bit", "3-sigma"])
@pytest.mark.parametrize("window", ["tukey", "hann", "none"])
@pytest.mark.parametrize("scale", [1, 4])
def test_identical_images(threshold: str, window: Any, scale: float) -> None:
    result = nx.frc(A, scale * A, threshold=threshold, window=window)
    np.testing.assert_allclose(result.correlation, 1)
    assert math.isnan(result.resolution)
    assert "images are identical" in result.reason


@pytest.mark.parametrize("threshold", ["1/7", "half-bit", "3-sigma"])
def test_structure_down_to_the_pixels(threshold: str) -> None:
    random = np.random.default_rng(3)
    scene = random.normal(size=(50, 50))
    first, second = (scene + 0.3 * random.normal(size=(50, 50)) for _ in range(2))
    result = nx.frc(first, second, pixel_size=0.1, units="µm", threshold=threshold)
    assert math.isnan(result.resolution)
    assert str(result) == (
        f"FRC resolution: none ({threshold} threshold): the correlation stays above "
        "the threshold up to the Nyquist frequency, so it is 0.2 µm or finer"
    )


@pytest.mark.parametrize("threshold", ["1/7", "half-bit", "3-sigma"])
def test_opposite_images_have_nothing_in_common(threshold: str) -> None:
    result = nx.frc(A, -A, threshold=threshold)
    np.testing.assert_allclose(result.correlation[1:], -1)
    assert math.isnan(result.resolution)
    assert "too little in common" in result.reason


@pytest.mark.parametrize("value", [0.0, 1e-30, 54321.7])
def test_a_constant_image_correlates_with_nothing(value: float) -> None:
    constant = np.full(A.shape, value)
    for images, name in (((A, constant), "image_b"), ((constant, constant), "image_a")):
        result = nx.frc(*images)
        np.testing.assert_array_equal(result.correlation[1:], 0)
        assert math.isnan(result.resolution)
        assert result.reason == f"{name} is constant"


def test_an_empty_field_with_one_bright_pixel() -> None:
    image = np.zeros((16, 16))
    image[8, 8] = 1
    assert "identical" in nx.frc(image, image).reason
    assert math.isfinite(nx.frc(image, image[::-1]).correlation.sum())


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (A[:, :-1], ValueError, r"image_b has shape \(64, 63\), but .* \(64, 64\)"),
        (np.where(A > 2, np.nan, A), ValueError, "image_b holds NaN"),
        (np.where(A > 2, np.inf, A), ValueError, "image_b holds NaN, infinity"),
        (A + 0j, TypeError, "image_b has dtype complex128"),
        ("b.tif", TypeError, "image_b has dtype <U5"),
        (A[0], ValueError, "image_b has 1 axes"),
        (np.stack([A, B]), ValueError, "image_b has 2 frames, but must be one image"),
        (A[np.newaxis, np.newaxis], ValueError, "image_b has 4 axes"),
        (A[:0], ValueError, "image_b is empty"),
        (A[:1, :1], ValueError, r"image_b has shape \(1, 1\), .* at least 8 pixels"),
        (A[:7], ValueError, r"image_b has shape \(7, 64\), .* at least 8 pixels"),
    ],
)
def test_images(image: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        nx.frc(A, image)
    with pytest.raises(error, match=r"^image_[ab]"):
        nx.frc(image, A)


@pytest.mark.parametrize(
    ("argument", "value", "error", "message"),
    [
        ("pixel_size", 0, ValueError, "0, but must be a number above 0"),
        ("pixel_size", -65, ValueError, "-65, but must be a number above 0"),
        ("pixel_size", np.nan, ValueError, "nan, but must be a number above 0"),
        ("pixel_size", "65 nm", TypeError, "'65 nm', a str, but must be a number"),
        ("units", None, TypeError, "None, but must be text"),
        ("threshold", "1/8", ValueError, "'1/8', but must be '1/7', 'half-bit'"),
        ("threshold", "0-sigma", ValueError, "'0-sigma', but must be '1/7'"),
        ("threshold", "-3-sigma", ValueError, "'-3-sigma', but must be '1/7'"),
        ("threshold", 0, ValueError, "0, but must be .* between 0 and 1"),
        ("threshold", 1.0, ValueError, "1.0, but must be .* between 0 and 1"),
        ("threshold", None, TypeError, "None, a NoneType, but must be '1/7'"),
        ("threshold", [0.5], TypeError, "a list, but must be '1/7'"),
        ("window", "hamming", ValueError, "must be one of 'tukey', 'hann', 'none'"),
        ("window", None, TypeError, "must be one of 'tukey', 'hann', 'none'"),
    ],
)
def test_arguments(
    argument: str, value: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{argument} .*{message}"):
        nx.frc(A, B, **{argument: value})


def test_implementation() -> None:
    chosen = nx.frc(A, B, implementation="reference")
    assert chosen.resolution == nx.frc(A, B).resolution
    with pytest.raises(engine.UnknownImplementation, match="'serial' cannot run here"):
        nx.frc(A, B, implementation="serial")


def test_progress_and_cancel() -> None:
    calls: list[tuple[int, int]] = []
    stop = Event()
    nx.frc(A, B, progress=lambda *done: calls.append(done), cancel=stop)
    assert calls == [(1, 1)]
    stop.set()
    with pytest.raises(engine.Cancelled):
        nx.frc(A, B, cancel=stop)


def test_the_images_stay_as_they_are() -> None:
    first, second = A.astype(np.float32), B.astype(np.float32)
    nx.frc(first, second)
    np.testing.assert_array_equal(first, A.astype(np.float32))
    np.testing.assert_array_equal(second, B.astype(np.float32))


def test_plot() -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure
    result = nx.frc(A, B, pixel_size=65, units="nm", threshold="3-sigma")
    ax = figure().add_subplot()
    assert result.plot(ax) is ax
    curve, threshold, mark = ax.get_lines()
    np.testing.assert_array_equal(curve.get_ydata(), result.correlation)
    np.testing.assert_array_equal(threshold.get_ydata(), result.threshold)
    assert mark.get_xdata()[0] == 1 / result.resolution
    assert ax.get_xlabel() == "spatial frequency (1/nm)"
    assert ax.get_title() == str(result)
    ax.figure.draw_without_rendering()


def test_plot_without_a_resolution() -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure
    ax = nx.frc(A, A).plot(figure().add_subplot())
    assert len(ax.get_lines()) == 2
    assert "identical" in ax.get_title()
    ax.figure.draw_without_rendering()


def test_plot_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_nanopyx.methods._axes.find_spec", lambda name: None)
    with pytest.raises(MissingPackage, match=r"a plot needs Matplotlib.*demo"):
        nx.frc(A, B).plot()


def test_result_is_short_in_a_list() -> None:
    result = nx.frc(A, A)
    assert repr(result).startswith("FRC(resolution=nan, reason='the images are")
