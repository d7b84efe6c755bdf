"""Merging block moments equals the statistic of the frames, however they are cut."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from phases import interleave

from napari_nanopyx._kernels.declaration import Partial
from napari_nanopyx._kernels.moments import (
    MomentsMerger,
    Statistic,
    segments,
    windows,
)

M, H, W, T = 2, 3, 4, 23
STATISTICS: tuple[Statistic, ...] = ("AVG", "VAR", "STD", "TAC2")


def direct(frames: NDArray[np.float64], statistic: Statistic) -> NDArray[np.float64]:
    """Compute the statistic as its definition says."""
    deviation = frames - frames.mean(axis=0)
    answers = {
        "AVG": lambda: frames.mean(axis=0),
        "VAR": lambda: frames.var(axis=0),
        "STD": lambda: frames.std(axis=0),
        "TAC2": lambda: (
            (deviation[:-1] * deviation[1:]).sum(axis=0) / max(len(frames) - 1, 1)
        ),
    }
    answer: NDArray[np.float64] = answers[statistic]()
    return answer


def moments(block: NDArray[np.float64], statistic: Statistic) -> Partial:
    """Return the partial result of a block, with rubbish in the padding columns."""
    if statistic == "AVG":
        partial = {"sum": block.sum(axis=0)}
    else:
        shifted = block - block[0]
        partial = {"first": block[0], "sum": shifted.sum(axis=0)}
        if statistic == "TAC2":
            partial["lag"] = (shifted[:-1] * shifted[1:]).sum(axis=0)
            partial["last"] = shifted[-1]
        else:
            partial["squares"] = (shifted**2).sum(axis=0)
    pad = ((0, 0), (0, 0), (0, 3))
    return {k: np.pad(v, pad, constant_values=np.nan) for k, v in partial.items()}


def merged(
    movie: NDArray[np.float64],
    statistic: Statistic,
    times: list[range],
    block: int,
    macro_pixel: bool = False,
    threads: int = 1,
) -> NDArray[np.float32]:
    merger = MomentsMerger(times, statistic, (M, M), (H, W), macro_pixel)
    for segment in segments(times):
        for start in range(segment.start, segment.stop, block):
            frames = range(start, min(start + block, segment.stop))
            partial = moments(movie[frames.start : frames.stop], statistic)
            merger.add(frames, partial, threads)
    return merger.result()


@pytest.fixture
def movie() -> NDArray[np.float64]:
    rng = np.random.default_rng(4)
    walk = rng.normal(size=(T, M * M, H, W)).cumsum(axis=0)
    return 50.0 + walk


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("block", [1, 2, 5, T])
@pytest.mark.parametrize(
    ("length", "gap"), [(0, 0), (7, 0), (1, 0), (6, 2), (6, 6), (4, 9), (5, 1)]
)
def test_equals_the_definition(
    movie: NDArray[np.float64], statistic: Statistic, block: int, length: int, gap: int
) -> None:
    times = windows(T, length, gap)
    result = merged(movie, statistic, times, block)
    expected = [
        interleave(direct(movie[time.start : time.stop], statistic)) for time in times
    ]
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, np.stack(expected), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize(("length", "gap"), [(0, 0), (6, 2)])
def test_blocks_do_not_matter(
    movie: NDArray[np.float64], statistic: Statistic, length: int, gap: int
) -> None:
    times = windows(T, length, gap)
    results = [merged(movie, statistic, times, block, True) for block in (1, 3, T)]
    for one, other in itertools.pairwise(results):
        np.testing.assert_allclose(one, other, rtol=2e-7)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_threads_do_not_matter(
    movie: NDArray[np.float64], statistic: Statistic
) -> None:
    times = windows(T, 6, 2)
    one, three = (merged(movie, statistic, times, 4, True, n) for n in (1, 3))
    np.testing.assert_array_equal(one, three)


@pytest.mark.parametrize("statistic", ["VAR", "STD", "TAC2"])
def test_steady_pixels_have_exactly_no_variance(statistic: Statistic) -> None:
    still = np.broadcast_to(
        np.random.default_rng(5).uniform(1e3, 1e4, (M * M, H, W)), (T, M * M, H, W)
    )
    assert not merged(still, statistic, windows(T, 6, 2), 4).any()


def test_variance_of_a_bright_steady_pixel_is_accurate() -> None:
    noise = np.random.default_rng(6).normal(scale=1e-3, size=(T, M * M, H, W))
    result = merged(1e4 + noise, "VAR", windows(T), 5)
    expected = interleave(noise.var(axis=0))
    np.testing.assert_allclose(result[0], expected, rtol=1e-5)


def test_frames_must_come_in_order(movie: NDArray[np.float64]) -> None:
    merger = MomentsMerger(windows(T), "AVG", (M, M), (H, W), False)
    merger.add(range(4), moments(movie[:4], "AVG"))
    with pytest.raises(ValueError, match="out of order"):
        merger.add(range(2, 6), moments(movie[2:6], "AVG"))


def test_result_needs_every_frame(movie: NDArray[np.float64]) -> None:
    merger = MomentsMerger(windows(T, 10), "AVG", (M, M), (H, W), False)
    merger.add(range(10), moments(movie[:10], "AVG"))
    with pytest.raises(RuntimeError, match="2 of 3 time points"):
        merger.result()
