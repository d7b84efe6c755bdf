"""What makes no sense to SRRF is refused in one sentence; what is only odd, works."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from closeness import assert_close

import napari_nanopyx as nx
from napari_nanopyx import engine
from napari_nanopyx._kernels.srrf.merging import LEAST_FRAMES, Temporal


@pytest.fixture(autouse=True)
def one_implementation() -> Iterator[None]:
    """Compute with one implementation: two choices may differ in the last bit."""
    with engine.use("serial"):
        yield


MOVIE = np.random.default_rng(11).poisson(100, (7, 9, 11)).astype(np.uint16)


@pytest.mark.parametrize(
    ("argument", "value", "error", "message"),
    [
        ("magnification", 0, ValueError, "0, but must be a whole number from 1 to 10"),
        ("magnification", 11, ValueError, "11, but must be .* from 1 to 10"),
        ("magnification", 2.5, ValueError, "2.5, but must be a whole number"),
        ("ring_radius", 0, ValueError, "0, but must be a number from 0.1 to 3$"),
        ("ring_radius", 3.01, ValueError, "3.01, but must be a number from 0.1 to 3$"),
        ("ring_radius", np.nan, ValueError, "nan, but must be a number from 0.1 to 3"),
        ("ring_radius", "wide", TypeError, "'wide', a str, but must be a number"),
        ("axes", 1, ValueError, "1, but must be a whole number from 2 to 8"),
        ("axes", 9, ValueError, "9, but must be a whole number from 2 to 8"),
        ("axes", 2.5, ValueError, "2.5, but must be a whole number from 2 to 8"),
        ("axes", None, TypeError, "None, a NoneType, but must be a whole number"),
        ("border", -1, ValueError, "-1, but must be a whole number from 0 up"),
        ("border", 4, ValueError, r"4, but must be at most 3: .* shape \(9, 11\)"),
        ("temporal", "AVG", ValueError, "must be one of 'TRM', 'TRA', 'TRPPM'"),
        ("temporal", 2, TypeError, "must be one of 'TRM', 'TRA', 'TRPPM'"),
        ("frames_per_timepoint", -1, ValueError, "must be a whole number from 0 up"),
        ("intensity_weighting", "no", TypeError, "'no', but must be True or False"),
        ("positivity", 1, TypeError, "1, but must be True or False"),
        ("renormalise", None, TypeError, "None, but must be True or False"),
        ("gradient_smoothing", 0, TypeError, "0, but must be True or False"),
        ("integrate_lag_times", 1, TypeError, "1, but must be True or False"),
        ("weight", "never", ValueError, "must be one of 'after', 'before'"),
        ("drift", np.zeros((3, 2)), ValueError, r"\(3, 2\), but must be .*\(7, 2\)"),
        ("drift", np.full((7, 2), np.nan), ValueError, "frame 0, but must be finite"),
        ("drift", np.full((7, 2), 9), ValueError, "below the size of a frame"),
        ("drift", "drift.csv", TypeError, "dtype <U9, but must"),
    ],
)
def test_arguments(
    argument: str, value: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{argument} .*{message}"):
        nx.srrf(MOVIE, **{argument: value})


@pytest.mark.parametrize("temporal", [t for t, n in LEAST_FRAMES.items() if n > 1])
def test_too_few_frames(temporal: Temporal) -> None:
    least = LEAST_FRAMES[temporal]
    message = f"'{temporal}', which needs at least {least} frames, but image has"
    with pytest.raises(ValueError, match=f"{message} {least - 1}"):
        nx.srrf(MOVIE[: least - 1], 2, temporal=temporal)
    assert nx.srrf(MOVIE[:least], 2, temporal=temporal).any()


@pytest.mark.parametrize("temporal", [t for t, n in LEAST_FRAMES.items() if n > 1])
def test_too_few_frames_per_time_point(temporal: Temporal) -> None:
    least = LEAST_FRAMES[temporal]
    message = rf"{least - 1}, but must be 0 \(all frames\) or at least {least} for"
    with pytest.raises(ValueError, match=f"frames_per_timepoint is {message}"):
        nx.srrf(MOVIE, 2, temporal=temporal, frames_per_timepoint=least - 1)


def test_an_incomplete_last_time_point() -> None:
    """It is kept if it has enough frames, else left out and reported."""
    assert len(nx.srrf(MOVIE, 2, frames_per_timepoint=6)) == 2
    with pytest.warns(UserWarning, match="it has 1 of 6 frames, but .* 'VAR'"):
        result = nx.srrf(MOVIE, 2, temporal="VAR", frames_per_timepoint=6)
    assert_close(result, nx.srrf(MOVIE[:6], 2, temporal="VAR"))


def test_a_ring_larger_than_the_image() -> None:
    with pytest.raises(ValueError, match=r"2\.5, .* to 2 \(the image's smaller side\)"):
        nx.srrf(MOVIE[:, :2], 3, 2.5)


def test_one_pixel() -> None:
    pixel = np.full((1, 1), 7, np.uint8)
    np.testing.assert_array_equal(nx.srrf(pixel, 3), np.zeros((1, 3, 3)))


@pytest.mark.parametrize(
    "shape", [(1, 3, 3), (2, 1, 5), (2, 7, 2), (1, 13, 31), (1, 97, 3)]
)
@pytest.mark.parametrize("smoothing", [False, True])
def test_tiny_and_prime_images(shape: tuple[int, int, int], smoothing: bool) -> None:
    image = np.random.default_rng(12).poisson(100, shape).astype(np.float32)
    result = nx.srrf(image, 7, 1.0, gradient_smoothing=smoothing, positivity=False)
    assert result.shape == (1, 7 * shape[1], 7 * shape[2])
    assert np.isfinite(result).all()
    assert result.any() == (min(shape[1:]) > 2)


def test_one_image_is_one_frame() -> None:
    np.testing.assert_array_equal(nx.srrf(MOVIE[0], 2), nx.srrf(MOVIE[:1], 2))


def test_faint_and_bright_images_have_the_same_radiality() -> None:
    """Squares of these gradients leave float32."""
    image = MOVIE.astype(np.float64)

    def reconstruct(scale: float) -> Any:
        return nx.srrf(image * scale, 3, 1.0, intensity_weighting=False)

    expected = reconstruct(1.0)
    for exponent in (-100, -60, 60, 100):
        np.testing.assert_allclose(reconstruct(2.0**exponent), expected, atol=1e-6)


def test_drift_from_an_object_with_shifts() -> None:
    shifts = np.random.default_rng(13).uniform(-1, 1, (7, 2))
    table = SimpleNamespace(shifts=shifts)
    assert_close(
        nx.srrf(MOVIE, 2, drift=table), nx.srrf(MOVIE, 2, drift=shifts.tolist())
    )


def test_drift_of_frames_of_another_size() -> None:
    table = nx.DriftTable(np.ones((len(MOVIE), 2)), frame_shape=(99, 98))
    with pytest.raises(ValueError, match=r"drift is for frames of shape \(99, 98\)"):
        nx.srrf(MOVIE, 2, drift=table)
