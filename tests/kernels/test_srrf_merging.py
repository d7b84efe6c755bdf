"""SRRF's reductions equal their definitions, however the frames are cut into blocks."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from phases import interleave

from napari_nanopyx._kernels import lags
from napari_nanopyx._kernels.srrf import merging
from napari_nanopyx._kernels.srrf.merging import LEAST_FRAMES, Temporal
from napari_nanopyx._kernels.windows import segments, windows

M, H, W, T = 2, 3, 4, 41
TEMPORAL: tuple[Temporal, ...] = get_args(Temporal)
AUTOCUMULANTS: tuple[Temporal, ...] = ("TRAC2", "TRAC3", "TRAC4")

Frames = NDArray[np.float64]


def autocumulant(series: Frames, mean: Frames, order: int) -> Frames:
    """Compute one level as the definition says, term by term."""
    d = series - mean
    starts = range(len(d) - order)

    def total(*lags: int) -> Frames:
        terms = [np.prod([d[t + lag] for lag in lags], axis=0) for t in starts]
        return np.sum(terms, axis=0)

    if order < 4:
        return np.abs(total(*range(order))) / len(d)
    cumulant = total(0, 1, 2, 3) - total(0, 1) * total(2, 3)
    cumulant -= total(0, 2) * total(1, 3) + total(0, 3) * total(1, 2)
    return np.abs(cumulant) / len(d)


def direct(frames: Frames, temporal: Temporal, *, integrate: bool) -> Frames:
    """Compute the reduction as its definition says."""
    if temporal not in AUTOCUMULANTS:
        positive = np.maximum(frames, 0)
        pairs = [
            positive[i] * positive[j] for i in range(len(frames)) for j in range(i + 1)
        ]
        answers = {
            "TRM": frames.max(axis=0),
            "TRA": frames.mean(axis=0),
            "STD": frames.std(axis=0),
            "VAR": frames.var(axis=0),
            "TRPPM": np.mean(pairs, axis=0),
        }
        return answers[temporal]
    order, mean = int(temporal[-1]), frames.mean(axis=0)
    series, result = frames, np.zeros_like(mean)
    while len(series) > order:
        result += autocumulant(series, mean, order)
        length = len(series) // order
        groups = series[: order * length].reshape(length, order, *mean.shape)
        series = groups.mean(axis=1)
        if not integrate:
            break
    return result


def merged(
    radiality: Frames,
    light: Frames | None,
    temporal: Temporal,
    times: list[range],
    block: int,
    *,
    integrate: bool = True,
) -> NDArray[np.float32]:
    merger = merging.merger(
        temporal,
        times,
        (M, H, W),
        integrate_lag_times=integrate,
    )
    pad = ((0, 0), (0, 3))
    for segment in segments(times):
        for start in range(segment.start, segment.stop, block):
            frames = range(start, min(start + block, segment.stop))
            cut = slice(frames.start, frames.stop)
            weights = None if light is None else light[cut]
            partial = merging.partial(radiality[cut], weights, temporal)
            for name, planes in partial.items():
                wide = ((0, 0),) * (planes.ndim - 2) + pad
                partial[name] = np.pad(planes, wide, constant_values=np.nan)
            merger.add(frames, partial)
    return merger.result()


@pytest.fixture
def movie() -> Frames:
    rng = np.random.default_rng(14)
    return 0.4 + rng.normal(scale=0.1, size=(T, M * M, H, W)).cumsum(axis=0)


@pytest.mark.parametrize("integrate", [True, False])
@pytest.mark.parametrize("temporal", TEMPORAL)
@pytest.mark.parametrize("block", [1, 2, 7, T])
@pytest.mark.parametrize("length", [0, 5, 13])
def test_equals_the_definition(
    movie: Frames, temporal: Temporal, integrate: bool, block: int, length: int
) -> None:
    least = LEAST_FRAMES[temporal]
    times = [time for time in windows(T, length) if len(time) >= least]
    result = merged(movie, None, temporal, times, block, integrate=integrate)
    expected = [
        interleave(direct(movie[t.start : t.stop], temporal, integrate=integrate))
        for t in times
    ]
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, np.stack(expected), rtol=2e-6, atol=1e-9)


@pytest.mark.parametrize("temporal", merging.WEIGHTED_AFTER)
def test_weighted_afterwards(movie: Frames, temporal: Temporal) -> None:
    light = np.random.default_rng(15).uniform(0, 9, movie.shape)
    weight = light if temporal == "TRPPM" else movie * light
    expected = direct(movie, temporal, integrate=True) * weight.mean(axis=0)
    result = merged(movie, light, temporal, [range(T)], 6)
    np.testing.assert_allclose(result[0], interleave(expected), rtol=2e-6, atol=1e-9)


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_blocks_do_not_matter(movie: Frames, temporal: Temporal) -> None:
    results = [merged(movie, None, temporal, [range(T)], size) for size in (1, 3, T)]
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], rtol=2e-7)


@pytest.mark.parametrize("temporal", ["TRAC2", "TRAC3", "TRAC4", "STD", "VAR"])
def test_steady_pixels_have_exactly_none(temporal: Temporal) -> None:
    still = np.broadcast_to(
        np.random.default_rng(16).uniform(0, 1, (M * M, H, W)), (T, M * M, H, W)
    )
    assert not merged(still, None, temporal, [range(T)], 4).any()


@pytest.mark.parametrize("temporal", ["TRM", "TRPPM", "TRAC2"])
def test_frames_must_come_in_order_and_all(movie: Frames, temporal: Temporal) -> None:
    merger = merging.merger(
        temporal, [range(10), range(10, 20)], (M, H, W), integrate_lag_times=True
    )
    merger.add(range(10), merging.partial(movie[:10], None, temporal))
    with pytest.raises(ValueError, match="out of order"):
        merger.add(range(8, 12), merging.partial(movie[8:12], None, temporal))
    with pytest.raises(RuntimeError, match="1 of 2 time points"):
        merger.result()


def stored(partial: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return a block as the compiled kernel leaves it."""
    return lags.as_stored(partial, W)


def compiled(
    movie: Frames,
    order: int,
    block: int,
    *,
    light: Frames | None = None,
    integrate: bool = True,
    simd: int | None = None,
    threads: int = 1,
) -> NDArray[np.float32]:
    image = np.full((M * H, M * W), np.nan, np.float32)
    sums = lags.LagSums(len(movie), (M, H, W), order, integrate=integrate, simd=simd)
    for start in range(0, len(movie), block):
        cut = slice(start, start + block)
        weights = None if light is None else light[cut]
        partial = merging.partial(movie[cut], weights, f"TRAC{order}")  # type: ignore[arg-type]
        is_last = start + block >= len(movie)
        given = stored(partial) if start % (2 * block) == 0 else partial
        sums.add(len(movie[cut]), given, image if is_last else None, threads)
    return image


def assert_is(result: NDArray[np.float32], expected: Frames) -> None:
    """Allow what the images' rounding to float32 makes of products."""
    wanted = interleave(expected)
    np.testing.assert_allclose(result, wanted, rtol=1e-5, atol=2e-7 * wanted.max())


@pytest.mark.parametrize("simd", [0, 2, 3, 4, None])
@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("block", [1, 3, 16, T])
@pytest.mark.parametrize("integrate", [True, False])
def test_the_compiled_core_equals_the_definition(
    movie: Frames, simd: int | None, order: int, block: int, integrate: bool
) -> None:
    """At every instruction set; every other block is one that the reference left."""
    module = lags.core()
    assert module is not None
    if simd is not None and simd > module.level():
        pytest.skip("the processor does not have these instructions")
    light = np.random.default_rng(15).uniform(0, 9, movie.shape)
    expected = direct(movie, f"TRAC{order}", integrate=integrate)  # type: ignore[arg-type]
    result = compiled(movie, order, block, integrate=integrate, simd=simd)
    assert_is(result, expected)
    weight = (movie * light).mean(axis=0)
    result = compiled(
        movie, order, block, light=light, integrate=integrate, simd=simd, threads=2
    )
    assert_is(result, expected * weight)


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("length", range(3, 21))
def test_the_compiled_core_takes_any_number_of_frames(
    movie: Frames, order: int, length: int
) -> None:
    if length <= order:
        pytest.skip("too few frames")
    expected = direct(movie[:length], f"TRAC{order}", integrate=True)  # type: ignore[arg-type]
    for block in (1, 4, length):
        assert_is(compiled(movie[:length], order, block), expected)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_a_bright_first_frame_costs_the_compiled_core_no_digits(
    movie: Frames, order: int
) -> None:
    """It counts from the mean of the first few frames, and steady pixels have none."""
    movie = movie.copy()
    movie[0] += 5.0
    movie[:, 0] = movie[0, 0]
    expected = direct(movie, f"TRAC{order}", integrate=True)  # type: ignore[arg-type]
    expected[0] = 0.0
    for block in (1, 5, T):
        result = compiled(movie, order, block)
        assert_is(result, expected)
        assert not result[::M, ::M].any()


def test_float32_blocks_are_for_the_compiled_core(
    movie: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is not installed, NumPy reduces them too."""

    def reduced() -> NDArray[np.float32]:
        merger = merging.merger(
            "TRAC3", [range(T)], (M, H, W), integrate_lag_times=True
        )
        for start in (0, 20):
            cut = slice(start, start + 20 if start == 0 else T)
            block = stored(merging.partial(movie[cut], None, "TRAC3"))
            merger.add(range(T)[cut], block)
        return merger.result()[0]

    there = reduced()
    monkeypatch.setattr(lags, "core", lambda: None)
    with pytest.raises(RuntimeError, match="not installed"):
        lags.LagSums(T, (M, H, W), 3, integrate=True)
    np.testing.assert_allclose(reduced(), there, rtol=1e-5)
