"""3-D eSRRF treats every place, direction and grouping of volumes alike."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

import napari_nanopyx as nx
from napari_nanopyx.methods.esrrf import Temporal

TEMPORAL: tuple[Temporal, ...] = get_args(Temporal)


@pytest.fixture(params=["reference", "serial"])
def implementation(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def series() -> NDArray[np.uint16]:
    rng = np.random.default_rng(7)
    return rng.poisson(rng.uniform(20, 400, (5, 5, 9, 11))).astype(np.uint16)


def assert_close(
    actual: NDArray[Any], expected: NDArray[Any], tolerance: float = 2e-6
) -> None:
    scale = np.abs(expected).max()
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * scale)


def point(place: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return the image of a point: 2.8 times as long as wide, planes 4 pixels apart."""
    axes = np.ogrid[:9, :13, :15]
    sigmas = (1.2 * 2.8 / 4.0, 1.2, 1.2)
    distances = (
        (axis + 0.5 - at) / sigma
        for axis, at, sigma in zip(axes, place, sigmas, strict=True)
    )
    squared = sum(distance**2 for distance in distances)
    spot: NDArray[np.float64] = np.round(20000 * np.exp(-squared / 2))
    return spot


@pytest.mark.parametrize("magnifications", [(1, 1), (2, 2), (3, 2), (2, 3), (5, 1)])
@pytest.mark.parametrize("place", [(4.5, 6.5, 7.5), (5.0, 6.0, 8.0), (4.3, 6.8, 7.2)])
def test_a_point_stays_where_it_is(
    magnifications: tuple[int, int],
    place: tuple[float, float, float],
    implementation: str,
) -> None:
    across, along = magnifications
    result = nx.esrrf_3d(
        point(place) + 10,
        across,
        along,
        macro_pixel_correction=False,
        implementation=implementation,
    )[0]
    factors = (along, across, across)
    near = [
        (np.arange(length) + 0.5) / factor - at
        for length, factor, at in zip(result.shape, factors, place, strict=True)
    ]
    z, y, x = near[0][:, None, None], near[1][:, None], near[2]
    weight = np.where((np.hypot(y, x) < 3.5) & (np.abs(z) < 2.6), result, 0.0)
    for axis, distance in enumerate((z, y, x)):
        displacement = (weight * distance).sum() / weight.sum() * factors[axis]
        assert abs(displacement) < 0.08


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_whole_voxel_shifts(
    series: NDArray[np.uint16], temporal: Temporal, implementation: str
) -> None:
    def reconstruct(plane: int, row: int, column: int) -> NDArray[np.float32]:
        scene = np.full((5, 13, 23, 25), 100, np.uint16)
        scene[:, plane : plane + 5, row : row + 9, column : column + 11] = series
        return nx.esrrf_3d(
            scene,
            temporal=temporal,
            macro_pixel_correction=False,
            implementation=implementation,
        )

    here, there = reconstruct(4, 7, 7), reconstruct(5, 9, 6)
    moved = there[:, 2:, 4:, :-2]
    inner = (slice(None), slice(6, -6), slice(10, -10), slice(10, -10))
    assert np.ptp(moved[inner]) > 0
    assert_close(moved[inner], here[:, :-2, :-4, 2:][inner])


@pytest.mark.parametrize("turn", ["planes", "rows", "columns", "quarter", "transposed"])
@pytest.mark.parametrize(
    ("magnifications", "radius"), [((1, 1), 1.5), ((2, 2), 1.5), ((3, 2), 0.7)]
)
def test_flips_and_turns(
    series: NDArray[np.uint16],
    turn: str,
    magnifications: tuple[int, int],
    radius: float,
    implementation: str,
) -> None:
    def turned(image: NDArray[Any]) -> NDArray[Any]:
        if turn == "quarter":
            return np.rot90(image, axes=(2, 3))
        if turn == "transposed":
            return image.swapaxes(2, 3)
        return np.flip(image, ("planes", "rows", "columns").index(turn) + 1)

    def reconstruct(image: NDArray[Any]) -> NDArray[np.float32]:
        return nx.esrrf_3d(
            image, *magnifications, radius, implementation=implementation
        )

    expected = turned(reconstruct(series))
    assert_close(reconstruct(turned(series)), expected)


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_a_constant_volume_has_no_structure(
    temporal: Temporal, implementation: str
) -> None:
    flat = np.full((3, 4, 9, 8), 1000, np.uint16)
    assert not nx.esrrf_3d(flat, temporal=temporal, implementation=implementation).any()


@pytest.mark.parametrize("temporal", TEMPORAL)
@pytest.mark.parametrize("length", [0, 3])
def test_block_size_does_not_matter(
    series: NDArray[np.uint16],
    temporal: Temporal,
    length: int,
    implementation: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def reconstruct(block_bytes: int) -> tuple[NDArray[np.float32], int]:
        monkeypatch.setattr(
            "napari_nanopyx._engine.running.runner.BLOCK_BYTES", block_bytes
        )
        calls: list[int] = []
        result = nx.esrrf_3d(
            series,
            temporal=temporal,
            frames_per_timepoint=length,
            implementation=implementation,
            progress=lambda done, total: calls.append(done),
        )
        return result, len(calls)

    large, _ = reconstruct(2**28)
    small, blocks = reconstruct(1)
    assert blocks == len(series)
    assert_close(small, large)


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_time_points_equal_their_frames_alone(
    series: NDArray[np.uint16], temporal: Temporal, implementation: str
) -> None:
    def reconstruct(frames: NDArray[Any], length: int = 0) -> NDArray[np.float32]:
        return nx.esrrf_3d(
            frames,
            temporal=temporal,
            frames_per_timepoint=length,
            implementation=implementation,
        )

    parts = [reconstruct(series[:3])[0], reconstruct(series[3:])[0]]
    assert_close(reconstruct(series, 3), np.stack(parts))
    assert_close(reconstruct(series, 99), reconstruct(series))


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_the_sums_are_the_moments_of_single_volumes(
    series: NDArray[np.uint16], temporal: Temporal, implementation: str
) -> None:
    def reconstruct(frames: NDArray[Any], how: Temporal) -> NDArray[np.float32]:
        return nx.esrrf_3d(
            frames,
            temporal=how,
            macro_pixel_correction=False,
            implementation=implementation,
        )

    single = np.concatenate([reconstruct(each, "AVG") for each in series])
    single = single.astype(np.float64)
    away = single - single.mean(axis=0)
    expected = {
        "AVG": single.mean(axis=0),
        "VAR": single.var(axis=0),
        "STD": single.std(axis=0),
        "TAC2": (away[1:] * away[:-1]).sum(axis=0) / (len(series) - 1),
    }[temporal]
    assert_close(reconstruct(series, temporal)[0], expected)


@pytest.mark.parametrize("temporal", TEMPORAL)
@pytest.mark.parametrize("weighting", [True, False])
def test_scales_with_the_intensity(
    series: NDArray[np.uint16],
    temporal: Temporal,
    weighting: bool,
    implementation: str,
) -> None:
    """Its square does if the reduction has squares; the convergence alone does not."""

    def reconstruct(image: NDArray[np.uint16]) -> NDArray[np.float32]:
        return nx.esrrf_3d(
            image,
            temporal=temporal,
            intensity_weighting=weighting,
            implementation=implementation,
        )

    power = 2 if temporal in ("VAR", "TAC2") else 1
    factor = 4**power if weighting else 1
    assert_close(reconstruct(4 * series), factor * reconstruct(series))


def test_macro_pixel_correction_keeps_the_mean(
    series: NDArray[np.uint16], implementation: str
) -> None:
    corrected, raw = (
        nx.esrrf_3d(
            series, 3, 2, macro_pixel_correction=on, implementation=implementation
        )[0]
        for on in (True, False)
    )
    np.testing.assert_allclose(corrected.mean(), raw.mean(), rtol=1e-5)
    phases = corrected.reshape(5, 2, 9, 3, 11, 3).mean(axis=(0, 2, 4))
    np.testing.assert_allclose(phases, phases.mean(), rtol=1e-5)
    assert np.ptp(raw.reshape(5, 2, 9, 3, 11, 3).mean(axis=(0, 2, 4))) > 0


@pytest.mark.parametrize("magnification_z", [1, 3])
def test_planes_of_a_single_one_are_alike(
    series: NDArray[np.uint16], magnification_z: int, implementation: str
) -> None:
    plane = series[:, :1]
    result = nx.esrrf_3d(plane, 2, magnification_z, implementation=implementation)
    assert result.shape == (1, magnification_z, 18, 22)
    assert_close(result, np.broadcast_to(result[:, :1], result.shape))
    # It is 2-D eSRRF with differences along the axes instead of the diagonals.
    flat = nx.esrrf(plane[:, 0], 2, gradient="two_point")[0]
    assert np.corrcoef(result[0, 0].ravel(), flat.ravel())[0, 1] > 0.9


def test_the_distance_of_planes_counts(implementation: str) -> None:
    """Differences along Z are less steep, and planes farther off, if it is large."""

    def convergence(voxel_ratio: float) -> float:
        result = nx.esrrf_3d(
            point((4.5, 6.5, 7.5)),
            1,
            1,
            psf_ratio=voxel_ratio * 0.7,
            voxel_ratio=voxel_ratio,
            intensity_weighting=False,
            implementation=implementation,
        )
        return float(result[0, 4, 6, 7])

    # Its sigma is 0.84 planes along Z, 1.2 pixels across: round if 1.43 pixels apart.
    assert 0 < convergence(40.0) < convergence(4.0) < convergence(1.4) <= 1.0
    assert convergence(1.4) > 0.99


def test_axes_are_alike_for_round_spots_and_cubic_voxels(implementation: str) -> None:
    """Rows and columns exactly; planes nearly: between them nothing is interpolated."""
    axes = np.ogrid[:12, :12, :12]
    places = np.random.default_rng(4).uniform(3, 9, (6, 3))
    volume = sum(
        1000
        * np.exp(-sum((a + 0.5 - b) ** 2 for a, b in zip(axes, at, strict=True)) / 4)
        for at in places
    )

    def reconstruct(image: NDArray[Any]) -> NDArray[np.float32]:
        return nx.esrrf_3d(
            image,
            psf_ratio=1.0,
            voxel_ratio=1.0,
            macro_pixel_correction=False,
            implementation=implementation,
        )[0]

    upright = reconstruct(np.asarray(volume))
    for order, least in [((0, 2, 1), 1.0), ((1, 0, 2), 0.99), ((2, 1, 0), 0.99)]:
        turned = reconstruct(np.transpose(volume, order)).transpose(np.argsort(order))
        if least == 1.0:
            assert_close(turned, upright)
        assert np.corrcoef(turned.ravel(), upright.ravel())[0, 1] >= least - 1e-6


@pytest.mark.parametrize(
    "shape", [(2, 1, 13, 17), (3, 2, 7, 5), (1, 7, 11, 3), (2, 5, 19, 37)]
)
@pytest.mark.parametrize("magnifications", [(2, 2), (3, 1), (1, 3)])
def test_odd_and_prime_sizes(
    shape: tuple[int, ...], magnifications: tuple[int, int]
) -> None:
    image = np.random.default_rng(6).poisson(50, shape).astype(np.uint16)
    expected, actual = (
        nx.esrrf_3d(image, *magnifications, 1.2, implementation=name)
        for name in ("reference", "serial")
    )
    across, along = magnifications
    _, depth, height, width = shape
    assert actual.shape == (1, along * depth, across * height, across * width)
    assert_close(actual, expected, 1e-5)


@pytest.mark.parametrize("axis", ["planes", "rows", "columns"])
def test_gradients_across_one_axis_alone(axis: str, implementation: str) -> None:
    """A step along one axis gives its values along this axis only."""
    place = ("planes", "rows", "columns").index(axis)
    steps = np.where(np.arange(11) < 5, 10.0, 200.0)
    volume = np.broadcast_to(
        steps.reshape([-1 if i == place else 1 for i in range(3)]), (11, 11, 11)
    )
    result = nx.esrrf_3d(
        volume,
        intensity_weighting=False,
        macro_pixel_correction=False,
        implementation=implementation,
    )[0]
    assert np.ptp(result) > 0
    for other in {0, 1, 2} - {place}:
        first = np.take(result, [0], axis=other)
        assert_close(result, np.broadcast_to(first, result.shape), 1e-5)
