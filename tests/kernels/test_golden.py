"""Profile C of the reference reproduces numbers that nanopyx 2.1.5 gave."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from phases import interleave

from napari_nanopyx._kernels import macro_pixel
from napari_nanopyx._kernels.convolve import reference as convolve
from napari_nanopyx._kernels.esrrf import gradients
from napari_nanopyx._kernels.esrrf import reference as esrrf
from napari_nanopyx._kernels.esrrf_3d import compat as esrrf_3d
from napari_nanopyx._kernels.magnify import compat
from napari_nanopyx._kernels.magnify import reference as magnify
from napari_nanopyx._kernels.moments import Statistic
from napari_nanopyx._kernels.srrf import merging
from napari_nanopyx._kernels.srrf import reference as srrf
from napari_nanopyx._kernels.totals import Totals, sums_of
from napari_nanopyx._kernels.warp import maps
from napari_nanopyx._kernels.warp import reference as warp

Image = NDArray[np.float64]


@pytest.fixture(scope="module")
def movie() -> NDArray[np.float32]:
    t, y, x = np.meshgrid(np.arange(6), np.arange(16), np.arange(18), indexing="ij")
    values: NDArray[np.float64] = (
        200
        + 80 * np.sin(0.7 * x + 0.3 * t)
        + 60 * np.cos(0.5 * y - 0.2 * t)
        + 30 * np.sin(0.35 * (x + 2 * y))
    )
    return values.astype(np.float32)


@pytest.fixture(scope="module")
def frames(movie: NDArray[np.float32]) -> Image:
    return esrrf.frames(movie, magnification=4, radius=1.5, sensitivity=1, profile="C")


def close(actual: ArrayLike, expected: ArrayLike, tolerance: float = 5e-6) -> None:
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=tolerance)


def phases(image: Image, m: int) -> Image:
    """Return the sub-pixel phases of an image, complete macro-pixels only."""
    rows, columns = (length // m for length in image.shape)
    cells = image[: rows * m, : columns * m].reshape(rows, m, columns, m)
    return cells.transpose(1, 3, 0, 2).reshape(m * m, rows, columns).copy()


def reduced(frames: Image, statistic: Statistic, corrected: bool) -> Image:
    """Return what the peer's eSRRF method gives for these frames."""
    partial = esrrf.partial(frames, 4, statistic)
    stacked = np.empty(partial["sum"].shape)
    for phase in range(16):
        sums = {name: np.empty(stacked.shape[1:]) for name in sums_of(statistic)}
        totals = Totals(statistic, sums)
        totals.add(len(frames), {name: each[phase] for name, each in partial.items()})
        totals.since({}, len(frames), out=stacked[phase])
    if corrected:
        macro_pixel.correct(stacked, keep_scale=False)
    return interleave(stacked)


def test_input(movie: NDArray[np.float32]) -> None:
    close(movie.sum(dtype=np.float64), 364323.6, 1e-6)
    close([movie[0, 0, 0], movie[5, 15, 17], movie[2, 7, 9]], [260, 297.552, 215.753])


@pytest.mark.parametrize(
    ("kernel", "first", "values", "total"),
    [
        ("catmull_rom", 0, [177.951, 127.088, 242.96], 3108903.8),
        ("bicubic", 0, [274.489, 127.088, 242.96], 3128122.6),
        ("lanczos", 0, [267.679, 122.096, 243.874], 3135301.6),
        ("nearest", 260, [260, 109.809, 247.296], 3205724.5),
    ],
)
def test_magnify(
    movie: NDArray[np.float32],
    kernel: compat.Kernel,
    first: float,
    values: list[float],
    total: float,
) -> None:
    result = magnify.frames(movie, 3, 3, np.array([[0.25, -0.5]]), "C", kernel)
    assert result[0, 0, 0] == first
    close([result[0, 1, 1], result[0, 20, 25], result[3, 24, 30]], values)
    close(result.sum(), total, 1e-7)


def test_magnify_by_fourier(movie: NDArray[np.float32]) -> None:
    result = np.stack([compat.fourier(frame, 2) for frame in movie])
    values = [result[0, 0, 0], result[0, 10, 11], result[3, 20, 21]]
    close(values, [249.109, 76.0884, 227.162])
    close(result.sum(), 1438766.8, 1e-7)


@pytest.mark.parametrize(
    ("kernel", "total"),
    [
        ("catmull_rom", 253809.33),
        ("bicubic", 255888.52),
        ("lanczos", 256461.74),
        ("nearest", 270402.1),
    ],
)
def test_transform(
    movie: NDArray[np.float32], kernel: compat.Kernel, total: float
) -> None:
    shift, scale, angle = np.array([[1.5, -2.0]]), (1.2, 0.8), 0.35
    affine = maps.turned((16, 18), shift, scale, angle, centre=(8, 9))
    corners = np.stack([*np.indices((16, 18)), np.ones((16, 18))])
    points = np.einsum("nar,rpq->napq", affine, corners)
    result = warp.frames(movie, points, kernel, profile="C")
    close(result.sum(), total, 1e-7)
    if kernel == "catmull_rom":
        values = [result[0, 8, 9], result[2, 5, 6], result[4, 10, 12]]
        close(values, [237.171, 250.845, 48.8814])


@pytest.mark.parametrize(
    ("scale", "values", "total"),
    [
        ("linear", [180.868, 165.628, 133.876], 714584.48),
        ("log", [222.913, 146.424, 65.7687], 743712.07),
    ],
)
def test_polar(
    movie: NDArray[np.float32], scale: maps.Scale, values: list[float], total: float
) -> None:
    points = maps.unrolled((16, 18), (36, 20), scale, centre=(8, 9))
    points += np.array([8, 9])[:, np.newaxis, np.newaxis]
    result = warp.frames(movie, maps.rounded(points)[np.newaxis], "nearest", 0.0, "C")
    close([result[0, 0, 0], result[0, 9, 5], result[1, 20, 8]], values)
    close(result.sum(), total, 1e-3)


def test_convolve(movie: NDArray[np.float32]) -> None:
    result = convolve.frames(movie, np.arange(1.0, 10.0).reshape(3, 3))
    values = [result[0, 0, 0], result[0, 8, 9], result[5, 15, 17]]
    close(values, [13068.1, 8512.39, 13022.4])


def test_roberts(movie: NDArray[np.float32]) -> None:
    row, column = gradients.roberts(movie[0].astype(np.float64))
    assert row[0, 0] == column[0, 0] == 0
    close([column[0, 5], column[8, 9]], [-109.811, 96.5771])
    close([row[5, 0], row[8, 9]], [-87.3459, 19.2467])


def test_esrrf_frames(frames: Image) -> None:
    values = [frames[0, 32, 36], frames[0, 29, 26], frames[3, 41, 20]]
    close(values, [22.8275, 9.96136, 24.0486])
    close(frames.sum(), 749183.2, 1e-6)
    assert np.count_nonzero(frames) == 18622


def test_esrrf_frames_with_sensitivity(movie: NDArray[np.float32]) -> None:
    result = esrrf.frames(
        movie, magnification=5, radius=2.0, sensitivity=2, profile="C"
    )
    values = [result[0, 40, 45], result[0, 36, 32], result[3, 51, 25]]
    close(values, [2.34409, 0.364368, 3.60641])
    close(result.sum(), 254368.5, 1e-6)


def test_esrrf_frames_unweighted(movie: NDArray[np.float32]) -> None:
    result = esrrf.frames(
        movie,
        magnification=3,
        radius=0.7,
        sensitivity=1,
        intensity_weighting=False,
        profile="C",
    )
    values = [result[0, 24, 27], result[0, 22, 20], result[3, 31, 15]]
    close(values, [0.167358, 0.0930636, 0.333095])
    close(result.sum(), 2345.434, 1e-6)


def by_fourier(movie: NDArray[np.float32]) -> Image:
    """Return the peer's frames by Fourier interpolation, with no margin.

    The peer magnifies both gradients, of which it takes every fourth value, and beyond
    the last of those the last of all.
    """
    y, x = ((np.arange(4 * length) + 0.5) / 4 for length in movie.shape[1:])
    taken = np.ix_(
        *(np.append(4 * np.arange(2 * n), 8 * n - 1) for n in movie.shape[1:])
    )
    result = np.empty((len(movie), len(y), len(x)))
    for output, image in zip(result, movie.astype(np.float64), strict=True):
        row, column = (compat.fourier(g, 8)[taken] for g in gradients.roberts(image))
        lattice = gradients.Lattice(row, column, origin=0)
        value = esrrf.convergence(lattice, y, x, 1.5, "C")
        output[...] = value * compat.fourier(image, 4)
    return result


def test_esrrf_frames_by_fourier(movie: NDArray[np.float32]) -> None:
    """With `pad_edges` the peer leaves no margin, which it does in this case only."""
    padded = by_fourier(movie)
    result = np.zeros_like(padded)
    result[:, 6:-6, 6:-6] = padded[:, 6:-6, 6:-6]
    values = [result[0, 32, 36], result[0, 29, 26], result[3, 41, 20]]
    close(values, [30.3566, 7.32068, 19.3506])
    close(result.sum(), 716972.7, 1e-6)
    close(padded.sum(), 1144566.0, 1e-6)


@pytest.mark.parametrize(
    ("statistic", "first", "second", "total"),
    [
        ("AVG", 36.8132, 7.44132, 124863.9),
        ("VAR", 79.8993, 43.4788, 1065181),
        ("TAC2", 35.9024, 13.1672, 508141.6),
    ],
)
def test_esrrf(
    frames: Image, statistic: Statistic, first: float, second: float, total: float
) -> None:
    result = reduced(frames, statistic, corrected=False)
    close([result[32, 36], result[29, 26]], [first, second])
    close(result.sum(), total, 1e-6)


@pytest.mark.parametrize(
    ("statistic", "value"), [("AVG", 1.36179), ("VAR", 0.350182), ("TAC2", 0.329972)]
)
def test_esrrf_without_grid(frames: Image, statistic: Statistic, value: float) -> None:
    result = reduced(frames, statistic, corrected=True)
    close(result[32, 36], value)
    close(result.sum(), 4608, 1e-12)


def test_esrrf_of_four_frames_per_time_point(frames: Image) -> None:
    blocks = [reduced(part, "AVG", corrected=True) for part in (frames[:4], frames[4:])]
    close([block[32, 36] for block in blocks], [1.12341, 1.91299])


def test_radiality(movie: NDArray[np.float32]) -> None:
    radiality, intensity = srrf.frames(
        movie, magnification=4, ring_radius=0.5, profile="C"
    )
    weighted = radiality * intensity
    close(weighted[3, 20, 50], 5.25124)
    close(weighted.sum(), 155843.0, 1e-6)
    assert np.count_nonzero(weighted) == 10580


def test_radiality_with_sign_and_border(movie: NDArray[np.float32]) -> None:
    radiality, _ = srrf.frames(
        movie, magnification=4, ring_radius=1.0, border=1, positivity=False, profile="C"
    )
    values = [radiality[0, 30, 30], radiality[0, 33, 41], radiality[3, 20, 50]]
    expected = [-0.147357, -0.0227805, 0.0191986]
    # The peer rounds to float32, so that small values are off by as much as large ones.
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-6 * radiality.max())
    close(radiality.sum(), -298.4962, 2e-6)
    assert np.count_nonzero(radiality) == 16128


@pytest.mark.parametrize(
    ("temporal", "first", "second"),
    [
        ("TRPPM", 45972.8, 88430.3),
        ("TRM", 239.226, 316.366),
        ("TRA", 214.271, 297.275),
        ("TRAC2", 137.242, 139.615),
        ("TRAC4", 19623.3, 34904.1),
    ],
)
def test_srrf_temporal(
    movie: NDArray[np.float32], temporal: merging.Temporal, first: float, second: float
) -> None:
    merger = merging.merger(
        temporal, [range(6)], (1, 16, 18), integrate_lag_times=False
    )
    values = movie[:, np.newaxis].astype(np.float64)
    merger.add(range(6), merging.partial(values, None, temporal))
    result = merger.result()[0]
    close([result[8, 9], result[0, 0]], [first, second])


def test_macro_pixel(movie: NDArray[np.float32]) -> None:
    planes = [phases(frame.astype(np.float64), 3) for frame in movie[:, :15]]
    for plane in planes:
        macro_pixel.correct(plane, keep_scale=False)
    close([planes[0][0, 0, 0], interleave(planes[3])[7, 8]], [1.23958, 0.897945])


def test_esrrf_3d(movie: NDArray[np.float32]) -> None:
    volumes = [
        esrrf_3d.volume(
            movie[first : first + 4].astype(np.float64),
            magnification=2,
            magnification_z=2,
            radius=1.5,
            psf_ratio=2.8,
            voxel_ratio=4.0,
        )
        for first in (0, 1)
    ]
    mean, deviation = np.mean(volumes, axis=0), np.std(volumes, axis=0)
    close([mean[4, 16, 18], mean[3, 14, 20]], [39.2689, 49.1421])
    close(mean.sum(), 117290.0, 1e-6)
    close([deviation[4, 16, 18], deviation[3, 14, 20]], [2.06795, 6.57963])
    close(deviation.sum(), 18993.75, 1e-6)
