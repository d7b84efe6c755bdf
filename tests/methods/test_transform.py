"""Shifted, scaled, turned and unrolled images show the same content elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from simulation import spots

import napari_nanopyx as nx
from napari_nanopyx._kernels import tasks
from napari_nanopyx._kernels.warp import maps
from napari_nanopyx._kernels.warp.plan import Kernel

KERNELS: list[Kernel] = ["catmull_rom", "bilinear", "nearest"]


@pytest.fixture(params=["reference", None], ids=["reference", "chosen"])
def implementation(request: pytest.FixtureRequest) -> str | None:
    name: str | None = request.param
    return name


@pytest.fixture(params=KERNELS)
def kernel(request: pytest.FixtureRequest) -> Kernel:
    name: Kernel = request.param
    return name


@pytest.fixture(scope="module")
def movie() -> NDArray[np.uint16]:
    return np.random.default_rng(9).poisson(200, (4, 11, 14)).astype(np.uint16)


@pytest.fixture(scope="module")
def smooth() -> NDArray[np.float64]:
    noise = np.random.default_rng(3).normal(size=(60, 71))
    blurred: NDArray[np.float64] = ndimage.gaussian_filter(noise, 4.0)
    return 1000 * blurred / blurred.std()


def place(image: NDArray[Any]) -> tuple[float, float]:
    """Return the centre of mass, in continuous coordinates."""
    total = image.sum()
    return tuple(  # type: ignore[return-value]
        float((image.sum(axis=1 - axis) * (np.arange(length) + 0.5)).sum() / total)
        for axis, length in enumerate(image.shape)
    )


def test_nothing_to_do_gives_the_image_back(
    movie: NDArray[np.uint16], kernel: Kernel, implementation: str | None
) -> None:
    result = nx.transform(movie, kernel=kernel, implementation=implementation)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, movie)
    single = nx.transform(movie[0], kernel=kernel, implementation=implementation)
    np.testing.assert_array_equal(single, movie[0])


@pytest.mark.parametrize("quarters", [1, 2, 3, -1, 4])
@pytest.mark.parametrize("shape", [(12, 12), (13, 13)])
def test_quarter_turns_are_exact(
    quarters: int, shape: tuple[int, int], kernel: Kernel, implementation: str | None
) -> None:
    image = np.random.default_rng(1).poisson(90, shape).astype(np.uint8)
    angle = quarters * np.pi / 2
    result = nx.transform(
        image, angle=angle, kernel=kernel, implementation=implementation
    )
    np.testing.assert_array_equal(result, np.rot90(image, quarters))


def test_a_quarter_turn_moves_a_pixel_to_its_place() -> None:
    image = np.zeros((16, 16))
    image[5, 3] = 1
    assert np.argwhere(nx.transform(image, angle=np.pi / 2)).tolist() == [[12, 5]]
    image = np.zeros((16, 16))
    image[3, 5] = 1
    turned = nx.transform(image, angle=np.pi / 2)
    assert np.argwhere(turned).tolist() == [[10, 3]]


def test_whole_shifts_are_exact(
    movie: NDArray[np.uint16], kernel: Kernel, implementation: str | None
) -> None:
    result = nx.transform(
        movie, shift=(2, -3), fill=7, kernel=kernel, implementation=implementation
    )
    np.testing.assert_array_equal(result[:, 2:, :-3], movie[:, :-2, 3:])
    assert (result[:, :2] == 7).all()
    assert (result[:, :, -3:] == 7).all()


def test_each_frame_has_a_shift_of_its_own(movie: NDArray[np.uint16]) -> None:
    shifts = np.array([[0, 0], [0.4, -0.3], [-2, 1], [1.5, 2.25]])
    result = nx.transform(movie, shift=shifts, angle=0.3)
    for frame, image, shift in zip(result, movie, shifts, strict=True):
        alone = nx.transform(image, shift=shift, angle=0.3, implementation="reference")
        np.testing.assert_allclose(frame, alone, atol=3e-3)


def test_agrees_with_magnify_where_both_shift(
    movie: NDArray[np.uint16], kernel: Kernel
) -> None:
    shift = (0.37, -1.21)
    expected = nx.magnify(movie, 1, shift=shift, kernel=kernel)
    result = nx.transform(movie, shift=shift, kernel=kernel)
    # Places are rounded to a millionth of a pixel, and values differ by a hundred.
    np.testing.assert_allclose(result, expected, atol=2e-3)


@pytest.mark.parametrize("shape", [(40, 40), (41, 37)])
def test_a_spot_goes_where_it_should(
    shape: tuple[int, int], implementation: str | None
) -> None:
    """Scaled and turned about the middle first, shifted then."""
    shift, scale, angle = (1.7, -2.4), (1.25, 0.8), 0.4
    row, column = 24.3, 16.9
    image = spots(shape, np.array([row]), np.array([column]), np.array([1e3]), 2.0)
    result = nx.transform(
        image, shift=shift, scale=scale, angle=angle, implementation=implementation
    )
    middle = np.array(shape) / 2
    y, x = (np.array([row, column]) - middle) * scale
    expected = (
        np.cos(angle) * y - np.sin(angle) * x + middle[0] + shift[0],
        np.sin(angle) * y + np.cos(angle) * x + middle[1] + shift[1],
    )
    assert place(result) == pytest.approx(expected, abs=0.02)


def test_there_and_back_again(smooth: NDArray[np.float64]) -> None:
    there = nx.transform(smooth, angle=0.3)
    back = nx.transform(there, angle=-0.3)
    inner = (slice(15, 45), slice(18, 53))
    assert np.abs(back - smooth)[inner].max() < 0.02 * np.ptp(smooth)


def test_points_are_those_of_the_formula() -> None:
    """Rounding moves none by more than two millionths of a pixel."""
    shift, (sy, sx), angle = (1.5, -2.0), (1.2, 0.8), 0.35
    affine = maps.turned((300, 400), np.array([shift]), (sy, sx), angle)
    plan = tasks()["warp"].plan((1, 300, 400), affine=affine)
    i, j = np.mgrid[:300, :400]
    dy, dx = i + 0.5 - 150 - shift[0], j + 0.5 - 200 - shift[1]
    row = (np.sin(angle) * dx + np.cos(angle) * dy) / sy + 150
    column = (np.cos(angle) * dx - np.sin(angle) * dy) / sx + 200
    found = plan.points(range(1))[0]  # type: ignore[attr-defined]
    np.testing.assert_allclose(found, [row, column], atol=2e-6, rtol=0)


def test_polar_rings_are_columns(implementation: str | None) -> None:
    rows, columns = np.mgrid[:41, :41] + 0.5
    image = np.hypot(rows - 20.5, columns - 20.5)
    result = nx.polar(
        image, (90, 30), kernel="catmull_rom", implementation=implementation
    )
    radii = np.arange(30) * np.hypot(20.5, 20.5) / 29
    inside = (radii > 2) & (radii < 19)
    np.testing.assert_allclose(
        result[:, inside], np.tile(radii[inside], (90, 1)), atol=0.02
    )
    np.testing.assert_allclose(result[0], result[-1], atol=1e-4)


def test_log_polar_scales_become_shifts(smooth: NDArray[np.float64]) -> None:
    farthest = np.hypot(30, 35.5)
    factor = farthest ** (8 / 99)
    larger = nx.transform(smooth, scale=factor)
    before, after = (
        nx.polar(image, (180, 100), scale="log", kernel="catmull_rom")
        for image in (smooth, larger)
    )
    span = slice(30, 80)
    error = np.abs(after[:, 38:88] - before[:, span])
    assert error.max() < 0.05 * np.ptp(smooth)


def test_turns_become_shifts_of_the_angle(smooth: NDArray[np.float64]) -> None:
    turned = nx.transform(smooth, angle=-2 * np.pi * 10 / 179)
    before, after = (
        nx.polar(image, (180, 40), kernel="catmull_rom") for image in (smooth, turned)
    )
    assert np.abs(after[10:, 2:24] - before[:-10, 2:24]).max() < 0.03 * np.ptp(smooth)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"shift": (1, 2, 3)}, ValueError, "shift has shape"),
        ({"shift": (np.nan, 0)}, ValueError, "must be finite"),
        ({"shift": (2e5, 0)}, ValueError, "shift holds 200000, but must be at most"),
        ({"scale": 0}, ValueError, "scale is 0, but must be a number from 0.01 to 100"),
        ({"scale": (1, -1)}, ValueError, "scale of columns is -1"),
        ({"scale": (1, 1, 1)}, ValueError, "must be a number or \\(row, column\\)"),
        ({"scale": "two"}, TypeError, "scale is 'two'"),
        ({"angle": np.inf}, ValueError, "angle is inf"),
        ({"kernel": "lanczos"}, ValueError, "kernel is 'lanczos', but must be one of"),
        ({"fill": np.nan}, ValueError, "fill is nan"),
        ({"fill": 1e300}, ValueError, "within float32"),
    ],
)
def test_bad_input_of_transform(
    movie: NDArray[np.uint16], arguments: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        nx.transform(movie, **arguments)


@pytest.mark.parametrize(
    ("shape", "arguments", "message"),
    [
        (5, {}, "shape is 5, but must be \\(angles, radii\\)"),
        ((0, 5), {}, "shape's first number is 0"),
        ((5, 1.5), {}, "shape's second number is 1.5"),
        ((5, 5), {"scale": "sqrt"}, "scale is 'sqrt'"),
        ((5, 5), {"kernel": "fourier"}, "kernel is 'fourier'"),
    ],
)
def test_bad_input_of_polar(
    movie: NDArray[np.uint16], shape: Any, arguments: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        nx.polar(movie, shape, **arguments)


def test_images_that_cannot_be_sampled() -> None:
    with pytest.raises(ValueError, match="NaN"):
        nx.transform(np.full((3, 3), np.nan))
    with pytest.raises(ValueError, match="axes"):
        nx.transform(np.zeros((2, 2, 3, 3)))
    with pytest.raises(TypeError, match="dtype"):
        nx.polar(np.zeros((3, 3), complex), (3, 3))


def test_one_pixel() -> None:
    np.testing.assert_array_equal(nx.transform([[5.0]], angle=1.0), [[5.0]])
    np.testing.assert_array_equal(nx.polar([[5.0]], (1, 1)), [[5.0]])
