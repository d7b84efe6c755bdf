"""What makes no sense for 3-D eSRRF is refused in one sentence; what is odd, works."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import napari_nanopyx as nx
from napari_nanopyx import engine
from napari_nanopyx._engine.machine import devices

SERIES = np.random.default_rng(11).poisson(100, (3, 4, 7, 9)).astype(np.uint16)


@pytest.fixture(autouse=True)
def one_implementation() -> Iterator[None]:
    with engine.use("serial"):
        yield


def with_value(value: float) -> NDArray[np.float64]:
    image = SERIES.astype(np.float64)
    image[2, 1, 1, 1] = value
    return image


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (with_value(np.nan), ValueError, "image .*NaN.* frame 2 "),
        (with_value(np.inf), ValueError, "image .*infinity.* frame 2 "),
        (SERIES.astype(complex), TypeError, "image has dtype complex128"),
        (SERIES[0, 0], ValueError, r"image has 2 axes .*\(Z, Y, X\), or four, \(T, Z"),
        (SERIES[None], ValueError, "image has 5 axes .*choose one channel first"),
        (SERIES[:, :0], ValueError, "image is empty"),
        (None, TypeError, "image has dtype object"),
    ],
)
def test_images(image: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        nx.esrrf_3d(image)


@pytest.mark.parametrize(
    ("argument", "value", "error", "message"),
    [
        ("magnification", 0, ValueError, "magnification is 0, but must .* 1 to 10"),
        ("magnification_z", 11, ValueError, "magnification_z is 11, .* 1 to 10"),
        ("magnification_z", 1.5, ValueError, "magnification_z is 1.5, .* whole"),
        ("radius", 0, ValueError, "radius is 0, but must be a number above 0"),
        ("radius", 7.5, ValueError, r"radius is 7.5, .* at most 7 \(the smaller side"),
        ("radius", 6.0, ValueError, "radius is 6.0, which is 4.2 planes .* most 5.71"),
        ("psf_ratio", 12.0, ValueError, "4.5 planes .* the image has 4: .* most 1.33"),
        ("psf_ratio", -1, ValueError, "psf_ratio is -1, but must be a number above 0"),
        ("voxel_ratio", 0, ValueError, "voxel_ratio is 0, but must be"),
        ("voxel_ratio", "4", TypeError, "voxel_ratio is '4', a str"),
        ("sensitivity", -1, ValueError, "sensitivity is -1, but must be"),
        ("sensitivity", 21, ValueError, "sensitivity is 21, .* from 0.4 to 20$"),
        ("temporal", "TAC3", ValueError, "temporal is 'TAC3', but must be one of"),
        ("frames_per_timepoint", -1, ValueError, "frames_per_timepoint is -1"),
        ("intensity_weighting", 1, TypeError, "intensity_weighting is 1"),
        ("macro_pixel_correction", "no", TypeError, "macro_pixel_correction is 'no'"),
    ],
)
def test_arguments(
    argument: str, value: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        nx.esrrf_3d(SERIES, **{argument: value})


@pytest.mark.parametrize("temporal", ["VAR", "STD", "TAC2"])
def test_one_volume_does_not_fluctuate(temporal: Any) -> None:
    message = f"'{temporal}', which needs at least 2 frames, but image has 1"
    with pytest.raises(ValueError, match=message):
        nx.esrrf_3d(SERIES[0], temporal=temporal)
    with pytest.raises(ValueError, match="frames_per_timepoint is 1, but must be 0"):
        nx.esrrf_3d(SERIES, temporal=temporal, frames_per_timepoint=1)
    with pytest.warns(UserWarning, match="left out: it has 1 of 2 frames"):
        result = nx.esrrf_3d(SERIES, temporal=temporal, frames_per_timepoint=2)
    assert len(result) == 1
    assert result.any()


@pytest.mark.parametrize("shape", [(1, 1, 2, 2), (2, 2, 3, 5), (1, 3, 13, 7)])
def test_small_and_odd_volumes(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(1).poisson(9, shape)
    result = nx.esrrf_3d(image, 3, 2)
    _, depth, height, width = shape
    assert result.shape == (1, 2 * depth, 3 * height, 3 * width)
    assert np.isfinite(result).all()


def test_one_volume_is_one_time_point() -> None:
    np.testing.assert_array_equal(nx.esrrf_3d(SERIES[0]), nx.esrrf_3d(SERIES[:1]))


def test_what_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "memory_bytes", lambda: 100_000)
    with pytest.raises(MemoryError, match=r"4 x 7 x 9 voxels need .* lower magnif"):
        nx.esrrf_3d(SERIES, temporal="VAR")


class Endless:
    """Volumes that are made when they are asked for."""

    dtype = np.dtype(np.uint16)

    def __init__(self, count: int) -> None:
        self.shape = (count, *SERIES.shape[1:])

    def __getitem__(self, frames: slice) -> NDArray[Any]:
        count = len(range(*frames.indices(self.shape[0])))
        return np.resize(SERIES, (count, *SERIES.shape[1:]))


def test_memory_does_not_grow_with_the_number_of_volumes() -> None:
    def peak(count: int) -> int:
        image: Any = Endless(count)
        nx.esrrf_3d(image, temporal="TAC2")
        tracemalloc.start()
        nx.esrrf_3d(image, temporal="TAC2")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(2000) < 1.1 * peak(200)
