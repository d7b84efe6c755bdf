"""Simulated images hold what they say they hold, on average and to the position."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import pdist

import napari_nanopyx as nx
from napari_nanopyx import simulate


def test_it_is_reached_from_the_package() -> None:
    assert nx.simulate is simulate


@pytest.mark.parametrize("place", [(15.5, 20.5), (15.0, 21.37), (14.123, 19.99)])
@pytest.mark.parametrize("sigma", [0.3, 1.3, 2.0])
def test_a_spot_is_where_it_should_be(place: tuple[float, float], sigma: float) -> None:
    """On average over a pixel's phases, where it is narrower than a pixel."""
    image = simulate.spots((32, 40), [place], 1000.0, sigma)
    assert image.sum() == pytest.approx(1000, rel=1e-6)
    rows, columns = np.indices(image.shape) + 0.5
    centroid = [(rows * image).sum() / 1000, (columns * image).sum() / 1000]
    allowed = 1e-3 if sigma > 1 else 0.25
    np.testing.assert_allclose(centroid, place, rtol=0, atol=allowed)


def test_a_pixel_gets_the_integral_over_it() -> None:
    image = simulate.spots((7, 9), [(3.2, 4.9)], 2.0, 0.8)
    steps = (np.arange(400) + 0.5) / 400
    row, column = np.meshgrid(2 + steps, 5 + steps, indexing="ij")
    squared = (row - 3.2) ** 2 + (column - 4.9) ** 2
    light = 2.0 * np.exp(-squared / (2 * 0.8**2)) / (2 * np.pi * 0.8**2)
    assert image[2, 5] == pytest.approx(light.mean(), rel=1e-5)


def test_many_spots_add_up() -> None:
    random = np.random.default_rng(0)
    places = random.uniform(-3, 20, (5000, 2))
    photons = random.uniform(0, 9, 5000)
    together = simulate.spots((16, 18), places, photons)
    parts = [
        simulate.spots((16, 18), places[part::3], photons[part::3]) for part in range(3)
    ]
    np.testing.assert_allclose(together, sum(parts), rtol=1e-10)
    assert not simulate.spots((4, 5), np.empty((0, 2))).any()


def test_spots_have_widths_of_their_own() -> None:
    places, widths = [(9.0, 9.5), (20.2, 30.0)], [1.0, 2.5]
    image = simulate.spots((32, 40), places, [500.0, 100.0], widths)
    alone = [
        simulate.spots((32, 40), [place], light, width)
        for place, light, width in zip(places, (500.0, 100.0), widths, strict=True)
    ]
    np.testing.assert_allclose(image, sum(alone))


def test_random_spots_are_where_and_what_they_say() -> None:
    found = simulate.random_spots((40, 60), 200, count=20, photons=100, seed=4)
    assert found.movie.shape == (200, 40, 60)
    numbers = [len(places) for places in found.positions]
    assert (min(numbers), max(numbers)) == (15, 24)
    assert np.mean(numbers) == pytest.approx(19.5, abs=0.6)
    places = np.concatenate(found.positions)
    np.testing.assert_allclose(places.mean(axis=0), (20, 30), atol=1)
    for values, middle, spread in ((found.photons, 100, 0.25), (found.sigma, 1.5, 0.1)):
        every = np.concatenate(values)
        assert every.min() >= middle * (1 - spread)
        assert every.max() <= middle * (1 + spread)
        assert every.std() == pytest.approx(middle * spread / np.sqrt(3), rel=0.05)
    drawn = simulate.spots(
        (40, 60), found.positions[7], found.photons[7], found.sigma[7]
    )
    np.testing.assert_array_equal(found.movie[7], drawn)


@pytest.mark.parametrize("shape", [(60, 70), (20, 21, 22), (9, 10, 11, 12)])
def test_simplex_noise_is_smooth_and_bounded(shape: tuple[int, ...]) -> None:
    settings: dict[str, Any] = {"octaves": 1, "amplitude": 1, "offset": 0, "seed": 5}
    noise = simulate.simplex_noise(shape, frequency=0.2, **settings)
    assert noise.shape == shape
    assert 0 <= noise.min() < 0.35
    assert 0.65 < noise.max() <= 1
    assert noise.mean() == pytest.approx(0.5, abs=0.05)
    finer = simulate.simplex_noise(shape, frequency=0.01, **settings)
    for axis in range(len(shape)):
        assert np.abs(np.diff(noise, axis=axis)).max() < 4 * 0.2
        assert np.abs(np.diff(finer, axis=axis)).max() < 4 * 0.01


def test_simplex_noise_has_the_same_spread_along_every_direction() -> None:
    noise = simulate.simplex_noise((500, 500), frequency=0.1, octaves=1, seed=6)
    down, across = (np.diff(noise, axis=axis).std() for axis in (0, 1))
    slanted = (noise[1:, 1:] - noise[:-1, :-1]).std() / np.sqrt(2)
    assert down == pytest.approx(across, rel=0.1)
    assert slanted == pytest.approx(across, rel=0.15)


def test_octaves_of_simplex_noise_add_up() -> None:
    settings: dict[str, Any] = {"amplitude": 10, "offset": 3, "seed": 7}
    one = simulate.simplex_noise((30, 30), frequency=0.05, octaves=1, **settings)
    fine = simulate.simplex_noise((30, 30), frequency=0.1, octaves=1, **settings)
    both = simulate.simplex_noise(
        (30, 30), frequency=0.05, octaves=2, persistence=0.5, **settings
    )
    np.testing.assert_allclose(both - 3, (one - 3) + 0.5 * (fine - 3))


def test_a_disc_is_round_and_in_the_middle() -> None:
    disc = simulate.disc((101, 140), 40.0)
    assert disc.sum() == pytest.approx(np.pi * 40**2, rel=0.01)
    np.testing.assert_array_equal(disc, disc[::-1, ::-1])
    assert not simulate.disc((5, 5), 0).any()
    assert simulate.disc((1, 1)).all()


@pytest.mark.parametrize("name", simulate.__all__)
def test_examples(name: str) -> None:
    import doctest

    for test in doctest.DocTestFinder(recurse=False).find(getattr(simulate, name)):
        assert doctest.DocTestRunner().run(test).failed == 0
        assert test.examples or inspect.isclass(getattr(simulate, name))


def test_particles_follow_the_density() -> None:
    """Also where it is no square: rows are rows."""
    density = np.zeros((6, 20))
    density[1, 3], density[4, 15] = 1, 3
    places = simulate.particle_field(density, 8000, seed=1).positions
    counts = np.zeros(density.shape)
    np.add.at(counts, tuple(places.astype(int).T), 1)
    assert counts.sum() == counts[1, 3] + counts[4, 15] == 8000
    assert abs(counts[4, 15] - 6000) < 5 * np.sqrt(8000 * 0.25 * 0.75)
    inside = places % 1
    np.testing.assert_allclose(inside.mean(axis=0), 0.5, atol=0.02)


def test_particles_keep_their_distance() -> None:
    field = simulate.particle_field(np.ones((40, 30)), 150, min_distance=2.0, seed=2)
    assert len(field.positions) == 150
    assert not field.is_full
    assert pdist(field.positions).min() >= 2.0
    assert field.mean_distance >= 2.0
    full = simulate.particle_field(np.ones((10, 10)), 500, min_distance=2.0, seed=3)
    assert full.is_full
    assert 10 < len(full.positions) < 40
    assert pdist(full.positions).min() >= 2.0


def test_particles_stop_at_a_mean_distance() -> None:
    field = simulate.particle_field(
        np.ones((50, 50)), 5000, mean_distance=2.0, min_particles=20, seed=4
    )
    assert 20 < len(field.positions) < 5000
    assert field.mean_distance < 2.0
    assert np.isnan(simulate.particle_field([[1.0]], 1, seed=5).mean_distance)


def test_switching_is_as_often_on_as_theory_says() -> None:
    states = simulate.photoswitching(
        4000, 200, p_on=0.05, p_transient_off=0.2, start="stationary", seed=6
    )
    assert set(np.unique(states)) == {0, 1}
    share = 0.05 / 0.25
    assert states.mean() == pytest.approx(share, rel=0.02)
    on = states == 1
    left = (on[:, :-1] & ~on[:, 1:]).sum() / on[:, :-1].sum()
    assert left == pytest.approx(0.2, rel=0.02)
    # A telegraph process forgets by 1 - p_on - p_off in each frame.
    signal = states - share
    lag = (signal[:, :-1] * signal[:, 1:]).mean() / (signal**2).mean()
    assert lag == pytest.approx(0.75, rel=0.02)
    sums = states.sum(axis=1, dtype=float)
    n, r = 200, 0.75
    factor = (1 + r) / (1 - r) - 2 * r * (1 - r**n) / (n * (1 - r) ** 2)
    assert sums.var() == pytest.approx(n * share * (1 - share) * factor, rel=0.1)


def test_bleaching_is_for_good_and_geometric() -> None:
    states = simulate.photoswitching(
        20000,
        12,
        p_on=0.5,
        p_transient_off=0.0,
        p_permanent_off=0.3,
        start="on",
        seed=7,
    )
    bleached = states == -1
    assert (np.diff(bleached.astype(int), axis=1) >= 0).all()
    expected = 1 - 0.7 ** np.arange(12)
    np.testing.assert_allclose(bleached.mean(axis=0), expected, atol=0.02)


def test_bleaching_comes_before_switching_off() -> None:
    states = simulate.photoswitching(
        20000, 2, p_transient_off=0.5, p_permanent_off=0.4, start="on", seed=8
    )[:, 1]
    shares = [(states == state).mean() for state in (-1, 0, 1)]
    np.testing.assert_allclose(shares, [0.4, 0.3, 0.3], atol=0.02)


def test_photons_are_poissonian() -> None:
    light = np.full((200, 30, 30), 40.0)
    counts = simulate.camera_noise(light, seed=9).astype(float)
    assert counts.mean() == pytest.approx(40, rel=0.005)
    assert counts.var() == pytest.approx(40, rel=0.02)


def test_every_pixel_of_a_camera_has_noise_of_its_own() -> None:
    random = np.random.default_rng(10)
    gain = random.uniform(0.5, 3, (6, 7))
    offset = random.uniform(90, 110, (6, 7))
    variance = random.uniform(0, 50, (6, 7))
    maps: Any = {"gain": gain, "offset": offset, "variance": variance}
    light = np.full((20000, 6, 7), 30.0)
    grey = simulate.camera_noise(light, **maps, dtype=np.float64, seed=11)
    np.testing.assert_allclose(grey.mean(axis=0), 30 * gain + offset, rtol=0.01)
    np.testing.assert_allclose(grey.var(axis=0), 30 * gain**2 + variance, rtol=0.06)
    dark = simulate.camera_noise(
        light, **maps, poisson=False, dtype=np.float32, seed=12
    )
    np.testing.assert_allclose(dark.var(axis=0), variance, rtol=0.06, atol=1e-3)


def test_a_camera_saturates() -> None:
    grey = simulate.camera_noise(
        [[1e6, 100.0]], gain=2.0, dtype=np.uint8, poisson=False
    )
    np.testing.assert_array_equal(grey, [[255, 200]])
    grey = simulate.camera_noise([[0.0]], offset=-5.0)
    np.testing.assert_array_equal(grey, [[0]])


def test_beads_keep_away_from_the_edge_and_each_other() -> None:
    simulated = simulate.beads(
        (60, 90), 12, min_distance=8, margin=10, sigma=1.5, seed=13
    )
    assert len(simulated.positions) == 12
    assert (simulated.positions >= 10).all()
    assert (simulated.positions <= np.array([50, 80])).all()
    assert pdist(simulated.positions).min() >= 8
    assert simulated.image.sum() == pytest.approx(12 * 5000, rel=1e-6)


def test_a_movie_drifts_as_it_says() -> None:
    simulated = simulate.drift_movie(
        6, (80, 90), drift=(0.7, -0.4), random_step=0.3, count=1, sigma=2.0, seed=14
    )
    rows, columns = np.indices((80, 90)) + 0.5
    whole = simulated.movie.sum(axis=(1, 2))
    seen = np.abs(whole - 5000) < 1e-3
    assert seen.any()
    for frame, moved in zip(simulated.movie[seen], simulated.motion[seen], strict=True):
        centroid = (
            np.array([(rows * frame).sum(), (columns * frame).sum()]) / frame.sum()
        )
        np.testing.assert_allclose(centroid, simulated.positions[0] + moved, atol=1e-3)
    np.testing.assert_array_equal(simulated.shifts, -simulated.motion)
    assert not simulated.motion[0].any()


def test_random_drift_goes_in_every_direction() -> None:
    motion = simulate.drift_movie(400, (8, 8), random_step=1.0, count=1, seed=15).motion
    steps = np.diff(motion, axis=0)
    for signs in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        assert 60 < (np.sign(steps) == signs).all(axis=1).sum() < 140
    assert steps.std() == pytest.approx(1, rel=0.1)


def test_channels_are_moved_block_by_block() -> None:
    channels = simulate.misaligned_channels((90, 120), displacement=2.0, seed=16)
    assert channels.image.shape == (3, 90, 120)
    moved = channels.positions - channels.positions[0]
    np.testing.assert_allclose(moved[1], -moved[2], atol=1e-12)
    block = (channels.positions[0] / (30, 40)).astype(int)
    np.testing.assert_allclose(moved[1], 2.0 * (block - 1), atol=1e-12)
    np.testing.assert_allclose(channels.displacements[1, 2, 0], (2, -2))


def test_filaments_and_rings_are_where_they_should_be() -> None:
    filaments = simulate.blinking_filaments(
        frames=400, separation=4.0, duty=0.1, background=0, seed=17
    )
    profile = filaments.movie.mean(axis=(0, 1))
    np.testing.assert_allclose(profile, profile[::-1], rtol=0.15, atol=3)
    assert set(filaments.positions[:, 1]) == {10.0, 14.0}
    ring = simulate.blinking_ring(radius=5.0, frames=5, shape=(40, 30), seed=18)
    radius = np.hypot(*(ring.positions - (20, 15)).T)
    np.testing.assert_allclose(radius, 5.0)
    on = (ring.states == 1).sum(axis=0)
    expected = 20 * 40 * 30 + 500.0 * on
    np.testing.assert_allclose(ring.movie.sum(axis=(1, 2)), expected, rtol=0.03)


def test_patterns() -> None:
    image = np.zeros((2, 5, 8))
    ramp = simulate.add_ramp(image, low=10, high=26)
    np.testing.assert_allclose(ramp, np.broadcast_to(11 + 2 * np.arange(8), (2, 5, 8)))
    squares = simulate.add_squares(np.zeros((50, 20)), 400, low=1, high=3, seed=19)
    assert squares.max() <= 1200
    assert squares[25].mean() > squares[0].mean() > 0
    assert squares[:, 10].mean() > squares[:, 0].mean() > 0
    assert not image.any()


CALLS: dict[str, Callable[[Any], Any]] = {
    "particle_field": lambda seed: (
        simulate.particle_field(
            np.ones((9, 9)), 20, min_distance=0.5, seed=seed
        ).positions
    ),
    "photoswitching": lambda seed: simulate.photoswitching(50, 40, p_on=0.3, seed=seed),
    "camera_noise": lambda seed: simulate.camera_noise(np.full((9, 9), 50), seed=seed),
    "beads": lambda seed: simulate.beads((20, 20), 5, seed=seed).image,
    "drift_movie": lambda seed: simulate.drift_movie(3, (20, 20), seed=seed).movie,
    "misaligned_channels": lambda seed: (
        simulate.misaligned_channels((30, 30), seed=seed).image
    ),
    "random_spots": lambda seed: simulate.random_spots((20, 20), seed=seed).movie,
    "simplex_noise": lambda seed: simulate.simplex_noise((20, 20), seed=seed),
    "blinking_filaments": lambda seed: (
        simulate.blinking_filaments(frames=5, seed=seed).movie
    ),
    "blinking_ring": lambda seed: simulate.blinking_ring(frames=5, seed=seed).movie,
    "add_squares": lambda seed: simulate.add_squares(np.zeros((9, 9)), seed=seed),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_same_seed_gives_the_same(name: str) -> None:
    call = CALLS[name]
    np.testing.assert_array_equal(call(3), call(3))
    np.testing.assert_array_equal(call(3), call(np.random.default_rng(3)))
    assert not np.array_equal(call(3), call(4))
    generator = np.random.default_rng(3)
    assert not np.array_equal(call(generator), call(generator))
    assert not np.array_equal(call(None), call(None))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: simulate.spots((0, 3), [(1, 1)]), ValueError, r"shape\[0\] is 0"),
        (
            lambda: simulate.spots(5, [(1, 1)]),
            ValueError,
            "shape is 5, but must be two",
        ),
        (
            lambda: simulate.spots((5, 5), [1, 2]),
            ValueError,
            r"positions has shape \(2,\)",
        ),
        (
            lambda: simulate.spots((5, 5), [(1, np.nan)]),
            ValueError,
            "positions holds NaN",
        ),
        (lambda: simulate.spots((5, 5), [(1, 1)], -1), ValueError, "photons holds -1"),
        (
            lambda: simulate.spots((5, 5), [(1, 1)], [1, 2]),
            ValueError,
            "photons has shape",
        ),
        (lambda: simulate.spots((5, 5), [(1, 1)], 1, 0), ValueError, "sigma is 0"),
        (lambda: simulate.particle_field([[0.0]], 3), ValueError, "density is between"),
        (
            lambda: simulate.particle_field([[-1, 2]], 3),
            ValueError,
            "density is between",
        ),
        (lambda: simulate.particle_field([1, 2], 3), ValueError, "density has shape"),
        (lambda: simulate.particle_field([["a"]], 3), TypeError, "density has dtype"),
        (lambda: simulate.particle_field([[1]], -1), ValueError, "max_particles is -1"),
        (lambda: simulate.particle_field([[1]], 1, pixel=0), ValueError, "pixel is 0"),
        (lambda: simulate.photoswitching(3, 0), ValueError, "frames is 0"),
        (lambda: simulate.photoswitching(3, 3, p_on=1.5), ValueError, "p_on is 1.5"),
        (lambda: simulate.photoswitching(3, 3, start="x"), ValueError, "start is 'x'"),
        (
            lambda: simulate.photoswitching(
                3, 3, p_on=0, p_transient_off=0, start="stationary"
            ),
            ValueError,
            "start is 'stationary', but",
        ),
        (lambda: simulate.photoswitching(3, 3, seed=-1), ValueError, "seed is -1"),
        (lambda: simulate.photoswitching(3, 3, seed="x"), TypeError, "seed is 'x'"),
        (lambda: simulate.camera_noise([[-1.0]]), ValueError, "photons holds -1"),
        (lambda: simulate.camera_noise([1.0]), ValueError, "photons has 1 axes"),
        (
            lambda: simulate.camera_noise([[1]], gain=[1, 2]),
            ValueError,
            "gain has shape",
        ),
        (
            lambda: simulate.camera_noise([[1]], variance=-1),
            ValueError,
            "variance holds",
        ),
        (lambda: simulate.camera_noise([[1]], offset=[1, 2]), ValueError, "offset has"),
        (lambda: simulate.camera_noise([[1]], dtype=complex), TypeError, "dtype is"),
        (lambda: simulate.beads((10, 10), margin=5), ValueError, "margin is 5"),
        (lambda: simulate.drift_movie(drift=3.0), ValueError, "drift has shape"),
        (lambda: simulate.misaligned_channels(blocks=1), ValueError, "blocks is 1"),
        (
            lambda: simulate.blinking_filaments(duty=0.9),
            ValueError,
            "mean_on is 2.5 and",
        ),
        (lambda: simulate.blinking_filaments(duty=1), ValueError, "mean_on is 2.5 and"),
        (lambda: simulate.blinking_ring(mean_on=0.5), ValueError, "mean_on is 0.5"),
        (lambda: simulate.blinking_ring(radius=0), ValueError, "radius is 0"),
        (
            lambda: simulate.spots((5, 5), [(1, 1)], 1, [1, 2]),
            ValueError,
            "sigma has shape",
        ),
        (lambda: simulate.random_spots((5, 5), 0), ValueError, "frames is 0"),
        (lambda: simulate.random_spots((5, 5), sigma=0), ValueError, "sigma is 0"),
        (lambda: simulate.simplex_noise((9,)), ValueError, r"shape is \(9,\), but"),
        (lambda: simulate.simplex_noise(9), TypeError, "shape is 9, but must be 2 to"),
        (lambda: simulate.simplex_noise((9, 0)), ValueError, "shape is .*from 1 up"),
        (
            lambda: simulate.simplex_noise((9, 9), frequency=0),
            ValueError,
            "frequency is 0",
        ),
        (lambda: simulate.disc((9, 9), -1), ValueError, "radius is -1"),
        (lambda: simulate.add_ramp([1, 2]), ValueError, r"image has shape \(2,\)"),
        (lambda: simulate.add_squares([[1]], low=2, high=1), ValueError, "high is 1"),
    ],
)
def test_arguments_that_make_no_sense(
    call: Callable[[], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()
