"""eSRRF treats every place, direction and grouping of frames alike."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from closeness import assert_close
from numpy.typing import NDArray
from simulation import spots

import napari_nanopyx as nx

Image = NDArray[np.float64]
Temporal = Literal["AVG", "VAR", "TAC2", "STD"]

SIZE = 15
TEMPORAL: tuple[Temporal, ...] = ("AVG", "VAR", "TAC2", "STD")


@pytest.fixture(params=["reference", None], ids=["reference", "chosen"])
def implementation(request: pytest.FixtureRequest) -> str | None:
    name: str | None = request.param
    return name


@pytest.fixture(params=["catmull_rom", "fourier"])
def interpolation(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(scope="module")
def movie() -> NDArray[np.uint16]:
    rng = np.random.default_rng(7)
    return rng.poisson(rng.uniform(20, 400, (6, 13, 17))).astype(np.uint16)


@pytest.mark.parametrize("magnification", range(1, 7))
@pytest.mark.parametrize("place", [(7.5, 7.5), (7.0, 8.0), (7.3, 7.8)])
@pytest.mark.parametrize("gradient", ["roberts", "two_point"])
def test_a_spot_stays_where_it_is(
    magnification: int,
    place: tuple[float, float],
    gradient: Literal["roberts", "two_point"],
    implementation: str | None,
    interpolation: Any,
) -> None:
    row, column = (np.array([each]) for each in place)
    spot = spots((SIZE, SIZE), row, column, np.array([20000.0]), sigma=1.2).round()
    result = nx.esrrf(
        spot + 10,
        magnification,
        gradient=gradient,
        macro_pixel_correction=False,
        implementation=implementation,
        interpolation=interpolation,
    )[0]
    centres = np.arange(SIZE * magnification) + 0.5
    y, x = (centres - magnification * each for each in place)
    near = np.hypot(y[:, np.newaxis], x) < 3.5 * magnification
    weight = np.where(near, result, 0.0)
    assert abs((weight.sum(axis=1) * y).sum() / weight.sum()) < 0.05
    assert abs((weight.sum(axis=0) * x).sum() / weight.sum()) < 0.05


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_whole_pixel_shifts(
    movie: NDArray[np.uint16], temporal: Temporal, implementation: str | None
) -> None:
    def reconstruct(row: int, column: int) -> NDArray[np.float32]:
        scene = np.full((6, 30, 34), 100, np.uint16)
        scene[:, row : row + 13, column : column + 17] = movie
        return nx.esrrf(
            scene,
            4,
            temporal=temporal,
            macro_pixel_correction=False,
            implementation=implementation,
        )

    here, there = reconstruct(8, 8), reconstruct(10, 7)
    assert_close(there[:, 24:104, 16:112], here[:, 16:96, 20:116])


@pytest.mark.parametrize("border", ["extend", "zero"])
@pytest.mark.parametrize("magnification", [1, 2, 5])
def test_rows_and_columns_are_alike(
    movie: NDArray[np.uint16],
    magnification: int,
    border: Literal["extend", "zero"],
    implementation: str | None,
    interpolation: Any,
) -> None:
    def reconstruct(image: NDArray[np.uint16]) -> NDArray[np.float32]:
        return nx.esrrf(
            image,
            magnification,
            border=border,
            implementation=implementation,
            interpolation=interpolation,
        )

    result = reconstruct(movie)
    assert_close(reconstruct(movie.swapaxes(1, 2)).swapaxes(1, 2), result)


@pytest.mark.parametrize("turn", ["rows", "columns", "quarter"])
@pytest.mark.parametrize(("magnification", "radius"), [(1, 1.5), (5, 1.5), (4, 0.7)])
def test_flips_and_turns(
    movie: NDArray[np.uint16],
    turn: str,
    magnification: int,
    radius: float,
    implementation: str | None,
    interpolation: Any,
) -> None:
    def turned(image: NDArray[Any]) -> NDArray[Any]:
        if turn == "rows":
            return image[:, ::-1]
        return image[:, :, ::-1] if turn == "columns" else np.rot90(image, axes=(1, 2))

    def reconstruct(image: NDArray[Any]) -> NDArray[np.float32]:
        return nx.esrrf(
            image,
            magnification,
            radius,
            implementation=implementation,
            interpolation=interpolation,
        )

    expected = turned(reconstruct(movie))
    assert_close(reconstruct(turned(movie)), expected, 1e-6)


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_border_zero_blanks_the_margin_and_nothing_else(
    movie: NDArray[np.uint16],
    temporal: Temporal,
    implementation: str | None,
    interpolation: Any,
) -> None:
    def reconstruct(border: Literal["extend", "zero"]) -> NDArray[np.float32]:
        return nx.esrrf(
            movie,
            3,
            1.5,
            temporal=temporal,
            border=border,
            macro_pixel_correction=False,
            implementation=implementation,
            interpolation=interpolation,
        )

    extended, blanked = reconstruct("extend"), reconstruct("zero")
    expected = np.zeros_like(extended)
    expected[:, 4:-4, 4:-4] = extended[:, 4:-4, 4:-4]
    assert not blanked[expected == 0].any()
    assert_close(blanked, expected)  # two choices may differ in the last bit
    assert np.count_nonzero(extended[:, :4]) > 0


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_a_constant_image_has_no_structure(
    temporal: Temporal, implementation: str | None, interpolation: Any
) -> None:
    flat = np.full((4, 9, 8), 1000, np.uint16)
    assert not nx.esrrf(
        flat,
        temporal=temporal,
        implementation=implementation,
        interpolation=interpolation,
    ).any()


@pytest.mark.parametrize("temporal", TEMPORAL)
@pytest.mark.parametrize(("length", "gap"), [(0, 0), (4, 0), (3, 1)])
def test_block_size_does_not_matter(
    movie: NDArray[np.uint16],
    temporal: Temporal,
    length: int,
    gap: int,
    implementation: str | None,
    interpolation: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def reconstruct(block_bytes: int) -> tuple[NDArray[np.float32], int]:
        monkeypatch.setattr(
            "napari_nanopyx._engine.running.runner.BLOCK_BYTES",
            block_bytes,
            raising=True,
        )
        calls: list[int] = []
        result = nx.esrrf(
            movie,
            3,
            temporal=temporal,
            frames_per_timepoint=length,
            frame_gap=gap,
            implementation=implementation,
            interpolation=interpolation,
            progress=lambda done, total: calls.append(done),
        )
        return result, len(calls)

    large, _ = reconstruct(2**28)
    small, blocks = reconstruct(1)
    assert blocks == len(movie)
    assert_close(small, large)


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_time_points_equal_their_frames_alone(
    movie: NDArray[np.uint16],
    temporal: Temporal,
    implementation: str | None,
    interpolation: Any,
) -> None:
    def reconstruct(
        frames: NDArray[np.uint16], length: int = 0, gap: int = 0
    ) -> NDArray[np.float32]:
        return nx.esrrf(
            frames,
            2,
            temporal=temporal,
            frames_per_timepoint=length,
            frame_gap=gap,
            implementation=implementation,
            interpolation=interpolation,
        )

    side_by_side = [reconstruct(movie[:4])[0], reconstruct(movie[4:])[0]]
    assert_close(reconstruct(movie, 4), np.stack(side_by_side))
    rolling = [reconstruct(movie[start : start + 4])[0] for start in (0, 2)]
    assert_close(reconstruct(movie, 4, 2), np.stack(rolling))
    assert_close(reconstruct(movie, 99), reconstruct(movie))


@pytest.mark.parametrize("temporal", TEMPORAL)
@pytest.mark.parametrize("weighting", [True, False])
def test_scales_with_the_intensity(
    movie: NDArray[np.uint16],
    temporal: Temporal,
    weighting: bool,
    implementation: str | None,
    interpolation: Any,
) -> None:
    """Its square does if the reduction has squares; the convergence alone does not."""

    def reconstruct(image: NDArray[np.uint16]) -> NDArray[np.float32]:
        return nx.esrrf(
            image,
            3,
            sensitivity=2,
            temporal=temporal,
            intensity_weighting=weighting,
            implementation=implementation,
            interpolation=interpolation,
        )

    power = 2 if temporal in ("VAR", "TAC2") else 1
    factor = 4**power if weighting else 1
    assert_close(reconstruct(4 * movie), factor * reconstruct(movie))


def test_macro_pixel_correction_keeps_the_mean(
    movie: NDArray[np.uint16], implementation: str | None
) -> None:
    corrected, raw = (
        nx.esrrf(movie, 5, macro_pixel_correction=on, implementation=implementation)[0]
        for on in (True, False)
    )
    np.testing.assert_allclose(corrected.mean(), raw.mean(), rtol=1e-5)
    phases = corrected.reshape(13, 5, 17, 5).mean(axis=(0, 2))
    np.testing.assert_allclose(phases, phases.mean(), rtol=1e-5)


def test_whole_pixel_drift_moves_the_result(
    movie: NDArray[np.uint16], implementation: str | None
) -> None:
    def reconstruct(drift: NDArray[np.float64] | None) -> NDArray[np.float32]:
        return nx.esrrf(
            movie,
            3,
            macro_pixel_correction=False,
            drift=drift,
            implementation=implementation,
        )

    moved = reconstruct(np.tile([2.0, -1.0], (6, 1)))
    expected = np.zeros_like(moved)
    expected[:, 6:, :-3] = reconstruct(None)[:, :-6, 3:]
    assert_close(moved, expected)


def test_drift_correction_undoes_drift(
    implementation: str | None, interpolation: Any
) -> None:
    rng = np.random.default_rng(8)
    shifts = rng.uniform(-2.5, 2.5, (8, 2))
    places = rng.uniform(7, 17, (2, 5))
    photons = np.full(5, 2e5)

    def frame(shift: NDArray[np.float64]) -> Image:
        return spots((24, 24), places[0] + shift[0], places[1] + shift[1], photons, 1.3)

    still = nx.esrrf(
        frame(np.zeros(2)),
        4,
        implementation=implementation,
        interpolation=interpolation,
    )[0]
    movie = np.stack([frame(shift) for shift in shifts])
    drifting = nx.esrrf(
        movie, 4, implementation=implementation, interpolation=interpolation
    )[0]
    steadied = nx.esrrf(
        movie,
        4,
        drift=-shifts,
        implementation=implementation,
        interpolation=interpolation,
    )[0]

    def similarity(image: NDArray[np.float32]) -> float:
        inner = (slice(12, -12), slice(12, -12))
        return float(np.corrcoef(image[inner].ravel(), still[inner].ravel())[0, 1])

    assert similarity(steadied) > 0.995
    assert similarity(drifting) < 0.8


def test_whole_pixel_shifts_of_a_well_sampled_image(
    implementation: str | None, interpolation: Any
) -> None:
    """Waves through all pixels feel the borders, from which a spot is far."""

    def reconstruct(row: float, column: float) -> NDArray[np.float32]:
        rows, columns = np.array([[10.3, 12.1], [11.6, 15.2]])
        scene = spots((31, 37), rows + row, columns + column, np.full(2, 1e5), 1.5)
        return nx.esrrf(
            scene,
            4,
            macro_pixel_correction=False,
            interpolation=interpolation,
            implementation=implementation,
        )

    here, there = reconstruct(0, 0), reconstruct(5, 7)
    assert_close(there[:, 20:, 28:], here[:, :-20, :-28], 1e-3)


def test_macro_pixel_correction_is_off_for_fourier_by_default(
    movie: NDArray[np.uint16], interpolation: Any
) -> None:
    def reconstruct(*, correction: bool | None) -> NDArray[np.float32]:
        return nx.esrrf(
            movie,
            3,
            macro_pixel_correction=correction,
            interpolation=interpolation,
            implementation="serial",
        )

    chosen = reconstruct(correction=None)
    is_corrected = interpolation == "catmull_rom"
    assert_close(chosen, reconstruct(correction=is_corrected))
    with pytest.raises(AssertionError):
        assert_close(chosen, reconstruct(correction=not is_corrected), 1e-4)


@pytest.mark.parametrize("gradient", ["roberts", "two_point"])
@pytest.mark.parametrize("whole", [(2.0, -1.0), (0.0, 3.0)])
def test_fourier_gradients_are_those_of_a_moved_image(
    gradient: Literal["roberts", "two_point"], whole: tuple[float, float]
) -> None:
    """A whole-pixel drift reads the same prepared points elsewhere."""
    row, column = (np.array([each]) for each in (9.3, 8.8))
    spot = spots((19, 17), row, column, np.array([1e5]), 1.4)
    result, moved = (
        nx.esrrf(
            spot,
            3,
            gradient=gradient,
            interpolation="fourier",
            drift=drift,
            implementation="serial",
        )[0]
        for drift in (None, [whole])
    )
    expected = np.roll(result, [int(3 * each) for each in whole], (0, 1))
    inner = (slice(9, -9), slice(12, -12))
    assert_close(moved[inner], expected[inner], 1e-5)
