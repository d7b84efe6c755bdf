"""SRRF treats every place, direction and grouping of frames alike."""

from __future__ import annotations

import tracemalloc
from threading import Event
from typing import Any, get_args

import numpy as np
import pytest
from closeness import assert_close
from numpy.typing import NDArray
from simulation import spots

import napari_nanopyx as nx
from napari_nanopyx import engine
from napari_nanopyx._engine.context import choose_by
from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.policy.situation import Situation
from napari_nanopyx._kernels.srrf.merging import LEAST_FRAMES, Temporal
from napari_nanopyx.methods import _row_bands

Image = NDArray[np.float64]

SIZE = 15
TEMPORAL: tuple[Temporal, ...] = get_args(Temporal)


@pytest.fixture(params=["reference", None], ids=["reference", "chosen"])
def implementation(request: pytest.FixtureRequest) -> str | None:
    name: str | None = request.param
    return name


@pytest.fixture(scope="module")
def movie() -> NDArray[np.uint16]:
    rng = np.random.default_rng(7)
    return rng.poisson(rng.uniform(20, 400, (9, 13, 17))).astype(np.uint16)


@pytest.mark.parametrize("magnification", range(1, 7))
@pytest.mark.parametrize("place", [(7.5, 7.5), (7.0, 8.0), (7.3, 7.8)])
@pytest.mark.parametrize("ring_radius", [0.5, 1.5])
def test_a_spot_stays_where_it_is(
    magnification: int,
    place: tuple[float, float],
    ring_radius: float,
    implementation: str | None,
) -> None:
    row, column = (np.array([each]) for each in place)
    spot = spots((SIZE, SIZE), row, column, np.array([20000.0]), sigma=1.2).round()
    result = nx.srrf(
        spot + 10, magnification, ring_radius, implementation=implementation
    )[0]
    centres = np.arange(SIZE * magnification) + 0.5
    y, x = (centres - magnification * each for each in place)
    near = np.hypot(y[:, np.newaxis], x) < 3.5 * magnification
    weight = np.where(near, result, 0.0)
    assert abs((weight.sum(axis=1) * y).sum() / weight.sum()) < 0.05
    assert abs((weight.sum(axis=0) * x).sum() / weight.sum()) < 0.05


@pytest.mark.parametrize("ring_radius", [0.3, 0.5, 1.0, 2.0])
def test_the_centre_of_a_spot_has_a_radiality_near_one(
    ring_radius: float, implementation: str | None
) -> None:
    middle = np.array([SIZE / 2])
    spot = spots((SIZE, SIZE), middle, middle, np.array([1e5]), sigma=1.5)
    result = nx.srrf(
        spot,
        5,
        ring_radius,
        intensity_weighting=False,
        positivity=False,
        implementation=implementation,
    )[0]
    centre = result[5 * SIZE // 2, 5 * SIZE // 2]
    assert centre == result.max()
    assert 0.95 < centre < 1 + 1e-6
    assert -1 - 1e-6 < result.min() < 0


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_whole_pixel_shifts(
    movie: NDArray[np.uint16], temporal: Temporal, implementation: str | None
) -> None:
    def reconstruct(row: int, column: int) -> NDArray[np.float32]:
        scene = np.full((9, 30, 34), 100, np.uint16)
        scene[:, row : row + 13, column : column + 17] = movie
        return nx.srrf(scene, 4, 1.0, temporal=temporal, implementation=implementation)

    here, there = reconstruct(8, 8), reconstruct(10, 7)
    assert_close(there[:, 24:104, 16:112], here[:, 16:96, 20:116])


@pytest.mark.parametrize("turn", ["rows", "columns", "quarter", "transposed"])
@pytest.mark.parametrize("smoothing", [False, True])
@pytest.mark.parametrize(
    ("magnification", "ring_radius", "axes"), [(1, 1.0, 6), (4, 0.5, 2), (5, 2.6, 8)]
)
def test_flips_and_turns(
    movie: NDArray[np.uint16],
    turn: str,
    smoothing: bool,
    magnification: int,
    ring_radius: float,
    axes: int,
    implementation: str | None,
) -> None:
    def turned(image: NDArray[Any]) -> NDArray[Any]:
        if turn == "rows":
            return image[:, ::-1]
        if turn == "columns":
            return image[:, :, ::-1]
        if turn == "transposed":
            return image.swapaxes(1, 2)
        return np.rot90(image, axes=(1, 2))

    def reconstruct(image: NDArray[Any]) -> NDArray[np.float32]:
        return nx.srrf(
            image,
            magnification,
            ring_radius,
            axes=axes,
            gradient_smoothing=smoothing,
            implementation=implementation,
        )

    assert_close(reconstruct(turned(movie)), turned(reconstruct(movie)), 2e-6)


def test_an_odd_number_of_axes_flips_too(
    movie: NDArray[np.uint16], implementation: str | None
) -> None:
    def reconstruct(image: NDArray[Any]) -> NDArray[np.float32]:
        return nx.srrf(image, 3, 1.0, axes=3, implementation=implementation)

    flipped = reconstruct(movie[:, ::-1, ::-1])
    assert_close(flipped, reconstruct(movie)[:, ::-1, ::-1], 2e-6)


@pytest.mark.parametrize("border", [0, 2])
@pytest.mark.parametrize("temporal", TEMPORAL)
def test_border_is_blank_and_changes_nothing_else(
    movie: NDArray[np.uint16],
    temporal: Temporal,
    border: int,
    implementation: str | None,
) -> None:
    def reconstruct(border: int) -> NDArray[np.float32]:
        return nx.srrf(
            movie,
            3,
            intensity_weighting=False,
            renormalise=True,
            border=border,
            temporal=temporal,
            implementation=implementation,
        )

    margin = 3 * (1 + border)
    inner = (slice(None), slice(margin, -margin), slice(margin, -margin))
    result = reconstruct(border)
    expected = np.zeros_like(result)
    expected[inner] = reconstruct(0)[inner]
    assert expected[inner].all()
    assert_close(result, expected)
    assert not result[expected == 0].any()


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_a_constant_image_has_no_structure(
    temporal: Temporal, implementation: str | None
) -> None:
    flat = np.full((5, 9, 8), 1000, np.uint16)
    assert not nx.srrf(flat, temporal=temporal, implementation=implementation).any()


def test_radiality_depends_on_no_offset(
    movie: NDArray[np.uint16], implementation: str | None
) -> None:
    def reconstruct(image: NDArray[Any]) -> NDArray[np.float32]:
        return nx.srrf(
            image, 3, 0.8, intensity_weighting=False, implementation=implementation
        )

    assert_close(reconstruct(movie + 30_000), reconstruct(movie))


@pytest.mark.parametrize("temporal", TEMPORAL)
@pytest.mark.parametrize("weight", ["none", "before", "after"])
def test_scales_with_the_intensity(
    movie: NDArray[np.uint16],
    temporal: Temporal,
    weight: Any,
    implementation: str | None,
) -> None:
    """Radiality itself does not; its weight does, as often as it is multiplied."""

    def reconstruct(image: NDArray[Any]) -> NDArray[np.float32]:
        return nx.srrf(
            image,
            3,
            temporal=temporal,
            intensity_weighting=weight != "none",
            weight="before" if weight == "none" else weight,
            implementation=implementation,
        )

    products = {"TRPPM": 2, "TRAC2": 2, "TRAC3": 3, "TRAC4": 4, "VAR": 2}
    power = products.get(temporal, 1)
    if weight == "none":
        power = 0
    elif weight == "after" and temporal in ("TRPPM", "TRAC2", "TRAC3", "TRAC4"):
        power = 1
    assert_close(reconstruct(4 * movie), 4**power * reconstruct(movie))


def test_renormalised_and_positive(
    movie: NDArray[np.uint16], implementation: str | None
) -> None:
    def reconstruct(*, positivity: bool, renormalise: bool) -> NDArray[np.float32]:
        return nx.srrf(
            movie[:1],
            3,
            1.0,
            intensity_weighting=False,
            positivity=positivity,
            renormalise=renormalise,
            implementation=implementation,
        )[:, 3:-3, 3:-3]

    signed = reconstruct(positivity=False, renormalise=False)
    assert signed.min() < -0.1
    for renormalise, expected in ((False, signed), (True, 0.5 + signed / 2)):
        result = reconstruct(positivity=True, renormalise=renormalise)
        assert_close(result, np.maximum(expected, 0))


@pytest.mark.parametrize("temporal", TEMPORAL)
@pytest.mark.parametrize("weight", ["before", "after"])
@pytest.mark.parametrize("length", [0, 5])
def test_block_size_does_not_matter(
    movie: NDArray[np.uint16],
    temporal: Temporal,
    weight: Any,
    length: int,
    implementation: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    least = LEAST_FRAMES[temporal]
    frames = movie if length == 0 or len(movie) % length >= least else movie[:5]

    def reconstruct(block_bytes: int) -> tuple[NDArray[np.float32], int]:
        monkeypatch.setattr(
            "napari_nanopyx._engine.running.runner.BLOCK_BYTES",
            block_bytes,
            raising=True,
        )
        calls: list[int] = []
        result = nx.srrf(
            frames,
            3,
            temporal=temporal,
            weight=weight,
            frames_per_timepoint=length,
            implementation=implementation,
            progress=lambda done, total: calls.append(done),
        )
        return result, len(calls)

    large, _ = reconstruct(2**28)
    small, blocks = reconstruct(1)
    assert blocks == len(frames)
    assert_close(small, large)


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_time_points_equal_their_frames_alone(
    movie: NDArray[np.uint16], temporal: Temporal, implementation: str | None
) -> None:
    def reconstruct(frames: NDArray[np.uint16], length: int = 0) -> Any:
        return nx.srrf(
            frames,
            2,
            temporal=temporal,
            frames_per_timepoint=length,
            implementation=implementation,
        )

    if LEAST_FRAMES[temporal] == 5:
        with pytest.warns(UserWarning, match="it has 4 of 5 frames, .* at least 5"):
            result = reconstruct(movie, 5)
        assert_close(result, reconstruct(movie[:5]))
    else:
        alone = np.concatenate([reconstruct(movie[:5]), reconstruct(movie[5:])])
        assert_close(reconstruct(movie, 5), alone)
    assert_close(reconstruct(movie, 99), reconstruct(movie))


@pytest.mark.parametrize("temporal", ["TRA", "TRPPM", "TRAC2"])
def test_whole_pixel_drift_moves_the_result(
    movie: NDArray[np.uint16], temporal: Temporal, implementation: str | None
) -> None:
    def reconstruct(drift: NDArray[np.float64] | None) -> NDArray[np.float32]:
        return nx.srrf(
            movie, 3, temporal=temporal, drift=drift, implementation=implementation
        )

    moved = reconstruct(np.tile([2.0, -1.0], (9, 1)))
    expected = np.zeros_like(moved)
    expected[:, 6:, :-3] = reconstruct(None)[:, :-6, 3:]
    assert_close(moved, expected)


def test_drift_correction_undoes_drift(implementation: str | None) -> None:
    rng = np.random.default_rng(8)
    shifts = rng.uniform(-2.5, 2.5, (8, 2))
    places = rng.uniform(7, 17, (2, 5))
    photons = np.full(5, 2e5)

    def frame(shift: NDArray[np.float64]) -> Image:
        return spots((24, 24), places[0] + shift[0], places[1] + shift[1], photons, 1.3)

    def reconstruct(image: Image, drift: Any = None) -> NDArray[np.float32]:
        return nx.srrf(image, 4, 1.0, drift=drift, implementation=implementation)[0]

    still = reconstruct(frame(np.zeros(2)))
    movie = np.stack([frame(shift) for shift in shifts])

    def similarity(image: NDArray[np.float32]) -> float:
        inner = (slice(16, -16), slice(16, -16))
        return float(np.corrcoef(image[inner].ravel(), still[inner].ravel())[0, 1])

    assert similarity(reconstruct(movie, -shifts)) > 0.99
    assert similarity(reconstruct(movie)) < 0.8


ENDLESS = (128, 64)
"""Pixels of a frame: enough that the notes on each block are little beside them."""


class Endless:
    """A movie that is made when it is read."""

    dtype = np.dtype(np.uint16)

    def __init__(self, frames: int) -> None:
        self.shape = (frames, *ENDLESS)

    def __getitem__(self, frames: slice) -> NDArray[np.uint16]:
        count = len(range(*frames.indices(self.shape[0])))
        rng = np.random.default_rng(frames.start)
        return rng.integers(60, 120, (count, *ENDLESS), self.dtype)


def fifty_frames(situation: Situation) -> Choice:
    """Make blocks alike, however fast the computer is at the moment."""
    return Choice(situation.candidates[0], 50, None, "asked for")


def peak_bytes(temporal: Temporal, frames: int, weight: Any) -> int:
    movie: Any = Endless(frames)
    tracemalloc.start()
    try:
        with choose_by(fifty_frames):
            nx.srrf(movie, 2, temporal=temporal, weight=weight, implementation="serial")
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("temporal", "weight"),
    [(temporal, "after") for temporal in TEMPORAL]
    + [(temporal, "before") for temporal in ("TRPPM", "TRAC2", "TRAC3", "TRAC4")],
)
def test_memory_does_not_grow_with_the_frames(temporal: Temporal, weight: Any) -> None:
    """Nor with the lag times: their sums are kept for a band of rows at a time."""
    peak_bytes(temporal, 40, weight)
    few, many = (peak_bytes(temporal, frames, weight) for frames in (200, 2000))
    assert many < 1.1 * few


@pytest.mark.parametrize("temporal", ["TRAC2", "TRAC3", "TRAC4"])
@pytest.mark.parametrize("drift", [False, True])
@pytest.mark.parametrize("options", [{}, {"border": 2, "gradient_smoothing": True}])
def test_bands_of_rows_do_not_matter(
    temporal: Temporal,
    drift: bool,
    options: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(21)
    tall = rng.poisson(rng.uniform(20, 400, (7, 67, 9))).astype(np.uint16)
    shifts = rng.uniform(-3, 3, (7, 2)) if drift else None
    calls: list[tuple[int, int]] = []

    def reconstruct() -> NDArray[np.float32]:
        calls.clear()
        return nx.srrf(
            tall,
            3,
            1.3,
            temporal=temporal,
            drift=shifts,
            implementation="serial",
            progress=lambda *done: calls.append(done),
            **options,
        )

    whole = reconstruct()
    assert calls[-1] == (7, 7)
    monkeypatch.setattr(_row_bands, "KEPT_BYTES", (0, 0))
    assert_close(reconstruct(), whole)
    done, total = calls[-1]
    assert done == total >= 3 * 7
    assert calls == sorted(calls)


def test_cancelled_between_bands(
    movie: NDArray[np.uint16], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_row_bands, "KEPT_BYTES", (0, 0))
    stop = Event()

    def progress(done: int, total: int) -> None:
        if done == len(movie) < total:
            stop.set()

    tall = np.tile(movie, (1, 2, 1))
    with pytest.raises(engine.Cancelled):
        nx.srrf(tall, 2, temporal="TRAC2", progress=progress, cancel=stop)
    assert stop.is_set()
