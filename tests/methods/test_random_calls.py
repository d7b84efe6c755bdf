"""Whatever is asked for: a finite result of the right shape, or a ValueError."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any, Literal, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import napari_nanopyx as nx
from napari_nanopyx import engine
from napari_nanopyx._kernels.esrrf.plan import LEAST_FRAMES as ESRRF_LEAST
from napari_nanopyx._kernels.srrf.merging import LEAST_FRAMES as SRRF_LEAST

SIDES = [1, 2, 3, 4, 5, 7, 11, 13, 17]
INTEGERS = ["bool", "uint8", ">u2", "uint16", "int16", "int64", "uint64"]
TYPES = [*INTEGERS, "float16", ">f4", "float32", "float64"]
CONTENT = Literal["random", "signed", "steps", "constant", "nothing", "spot", "faint"]

some = settings(max_examples=60, deadline=None, derandomize=True)


@pytest.fixture(autouse=True, scope="module")
def one_implementation() -> Iterator[None]:
    with ExitStack() as stack:
        for task in ("esrrf", "esrrf_3d", "srrf"):
            stack.enter_context(engine.use("serial", task=task))
        yield


@st.composite
def movies(draw: st.DrawFn, axes: int = 2, least: int = 1) -> NDArray[Any]:
    """Return a few frames, as small as they can be, of any pixel type."""
    sides = st.sampled_from([each for each in SIDES if each >= least] + [least])
    shape = (draw(st.integers(1, 6)), *(draw(sides) for _ in range(axes)))
    dtype = np.dtype(draw(st.sampled_from(TYPES)))
    content = draw(st.sampled_from(get_args(CONTENT)))
    image = np.random.default_rng(draw(st.integers(0, 99))).random(shape)
    if content == "signed" and dtype.kind in "if":
        image = 2 * image - 1
    elif content == "steps":
        image = image.round()
    elif content == "constant":
        image[:] = 0.7
    elif content == "nothing":
        image[:] = 0
    elif content == "spot":
        places = np.indices(shape[1:]).reshape(axes, -1) - 1.3
        image[:] = np.exp(-(places**2).sum(axis=0) / 3).reshape(shape[1:])
    elif content == "faint" and dtype.itemsize > 2:
        image *= 1e-30
    if dtype.kind in "ui":
        image *= 0.99 * np.iinfo(dtype).max
    return image.astype(dtype)


def with_arguments(numbers: dict[str, Any], **words: Any) -> st.SearchStrategy[Any]:
    """Return keywords for a call, any of them left out."""
    every = {name: st.one_of(strategy) for name, strategy in numbers.items()}
    every |= {name: st.sampled_from(sorted(each)) for name, each in words.items()}
    return st.fixed_dictionaries({}, optional=every)


def images_in(count: int, frames: int, gap: int, least: int) -> int:
    """Return for how many time points there are frames."""
    length = min(frames, count) or count
    if gap:
        return (count - length) // gap + 1
    return count // length + (count % length >= max(least, 1))


def assert_sound(
    function: Callable[..., NDArray[np.float32]],
    image: NDArray[Any],
    arguments: dict[str, Any],
    shape: Callable[[], tuple[int, ...]],
) -> None:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "the last time point is left out")
            result = function(image, **arguments)
    except ValueError as error:
        if str(error).split()[0] in {"image", *arguments}:
            return
        raise
    assert result.dtype == np.float32
    assert result.shape == shape()
    assert np.isfinite(result).all()


def assert_time_points(
    function: Callable[..., NDArray[np.float32]],
    image: NDArray[Any],
    seed: int | None,
    arguments: dict[str, Any],
    least_frames: Mapping[Any, int],
) -> None:
    """Check a reconstruction of as many images as the movie has time points."""
    arguments = {"magnification": 5, "frames_per_timepoint": 0, **arguments}
    arguments["drift"] = drifting(image, seed)

    def shape() -> tuple[int, ...]:
        least = least_frames[arguments["temporal"]]
        frames, gap = arguments["frames_per_timepoint"], arguments.get("frame_gap", 0)
        count = images_in(len(image), frames, gap, least)
        return (count, *(arguments["magnification"] * n for n in image.shape[1:]))

    assert_sound(function, image, arguments, shape)


def drifting(image: NDArray[Any], seed: int | None) -> NDArray[np.float64] | None:
    if seed is None:
        return None
    shifts = np.random.default_rng(seed).uniform(-1, 1, (len(image), 2))
    return shifts * 0.99 * image.shape[1:]


@some
@given(
    movies(),
    st.none() | st.integers(0, 9),
    with_arguments(
        {
            "magnification": st.integers(1, 10),
            "radius": st.floats(1e-3, 17),
            "sensitivity": st.floats(0.4, 20),
            "frames_per_timepoint": st.integers(0, 7),
            "frame_gap": st.integers(0, 7),
            "intensity_weighting": st.booleans(),
            "macro_pixel_correction": st.booleans(),
        },
        temporal=ESRRF_LEAST,
        interpolation=["catmull_rom", "fourier"],
        gradient=["roberts", "two_point"],
        border=["extend", "zero"],
    ),
)
def test_esrrf(image: NDArray[Any], seed: int | None, arguments: Any) -> None:
    arguments = {"radius": 1.0, "temporal": "AVG", "frame_gap": 0, **arguments}
    assert_time_points(nx.esrrf, image, seed, arguments, ESRRF_LEAST)


@some
@given(
    movies(),
    st.none() | st.integers(0, 9),
    with_arguments(
        {
            "magnification": st.integers(1, 10),
            "ring_radius": st.floats(0.1, 3),
            "axes": st.integers(2, 8),
            "border": st.integers(0, 5),
            "frames_per_timepoint": st.integers(0, 7),
            "intensity_weighting": st.booleans(),
            "positivity": st.booleans(),
            "renormalise": st.booleans(),
            "gradient_smoothing": st.booleans(),
            "integrate_lag_times": st.booleans(),
        },
        temporal=SRRF_LEAST,
        weight=["after", "before"],
    ),
)
def test_srrf(image: NDArray[Any], seed: int | None, arguments: Any) -> None:
    arguments = {"temporal": "TRA", **arguments}
    assert_time_points(nx.srrf, image, seed, arguments, SRRF_LEAST)


@some
@given(
    movies(axes=3),
    with_arguments(
        {
            "magnification": st.integers(1, 4),
            "magnification_z": st.integers(1, 4),
            "radius": st.floats(1e-3, 9),
            "sensitivity": st.floats(0.4, 20),
            "psf_ratio": st.floats(0.1, 10),
            "voxel_ratio": st.floats(0.1, 10),
            "frames_per_timepoint": st.integers(0, 7),
            "intensity_weighting": st.booleans(),
            "macro_pixel_correction": st.booleans(),
        },
        temporal=ESRRF_LEAST,
    ),
)
def test_esrrf_3d(image: NDArray[Any], arguments: Any) -> None:
    image = image[:3, :5, :7, :11]
    arguments = {"radius": 1.0, "temporal": "AVG", **arguments}
    arguments |= {"frames_per_timepoint": 0, **arguments}
    arguments |= {"magnification": 2, "magnification_z": 2, **arguments}

    def shape() -> tuple[int, ...]:
        least = ESRRF_LEAST[arguments["temporal"]]
        count = images_in(len(image), arguments["frames_per_timepoint"], 0, least)
        depth, height, width = image.shape[1:]
        across, along = arguments["magnification"], arguments["magnification_z"]
        return (count, along * depth, across * height, across * width)

    assert_sound(nx.esrrf_3d, image, arguments, shape)


@some
@given(
    movies(),
    st.floats(0.02, 12),
    with_arguments(
        {"shift": st.tuples(st.floats(-1e300, 1e300), st.floats(-20, 20))},
        kernel=["catmull_rom", "bilinear", "nearest", "lanczos", "fourier"],
    ),
)
def test_magnify(image: NDArray[Any], factor: float, arguments: Any) -> None:
    def shape() -> tuple[int, ...]:
        sides = (math.floor(round(n * factor, 9)) for n in image.shape[1:])
        return (len(image), *sides)

    name = "matrix" if arguments.get("kernel") == "fourier" else "serial"
    arguments = {"factor": factor, "implementation": name, **arguments}
    assert_sound(nx.magnify, image, arguments, shape)


@settings(some, max_examples=25)
@given(
    movies(least=16),
    st.floats(0.01, 5),
    st.floats(0.4, 20),
    with_arguments(
        {
            "magnification": st.integers(1, 3),
            "n_frames": st.none() | st.integers(2, 6),
            "crop_border": st.integers(0, 4),
            "sigma": st.none() | st.floats(0.1, 3),
        },
        temporal=ESRRF_LEAST,
        resolution=["frc", "decorrelation"],
    ),
)
def test_sweep(
    image: NDArray[Any], radius: float, sensitivity: float, arguments: Any
) -> None:
    def scores(image: NDArray[Any], **arguments: Any) -> NDArray[np.float32]:
        sweep = nx.sweep_esrrf(image, [radius, 1.0], [sensitivity], **arguments)
        assert np.isfinite(sweep.rsp).all()
        assert ((sweep.qnr >= 0) & (sweep.qnr <= 1)).all()
        return sweep.qnr.astype(np.float32)

    assert_sound(scores, image, arguments, lambda: (1, 2))
