"""What makes no sense is refused in one sentence; what is only odd, works."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from closeness import assert_close

import napari_nanopyx as nx
from napari_nanopyx import engine


@pytest.fixture(autouse=True)
def one_implementation() -> Iterator[None]:
    """Compute with one implementation: two choices may differ in the last bit."""
    with engine.use("serial"):
        yield


MOVIE = np.random.default_rng(11).poisson(100, (4, 9, 11)).astype(np.uint16)


def with_value(value: float) -> Any:
    image = MOVIE.astype(np.float64)
    image[2, 1, 1] = value
    return image


@pytest.fixture(autouse=True)
def _nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> Any:
    yield
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "method",
    [
        nx.esrrf,
        nx.srrf,
        lambda image: nx.magnify(image, 2),
        lambda image: nx.convolve(image, [[1]]),
    ],
    ids=["esrrf", "srrf", "magnify", "convolve"],
)
@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (with_value(np.nan), ValueError, "image .*NaN.* frame 2 "),
        (with_value(np.inf), ValueError, "image .*infinity.* frame 2 "),
        (MOVIE.astype(complex), TypeError, "image has dtype complex128"),
        (MOVIE.astype(object), TypeError, "image has dtype object"),
        (MOVIE[np.newaxis], ValueError, r"image has 4 axes .*\(T, Y, X\)"),
        (MOVIE[np.newaxis, np.newaxis], ValueError, "image has 5 axes"),
        (MOVIE[0, 0], ValueError, "image has 1 axes"),
        (MOVIE[:0], ValueError, "image is empty"),
        (MOVIE[:, :, :0], ValueError, "image is empty"),
        ("movie.tif", TypeError, "image has dtype <U9"),
        (None, TypeError, "image has dtype object"),
        ([[1, 2], [3]], TypeError, "image is a list"),
    ],
)
def test_images(method: Any, image: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        method(image)


@pytest.mark.parametrize(
    ("argument", "value", "error", "message"),
    [
        (
            "magnification",
            -1,
            ValueError,
            "-1, but must be .* from 1 to 10",
        ),
        ("magnification", 0, ValueError, "0, but must be a whole number from 1 to 10"),
        (
            "magnification",
            11,
            ValueError,
            "11, but must be .* from 1 to 10",
        ),
        ("magnification", 2.5, ValueError, "2.5, but must be a whole number"),
        ("magnification", np.nan, ValueError, "nan, but must be a whole number"),
        ("magnification", "5", TypeError, "'5', a str, but must be a whole number"),
        ("magnification", True, TypeError, "True, a bool, but must be a whole number"),
        ("magnification", None, TypeError, "None, a NoneType, but must be a whole"),
        ("radius", 0, ValueError, "0, but must be a number above 0, at most 9"),
        ("radius", -1.5, ValueError, "-1.5, but must be a number above 0, at most 9"),
        ("radius", 9.1, ValueError, r"9.1, .* at most 9 \(the image's smaller side\)"),
        ("radius", np.inf, ValueError, "inf, but must be a number above 0"),
        ("radius", "wide", TypeError, "'wide', a str, but must be a number above 0"),
        ("sensitivity", 0, ValueError, "0, but must be a number from 0.4 to 20$"),
        ("sensitivity", -1, ValueError, "-1, but must be a number from 0.4 to 20$"),
        ("sensitivity", 0.39, ValueError, "0.39, but must be .* from 0.4 to 20$"),
        ("sensitivity", 20.1, ValueError, "20.1, but must be .* from 0.4 to 20$"),
        ("sensitivity", 10**400, ValueError, "but must be a number from 0.4 to 20$"),
        ("temporal", "MEAN", ValueError, "must be one of 'AVG', 'VAR', 'TAC2', 'STD'"),
        ("temporal", None, TypeError, "must be one of 'AVG', 'VAR', 'TAC2', 'STD'"),
        ("frames_per_timepoint", -1, ValueError, "must be a whole number from 0 up"),
        ("frames_per_timepoint", 1.5, ValueError, "must be a whole number from 0 up"),
        ("frame_gap", -2, ValueError, "-2, but must be a whole number from 0 up"),
        ("intensity_weighting", "no", TypeError, "'no', but must be True or False"),
        ("macro_pixel_correction", 1, TypeError, "1, but must be True or False"),
        (
            "interpolation",
            "lanczos",
            ValueError,
            "must be one of 'catmull_rom', 'fourier'",
        ),
        ("gradient", "sobel", ValueError, "must be one of 'roberts', 'two_point'"),
        ("border", "wrap", ValueError, "must be one of 'extend', 'zero'"),
        ("drift", np.zeros((3, 2)), ValueError, r"\(3, 2\), but must be .*\(4, 2\)"),
        ("drift", np.zeros((4, 3)), ValueError, r"\(4, 3\), but must be .*\(4, 2\)"),
        ("drift", (1, 2), ValueError, r"\(2,\), but must be .*\(4, 2\)"),
        ("drift", np.full((4, 2), np.nan), ValueError, "frame 0, but must be finite"),
        ("drift", np.full((4, 2), 9), ValueError, "below the size of a frame"),
        ("drift", [[1, 2], [3]], ValueError, r"but must be .*\(4, 2\)"),
        ("drift", "drift.csv", TypeError, "dtype <U9, but must"),
    ],
)
def test_esrrf_arguments(
    argument: str, value: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{argument} .*{message}"):
        nx.esrrf(MOVIE, **{argument: value})


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"factor": 0}, ValueError, "factor is 0, but must be a number above 0"),
        ({"factor": -2}, ValueError, "factor is -2, but must be a number above 0"),
        ({"factor": np.nan}, ValueError, "factor is nan"),
        ({"factor": 101}, ValueError, "at most 100"),
        ({"factor": 0.1}, ValueError, "no pixel along Y, but must be at least 0.111"),
        ({"factor": (2, 0)}, ValueError, "factor of columns is 0"),
        ({"factor": (1, 2, 3)}, ValueError, r"\(1, 2, 3\), but must be a number or"),
        ({"factor": "2"}, TypeError, "factor is '2', a str"),
        ({"factor": 2, "kernel": "cubic"}, ValueError, "'cubic', but .* 'catmull_rom'"),
        ({"factor": 2, "kernel": 3}, TypeError, "kernel is 3, but must be one of"),
        ({"factor": 2, "shift": 1.0}, ValueError, r"shift has shape \(\), but must"),
        ({"factor": 2, "shift": np.zeros((3, 2))}, ValueError, r"one \(row, column\)"),
        ({"factor": 2, "shift": (0, np.inf)}, ValueError, "shift .* must be finite"),
        ({"factor": 2, "shift": ("a", "b")}, TypeError, "shift has dtype"),
    ],
)
def test_magnify_arguments(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        nx.magnify(MOVIE, **arguments)


def test_one_pixel() -> None:
    pixel = np.full((1, 1), 7, np.uint8)
    with pytest.raises(ValueError, match=r"radius is 1\.5, .* at most 1 "):
        nx.esrrf(pixel)
    np.testing.assert_array_equal(nx.esrrf(pixel, 3, 1.0), np.zeros((1, 3, 3)))
    np.testing.assert_allclose(nx.magnify(pixel, 3), np.full((3, 3), 7), rtol=1e-6)


@pytest.mark.parametrize("shape", [(1, 3, 3), (2, 1, 5), (2, 7, 2)])
def test_tiny_images(shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(12).poisson(100, shape).astype(np.float32)
    result = nx.esrrf(image, 4, 1.0)
    assert result.shape == (1, 4 * shape[1], 4 * shape[2])
    assert np.isfinite(result).all()


def test_one_image_is_one_frame() -> None:
    np.testing.assert_array_equal(nx.esrrf(MOVIE[0], 2), nx.esrrf(MOVIE[:1], 2))


@pytest.mark.parametrize("temporal", ["VAR", "STD", "TAC2"])
@pytest.mark.parametrize("frame_gap", [0, 1])
def test_one_frame_does_not_fluctuate(temporal: Any, frame_gap: int) -> None:
    options: dict[str, Any] = {"temporal": temporal, "frame_gap": frame_gap}
    message = f"'{temporal}', which needs at least 2 frames, but image has 1"
    with pytest.raises(ValueError, match=message):
        nx.esrrf(MOVIE[0], 2, **options)
    message = r"frames_per_timepoint is 1, but must be 0 \(all frames\) or at least 2"
    with pytest.raises(ValueError, match=message):
        nx.esrrf(MOVIE, 2, frames_per_timepoint=1, **options)
    assert nx.esrrf(MOVIE[:2], 2, **options).any()


@pytest.mark.parametrize("temporal", ["VAR", "STD", "TAC2"])
def test_a_last_frame_by_itself_is_left_out(temporal: Any) -> None:
    assert len(MOVIE) == 4
    options: dict[str, Any] = {"temporal": temporal, "frames_per_timepoint": 3}
    with pytest.warns(UserWarning, match="left out: it has 1 of 3 frames"):
        result = nx.esrrf(MOVIE, 2, **options)
    assert_close(result, nx.esrrf(MOVIE[:3], 2, **options))
    assert len(nx.esrrf(MOVIE, 2, frames_per_timepoint=3)) == 2


def test_more_frames_per_time_point_than_there_are() -> None:
    everything = nx.esrrf(MOVIE, 2, frames_per_timepoint=1_000_000)
    assert_close(everything, nx.esrrf(MOVIE, 2))


@pytest.mark.parametrize("implementation", ["serial", "reference"])
@pytest.mark.parametrize(
    ("method", "options"),
    [
        (nx.esrrf, {"temporal": "VAR"}),
        (nx.esrrf, {"temporal": "TAC2", "macro_pixel_correction": False}),
        (nx.srrf, {"temporal": "VAR"}),
        (nx.srrf, {"temporal": "TRPPM", "weight": "before"}),
        (nx.srrf, {"temporal": "TRAC4", "weight": "before"}),
    ],
)
def test_what_is_beyond_float32_is_told_once(
    method: Any, options: dict[str, Any], implementation: str
) -> None:
    """Squares of numbers that float32 holds may be too large for it."""
    image = np.concatenate([MOVIE, MOVIE[:, ::-1]]) * 1e20
    with pytest.warns(engine.NotFiniteWarning, match="image by .* first") as given:
        result = method(image, 2, implementation=implementation, **options)
    assert len(given) == 1
    assert not np.isfinite(result).all()
    assert np.isfinite(method(image / image.max(), 2, **options)).all()


def test_numbers_of_other_types() -> None:
    odd: list[Any] = [np.int64(2), np.float32(1.5), np.array(2)]
    whole: Any = 2.0
    assert_close(nx.esrrf(MOVIE, *odd), nx.esrrf(MOVIE, whole, 1.5, 2))


def test_drift_from_an_object_with_shifts() -> None:
    shifts = np.random.default_rng(13).uniform(-1, 1, (4, 2))
    table = SimpleNamespace(shifts=shifts)
    assert_close(
        nx.esrrf(MOVIE, 2, drift=table), nx.esrrf(MOVIE, 2, drift=shifts.tolist())
    )


def test_memory_layout_and_byte_order_do_not_matter() -> None:
    expected = nx.esrrf(MOVIE, 3)
    read_only = MOVIE.copy()
    read_only.flags.writeable = False
    spread = np.zeros((8, 18, 33), np.uint16)
    spread[::2, ::2, ::3] = MOVIE
    for image in (
        read_only,
        spread[::2, ::2, ::3],
        np.asfortranarray(MOVIE),
        MOVIE[::-1].copy()[::-1],
        MOVIE.astype(">u2"),
        MOVIE.astype(">f8"),
        MOVIE.tolist(),
    ):
        before = np.array(image)
        np.testing.assert_allclose(nx.esrrf(image, 3), expected, rtol=1e-6)
        np.testing.assert_array_equal(np.array(image), before)


def test_drift_of_frames_of_another_size() -> None:
    table = nx.DriftTable(np.ones((len(MOVIE), 2)), frame_shape=(99, 98))
    with pytest.raises(ValueError, match=r"drift is for frames of shape \(99, 98\)"):
        nx.esrrf(MOVIE, 2, drift=table)
