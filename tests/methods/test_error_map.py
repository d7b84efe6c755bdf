"""The error map finds what was planted, scales as it should, and refuses bad input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage, optimize

import napari_nanopyx as nx
from napari_nanopyx import engine
from napari_nanopyx._kernels.magnify import compat

Image = NDArray[np.float64]
M = 4
BLUR = 5.0
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def averaged(image: Image, factor: int = M) -> Image:
    rows, columns = (length // factor for length in image.shape)
    return image.reshape(rows, factor, columns, factor).mean(axis=(1, 3))


def camera(scene: Image) -> Image:
    """Return what a camera sees of a scene through a microscope."""
    return averaged(ndimage.gaussian_filter(scene, BLUR)) + 100


SPOTS = [(40, 48), (40, 110), (88, 32), (96, 96), (128, 60), (132, 124), (76, 150)]


def scene() -> Image:
    """Return bright spots on a dim ring, sharp."""
    image = np.zeros((160, 176))
    for spot in SPOTS:
        image[spot] = 3000.0
    rows, columns = np.indices(image.shape)
    image += 20.0 * (np.abs(np.hypot(rows - 80, columns - 88) - 60) < 2)
    return ndimage.gaussian_filter(image, 1.2)


TRUTH = scene()
REFERENCE = camera(TRUTH)


def spot(at: tuple[int, int], peak: float = 3000.0) -> Image:
    image = np.zeros(TRUTH.shape)
    image[at] = peak
    return ndimage.gaussian_filter(image, 1.2)


def patch(rows: slice, columns: slice, value: float) -> Image:
    image = np.zeros(TRUTH.shape)
    image[rows, columns] = value
    return image


def smeared() -> Image:
    """Return the scene with one spot smeared over 20 pixels."""
    image = TRUTH.copy()
    part = np.s_[76:117, 76:117]
    image[part] = ndimage.gaussian_filter(image[part], 8.0)
    return image


DEFECTS: dict[str, tuple[Callable[[], Image], list[tuple[int, int]]]] = {
    "a missing spot": (lambda: TRUTH - spot((40, 48)), [(40, 48)]),
    "an invented spot": (lambda: TRUTH + spot((100, 130)), [(100, 130)]),
    "a spot too bright": (lambda: TRUTH + 1.5 * spot((88, 32)), [(88, 32)]),
    "a spot too dim": (lambda: TRUTH - 0.6 * spot((128, 60)), [(128, 60)]),
    "a spot displaced": (
        lambda: TRUTH - spot((132, 124)) + spot((132, 134)),
        [(132, 120), (132, 138)],
    ),
    "a spot split": (
        lambda: TRUTH - spot((96, 96)) + 0.5 * (spot((96, 82)) + spot((96, 110))),
        [(96, 96), (96, 82), (96, 110)],
    ),
    "two spots merged": (
        lambda: TRUTH - spot((40, 48)) - spot((40, 110)) + 2 * spot((40, 79)),
        [(40, 79)],
    ),
    "a spot smeared": (smeared, [(96, 96)]),
    "haze": (
        lambda: TRUTH + patch(np.s_[10:30], np.s_[140:165], 20.0),
        [(20, 152)],
    ),
    "a dead area": (
        lambda: TRUTH * (1 - patch(np.s_[60:92], np.s_[135:170], 1.0)),
        [(76, 150)],
    ),
}


def test_a_perfect_reconstruction() -> None:
    result = nx.error_map(REFERENCE, TRUTH)
    assert result.rsp > 0.9999
    assert result.rse < 0.01 * REFERENCE.std()
    assert result.map.shape == TRUTH.shape
    assert result.map.dtype == np.float32
    assert not result.at_bound
    assert result.reason == ""


def test_a_perfect_reconstruction_on_the_reference_grid() -> None:
    result = nx.error_map(REFERENCE, 0.25 * TRUTH - 3, space="reference")
    assert result.sigma == pytest.approx(BLUR, abs=0.002)
    assert result.rsp == pytest.approx(1, abs=1e-9)
    assert result.alpha == pytest.approx(4, rel=1e-4)
    assert result.beta == pytest.approx(112, rel=1e-4)
    assert result.map.shape == REFERENCE.shape


@pytest.mark.parametrize("space", ["sr", "reference"])
@pytest.mark.parametrize("defect", DEFECTS)
def test_a_planted_defect_is_found_where_it_is(defect: str, space: Any) -> None:
    make, places = DEFECTS[defect]
    perfect = nx.error_map(REFERENCE, TRUTH, space=space)
    result = nx.error_map(REFERENCE, make(), space=space)
    assert result.rsp < perfect.rsp - 1e-3
    assert result.rse > 2 * perfect.rse
    scale = 1 if space == "sr" else M
    peak = np.array(np.unravel_index(result.map.argmax(), result.map.shape))
    peak = scale * (peak + 0.5)
    assert min(np.hypot(*(peak - place)) for place in places) < 1.5 * BLUR


@pytest.mark.parametrize("sigma", [0.0, 0.1, 0.5, 1.0, 1.3, 4.0])
def test_blur_line_and_map_are_as_defined(sigma: float) -> None:
    noise = np.random.default_rng(1).normal(size=TRUTH.shape)
    image = (TRUTH + 3 * noise).astype(np.float32)
    wide = nx.magnify(REFERENCE, M, kernel="fourier").astype(float)
    blurred = ndimage.gaussian_filter(image.astype(float), M * sigma)
    for space, fitted, target in (
        ("sr", blurred, wide),
        ("reference", averaged(blurred), REFERENCE.astype(np.float32)),
    ):
        alpha, beta = np.polyfit(fitted.ravel(), target.ravel().astype(float), 1)
        difference = alpha * fitted + beta - target
        result = nx.error_map(REFERENCE, image, sigma=sigma, space=space)
        assert result.sigma == M * sigma
        assert not result.at_bound
        assert result.alpha == pytest.approx(alpha, rel=1e-4)
        assert result.beta == pytest.approx(beta, rel=1e-4)
        assert result.rse == pytest.approx(np.sqrt((difference**2).mean()), rel=1e-4)
        pearson = np.corrcoef(fitted.ravel(), target.ravel())[0, 1]
        assert result.rsp == pytest.approx(pearson, rel=1e-4)
        np.testing.assert_allclose(result.map, np.abs(difference), atol=0.01)


@pytest.mark.parametrize("space", ["sr", "reference"])
def test_the_blur_is_the_best(space: Any) -> None:
    noise = np.random.default_rng(1).normal(size=TRUTH.shape)
    best = nx.error_map(REFERENCE, TRUTH + 3 * noise, space=space)
    widths = np.linspace(0, 4 / 2.35482, 60)
    errors = [
        nx.error_map(REFERENCE, TRUTH + 3 * noise, space=space, sigma=width).rse
        for width in widths
    ]
    assert best.rse <= min(errors) * (1 + 1e-9)
    assert best.sigma / M == pytest.approx(widths[np.argmin(errors)], abs=0.05)


def test_map_and_rse_agree() -> None:
    result = nx.error_map(REFERENCE, TRUTH**0.8)
    rms = np.sqrt((result.map.astype(float) ** 2).mean())
    assert result.rse == pytest.approx(rms, rel=1e-5)


@pytest.mark.parametrize("turn", [np.flipud, np.fliplr, np.transpose])
def test_orientation_does_not_matter(turn: Callable[[Image], Image]) -> None:
    image = TRUTH + spot((100, 130))
    one = nx.error_map(REFERENCE, image)
    other = nx.error_map(turn(REFERENCE), turn(image))
    assert other.rsp == pytest.approx(one.rsp, rel=1e-9)
    np.testing.assert_allclose(other.map, turn(one.map), atol=1e-3)


def test_brightness_of_the_reconstruction_does_not_matter() -> None:
    image = TRUTH + spot((100, 130))
    one, other = nx.error_map(REFERENCE, image), nx.error_map(REFERENCE, 7 * image - 20)
    assert other.rsp == pytest.approx(one.rsp, abs=1e-6)
    assert other.rse == pytest.approx(one.rse, rel=1e-4)
    assert one.alpha == pytest.approx(7 * other.alpha, rel=1e-4)


def test_an_inverted_image_correlates_negatively() -> None:
    result = nx.error_map(REFERENCE, -TRUTH)
    assert result.rsp < -0.9999
    assert result.alpha < 0


def test_realign_takes_back_a_shift() -> None:
    shifted = ndimage.shift(TRUTH, (3.3, -2.6), order=3, mode="nearest")
    plain = nx.error_map(REFERENCE, shifted)
    result = nx.error_map(REFERENCE, shifted, realign=True)
    np.testing.assert_allclose(result.shift, (-3.3, 2.6), atol=0.1)
    assert plain.shift == (0, 0)
    assert plain.rsp < 0.95
    assert result.rsp > 0.999
    assert "moved by (-3.3" in str(result)


def test_realign_leaves_an_aligned_image() -> None:
    result = nx.error_map(REFERENCE, TRUTH, realign=True)
    np.testing.assert_allclose(result.shift, 0, atol=0.05)
    assert result.rsp > 0.9999


def test_a_border_does_not_count() -> None:
    image = TRUTH.copy()
    image[:8] = 500.0
    plain, cropped = (
        nx.error_map(REFERENCE, image),
        nx.error_map(REFERENCE, image, crop_border=4),
    )
    assert plain.rsp < 0.9
    assert cropped.rsp > 0.99
    inner = cropped.map[16:-16, 16:-16]
    assert cropped.map.shape == image.shape
    assert np.isfinite(inner).all()
    assert np.isnan(cropped.map).sum() == image.size - inner.size


def test_identical_images() -> None:
    result = nx.error_map(TRUTH, TRUTH)
    assert result.sigma < 0.01
    assert result.at_bound
    assert result.rsp == pytest.approx(1)
    np.testing.assert_allclose(result.map, 0, atol=1e-3)
    assert "(at its limit)" in str(result)


@pytest.mark.parametrize("space", ["sr", "reference"])
def test_constant_images(space: Any) -> None:
    flat = np.full(TRUTH.shape, 0.1)
    result = nx.error_map(REFERENCE, flat, space=space)
    assert (result.rsp, result.alpha) == (0, 0)
    assert result.beta == pytest.approx(REFERENCE.mean())
    assert result.rse == pytest.approx(REFERENCE.std(), rel=1e-5)
    assert str(result) == "Error map: none: the super-resolved image is constant"
    result = nx.error_map(averaged(flat), TRUTH, space=space)
    assert (result.rsp, result.rse) == (0, pytest.approx(0, abs=1e-6))
    assert result.reason == "the reference is constant"
    both = nx.error_map(averaged(flat), flat, space=space)
    assert both.reason == "the reference and the super-resolved image are constant"
    assert not both.at_bound


def test_negative_numbers_and_a_bright_background() -> None:
    one = nx.error_map(REFERENCE, TRUTH + spot((100, 130)))
    other = nx.error_map(REFERENCE - 5000, TRUTH + spot((100, 130)) - 9000)
    assert other.rsp == pytest.approx(one.rsp, abs=1e-5)
    np.testing.assert_allclose(other.map, one.map, atol=0.02)


@pytest.fixture(scope="module")
def impulses() -> tuple[Image, Image]:
    """Return 25 impulses, a little blurred, and that blurred much more."""
    image = np.zeros((128, 128))
    random = np.random.default_rng(7)
    for _ in range(25):
        image[tuple(random.integers(20, 108, 2))] = 1000
    sharp = ndimage.gaussian_filter(image, 1.0)
    return sharp, ndimage.gaussian_filter(sharp, 6.0)


def test_golden_numbers(impulses: tuple[Image, Image]) -> None:
    """Profile C: the peer's magnification, an unbounded search."""
    sharp, blurred = impulses
    wide = compat.fourier(averaged(blurred), M)

    def fitted(sigma: float) -> tuple[Image, Any]:
        image = ndimage.gaussian_filter(sharp, abs(sigma))
        line = np.polyfit(image.ravel(), wide.ravel(), 1)
        return image, line

    def residual(sigma: float) -> float:
        image, line = fitted(sigma)
        return float(np.sqrt(((np.polyval(line, image) - wide) ** 2).mean()))

    bracket = (0.0, 4 / 2.35482 * M)
    found = optimize.minimize_scalar(residual, bracket)
    image, (alpha, beta) = fitted(found.x)
    assert abs(found.x) == pytest.approx(6.29218, rel=1e-3)
    assert found.fun == pytest.approx(0.396703, rel=1e-3)
    assert alpha == pytest.approx(0.977978, rel=1e-3)
    assert beta == pytest.approx(0.00539, abs=0.005)
    rsp = np.corrcoef(image.ravel(), wide.ravel())[0, 1]
    assert rsp == pytest.approx(0.976436, rel=1e-4)


def test_golden_numbers_without_magnification(impulses: tuple[Image, Image]) -> None:
    sharp, blurred = impulses
    result = nx.error_map(blurred, sharp, sigma=6.0)
    assert result.rsp == pytest.approx(1, abs=1e-9)
    assert result.alpha == pytest.approx(1, abs=1e-6)
    searched = nx.error_map(blurred, sharp)
    assert searched.at_bound  # wider than four pixels at half height


def test_centring_makes_the_peers_case_perfect(impulses: tuple[Image, Image]) -> None:
    sharp, blurred = impulses
    assert nx.error_map(averaged(blurred), sharp).rsp > 0.9999


@pytest.mark.parametrize(
    ("reference", "image", "error", "message"),
    [
        (
            np.zeros((101, 101)),
            np.zeros((201, 201)),
            ValueError,
            r"super_resolved has shape \(201, 201\), which is 1.99 and 1.99 times .*"
            "whole number of times",
        ),
        (REFERENCE, TRUTH[:, :88], ValueError, "super_resolved has shape .* 4 and 2 "),
        (TRUTH, REFERENCE, ValueError, "super_resolved .* 0.25 and 0.25 times"),
        (REFERENCE, TRUTH[:2], ValueError, "super_resolved has shape .* 4 pixels"),
        (REFERENCE[:3], TRUTH[:12], ValueError, "reference has shape .* at least 4"),
        (
            REFERENCE,
            np.where(TRUTH > 100, np.nan, TRUTH),
            ValueError,
            "super_resolved holds NaN",
        ),
        (
            np.where(REFERENCE > 110, np.inf, REFERENCE),
            TRUTH,
            ValueError,
            "reference holds NaN, infinity",
        ),
        (np.stack([REFERENCE] * 2), TRUTH, ValueError, "reference has 2 frames"),
        (REFERENCE + 0j, TRUTH, TypeError, "reference has dtype complex128"),
        (REFERENCE, "sr.tif", TypeError, "super_resolved has dtype <U6"),
        (REFERENCE[:0], TRUTH, ValueError, "reference is empty"),
    ],
)
def test_images(
    reference: Any, image: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{message}"):
        nx.error_map(reference, image)


@pytest.mark.parametrize(
    ("argument", "value", "error", "message"),
    [
        ("sigma", -1, ValueError, "-1, but must be None, or a number from 0 to 40"),
        ("sigma", 41, ValueError, "41, but must be .* from 0 to 40"),
        ("sigma", np.nan, ValueError, "nan, but must be"),
        ("sigma", "wide", TypeError, "a str, but must be"),
        ("space", "SR", ValueError, "must be one of 'sr', 'reference'"),
        ("crop_border", -1, ValueError, "must be a whole number from 0 to 18"),
        ("crop_border", 19, ValueError, "must be a whole number from 0 to 18"),
        ("crop_border", 2.5, ValueError, "must be a whole number"),
        ("realign", 1, TypeError, "must be True or False"),
    ],
)
def test_arguments(
    argument: str, value: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{argument} .*{message}"):
        nx.error_map(REFERENCE, TRUTH, **{argument: value})


def test_implementation_progress_and_cancel() -> None:
    with pytest.raises(engine.UnknownImplementation, match="'serial' cannot run here"):
        nx.error_map(REFERENCE, TRUTH, implementation="serial")
    calls: list[tuple[int, int]] = []
    stop = Event()
    nx.error_map(
        REFERENCE,
        TRUTH,
        implementation="reference",
        progress=lambda *done: calls.append(done),
        cancel=stop,
    )
    assert calls == [(1, 1)]
    stop.set()
    with pytest.raises(engine.Cancelled):
        nx.error_map(REFERENCE, TRUTH, cancel=stop)


def test_plot() -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure
    result = nx.error_map(REFERENCE, TRUTH)
    ax = figure().add_subplot()
    assert result.plot(ax) is ax
    np.testing.assert_array_equal(ax.get_images()[0].get_array(), result.map)
    assert ax.get_title() == str(result)
    assert "intensity units" in str(result)
    ax.figure.draw_without_rendering()


def test_result_is_short_in_a_list() -> None:
    assert repr(nx.error_map(REFERENCE, TRUTH)).startswith("ErrorMap(rse=")


def test_real_pairs_match_better_than_crossed_ones() -> None:
    """Two time points of structured illumination, with what was made of them."""
    tifffile = pytest.importorskip("tifffile")
    if not (DATA / "sim_clathrin_raw_18.tif").exists():
        pytest.skip("needs shared/data")
    raw = tifffile.imread(DATA / "sim_clathrin_raw_18.tif").astype(float)
    made = tifffile.imread(DATA / "sim_clathrin_reconstructed_2.tif").astype(float)
    seen = raw.reshape(2, 9, 101, 101).mean(axis=1)[:, :100, :100]
    made = made[:, :200, :200]
    scores = [
        [nx.error_map(a, b, realign=True, crop_border=3).rsp for b in made]
        for a in seen
    ]
    assert scores[0][0] > scores[0][1]
    assert scores[1][1] > scores[1][0]
    assert min(scores[0][0], scores[1][1]) > 0.8
