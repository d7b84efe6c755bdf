"""The sweep scores what eSRRF, error map and ring correlation give one by one."""

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
from napari_nanopyx._kernels import scores

RADII = (1.5, 2.5)
SENSITIVITIES = (1.0, 2.0, 3.5)


def blinking(frames: int = 13, seed: int = 0) -> NDArray[np.int64]:
    random = np.random.default_rng(seed)
    spots = (random.random((40, 44)) > 0.97) * 4000.0
    light = (
        spots * random.random((frames, 1, 1)) * (random.random((frames, 40, 44)) > 0.3)
    )
    seen = ndimage.gaussian_filter(light, (0, 1.3, 1.3)) + 20
    return random.poisson(seen)


MOVIE = blinking()


def test_golden_scores() -> None:
    fine = scores.fineness([2, 4, 6])
    np.testing.assert_allclose(fine, [0.925, 0.5, 0.075], rtol=1e-9)
    found = scores.qnr([0.9, 0.95, 0.8], fine)
    np.testing.assert_allclose(found, [0.912329, 0.655172, 0.137143], rtol=1e-5)


def test_what_is_unresolved_scores_nothing() -> None:
    fine = scores.fineness([2, 4, np.nan])
    np.testing.assert_allclose(fine, [0.925, 0.075, 0])
    np.testing.assert_array_equal(scores.qnr([0.9, -0.2, 0.8], fine)[1:], 0)
    np.testing.assert_array_equal(scores.fineness([np.nan, np.nan]), 0)
    np.testing.assert_array_equal(scores.fineness([3, 3]), 0.5)
    np.testing.assert_allclose(scores.fineness([3, 9], (3, 6)), [0.925, 0.00051], 0.1)


@pytest.mark.parametrize("temporal", ["AVG", "VAR", "TAC2", "STD"])
def test_each_pair_is_as_if_computed_alone(temporal: Any) -> None:
    sweep = nx.sweep_esrrf(MOVIE, RADII, SENSITIVITIES, temporal=temporal)
    assert sweep.qnr.shape == sweep.rsp.shape == sweep.resolution.shape == (3, 2)
    for row, sensitivity in enumerate(SENSITIVITIES):
        for column, radius in enumerate(RADII):
            whole, even, odd = (
                nx.esrrf(frames, 2, radius, sensitivity, temporal=temporal)[0]
                for frames in (MOVIE, MOVIE[::2], MOVIE[1::2])
            )
            rsp = nx.error_map(MOVIE.mean(axis=0), whole, crop_border=3).rsp
            assert sweep.rsp[row, column] == pytest.approx(rsp, rel=1e-4)
            expected = nx.frc(even, odd).resolution
            assert sweep.resolution[row, column] == pytest.approx(
                expected, rel=1e-3, nan_ok=True
            )
    fine = scores.fineness(sweep.resolution)
    np.testing.assert_allclose(sweep.qnr, scores.qnr(sweep.rsp, fine))


def test_the_best_pair() -> None:
    sweep = nx.sweep_esrrf(MOVIE, RADII, SENSITIVITIES, resolution="decorrelation")
    row, column = np.unravel_index(sweep.qnr.argmax(), sweep.qnr.shape)
    assert sweep.qnr.max() > 0.5
    assert sweep.best == (SENSITIVITIES[row], RADII[column])
    whole = nx.esrrf(MOVIE, 2, RADII[1], SENSITIVITIES[1])[0]
    expected = nx.decorrelation(whole).resolution
    assert sweep.resolution[1, 1] == pytest.approx(expected, rel=1e-3)
    assert f"radius {sweep.best.radius:g} px" in str(sweep)
    assert "output px" in str(sweep)


def test_chunks_are_averaged() -> None:
    sweep = nx.sweep_esrrf(MOVIE, [2], [1], n_frames=6)
    parts = [MOVIE[:6], MOVIE[6:12], MOVIE[12:]]
    alone = [nx.sweep_esrrf(part, [2], [1]) for part in parts[:2]]
    last = nx.error_map(
        MOVIE[12].astype(float), nx.esrrf(parts[2], 2, 2.0, 1.0)[0], crop_border=3
    )
    rsp = np.mean([*(each.rsp[0, 0] for each in alone), last.rsp])
    assert sweep.rsp[0, 0] == pytest.approx(rsp, rel=1e-4)
    known = [each.resolution[0, 0] for each in alone]
    known = [each for each in known if math.isfinite(each)]
    expected = np.mean(known) if known else math.nan
    assert sweep.resolution[0, 0] == pytest.approx(expected, rel=1e-3, nan_ok=True)


def assert_alike(sweep: nx.Sweep, other: nx.Sweep) -> None:
    np.testing.assert_allclose(sweep.rsp, other.rsp, rtol=1e-4)
    np.testing.assert_allclose(sweep.resolution, other.resolution, rtol=1e-3)
    np.testing.assert_allclose(sweep.qnr, other.qnr, rtol=1e-2, atol=1e-3)
    assert sweep.best == other.best


@pytest.mark.parametrize("change", ["flipped", "turned", "brighter", "other numbers"])
@pytest.mark.parametrize("resolution", ["frc", "decorrelation"])
def test_what_changes_no_score(change: str, resolution: Any) -> None:
    movie = blinking(12, seed=3)[:, :37, :37]
    changed = {
        "flipped": movie[:, ::-1],
        "turned": np.rot90(movie, axes=(1, 2)),
        "brighter": 4 * movie,
        "other numbers": movie.astype(np.float32),
    }
    options: dict[str, Any] = {"radii": [1.0, 2.5], "sensitivities": [1, 2]}
    options["resolution"] = resolution
    sweep = nx.sweep_esrrf(movie, **options)
    assert (sweep.rsp > 0.5).all()
    assert np.isfinite(sweep.resolution).all() or resolution == "frc"
    assert_alike(nx.sweep_esrrf(changed[change], **options), sweep)


def test_block_size_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {"radii": [1.5, 2.5], "sensitivities": [1, 2]}
    sweep = nx.sweep_esrrf(MOVIE, **options)
    calls: list[tuple[int, int]] = []
    monkeypatch.setattr("napari_nanopyx._engine.running.runner.BLOCK_BYTES", 1)
    small = nx.sweep_esrrf(MOVIE, **options, progress=lambda *done: calls.append(done))
    assert len(calls) == 2 * len(MOVIE)
    assert_alike(small, sweep)


@pytest.mark.parametrize("shape", [(5, 17, 31), (2, 16, 53)])
def test_prime_and_narrow_movies(shape: tuple[int, int, int]) -> None:
    movie = np.random.default_rng(5).poisson(40, shape)
    sweep = nx.sweep_esrrf(movie, [1.0], [2], magnification=3, crop_border=1)
    assert np.isfinite(sweep.rsp).all()
    assert 0 <= sweep.qnr[0, 0] <= 1


def test_a_constant_movie_is_not_resolved() -> None:
    sweep = nx.sweep_esrrf(np.full((4, 20, 20), 7), [1.5], [1, 2])
    assert np.isnan(sweep.resolution).all()
    np.testing.assert_array_equal(sweep.qnr, 0)
    assert sweep.best is None
    assert sweep.resolution_range is None
    assert str(sweep) == "eSRRF sweep: none of 2 pairs is resolved"


def test_a_fixed_scale_makes_sweeps_comparable() -> None:
    options = {"resolution": "decorrelation", "resolution_range": (1.5, 8.0)}
    both = nx.sweep_esrrf(MOVIE, [1.5, 2.5], [1], **options)
    one = nx.sweep_esrrf(MOVIE, [2.5], [1], **options)
    assert one.qnr[0, 0] == pytest.approx(both.qnr[0, 1], rel=1e-4)
    assert both.resolution_range == (1.5, 8.0)


@pytest.mark.parametrize(
    ("argument", "value", "error", "message"),
    [
        ("image", MOVIE[:1], ValueError, "image has 1 frame.*, .* at least 2"),
        ("image", MOVIE[:, :15], ValueError, "image has frames .* at least 16"),
        ("radii", [], ValueError, "radii is .* at least one number"),
        ("radii", [1, 1.0], ValueError, "radii is .* each only once"),
        ("radii", [0], ValueError, "radii is 0, but must be a number above 0"),
        ("radii", [41], ValueError, "radii is 41, but must be .* at most 40"),
        ("radii", 2, TypeError, "radii is 2, but must be a list of numbers"),
        ("sensitivities", [-1], ValueError, "sensitivities is -1"),
        ("sensitivities", [1, 0.3], ValueError, "is 0.3, .* from 0.4 to 20$"),
        ("sensitivities", [1, 300], ValueError, "is 300, .* from 0.4 to 20$"),
        ("sensitivities", "12", TypeError, "sensitivities is '12'"),
        ("magnification", 11, ValueError, "magnification is 11"),
        ("temporal", "MAX", ValueError, "temporal is 'MAX'"),
        ("resolution", "FRC", ValueError, "resolution is 'FRC'"),
        ("n_frames", 1, ValueError, "n_frames is 1, .* from 2"),
        ("sigma", -1, ValueError, "sigma is -1"),
        ("crop_border", 19, ValueError, "crop_border is 19"),
        ("resolution_range", (3, 2), ValueError, "resolution_range is .* ascending"),
        ("resolution_range", 3, TypeError, "resolution_range is 3"),
    ],
)
def test_arguments(
    argument: str, value: Any, error: type[Exception], message: str
) -> None:
    given = {"image": MOVIE, "radii": RADII, "sensitivities": SENSITIVITIES}
    with pytest.raises(error, match=message):
        nx.sweep_esrrf(**(given | {argument: value}))


def with_value(value: float) -> NDArray[np.float64]:
    image = MOVIE.astype(np.float64)
    image[3, 1, 2] = value
    return image


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (with_value(np.nan), ValueError, "image .*NaN.* frame 3 "),
        (with_value(np.inf), ValueError, "image .*infinity.* frame 3 "),
        (MOVIE.astype(complex), TypeError, "image has dtype complex128"),
        (MOVIE[np.newaxis], ValueError, r"image has 4 axes .*\(T, Y, X\)"),
        (MOVIE[:, :0], ValueError, "image is empty"),
        (MOVIE[0], ValueError, "image has 1 frame"),
        ([[1, 2], [3]], TypeError, "image is a list"),
        (None, TypeError, "image has dtype object"),
    ],
)
def test_images(image: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        nx.sweep_esrrf(image, RADII, SENSITIVITIES)


@pytest.mark.parametrize(("temporal", "each"), [("AVG", 1), ("TAC2", 2)])
def test_progress_runs_over_the_whole_sweep(temporal: Any, each: int) -> None:
    calls: list[tuple[int, int]] = []
    nx.sweep_esrrf(
        MOVIE,
        RADII,
        SENSITIVITIES,
        temporal=temporal,
        progress=lambda *done: calls.append(done),
    )
    done = [call[0] for call in calls]
    assert done == sorted(done)
    assert calls[-1] == (each * 2 * 13, each * 2 * 13)


def test_cancel() -> None:
    stop = Event()
    calls: list[int] = []

    def progress(done: int, total: int) -> None:
        calls.append(done)
        stop.set()

    with pytest.raises(engine.Cancelled):
        nx.sweep_esrrf(MOVIE, RADII, SENSITIVITIES, progress=progress, cancel=stop)
    assert len(calls) == 1


def test_plot() -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure
    for movie in (MOVIE, np.zeros((4, 20, 20))):
        sweep = nx.sweep_esrrf(movie, RADII, SENSITIVITIES)
        ax = figure().add_subplot()
        assert sweep.plot(ax) is ax
        np.testing.assert_array_equal(ax.get_images()[0].get_array(), sweep.qnr)
        assert ax.get_title() == str(sweep)
        ax.figure.draw_without_rendering()
