"""Drift that is known is found again, and what cannot be found is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

import napari_nanopyx as nx
from napari_nanopyx import engine

Array = NDArray[Any]
DATA = Path(__file__).parents[3] / "shared" / "data"

MOTIONS = np.array([(0, 0), (1, 2), (2.5, -1.25), (-3, 0.5), (0.3, 0.7)])


def input_b() -> Array:
    """Return the movie that the golden numbers belong to."""
    row, column = np.indices((64, 64))
    places = np.random.default_rng(5).uniform(12, 52, (15, 2))
    movie = np.full((len(MOTIONS), 64, 64), 100.0)
    for frame, (y, x) in zip(movie, MOTIONS, strict=True):
        for a, b in places:
            distance = (row - a - y) ** 2 + (column - b - x) ** 2
            frame += 1000 * np.exp(-distance / (2 * 1.3**2))
    return movie


def texture(moves: Array, side: int = 64, noise: float = 0.0, seed: int = 0) -> Array:
    """Return views of a dense scene, moved by quarters of a pixel."""
    random = np.random.default_rng(seed)
    scene = ndimage.gaussian_filter(random.normal(size=(4 * side + 160,) * 2), 6)
    scene = 200 + 100 * scene / scene.std()
    frames = []
    for y, x in np.rint(4 * np.asarray(moves)).astype(int):
        part = scene[80 - y : 80 - y + 4 * side, 80 - x : 80 - x + 4 * side]
        frames.append(part.reshape(side, 4, side, 4).mean((1, 3)))
    return np.stack(frames) + noise * random.normal(size=(len(frames), side, side))


def rms(values: Array) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


@pytest.mark.parametrize(
    "settings", [{"max_drift": 10}, {}, {"reference": "previous"}, {"method": "rcc"}]
)
def test_golden_movie(settings: dict[str, Any]) -> None:
    table = nx.estimate_drift(input_b(), **settings)
    np.testing.assert_allclose(table.shifts, -MOTIONS, atol=0.003)
    assert table.similarity.min() > 0.9999
    assert not table.flagged.any()
    peer = np.array([[0, 0], [-1, -2], [-2.499, 1.210], [3.0, -0.5], [-0.258, -0.739]])
    whole = [0, 1, 3]  # the peer is exact there, up to its three decimals
    np.testing.assert_allclose(table.shifts[whole], peer[whole], atol=0.01)


@pytest.mark.parametrize("window", ["none", "hann"])
def test_dense_scene_does_not_pull_to_zero(window: Any) -> None:
    moves = np.array([(0, 0), (1.25, -0.5), (5.75, 3.25), (-8.5, 6), (-0.25, 0.25)])
    table = nx.estimate_drift(texture(moves), window=window)
    np.testing.assert_allclose(table.shifts, -moves, atol=0.02)


FRAMES: dict[str, tuple[Any, ...]] = {
    "mito_h9c2_608nm_50f.tif": (0,),
    "telomeres_live_200f.tif": (0, slice(100), slice(100)),
    "hybiss_spots_2d.tif": (slice(300, 428), slice(100, 228)),
    "bpae_actin_reference.tif": (slice(100, 196), slice(100, 196)),
    "pmhc_af647_10f.tif": (0, slice(64), slice(64)),
}
"""Parts of real frames, of smooth and of very fine detail."""


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("photons", [30, 300, 100_000])
def test_real_frames_beside_scikit_image(name: str, photons: float) -> None:
    registration = pytest.importorskip("skimage.registration")
    tifffile = pytest.importorskip("tifffile")
    if not (DATA / name).exists():
        pytest.skip("the real data are not here")
    frame = tifffile.imread(DATA / name)[FRAMES[name]].astype(float)
    frame = (frame - frame.min()) / np.ptp(frame)
    random = np.random.default_rng(3)
    spectrum = np.fft.fft2(frame)
    ours, theirs, expected = [], [], []
    for _ in range(5):  # the noise of the first frame is in all results of a movie
        moves = random.uniform(-3, 3, (10, 2))
        moves[0] = 0
        clean = [
            np.fft.ifft2(ndimage.fourier_shift(spectrum, move)).real for move in moves
        ]
        movie = random.poisson(photons * (np.clip(clean, 0, None) + 0.1)).astype(float)
        table = nx.estimate_drift(movie, max_drift=8)
        ours.append(table.shifts[1:] + moves[1:])
        expected.append(table.uncertainty[1:])
        for image, move in zip(movie[1:], moves[1:], strict=True):
            found = registration.phase_cross_correlation(
                movie[0], image, upsample_factor=100
            )
            theirs.append(found[0] + move)
    assert rms(np.array(ours)) <= rms(np.array(theirs))
    if photons > 1000:
        assert rms(np.array(ours)) <= 0.004  # 0.02 are allowed
    else:
        assert 0.6 < rms(np.array(ours)) / rms(np.array(expected)) < 1.4


TELOMERES = Path(nx.__file__).parent / "data" / "telomeres_live_200f.tif"


def looks_like_telomeres(moves: Array, seed: int) -> Array:
    """Return a movie as bright and as noisy as the bundled one, which does not move."""
    tifffile = pytest.importorskip("tifffile")
    movie = tifffile.imread(TELOMERES)
    scene = ndimage.gaussian_filter(movie.mean(axis=0), 1.0)
    noise = np.diff(movie.astype(float), axis=0).std(axis=0).mean() / np.sqrt(2)
    random = np.random.default_rng(seed)
    frames = [ndimage.shift(scene, move, mode="nearest") for move in moves]
    return np.array(frames) + random.normal(0, noise, (len(moves), *scene.shape))


def test_uncertainty_is_how_far_off_a_movie_like_the_bundled_one_is() -> None:
    errors, expected = [], []
    for seed in range(3):
        table = nx.estimate_drift(looks_like_telomeres(np.zeros((20, 2)), seed))
        assert not table.flagged.any()
        assert not table.uncertainty[0].any()
        errors.append(table.shifts[1:])
        expected.append(table.uncertainty[1:])
    assert 0.7 < rms(np.array(errors)) / rms(np.array(expected)) < 1.3
    assert rms(np.array(errors)) < 0.15


def test_drift_of_the_bundled_movie_is_real() -> None:
    """Its spots move by (-0.3, -1.0) pixels, as fits of single spots confirm.

    Methods that give all waves the same weight find nothing, as they see the camera's
    fixed pattern.
    """
    movie = pytest.importorskip("tifffile").imread(TELOMERES)
    table = nx.estimate_drift(movie)
    last = table.shifts[-20:].mean(axis=0) - table.shifts[1:21].mean(axis=0)
    np.testing.assert_allclose(last, (0.3, 0.85), atol=0.15)
    assert 0.03 < np.median(table.uncertainty[1:]) < 0.15
    averaged = nx.estimate_drift(movie, time_averaging=20)
    far = averaged.shifts[-10] - averaged.shifts[9]
    np.testing.assert_allclose(far, last, atol=0.1)
    steps = np.diff(table.shifts[1:], axis=0)
    noise = 1.4826 * np.median(np.abs(steps)) / np.sqrt(2)
    assert 0.6 < noise / np.median(table.uncertainty[1:]) < 1.6


def test_a_periodic_pattern_is_not_trusted() -> None:
    row, column = np.indices((72, 72))
    pattern = 100 + 50 * np.sin(row * 2 * np.pi / 9) * np.sin(column * 2 * np.pi / 9)
    movie = np.stack([np.roll(pattern, move, 0) for move in (0, 9, 0)])
    with pytest.raises(ValueError, match="repeats itself"):
        nx.estimate_drift(movie)
    table = nx.estimate_drift(movie, max_drift=4)
    np.testing.assert_allclose(table.shifts, 0, atol=0.01)


@pytest.mark.parametrize("name", ["serial", "fft", "reference"])
def test_implementations_agree(name: str) -> None:
    moves = np.array([(0, 0), (1.25, -0.5), (-3, 2)])
    movie = texture(moves, side=40, noise=10)
    pinned = nx.estimate_drift(movie, max_drift=4, implementation=name)
    chosen = nx.estimate_drift(movie, max_drift=4)
    np.testing.assert_allclose(pinned.shifts, chosen.shifts, atol=1e-4)


@pytest.mark.parametrize("averaged", [1, 4, 5, 24, 40])
def test_averages_are_placed_at_their_middle(averaged: int) -> None:
    moves = np.zeros((40, 2))
    moves[:, 0] = 0.25 * np.arange(40)
    movie = texture(moves[:40], side=48)
    table = nx.estimate_drift(movie, time_averaging=averaged)
    assert len(table) == 40
    if averaged == 40:
        assert not table.shifts.any()
        return
    centre = moves[:averaged].mean(axis=0)
    limit = 0.02 if averaged < 20 else 0.2
    np.testing.assert_allclose(table.shifts, centre - moves, atol=limit)


def test_part_of_the_image() -> None:
    moves = np.array([(0, 0), (1, -2), (2.5, 0.5)])
    movie = texture(moves)
    movie[:, :20] = np.random.default_rng(1).normal(200, 500, (20, 64))
    table = nx.estimate_drift(movie, roi=(20, 0, 64, 60))
    np.testing.assert_allclose(table.shifts, -moves, atol=0.02)


def test_frames_that_cannot_be_registered_are_flagged() -> None:
    moves = np.stack([np.arange(9) * 0.5, np.zeros(9)], axis=1)
    movie = texture(moves, noise=5)
    movie[3] = 100
    movie[5] = np.random.default_rng(2).normal(100, 1, (64, 64))
    for settings in ({}, {"reference": "previous"}, {"method": "rcc"}):
        table = nx.estimate_drift(movie, max_drift=8, **settings)  # type: ignore[arg-type]
        assert np.flatnonzero(table.flagged).tolist() == [3, 5]
        np.testing.assert_allclose(table.shifts, -moves, atol=0.05)
        assert table.similarity[3] == 0
        assert "2 could not be registered" in str(table)


def test_first_frame_may_be_the_bad_one() -> None:
    moves = np.array([(0, 0), (0, 0), (1, 1), (2, 2)])
    movie = texture(moves)
    movie[0] = 5
    table = nx.estimate_drift(movie)
    assert table.flagged.tolist() == [True, False, False, False]
    np.testing.assert_allclose(table.shifts[1:], -moves[1:], atol=0.02)


def test_drift_beyond_the_search_is_flagged() -> None:
    moves = np.array([(0, 0), (0, 1), (0, 12), (0, 2)])
    table = nx.estimate_drift(texture(moves), max_drift=5)
    assert table.flagged.tolist() == [False, False, True, False]
    edge = nx.estimate_drift(texture(moves), max_drift=12)
    assert not edge.flagged.any()
    assert edge.shifts[2] == pytest.approx([0, -12], abs=0.02)


@pytest.mark.parametrize(
    "movie",
    [
        np.full((4, 32, 32), 7),
        np.zeros((4, 32, 32), np.uint16),
        np.random.default_rng(0).poisson(2, (6, 64, 64)),
        np.zeros((1, 32, 32)),
    ],
)
def test_nothing_to_register_is_an_error(movie: Array) -> None:
    with pytest.raises(ValueError, match="no frame that could be registered"):
        nx.estimate_drift(movie)


def test_one_frame_does_not_drift() -> None:
    for movie in (input_b()[:1], input_b()[0]):
        table = nx.estimate_drift(movie)
        assert table.shifts.tolist() == [[0, 0]]
        assert not table.flagged.any()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"roi": (0, 0, 65, 64)}, ValueError, "roi's end row is 65"),
        ({"roi": (-1, 0, 60, 64)}, ValueError, "roi's row is -1"),
        ({"roi": (10, 0, 15, 64)}, ValueError, "roi has 5 rows"),
        ({"roi": (40, 0, 10, 64)}, ValueError, "roi has 0 rows"),
        ({"roi": (0, 0, 64)}, ValueError, "roi is"),
        ({"roi": 3}, TypeError, "roi is 3"),
        ({"max_drift": 64}, ValueError, "max_drift is 64"),
        ({"max_drift": 0}, ValueError, "max_drift is 0"),
        ({"time_averaging": 0}, ValueError, "time_averaging is 0"),
        ({"time_averaging": 6}, ValueError, "time_averaging is 6"),
        ({"time_averaging": 1.5}, ValueError, "time_averaging is 1.5"),
        ({"reference": "last"}, ValueError, "reference is 'last'"),
        ({"method": "phase"}, ValueError, "method is 'phase'"),
        ({"window": "box"}, ValueError, "window is 'box'"),
        ({"max_lag": -1}, ValueError, "max_lag is -1"),
        ({"background": -1}, ValueError, "background is -1"),
        ({"pixel_size": 0}, ValueError, "pixel_size is 0"),
        ({"units": 3}, TypeError, "units is 3"),
    ],
)
def test_bad_arguments(settings: dict[str, Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        nx.estimate_drift(input_b(), **settings)


def test_bad_images() -> None:
    movie = input_b()
    movie[2, 3, 4] = np.nan
    with pytest.raises(ValueError, match="frame 2"):
        nx.estimate_drift(movie)
    with pytest.raises(ValueError, match="image has 8 rows"):
        nx.estimate_drift(np.ones((3, 8, 40)))
    with pytest.raises(engine.UnknownImplementation):
        nx.estimate_drift(input_b(), implementation="quick")


def test_cancel_and_progress() -> None:
    done: list[tuple[int, int]] = []
    nx.estimate_drift(input_b(), progress=lambda *count: done.append(count))
    assert done[-1] == (5, 5)
    stop = Event()
    stop.set()
    with pytest.raises(engine.Cancelled):
        nx.estimate_drift(input_b(), cancel=stop)


@pytest.mark.parametrize("averaged", [1, 3])
@pytest.mark.parametrize("reference", ["first", "previous"])
def test_result_does_not_depend_on_batches(
    monkeypatch: pytest.MonkeyPatch, averaged: int, reference: Any
) -> None:
    moves = 0.25 * np.stack([np.arange(14), -np.arange(14)], axis=1)
    movie = texture(moves, noise=10).astype(np.float32)

    def shifts() -> Array:
        table = nx.estimate_drift(movie, time_averaging=averaged, reference=reference)
        return table.shifts

    whole = shifts()
    monkeypatch.setattr(
        "napari_nanopyx.methods._drift_images.BATCH_BYTES", 3 * 64 * 64 * 4
    )
    np.testing.assert_allclose(shifts(), whole, atol=1e-5)


def test_long_blinking_movie_by_redundant_correlation() -> None:
    """Each molecule shows in one frame of seven; the scene drifts by 3 pixels."""
    random = np.random.default_rng(11)
    time = np.linspace(0, 1, 5000)
    truth = np.stack([3 * time**2, 1.5 * np.sin(2.5 * time)], axis=1)
    places = random.uniform(4, 60, (300, 2))
    pixels = np.arange(64, dtype=np.float32)[:, np.newaxis]
    movie = np.empty((5000, 64, 64), np.uint16)
    for frame, move in zip(movie, truth, strict=True):
        spots = (places[random.random(300) < 0.15] + move).astype(np.float32)
        down, across = np.exp(-((pixels - spots.T[:, np.newaxis]) ** 2) / (2 * 1.4**2))
        frame[:] = random.poisson(10 + 300 * down @ across.T)
    table = nx.estimate_drift(movie, method="rcc", time_averaging=100, max_drift=6)
    error = table.shifts + truth
    error -= error.mean(axis=0)  # where all frames lie together is no drift
    assert rms(np.hypot(*error.T)) < 0.03
    assert not table.flagged.any()


def test_volumes() -> None:
    random = np.random.default_rng(4)
    scene = ndimage.gaussian_filter(random.normal(size=(40, 60, 64)), 1.5)
    moves = np.array([(0, 0, 0), (1, -2, 3), (-2, 1, 0)])
    movie = np.stack(
        [scene[8 - z : 32 - z, 8 - y : 52 - y, 8 - x : 54 - x] for z, y, x in moves]
    )
    table = nx.estimate_drift(movie)
    np.testing.assert_allclose(table.shifts, -moves, atol=0.02)
    still = nx.correct_drift(movie, table, fill=np.nan)
    shown = np.isfinite(still).all(axis=0)
    np.testing.assert_allclose(still[:, shown], movie[[0, 0, 0]][:, shown], atol=0.02)
    with pytest.raises(ValueError, match=r"has 5 planes.* give the channel_index"):
        nx.estimate_drift(movie[:, :5])
    counts: list[tuple[int, int]] = []
    flat = nx.estimate_drift(
        movie, projections=True, progress=lambda *count: counts.append(count)
    )
    np.testing.assert_allclose(flat.shifts, -moves, atol=0.1)
    assert counts[-1] == (6, 6)
    with pytest.raises(ValueError, match="only volumes have projections"):
        nx.estimate_drift(movie[:, 0], projections=True)


@pytest.fixture
def one_implementation() -> Iterator[None]:
    """Compute with one only: two that agree differ in the last bits."""
    with engine.use("serial"):
        yield


@pytest.mark.usefixtures("one_implementation")
def test_channels() -> None:
    moves = np.array([(0, 0), (1, -2), (2.5, 0.5)])
    movie = np.stack([np.zeros((3, 64, 64)), texture(moves)], axis=1)
    table = nx.estimate_drift(movie, channel_index=1)
    np.testing.assert_allclose(table.shifts, -moves, atol=0.02)
    still = nx.correct_drift(movie, table)
    np.testing.assert_allclose(still[:, 1], nx.correct_drift(movie[:, 1], table))
    channels_first = movie.swapaxes(0, 1)
    np.testing.assert_array_equal(
        nx.estimate_drift(channels_first[1]).shifts, table.shifts
    )
    each = [nx.correct_drift(channel, table) for channel in channels_first]
    np.testing.assert_allclose(np.stack(each, axis=1), still)
    with pytest.raises(ValueError, match="channel_index is 2"):
        nx.estimate_drift(movie, channel_index=2)
    with pytest.raises(ValueError, match=r"unless image is \(T, C, Y, X\)"):
        nx.estimate_drift(movie[:, 0], channel_index=1)
