"""Decorrelation analysis finds where structure ends, and says when there is none."""

from __future__ import annotations

import math
from threading import Event
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

import napari_nanopyx as nx
from napari_nanopyx import engine
from napari_nanopyx._kernels import decorrelation_curves as kernel

Image = NDArray[np.float64]

GAUSSIAN = 2.534 / math.pi
"""Cut-off times sigma of a Gaussian, in the limit of a narrow high-pass filter.

There the sum up to radius u = pi · k · sigma of u³ exp(-u²/2) stops growing faster than
the root of the frequencies' number: (u⁴ + u² + 2) exp(-u²/2) = 2.
"""


def blurred(
    shape: tuple[int, int], sigma: Any, noise: float = 0.01, seed: int = 0
) -> Image:
    random = np.random.default_rng(seed)
    scene = ndimage.gaussian_filter(random.normal(size=shape), sigma, mode="wrap")
    return scene / scene.std() + noise * random.normal(size=shape)


def band_limited(shape: tuple[int, int], cut_off: float, noise: float) -> Image:
    random = np.random.default_rng(3)
    frequency = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, shape), indexing="ij"))
    passes = frequency < cut_off / 2
    scene = np.fft.ifft2(np.fft.fft2(random.normal(size=shape)) * passes).real
    return scene / scene.std() + noise * random.normal(size=shape)


IMAGE = blurred((120, 120), 2.0)


def by_definition(image: Image, width: float, radii: Image) -> Image:
    """Return a curve as it is defined, pixel by pixel."""
    fade = []
    for length in image.shape:
        edge = np.minimum(np.arange(length), np.arange(length)[::-1])
        fade.append(0.5 - 0.5 * np.cos(np.pi * np.minimum(edge / 19, 1)))
    values = (image - image.mean()) * np.outer(*fade)
    values = values[: image.shape[0] // 2 * 2 - 1 + image.shape[0] % 2 * 2]
    values = values[:, : image.shape[1] // 2 * 2 - 1 + image.shape[1] % 2 * 2]
    spectrum = np.fft.fftshift(np.fft.fft2(values))
    y, x = (np.linspace(-1, 1, length) for length in values.shape)
    radius = np.hypot(y[:, np.newaxis], x)
    phases = spectrum / np.abs(spectrum)
    high = spectrum * (radius < 1)
    if math.isfinite(width):
        high = high * (1 - np.exp(-2 * width**2 * radius**2))
    curve = []
    for r in radii:
        inside = radius < r
        cross = (high * phases.conj())[inside].real.sum()
        norm = math.sqrt((abs(high) ** 2).sum() * inside.sum())
        curve.append(math.floor(1000 * cross / norm) / 1000 if inside.any() else 0)
    return np.array(curve)


@pytest.mark.parametrize("shape", [(64, 64), (65, 65), (64, 97), (120, 51)])
@pytest.mark.parametrize("width", [math.inf, 20.0, 1.0, 0.15])
def test_curves_are_as_defined(shape: tuple[int, int], width: float) -> None:
    image = blurred(shape, 1.5).astype(np.float32).astype(float)
    radii = np.linspace(0.013, 1, 31)  # no frequency lies just there
    (spectrum,) = kernel.spectra(image, 1, 1)
    curve = kernel.filtered(spectrum, width, radii)
    expected = by_definition(image, width, radii)
    np.testing.assert_allclose(curve.value, expected, atol=0.00101)
    assert np.mean(np.abs(curve.value - expected) > 1e-9) < 0.1  # rounded down


@pytest.mark.parametrize(
    ("sigma", "noise"),
    [
        *((sigma, 0.0) for sigma in (1.0, 1.3, 1.7, 2.0, 2.5, 3.0, 4.0, 5.0)),
        *((sigma, 0.01) for sigma in (1.0, 1.3, 1.7, 2.0, 2.5, 3.0, 4.0, 5.0)),
        *((sigma, 0.1) for sigma in (1.7, 2.0, 2.5, 3.0, 4.0, 5.0)),
    ],
)
def test_cut_off_of_a_blurred_scene(sigma: float, noise: float) -> None:
    result = nx.decorrelation(blurred((400, 400), sigma, noise))
    assert result.k_c == pytest.approx(GAUSSIAN / sigma, rel=0.05)
    assert result.resolution == pytest.approx(2 / result.k_c)
    assert result.reason == ""


@pytest.mark.parametrize("cut_off", [0.2, 0.35, 0.5, 0.8])
@pytest.mark.parametrize("noise", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("shape", [(256, 256), (301, 200)])
def test_an_abrupt_cut_off(
    cut_off: float, noise: float, shape: tuple[int, int]
) -> None:
    result = nx.decorrelation(band_limited(shape, cut_off, noise))
    assert result.k_c == pytest.approx(cut_off, rel=0.03, abs=0.025)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [(128, 128), (300, 200), (511, 511)])
def test_white_noise_has_no_resolution(shape: tuple[int, int], seed: int) -> None:
    random = np.random.default_rng(seed)
    for image in (random.normal(size=shape), random.poisson(9, shape) + 100):
        result = nx.decorrelation(image)
        assert math.isnan(result.resolution)
        assert math.isnan(result.k_c)
        assert "only noise" in str(result)


@pytest.mark.parametrize("value", [0.0, 0.1, 54321.7])
def test_a_constant_image_has_no_resolution(value: float) -> None:
    result = nx.decorrelation(np.full((50, 60), value))
    assert math.isnan(result.resolution)
    assert str(result) == "Decorrelation resolution: none: the image is constant"


def test_pixel_size_and_units() -> None:
    one, other = (
        nx.decorrelation(IMAGE),
        nx.decorrelation(IMAGE, pixel_size=65, units="nm"),
    )
    assert other.resolution == pytest.approx(65 * one.resolution)
    assert other.k_c == one.k_c
    assert str(other) == (
        f"Decorrelation resolution: {other.resolution:.4g} nm "
        f"(k_c {one.k_c:.4f} of Nyquist, A0 {one.amplitude:.3f})"
    )


@pytest.mark.parametrize("scale", [-3.0, 1e-20, 1e20])
def test_brightness_and_background_do_not_matter(scale: float) -> None:
    one = nx.decorrelation(IMAGE)
    for image in (scale * IMAGE, scale * (IMAGE + 50)):
        other = nx.decorrelation(image)
        assert other.k_c == pytest.approx(one.k_c, abs=0.005)
        assert other.amplitude == pytest.approx(one.amplitude, abs=0.0021)


def test_orientation_does_not_matter() -> None:
    image = blurred((121, 151), 2.0)  # odd: nothing is dropped
    one, other = nx.decorrelation(image), nx.decorrelation(image.T[::-1])
    assert other.k_c == pytest.approx(one.k_c, abs=0.005)


def test_a_part_of_an_image() -> None:
    image = np.random.default_rng(0).normal(size=(200, 220))
    image[30:158, 40:170] = blurred((128, 130), 2.0)
    result = nx.decorrelation(image, roi=(30, 40, 158, 170))
    assert result.k_c == pytest.approx(GAUSSIAN / 2, rel=0.05)
    alone = nx.decorrelation(image[30:158, 40:170])
    assert alone.k_c == result.k_c
    assert nx.decorrelation(image).amplitude < alone.amplitude


def test_frequencies_to_look_at() -> None:
    result = nx.decorrelation(IMAGE, rmin=0.1, rmax=0.6, n_r=11, n_g=6)
    assert len(result.curves) == 1 + 1 + 2 * 6
    np.testing.assert_allclose(result.curves[0].radius, np.linspace(0.1, 0.6, 11))
    assert math.isinf(result.curves[0].width)
    assert result.curves[1].width == 30
    widths = [curve.width for curve in result.curves[2:8]]
    assert widths[-1] == pytest.approx(0.15)
    assert 0.1 <= result.k_c <= 0.6
    assert nx.decorrelation(IMAGE, rmax=0.2).k_c <= 0.2


def test_sectors_find_the_direction_of_a_blur() -> None:
    result = nx.decorrelation(blurred((300, 300), (1.5, 3.0)), sectors=8)
    assert len(result.sectors) == 8
    angles = [sector.angle for sector in result.sectors]
    np.testing.assert_allclose(angles, np.arange(8) * np.pi / 8)
    along_columns, along_rows = result.sectors[0], result.sectors[4]
    assert along_columns.k_c == pytest.approx(GAUSSIAN / 3, rel=0.1)
    assert along_rows.k_c == pytest.approx(GAUSSIAN / 1.5, rel=0.1)
    assert "along 1.571 rad" in str(along_rows)
    whole = nx.decorrelation(blurred((300, 300), (1.5, 3.0)))
    assert result.k_c == whole.k_c
    assert whole.sectors == ()


def test_sectors_of_an_even_blur_agree() -> None:
    result = nx.decorrelation(blurred((300, 300), 2.0), sectors=6)
    cut_offs = [sector.k_c for sector in result.sectors]
    np.testing.assert_allclose(cut_offs, GAUSSIAN / 2, rtol=0.1)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 0.5, 0.9, 0.7, 0.8], 2),
        ([0, 0.2, 0.1, 0.3, 0.6, 0.9], 1),  # the rise at the end does not count
        ([0, 0.2, 0.2, 0.3], 0),
        ([0.9, 0.2, 0.2, 0.3], 0),
        ([0, 0.5, 0.4999, 0.9], 0),  # too small a fall
        ([0, 0, 0], 0),
        ([0.4], 0),
    ],
)
def test_local_maximum(values: list[float], expected: int) -> None:
    assert kernel.local_maximum(np.array(values)) == expected


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (np.where(IMAGE > 2, np.nan, IMAGE), ValueError, "image holds NaN"),
        (np.stack([IMAGE] * 2), ValueError, "image has 2 frames"),
        (IMAGE[:15], ValueError, r"image has shape \(15, 120\), .* at least 16"),
        (IMAGE + 0j, TypeError, "image has dtype complex128"),
        ("a.tif", TypeError, "image has dtype"),
        (IMAGE[0], ValueError, "image has 1 axes"),
    ],
)
def test_images(image: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        nx.decorrelation(image)


@pytest.mark.parametrize(
    ("argument", "value", "error", "message"),
    [
        ("rmin", -0.1, ValueError, "must be from 0, below rmax"),
        ("rmin", 1, ValueError, "must be from 0, below rmax"),
        ("rmin", "0", TypeError, "a str, but must be a number from 0"),
        ("rmax", 1.1, ValueError, "must be above rmin and at most 1"),
        ("rmax", 0, ValueError, "must be above rmin and at most 1"),
        ("rmax", np.nan, ValueError, "must be a number above rmin"),
        ("n_r", 9, ValueError, "must be a whole number from 10 to 100"),
        ("n_r", 101, ValueError, "must be a whole number from 10 to 100"),
        ("n_g", 4, ValueError, "must be a whole number from 5 to 40"),
        ("n_g", 7.5, ValueError, "must be a whole number from 5 to 40"),
        ("pixel_size", 0, ValueError, "must be a number above 0"),
        ("units", 3, TypeError, "must be text"),
        ("roi", (0, 0, 121, 120), ValueError, "within the image's 120 rows"),
        ("roi", (0, 0, 15, 120), ValueError, "at least 16 pixels apart"),
        ("roi", (-1, 0, 50, 50), ValueError, "must be .first row, first column"),
        ("roi", (0, 50, 50, 50.5), ValueError, "must be .first row"),
        ("roi", (0, 0, 50), ValueError, "must be .first row"),
        ("roi", 5, TypeError, "must be .first row"),
        ("sectors", 0, ValueError, "must be a whole number from 1 to 64"),
        ("sectors", True, TypeError, "must be a whole number from 1 to 64"),
    ],
)
def test_arguments(
    argument: str, value: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{argument} .*{message}"):
        nx.decorrelation(IMAGE, **{argument: value})


def test_implementation_progress_and_cancel() -> None:
    with pytest.raises(engine.UnknownImplementation, match="'serial' cannot run here"):
        nx.decorrelation(IMAGE, implementation="serial")
    calls: list[tuple[int, int]] = []
    stop = Event()
    nx.decorrelation(
        IMAGE,
        sectors=2,
        implementation="reference",
        progress=lambda *done: calls.append(done),
        cancel=stop,
    )
    assert calls == [(1, 3), (2, 3), (3, 3)]
    stop.set()
    with pytest.raises(engine.Cancelled):
        nx.decorrelation(IMAGE, cancel=stop)


@pytest.mark.parametrize("image", [IMAGE, np.zeros((40, 40))])
def test_plot(image: Image) -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure
    result = nx.decorrelation(image, pixel_size=65, units="nm")
    ax = figure().add_subplot()
    assert result.plot(ax) is ax
    lines = ax.get_lines()
    assert len(lines) == len(result.curves) + (1 if result.reason else 2)
    assert ax.get_title() == str(result)
    ax.figure.draw_without_rendering()


def test_result_is_short_in_a_list() -> None:
    result = repr(nx.decorrelation(IMAGE))
    assert result.startswith("Decorrelation(resolution=")
    assert "curves" not in result
