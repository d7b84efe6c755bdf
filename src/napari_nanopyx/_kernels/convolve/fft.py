"""Convolution as a product of Fourier transforms, tile by tile, in float32.

A tile overlaps its neighbours by the size of the kernel, so that nothing of what the
transform wraps around is kept; it is small enough to stay in the cache of a core.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.convolve.plan import ConvolvePlan
from napari_nanopyx._kernels.declaration import Compute, Partial

MOST_TILES = 16
"""Along one axis, at least; larger images are cut further."""

LARGEST_KEPT = 512
"""Pixels along an axis that no image needs a larger tile for."""

CACHED_PIXELS = 90_000
"""Pixels of a tile whose transform stays in the cache of a core."""

UNCACHED = 0.25
"""By what share each of its pixels takes longer when a larger tile is doubled."""

TILE_PIXELS = 5_000
"""Pixels that could be transformed in the time that a tile takes besides."""

LARGEST_EXPONENT = 100
"""Powers of two up to here are float32 numbers, and so are their inverses."""

FLOPS_PER_FRAME = 1e8
"""The same for what a frame takes besides: threads, Python."""

FLOPS_PER_PIXEL = 35.0
"""How many operations of the kernel take as long as one pixel of a transform there and
back, for each doubling of the pixels."""


@dataclass(frozen=True, slots=True)
class Axis:
    """How the pixels along one axis are cut into tiles."""

    length: int
    before: int
    """Neighbours that the first pixel of a tile needs."""
    kept: int
    """Pixels of the result that a tile gives."""
    size: int
    """Pixels that are transformed for them."""

    @property
    def tiles(self) -> range:
        """First pixel of the result in each tile."""
        return range(0, self.length, self.kept)

    def pixels(self, tile: int) -> slice | NDArray[np.intp]:
        """Return the pixels that a tile is made of, edge pixels repeatedly."""
        first, stop = tile - self.before, tile - self.before + self.size
        if first >= 0 and stop <= self.length:
            return slice(first, stop)
        return np.clip(np.arange(first, stop), 0, self.length - 1)


def flops(plan: ConvolvePlan) -> float:
    """Return how many operations of the kernel take about as long as a frame."""
    _, height, width = plan.shape
    rows, columns = (int(length) for length in plan.kernel.shape)
    pixels = (height + rows) * (width + columns)
    return FLOPS_PER_PIXEL * pixels * log2(pixels) + FLOPS_PER_FRAME


def start(plan: ConvolvePlan, threads: int) -> Compute:
    """Transform the kernel; return what convolves blocks with it."""
    from scipy import fft

    rows, columns = tiling(plan.shape[1:], plan.kernel.shape)
    size = rows.size, columns.size
    kernel_scale = _scale(float(np.abs(plan.kernel).max()))
    spectrum = fft.rfft2(plan.kernel * kernel_scale, size).conj()
    total = float(plan.kernel.sum(dtype=np.float64))

    def tile_of(image: NDArray[Any], out: NDArray[np.float32]) -> Callable[..., None]:
        mean = float(image.mean(dtype=np.float64))
        scale = _scale(max(float(image.max()) - mean, mean - float(image.min())))
        offset = np.float32(mean * scale)
        base = float(offset) / float(scale) * total

        def tile(row: int, column: int, workers: int) -> None:
            pixels = image[rows.pixels(row)][:, columns.pixels(column)]
            values = np.multiply(pixels, scale, dtype=np.float32)
            values -= offset
            products = fft.rfft2(values, workers=workers, overwrite_x=True)
            products *= spectrum
            sums = fft.irfft2(products, size, workers=workers, overwrite_x=True)
            target = out[row : row + rows.kept, column : column + columns.kept]
            kept = sums[: target.shape[0], : target.shape[1]]
            with np.errstate(over="ignore"):
                kept *= 1 / kernel_scale
                kept *= 1 / scale
                np.add(kept, base, out=target)

        return tile

    def compute(block: NDArray[Any], frames: range, outputs: Partial) -> None:  # noqa: ARG001
        places = list(product(rows.tiles, columns.tiles))
        workers = max(1, threads // (len(places) * len(block)))
        with ThreadPoolExecutor(threads) as pool:
            jobs = [
                pool.submit(tile, *place, workers)
                for tile in map(tile_of, block, outputs["convolved"])
                for place in places
            ]
            for job in jobs:
                job.result()

    return compute


def tiling(shape: tuple[int, ...], kernel: tuple[int, ...]) -> tuple[Axis, Axis]:
    """Return the tiles along rows and columns that take the least time."""
    rows, columns = _cuts(shape[0], kernel[0]), _cuts(shape[1], kernel[1])
    return min(product(rows, columns), key=lambda axes: _effort(*axes))


def _cuts(length: int, kernel: int) -> list[Axis]:
    """Return the ways to cut an axis into equal tiles."""
    from scipy import fft

    most = max(MOST_TILES, -(-length // LARGEST_KEPT))
    kept = sorted({-(-length // count) for count in range(1, most + 1)})
    return [
        Axis(
            length,
            (kernel - 1) // 2,
            pixels,
            fft.next_fast_len(pixels + kernel - 1, real=True),
        )
        for pixels in kept
    ]


def _effort(rows: Axis, columns: Axis) -> float:
    """Return what a frame costs, in pixels times their share of a transform."""
    pixels = rows.size * columns.size
    slower = 1 + UNCACHED * max(0.0, log2(pixels / CACHED_PIXELS))
    tiles = len(rows.tiles) * len(columns.tiles)
    return tiles * (pixels * slower + TILE_PIXELS) * log2(pixels + 1)


def _scale(largest: float) -> np.float32:
    """Return the power of two that brings values near 1, as far as it is harmless."""
    exponent = np.clip(-np.frexp(largest)[1], -LARGEST_EXPONENT, LARGEST_EXPONENT)
    return np.float32(2.0 ** float(exponent))
