"""Non-local means: equal to scikit-image's, closer to the truth, and hard to upset."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

import napari_nanopyx as nx
from napari_nanopyx import engine
from napari_nanopyx._kernels import tasks
from napari_nanopyx.methods._noise import noise_sigma

NAMES = ("reference", "serial", "numba", None)
"""None is the engine's choice."""

MODES = ("fast", "gaussian")

SHADES = np.add.outer(200 * np.sin(np.arange(45) / 6), 200 * np.cos(np.arange(61) / 9))
TRUTH = SHADES + 600
NOISY = np.random.default_rng(1).poisson(TRUTH).astype(np.uint16)


@pytest.fixture(params=NAMES, ids=str)
def implementation(request: pytest.FixtureRequest) -> str | None:
    name: str | None = request.param
    return name


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("patch_size", "patch_distance", "h", "sigma"),
    [(7, 11, 20.0, 24.0), (5, 4, 30.0, 0.0), (9, 3, 15.0, 24.0), (3, 6, 20.0, 10.0)],
)
def test_equals_scikit_image(
    patch_size: int, patch_distance: int, h: float, sigma: float, mode: Any
) -> None:
    restoration = pytest.importorskip("skimage.restoration")
    settings = {"patch_size": patch_size, "patch_distance": patch_distance}
    expected = restoration.denoise_nl_means(
        NOISY.astype(np.float64),
        **settings,
        h=h,
        sigma=sigma,
        fast_mode=mode == "fast",
        preserve_range=True,
    )
    extent = float(np.ptp(NOISY))
    found: dict[str, NDArray[np.float32]] = {
        exponential: nx.denoise_nlm(
            NOISY, **settings, h=h, sigma=sigma, mode=mode, exponential=exponential
        )
        for exponential in ("linear", "exact")
    }
    assert np.abs(found["linear"] - expected).max() < 1e-6 * extent
    # Its exponential is up to 3 % off.
    assert np.abs(found["exact"] - expected).max() < 2e-3 * extent


SHAPES = [(50, 60), (51, 63), (7, 7), (3, 5), (128, 30)]


def wavelets(line: NDArray[Any]) -> NDArray[np.float64]:
    """Return the finest coefficients of a line, mirrored with its end pixels."""
    root = np.sqrt(3)
    low = np.array([1 + root, 3 + root, 3 - root, 1 - root]) / np.sqrt(32)
    high = low[::-1] * [1, -1, 1, -1]
    mirrored = np.pad(line, 3, mode="symmetric")
    firsts = range(1, len(line) + 3, 2)
    return np.array([high @ mirrored[first : first + 4] for first in firsts])


@pytest.mark.parametrize("shape", SHAPES)
def test_noise_is_the_median_of_the_finest_wavelets(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(2).normal(1000, 7, shape)
    details = np.apply_along_axis(wavelets, 1, np.apply_along_axis(wavelets, 0, image))
    expected = np.median(np.abs(details)) / 0.6744897501960817
    assert noise_sigma(image) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_noise_equals_scikit_image(shape: tuple[int, int]) -> None:
    pytest.importorskip("pywt")
    restoration = pytest.importorskip("skimage.restoration")
    image = np.random.default_rng(2).normal(1000, 7, shape)
    expected = restoration.estimate_sigma(image)
    assert noise_sigma(image) == pytest.approx(expected, rel=1e-9)


def test_noise_on_shades_is_found() -> None:
    random = np.random.default_rng(3)
    rows, columns = np.mgrid[:300, :300]
    shades = 1000 + 300 * np.sin(rows / 30) + 2 * columns
    for sigma in (0.5, 3.0, 20.0):
        image = shades + random.normal(0, sigma, shades.shape)
        assert noise_sigma(image) == pytest.approx(sigma, rel=0.02)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 2), (30, 40)])
def test_no_noise_is_found_in_a_constant_image(shape: tuple[int, int]) -> None:
    assert noise_sigma(np.full(shape, 123.4)) == 0


def psnr(image: NDArray[Any], truth: NDArray[Any]) -> float:
    return float(10 * np.log10(np.ptp(truth) ** 2 / np.mean((image - truth) ** 2)))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("channel", ["actin", "nuclei"])
def test_real_frames_come_closer_to_their_reference(channel: str, mode: Any) -> None:
    """At every exposure, by what the settings are by default."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "data"
    movie = folder / f"bpae_{channel}_noise_10_20_50_100ms.tif"
    if not movie.exists():
        pytest.skip("the real data are not here")
    frames = tifffile.imread(movie)
    reference = tifffile.imread(folder / f"bpae_{channel}_reference.tif")
    denoised = nx.denoise_nlm(frames, mode=mode)
    for raw, result in zip(frames.astype(np.float64), denoised, strict=True):
        slope, level = np.polyfit(reference.ravel(), raw.ravel(), 1)
        truth = slope * reference + level
        assert psnr(result, truth) >= psnr(raw, truth) + 3.5


@pytest.mark.parametrize("mode", MODES)
def test_the_truth_comes_closer(implementation: str | None, mode: Any) -> None:
    gain = 5.0 if mode == "fast" else 3.0
    denoised = nx.denoise_nlm(NOISY, mode=mode, implementation=implementation)
    assert denoised.dtype == np.float32
    assert denoised.shape == NOISY.shape
    assert psnr(denoised, TRUTH) > psnr(NOISY, TRUTH) + gain


@pytest.mark.parametrize("mode", MODES)
def test_a_pixel_computed_by_hand(implementation: str | None, mode: Any) -> None:
    """Of a step between 0 and 10, only patches on one side are averaged."""
    image = np.zeros((12, 16), np.float32)
    image[:, 8:] = 10
    image[5, 2] = 0.5
    result = nx.denoise_nlm(
        image,
        patch_size=3,
        patch_distance=1,
        h=1e3,
        sigma=0.0,
        mode=mode,
        implementation=implementation,
    )
    np.testing.assert_allclose(result[5, 2], 0.5 / 9, rtol=1e-4)
    np.testing.assert_allclose(result[5, 8], 20 / 3, rtol=1e-3)
    result = nx.denoise_nlm(
        image,
        patch_size=3,
        patch_distance=1,
        h=0.5,
        sigma=0.0,
        mode=mode,
        implementation=implementation,
    )
    np.testing.assert_allclose(result[2:, 12:], 10, rtol=1e-6)
    np.testing.assert_allclose(result[9:, 1:5], 0, atol=1e-6)
    assert result[9, 7] < 0.5
    assert result[9, 8] > 9.5


MOVIE = np.random.default_rng(2).poisson(TRUTH[:23, :29], (5, 23, 29))


def likeness(here: NDArray[Any], there: NDArray[Any], mode: str) -> float:
    """Return the weight of a patch of 3 by its definition, for h = 30, sigma = 20."""
    count = len(here)
    bell = np.exp(-0.5 * (np.arange(-1, 2) / 0.5) ** 2)
    counts = bell / bell.sum() if mode == "gaussian" else np.ones(count) / 3
    parts = np.outer(counts, counts) * ((here - there) ** 2 - 2 * 20.0**2) / 30.0**2
    down_to = np.cumsum(parts.sum(axis=1))
    seen = down_to[:-1] if mode == "gaussian" else down_to[-1:]
    return 0.0 if (seen > 5).any() else float(np.exp(-max(down_to[-1], 0.0)))


def by_definition(movie: NDArray[Any], frame: int, mode: str) -> NDArray[np.float64]:
    """Average over three frames and a distance of 1, pixel by pixel."""
    height, width = movie.shape[1:]
    first, last = (-1, 2) if mode == "gaussian" else (0, 2)
    padded = np.pad(movie.astype(float), ((0, 0), (3, 3), (3, 3)), mode="reflect")

    def patch(t: int, row: int, column: int) -> NDArray[Any]:
        return padded[t, row + 3 + first : row + 3 + last][
            :, column + 3 + first : column + 3 + last
        ]

    denoised = np.zeros((height, width))
    for r, c in np.ndindex(height, width):
        total = light = 0.0
        for t in range(max(frame - 1, 0), min(frame + 2, len(movie))):
            for down, across in np.ndindex(3, 3):
                row, column = r + down - 1, c + across - 1
                inside = 0 <= row < height and 0 <= column < width
                if mode == "gaussian" and not inside:
                    continue
                weight = likeness(patch(frame, r, c), patch(t, row, column), mode)
                light += weight
                total += weight * padded[t, row + 3, column + 3]
        denoised[r, c] = total / light
    return denoised


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", [*NAMES, "threads-dynamic", "opencl"])
def test_frames_before_and_after_are_searched_too(name: str | None, mode: Any) -> None:
    if name == "opencl":
        kinds = {each.kind: each.name for each in engine.implementations("nlm")}
        name = kinds["opencl"]
    settings: dict[str, Any] = {"patch_size": 3, "patch_distance": 1, "sigma": 20.0}
    found = nx.denoise_nlm(
        MOVIE, **settings, h=30.0, mode=mode, frame_distance=1, implementation=name
    )
    assert found.shape == MOVIE.shape
    for frame in (0, 2, 4):
        expected = by_definition(MOVIE, frame, mode)
        assert np.abs(found[frame] - expected).max() < 1e-5 * expected.max()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("distance", [1, 2, 7])
def test_implementations_agree_on_frames_around(mode: Any, distance: int) -> None:
    settings: dict[str, Any] = {"patch_distance": 3, "mode": mode}
    noise = {"sigma": None} if distance == 1 else {"h": 20.0, "sigma": 24.0}
    movie = MOVIE.astype(np.uint16)
    expected = nx.denoise_nlm(
        movie, **settings, **noise, frame_distance=distance, implementation="reference"
    )
    allowed = 1e-5 * expected.max() + 1e-6 * expected.std()
    for each in engine.implementations("nlm"):
        if each.available:
            found = nx.denoise_nlm(
                movie,
                **settings,
                **noise,
                frame_distance=distance,
                implementation=each.name,
            )
            assert np.abs(found - expected).max() <= allowed, each.name


def test_structure_that_is_nowhere_else_is_found_in_other_frames() -> None:
    random = np.random.default_rng(3)
    truth = np.tile(random.normal(0, 100, (40, 50)), (5, 1, 1))
    movie = truth + random.normal(0, 20, truth.shape)
    settings: dict[str, Any] = {"patch_distance": 2, "sigma": 20.0}
    left = [
        (nx.denoise_nlm(movie, **settings, frame_distance=distance) - truth)[2].std()
        for distance in (0, 1, 2)
    ]
    assert left[0] > 0.9 * 20
    assert left[1] < 0.75 * left[0]
    assert left[2] < 0.85 * left[1]


def test_what_moves_leaves_no_trail() -> None:
    random = np.random.default_rng(3)
    truth = np.zeros((7, 40, 60))
    for frame, image in enumerate(truth):
        image[15:25, 8 * frame : 8 * frame + 10] = 300
    movie = truth + random.normal(0, 20, truth.shape)
    one = nx.denoise_nlm(movie, patch_distance=4)
    three = nx.denoise_nlm(movie, patch_distance=4, frame_distance=1)
    assert (three - truth).std() < (one - truth).std() < 6
    assert three[3, 15:25, 16:22].mean() == pytest.approx(0, abs=6)


def test_the_order_of_time_does_not_matter(implementation: str | None) -> None:
    settings: dict[str, Any] = {"patch_distance": 2, "implementation": implementation}
    forth = nx.denoise_nlm(MOVIE, frame_distance=2, **settings)
    back = nx.denoise_nlm(MOVIE[::-1], frame_distance=2, **settings)
    np.testing.assert_allclose(back[::-1], forth, rtol=1e-5)


def test_an_image_has_no_frames_around(implementation: str | None) -> None:
    settings: dict[str, Any] = {"patch_distance": 2, "implementation": implementation}
    np.testing.assert_allclose(
        nx.denoise_nlm(NOISY, frame_distance=3, **settings),
        nx.denoise_nlm(NOISY, **settings),
        rtol=1e-5,
    )


def test_frames_around_are_read_as_they_are_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A block takes a megabyte at most, which is a third of these frames."""
    monkeypatch.setenv("NAPARI_NANOPYX_MEMORY_MB", "1")
    frames = 300

    class Movie:
        shape, dtype = (frames, *MOVIE.shape[1:]), MOVIE.dtype
        most = 0

        def __getitem__(self, some: slice) -> Any:
            wanted = range(*some.indices(frames))
            self.most = max(self.most, len(wanted))
            return MOVIE[[frame % 5 for frame in wanted]]

    movie = Movie()
    settings: dict[str, Any] = {"patch_distance": 1, "frame_distance": 1}
    found = nx.denoise_nlm(movie, **settings, implementation="serial")
    assert 1 < movie.most <= frames // 3 + 2
    whole = MOVIE[np.arange(15) % 5]
    expected = nx.denoise_nlm(whole, **settings, implementation="serial")
    np.testing.assert_allclose(found[:14], expected[:14], rtol=1e-5)
    again = np.tile(expected[5:10], (58, 1, 1))
    np.testing.assert_allclose(found[5:295], again, rtol=1e-5)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("level", [0.0, 7.0, 54321.7, -1e30])
def test_a_constant_image_stays_the_same(
    level: float, implementation: str | None, mode: Any
) -> None:
    image = np.full((2, 9, 14), level, np.float32)
    for h in (None, 3.0):
        result = nx.denoise_nlm(image, h=h, mode=mode, implementation=implementation)
        np.testing.assert_array_equal(result, image)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 8), (5, 1), (2, 2), (3, 4), (1, 3, 300)])
def test_an_image_smaller_than_a_patch(
    shape: tuple[int, ...], implementation: str | None, mode: Any
) -> None:
    image = np.random.default_rng(4).normal(50, 9, shape).astype(np.float32)
    settings = {"h": 10.0, "sigma": 5.0, "mode": mode}
    result = nx.denoise_nlm(image, **settings, implementation=implementation)
    assert result.shape == shape
    assert result.min() >= image.min() - 1e-4
    assert result.max() <= image.max() + 1e-4
    expected = nx.denoise_nlm(image, **settings, implementation="reference")
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_a_level_and_a_factor_go_through(implementation: str | None) -> None:
    """Negative values are values like others."""
    plain = nx.denoise_nlm(NOISY, implementation=implementation)
    changed = 4.0 * NOISY - 5000.0
    assert changed.max() < 0
    result = nx.denoise_nlm(changed, implementation=implementation)
    np.testing.assert_allclose(result, 4.0 * plain - 5000.0, rtol=0, atol=0.02)


@pytest.mark.parametrize(
    "turned",
    [lambda a: a[::-1], lambda a: a[:, ::-1], lambda a: a.T],
    ids=["upside down", "mirrored", "transposed"],
)
def test_gaussian_mode_knows_no_direction(
    turned: Any, implementation: str | None
) -> None:
    """In rows: sums are abandoned row by row, which is why h is large here."""
    settings: Any = {"h": 200.0, "sigma": 0.0, "mode": "gaussian", "patch_distance": 4}
    plain = nx.denoise_nlm(NOISY, **settings, implementation=implementation)
    result = nx.denoise_nlm(turned(NOISY), **settings, implementation=implementation)
    np.testing.assert_allclose(result, turned(plain), rtol=1e-5)


def test_fast_mode_is_the_same_transposed(implementation: str | None) -> None:
    plain = nx.denoise_nlm(NOISY, implementation=implementation)
    result = nx.denoise_nlm(NOISY.T, implementation=implementation)
    np.testing.assert_allclose(result, plain.T, rtol=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_frames_are_independent(implementation: str | None, mode: Any) -> None:
    random = np.random.default_rng(5)
    movie = np.stack(
        [TRUTH + random.normal(0, noise, TRUTH.shape) for noise in (5, 50)]
    )
    together = nx.denoise_nlm(movie, mode=mode, implementation=implementation)
    for frame, result in zip(movie, together, strict=True):
        alone = nx.denoise_nlm(frame, mode=mode, implementation=implementation)
        np.testing.assert_allclose(result, alone, rtol=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_a_bright_spot_leaves_the_rest_alone(
    implementation: str | None, mode: Any
) -> None:
    image = NOISY.astype(np.float32)
    spot = image.copy()
    spot[20, 30] = 1e9
    settings: Any = {"h": 20.0, "sigma": 24.0, "mode": mode, "patch_distance": 3}
    plain = nx.denoise_nlm(image, **settings, implementation=implementation)
    result = nx.denoise_nlm(spot, **settings, implementation=implementation)
    np.testing.assert_allclose(result[32:], plain[32:], rtol=1e-6)
    np.testing.assert_allclose(result[:9], plain[:9], rtol=1e-6)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [
        (0, 255, np.uint8),
        (0, 65535, np.uint16),
        (-(2**62), 2**62, np.int64),
        (1e-36, 3e-36, np.float32),
        (-3e38, 3e38, np.float32),
    ],
)
def test_extreme_values(
    low: float, high: float, dtype: Any, implementation: str | None, mode: Any
) -> None:
    image = np.random.default_rng(6).choice([low, high], (12, 13)).astype(dtype)
    for h in (None, 2.0):
        result = nx.denoise_nlm(image, h=h, mode=mode, implementation=implementation)
        assert np.isfinite(result).all()
        expected = nx.denoise_nlm(image, h=h, mode=mode, implementation="reference")
        largest = np.abs(expected).max()
        np.testing.assert_allclose(result, expected, rtol=0, atol=2e-5 * largest)


def test_a_sum_at_the_limit_is_on_the_same_side_everywhere() -> None:
    """5 * 7**2 = 245 is the squared distance up to which patches have a weight."""
    image = np.random.default_rng(7).choice([0, 1, 2, 3, 5], (40, 50)).astype(np.uint8)
    results = [
        nx.denoise_nlm(image, h=1.0, sigma=0.0, implementation=each.name)
        for each in engine.implementations("nlm")
        if each.available
    ]
    assert len(results) >= 3
    for result in results:
        np.testing.assert_allclose(result, results[-1], rtol=0, atol=5e-5)


def test_an_even_patch_is_the_next_odd_one() -> None:
    expected = nx.denoise_nlm(NOISY, patch_size=7, implementation="serial")
    result = nx.denoise_nlm(NOISY, patch_size=6, implementation="serial")
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"patch_size": 1}, ValueError, "patch_size is 1, but must be a whole number"),
        ({"patch_size": 2.5}, ValueError, "patch_size is 2.5, but must be"),
        ({"patch_size": "7"}, TypeError, "patch_size is '7', a str, but must be"),
        ({"patch_distance": 0}, ValueError, "patch_distance is 0, but must be"),
        ({"patch_distance": 51}, ValueError, "patch_distance is 51, .* from 1 to 50"),
        ({"h": 0}, ValueError, "h is 0, but must be a number above 0"),
        ({"h": -1.0}, ValueError, r"h is -1\.0, but must be a number above 0"),
        ({"h": np.nan}, ValueError, "h is nan, but must be a number above 0"),
        ({"h": True}, TypeError, "h is True, a bool"),
        ({"sigma": -1}, ValueError, "sigma is -1, but must be 0 or a number above"),
        ({"sigma": np.inf}, ValueError, "sigma is inf, but must be"),
        ({"sigma": 0}, ValueError, "sigma is 0 and h is not given"),
        ({"frame_distance": -1}, ValueError, "frame_distance is -1, .* from 0 to 10"),
        ({"frame_distance": 11}, ValueError, "frame_distance is 11, .* from 0 to 10"),
        ({"frame_distance": 1.5}, ValueError, "frame_distance is 1.5"),
        ({"mode": "slow"}, ValueError, "mode is 'slow'"),
        ({"exponential": "fast"}, ValueError, "exponential is 'fast'"),
    ],
)
def test_arguments_that_make_no_sense(
    arguments: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        nx.denoise_nlm(NOISY, **arguments)


@pytest.mark.parametrize("sigma", [None, 3.0])
def test_values_that_are_no_numbers(sigma: float | None) -> None:
    image = NOISY.astype(np.float32)
    image[3, 4] = np.nan
    with pytest.raises(ValueError, match="image holds NaN"):
        nx.denoise_nlm(image, sigma=sigma)


@pytest.mark.parametrize("distance", [0, 2])
def test_each_frame_has_the_noise_that_is_found_in_it(
    implementation: str | None, distance: int
) -> None:
    random = np.random.default_rng(8)
    levels = np.array([5.0, 0.0, 20.0, 60.0, 10.0])[:, np.newaxis, np.newaxis]
    movie = TRUTH + levels * random.normal(size=(5, *TRUTH.shape))
    movie[1] = 300.0
    settings: dict[str, Any] = {"patch_distance": 2, "implementation": implementation}
    found = nx.denoise_nlm(movie, frame_distance=distance, **settings)
    for frame in (0, 2, 3, 4):
        sigma = noise_sigma(movie[frame].astype(np.float32))
        given = nx.denoise_nlm(movie, frame_distance=distance, sigma=sigma, **settings)
        np.testing.assert_allclose(found[frame], given[frame], rtol=1e-5)
    np.testing.assert_array_equal(found[1], np.float32(300))


@pytest.mark.parametrize("sigma", [None, 20.0])
def test_frames_are_read_in_one_pass(sigma: float | None) -> None:
    read: list[int] = []

    class Movie:
        shape, dtype = MOVIE.shape, MOVIE.dtype

        def __getitem__(self, frames: slice) -> Any:
            read.extend(range(*frames.indices(len(MOVIE))))
            return MOVIE[frames]

    nx.denoise_nlm(Movie(), patch_distance=1, sigma=sigma)
    assert read[-5:] == list(range(5))
    assert len(read) == 5 + (sigma is None)  # the first frame is looked at before


def test_it_can_be_cancelled() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(engine.Cancelled):
        nx.denoise_nlm(NOISY, cancel=cancel)


def test_the_input_is_left_alone(implementation: str | None) -> None:
    image = NOISY.copy()
    image.flags.writeable = False
    nx.denoise_nlm(image, implementation=implementation)
    np.testing.assert_array_equal(image, NOISY)


def test_the_benchmark_can_make_its_arguments() -> None:
    task = tasks()["nlm"]
    assert task.arguments is not None
    settings = task.arguments((3, 20, 20), h=5.0, mode="gaussian")
    assert task.plan((3, 20, 20), **settings).parameters["mode"] == "gaussian"
    with pytest.raises(ValueError, match="patch_size is 6"):
        task.arguments((3, 20, 20), patch_size=6)
