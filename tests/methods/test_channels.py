"""Channels come to lie on each other, and what is known about them is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage, optimize
from simulation import spots

import napari_nanopyx as nx
from napari_nanopyx import engine
from napari_nanopyx._kernels import shift_field
from napari_nanopyx._kernels.arrows import Arrows
from napari_nanopyx._kernels.warp import reference as warp

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SHAPE = (96, 120)


def texture(shape: tuple[int, int] = SHAPE, seed: int = 0) -> NDArray[np.float64]:
    noise = np.random.default_rng(seed).normal(size=shape)
    blurred: NDArray[np.float64] = ndimage.gaussian_filter(noise, 2.0)
    return 200 + 50 * blurred / blurred.std()


def beads(
    affine: Any = ((1, 0), (0, 1)),
    shift: Any = (0.0, 0.0),
    strays: int = 0,
    shape: tuple[int, int] = (128, 140),
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two channels of beads: the second one's are moved, some at random."""
    random = np.random.default_rng(8)
    middle = np.array(shape) / 2
    grid = np.stack(np.meshgrid(np.arange(14, 120, 20.0), np.arange(14, 130, 20.0)))
    places = grid.reshape(2, -1).T + random.uniform(-4, 4, (grid[0].size, 2))
    moved = (places - middle) @ np.asarray(affine).T + middle + shift
    moved[:strays] += random.uniform(1.2, 2.5, (strays, 2))
    light = random.uniform(3e3, 2e4, len(places))
    first, second = (
        100 + random.normal(0, 3, shape) + spots(shape, *each.T, light, 1.3)
        for each in (places, moved)
    )
    return first, second


def golden() -> NDArray[np.float64]:
    """Return the specification's input B, and the same moved by (2, -1)."""
    random = np.random.default_rng(5)
    places = [random.uniform(12, 52, 2) for _ in range(15)]
    row, column = np.indices((64, 64))
    return np.stack(
        [
            100
            + sum(
                1000
                * np.exp(-((row - a - y) ** 2 + (column - b - x) ** 2) / (2 * 1.3**2))
                for a, b in places
            )
            for y, x in ((0, 0), (2, -1))
        ]
    )


def test_golden_masks() -> None:
    """The peer gives x = +1, y = -2 everywhere, in whole pixels."""
    image = golden()
    found = nx.estimate_channel_shifts(
        image, max_shift=6, blocks_per_axis=2, min_similarity=0.3
    )
    assert not found.shifts[0].any()
    np.testing.assert_allclose(found.shifts[1, 0], -2.0, atol=0.1)
    np.testing.assert_allclose(found.shifts[1, 1], 1.0, atol=0.1)
    aligned = nx.register_channels(image, found)
    np.testing.assert_array_equal(aligned[0], image[0].astype(np.float32))
    # The peer's 195.511 is half a pixel off, see below.
    assert aligned[1, 30, 30] == pytest.approx(image[0, 30, 30], rel=0.02)
    error = np.abs(aligned[1] - image[0])[8:-8, 8:-8]
    assert error.max() < 0.05 * np.ptp(image)


def test_golden_value_at_corners() -> None:
    """Profile C: sampled at the corners of pixels, moved by whole pixels."""
    moved = golden()[1:].astype(np.float32)
    points = np.array([[[[30 + 2.0]], [[30 - 1.0]]]])
    result = warp.frames(moved, points, "bicubic", profile="C")
    assert result[0, 0, 0] == pytest.approx(195.511, rel=5e-6)


@pytest.mark.parametrize("model", ["field", "affine", "translation"])
@pytest.mark.parametrize("move", [(0.0, 0.0), (3.0, -3.0), (-1.37, 2.61)])
def test_a_shift_is_found_and_undone(
    model: shift_field.Model, move: tuple[float, float]
) -> None:
    first, second = beads(shift=move)
    image = np.stack([second, first])
    found = nx.estimate_channel_shifts(image, 1, max_shift=6, model=model)
    np.testing.assert_allclose(
        found.shifts[0].mean(axis=(1, 2)), np.negative(move), atol=0.08
    )
    assert found.channels[0].similarity > 0.9
    before, after = (
        np.abs(each[0] - first)[10:-10, 10:-10].max()
        for each in (image, nx.register_channels(image, found))
    )
    if any(move):
        assert after < 0.15 * before


def test_an_affine_map_is_found_among_strays() -> None:
    """Six of 36 beads are up to three pixels off: they do not count."""
    angle, scale = 0.012, 1.008
    turn = scale * np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    first, second = beads(turn, (1.6, -2.3), strays=6)
    found = nx.estimate_channel_shifts(
        np.stack([first, second]), max_shift=8, model="affine"
    )
    assert found.affine is not None
    middle = np.array([64.0, 70.0])
    np.testing.assert_allclose(found.affine[1, :, :2], np.eye(2) - turn, atol=1e-3)
    np.testing.assert_allclose(found.affine[1] @ (*middle, 1.0), [-1.6, 2.3], atol=0.03)
    quality = found.channels[1]
    assert quality.used <= quality.compared - 6
    assert quality.residual < 0.1


def test_a_field_follows_shifts_that_differ() -> None:
    """Between the middles of the outer blocks, a gentle stretch is followed."""
    scene = texture((160, 180))
    stretched = nx.transform(scene, scale=(1.02, 1.0))
    found = nx.estimate_channel_shifts(
        np.stack([scene, stretched]), max_shift=5, blocks_per_axis=5
    )
    rows = np.arange(160) + 0.5
    truth = -(rows - 80) * 0.02
    line = found.shifts[1, 0].mean(axis=1)
    assert np.corrcoef(line, truth)[0, 1] > 0.98
    assert np.abs(line - truth).max() < 1.0
    assert np.abs(found.shifts[1, 1]).max() < 0.15


def test_one_arrow_gives_the_same_shift_everywhere() -> None:
    arrows = Arrows(np.array([[3.0, 4]]), np.array([[1.5, -2]]), np.ones(1))
    field = shift_field.smooth(arrows, (8, 9), 2)
    assert (field[0] == 1.5).all()
    assert (field[1] == -2).all()


def test_the_smooth_field_is_the_formula() -> None:
    random = np.random.default_rng(2)
    arrows = Arrows(
        random.uniform(0, 20, (4, 2)), random.normal(size=(4, 2)), np.ones(4)
    )
    field = shift_field.smooth(arrows, (20, 24), 2)
    raw = np.empty((2, 20, 24))
    farthest = np.hypot(20, 24)
    for i, j in np.ndindex(20, 24):
        d = np.hypot(*(arrows.places - (i + 0.5, j + 0.5)).T) + 1
        weights = ((farthest - d) / (farthest * d)) ** 2
        raw[:, i, j] = weights @ arrows.displacements / weights.sum()
    expected = [ndimage.gaussian_filter(each, 6.0, mode="reflect") for each in raw]
    np.testing.assert_allclose(field, expected, atol=1e-12)


def centre(image: NDArray[Any], row: int, column: int) -> NDArray[np.float64]:
    """Return where a spot is, by a Gaussian with a background."""
    patch = image[row - 4 : row + 5, column - 4 : column + 5].astype(np.float64)
    y, x = np.indices(patch.shape)

    def off(p: NDArray[np.float64]) -> NDArray[np.float64]:
        spot = np.exp(-((y - p[0]) ** 2 + (x - p[1]) ** 2) / (2 * p[2] ** 2))
        difference: NDArray[np.float64] = (p[3] * spot + p[4] - patch).ravel()
        return difference

    peak = float(np.ptp(patch))
    fit = optimize.least_squares(off, [4, 4, 1.5, peak, float(patch.min())])
    return np.array([row, column]) + fit.x[:2] - 4 + 0.5


@pytest.fixture(scope="module")
def dual_view() -> NDArray[Any]:
    path = DATA / "beads_dualview.tif"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    import tifffile

    image = tifffile.imread(path)
    return np.stack([image[:, 0:190], image[:, 230:420]])


@pytest.fixture(scope="module")
def pairs(dual_view: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where the beads of a real dual-view image are in both channels.

    They are found and located without the package.
    """
    first, second = (ndimage.gaussian_filter(each * 1.0, 1.0) for each in dual_view)
    peaks = (ndimage.maximum_filter(first, 9) == first) & (first > 350)
    found = []
    for row, column in np.argwhere(peaks):
        if not (6 <= row < 114 and 6 <= column < 183):
            continue
        near = second[row - 3 : row + 3, column - 3 : column + 3]
        dy, dx = np.unravel_index(near.argmax(), near.shape)
        other = (int(row - 3 + dy), int(column - 3 + dx))
        if not (4 <= other[0] < 116 and 4 <= other[1] < 185):
            continue
        one = centre(dual_view[0], int(row), int(column))
        two = centre(dual_view[1], *other)
        if np.abs(one - two).max() < 3:
            found.append((one, two))
    assert len(found) >= 20
    one, two = np.array(found).swapaxes(0, 1)
    return one, two


def residuals(off: NDArray[np.float64]) -> tuple[float, float]:
    """Return the root mean square of each axis alone, and that of the distance."""
    return float(np.sqrt((off**2).mean())), float(np.sqrt((off**2).sum(axis=1).mean()))


@pytest.mark.parametrize(
    ("model", "by_axis", "distance"),
    [("affine", 0.15, 0.15), ("translation", 0.32, 0.45)],
)
def test_real_beads(
    dual_view: NDArray[Any],
    pairs: Any,
    model: shift_field.Model,
    by_axis: float,
    distance: float,
) -> None:
    """What remains is hardly more than with the best fit to the beads themselves.

    By a translation that fit leaves 0.306 pixels along an axis, a distance of 0.432:
    the channels differ by more than a translation.
    """
    one, two = pairs
    found = nx.estimate_channel_shifts(dual_view, max_shift=8, model=model)
    rows, columns = one.astype(int).T
    off = two + found.shifts[1][:, rows, columns].T - one
    left = residuals(off)
    assert left[0] <= by_axis
    assert left[1] <= distance
    assert np.abs(off.mean(axis=0)).max() < 0.08
    map_ = np.column_stack((one, np.ones(len(one))))[:, 0 if model == "affine" else 2 :]
    best = two - one - map_ @ np.linalg.lstsq(map_, two - one)[0]
    assert left[1] < 1.1 * residuals(best)[1]


def test_real_beads_lie_on_each_other(dual_view: NDArray[Any], pairs: Any) -> None:
    found = nx.estimate_channel_shifts(dual_view, max_shift=8, model="affine")
    aligned = nx.register_channels(dual_view, found)
    off = np.array([centre(aligned[1], int(r), int(c)) - (r, c) for r, c in pairs[0]])
    assert max(residuals(off)) <= 0.15


def test_each_channel_stands_alone() -> None:
    first, second = beads(shift=(1.0, 2.0))
    noise = np.random.default_rng(4).normal(100, 5, first.shape)
    image = np.stack([first, np.full(first.shape, 7.0), noise, second])
    with pytest.warns(RuntimeWarning) as caught:
        found = nx.estimate_channel_shifts(image, max_shift=5)
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == 2
    assert "channel 1 is left as it is, because it is constant" in messages[0]
    assert "channel 2 is left as it is, because 0 of its 9 blocks" in messages[1]
    assert found.channels[1].reason == "it is constant"
    assert not found.shifts[:3].any()
    np.testing.assert_allclose(
        found.shifts[3].mean(axis=(1, 2)), [-1.0, -2.0], atol=0.08
    )
    assert "\n" not in str(found)
    assert "channel 1 is left as it is" in str(found)
    assert "channel 3 moves by (-1.0" in str(found)


@pytest.mark.parametrize("model", ["field", "affine", "translation"])
def test_a_shift_beyond_reach_is_not_guessed(model: shift_field.Model) -> None:
    first, second = beads(shift=(0.0, 14.0))
    with pytest.warns(RuntimeWarning, match="channel 1 is left as it is"):
        found = nx.estimate_channel_shifts(
            np.stack([first, second]), max_shift=4, model=model
        )
    assert not found.shifts.any()


@pytest.mark.parametrize("model", ["affine", "translation"])
def test_a_texture_without_spots_is_registered_by_blocks(
    model: shift_field.Model,
) -> None:
    scene = ndimage.gaussian_filter(texture(), 4.0)
    image = np.stack([scene, np.roll(scene, (1, -2), (0, 1))])
    found = nx.estimate_channel_shifts(image, max_shift=4, model=model)
    np.testing.assert_allclose(
        found.shifts[1].mean(axis=(1, 2)), [-1.0, 2.0], atol=0.15
    )


def test_shifts_that_add_up_to_zero_are_applied() -> None:
    scene = texture()
    image = np.stack([scene, np.roll(scene, (-3, 3), (0, 1))])
    found = nx.estimate_channel_shifts(image, max_shift=5, blocks_per_axis=1)
    aligned = nx.register_channels(image, found)[:, 8:-8, 8:-8]
    assert np.abs(aligned[1] - aligned[0]).max() < 0.05 * np.ptp(scene)


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        ([np.ones((20, 20)), np.ones((20, 21))], ValueError, "must have the same"),
        (np.ones((1, 20, 20)), ValueError, "image has 1 channel"),
        (np.ones((20, 20)), ValueError, "image has 1 channel"),
        (np.ones((2, 20, 20)), ValueError, "reference is 0, a channel that is const"),
        (np.full((2, 20, 20), np.nan), ValueError, "NaN"),
        (np.ones((2, 20, 20), complex), TypeError, "dtype"),
        (np.ones((2, 2, 20, 20)), ValueError, "axes"),
    ],
)
def test_images_that_cannot_be_registered(
    image: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        nx.estimate_channel_shifts(image, max_shift=3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reference": 2}, "reference is 2, but must be a whole number from 0 to 1"),
        ({"max_shift": 0}, "max_shift is 0"),
        ({"max_shift": 30}, "max_shift is 30, but must be below 30"),
        ({"max_shift": 94, "blocks_per_axis": 1}, "must be below 94"),
        ({"max_shift": 200, "model": "affine"}, "max_shift is 200, but must be below"),
        ({"blocks_per_axis": 0}, "blocks_per_axis is 0"),
        ({"blocks_per_axis": 97}, "blocks_per_axis is 97"),
        ({"min_similarity": 1.5}, "min_similarity is 1.5, but must be a number from"),
        ({"blur": -1}, "blur is -1"),
        ({"model": "spline"}, "model is 'spline', but must be one of 'field'"),
        ({"pixel_size": 0}, "pixel_size is 0"),
    ],
)
def test_bad_settings(arguments: dict[str, Any], message: str) -> None:
    image = np.stack([texture(), texture()])
    with pytest.raises(ValueError, match=message):
        nx.estimate_channel_shifts(image, **{"max_shift": 4, **arguments})


def test_other_implementations_and_cancelling() -> None:
    image = np.stack([texture(), texture()])
    with pytest.raises(engine.UnknownImplementation):
        nx.estimate_channel_shifts(image, max_shift=4, implementation="quick")

    class Stop:
        def is_set(self) -> bool:
            return True

    with pytest.raises(engine.Cancelled):
        nx.estimate_channel_shifts(image, max_shift=4, cancel=Stop())
    calls: list[tuple[int, int]] = []
    nx.estimate_channel_shifts(
        image, max_shift=4, progress=lambda done, total: calls.append((done, total))
    )
    assert calls == [(1, 2), (2, 2)]


@pytest.fixture
def registration() -> nx.ChannelRegistration:
    first, second = beads(shift=(1.0, 2.0))
    image = np.stack([first, second, np.full(first.shape, 7.0)])
    with pytest.warns(RuntimeWarning, match="channel 2"):
        return nx.estimate_channel_shifts(
            image, max_shift=5, model="affine", pixel_size=0.1, units="µm"
        )


def test_saved_and_loaded_it_is_the_same(
    registration: nx.ChannelRegistration, tmp_path: Path
) -> None:
    path = tmp_path / "shifts.tif"
    registration.save(path)
    assert registration.save(path) == path
    assert [each.name for each in tmp_path.iterdir()] == ["shifts.tif"]
    loaded = nx.ChannelRegistration.load(path)
    np.testing.assert_array_equal(loaded.shifts, registration.shifts)
    np.testing.assert_array_equal(loaded.affine, registration.affine)
    assert str(loaded) == str(registration)
    assert "µm" in str(loaded)
    assert loaded.settings == registration.settings
    assert loaded.source == registration.source
    assert loaded.channels[2].reason == "it is constant"
    assert np.isnan(loaded.channels[2].residual)
    assert (loaded.axes, loaded.pixel_size, loaded.units) == ("CYX", 0.1, "µm")


def test_only_what_fits_is_registered(registration: nx.ChannelRegistration) -> None:
    for shape in ((2, 128, 140), (3, 128, 141), (3, 127, 140)):
        with pytest.raises(ValueError, match="but the registration is for 3 channels"):
            nx.register_channels(np.ones(shape), registration)
    with pytest.raises(TypeError, match="must be a ChannelRegistration"):
        nx.register_channels(np.ones((2, 3, 3)), np.zeros((2, 2, 3, 3)))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["shifts.csv", "gone/shifts.tif", "."])
def test_places_that_cannot_be_written(
    registration: nx.ChannelRegistration, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ValueError, match="output"):
        registration.save(tmp_path / name)


def test_files_that_are_cut_short(
    registration: nx.ChannelRegistration, tmp_path: Path
) -> None:
    path = tmp_path / "shifts.tif"
    registration.save(path)
    content = path.read_bytes()
    for length in (0, 3, 8, 200, len(content) // 2, len(content) - 100):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"shifts\.tif"):
            nx.ChannelRegistration.load(path)
    with pytest.raises(FileNotFoundError):
        nx.ChannelRegistration.load(tmp_path / "gone.tif")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "no channel registration"),
        ({"version": 2}, "reads version 1"),
        ({"size": [10**6, 10**6, 10**6]}, "its note tells of"),
        ({"size": [2, 128]}, "no channel registration that can be read"),
        ({"size": "big"}, "size holds 'b'"),
        ({"reference": 3}, "reference is 3"),
        ({"reference": -1}, "reference holds -1"),
        ({"model": "__import__"}, "model '__import__'"),
        ({"channels": []}, "it tells of 0 channels"),
        ({"channels": [1, 2, 3]}, "no channel registration that can be read"),
        ({"affine": [[1]]}, "affine has shape"),
        ({"pixel_size": "inf"}, "pixel_size is inf"),
        ({"settings": []}, "settings is"),
    ],
)
def test_files_that_lie(
    registration: nx.ChannelRegistration,
    tmp_path: Path,
    change: dict[str, Any],
    message: str,
) -> None:
    import tifffile

    path = tmp_path / "shifts.tif"
    registration.save(path)
    with tifffile.TiffFile(path) as file:
        note = json.loads(file.pages.first.description)  # type: ignore[union-attr]
        shifts = file.asarray()
    tifffile.imwrite(
        path, shifts, description=json.dumps({**note, **change}), metadata=None
    )
    with pytest.raises(ValueError, match=message):
        nx.ChannelRegistration.load(path)


def test_shifts_that_are_not_finite(
    registration: nx.ChannelRegistration, tmp_path: Path
) -> None:
    path = tmp_path / "shifts.tif"
    registration.shifts[1, 0, 3, 4] = np.nan
    registration.save(path)
    with pytest.raises(ValueError, match="not finite"):
        nx.ChannelRegistration.load(path)


def test_other_images_are_no_registrations(tmp_path: Path) -> None:
    import tifffile

    path = tmp_path / "image.tif"
    tifffile.imwrite(path, np.zeros((4, 8, 8), np.float32))
    with pytest.raises(ValueError, match="but no channel registration"):
        nx.ChannelRegistration.load(path)


def test_channels_of_different_size_are_refused() -> None:
    channels = [np.ones((40, 50)), np.ones((40, 48))]
    with pytest.raises(ValueError, match=r"shapes \[\(40, 48\), \(40, 50\)\]"):
        nx.estimate_channel_shifts(channels, max_shift=4)
