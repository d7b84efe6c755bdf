"""What Fourier interpolation takes of whole frames, before the kernel: by transforms.

An image, mirrored at its edges, is a sum of cosine waves. The kernel cannot evaluate
such a sum, which takes all pixels for each point; it is handed the gradients at the
half-pixel points and the magnified image.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.esrrf.gradients import VANISHING, Operator, differences
from napari_nanopyx._kernels.esrrf.tables import Geometry
from napari_nanopyx._kernels.magnify import fourier
from napari_nanopyx._kernels.magnify.plan import MagnifyPlan
from napari_nanopyx._kernels.moments import cells

Image = NDArray[np.float64]


def lattices(
    block: NDArray[Any],
    shifts: NDArray[np.integer[Any]],
    operator: Operator,
    geometry: Geometry,
    threads: int,
) -> NDArray[np.float32]:
    """Return the directions of the gradients around each frame's half-pixel points.

    Parameters
    ----------
    block : ndarray, shape (n, H, W)
    shifts : ndarray of int, shape (n, 2) or (1, 2)
        Camera pixels by which each frame is read displaced.
    operator : {"roberts", "two_point"}
    geometry : Geometry
        How a part that is the whole frame lies in memory.
    threads : int

    Returns
    -------
    ndarray of float32, shape (n, 8, rows, stride)
        The column component, then the row component, each in four planes: points on
        even or odd rows and columns of the lattice. Beyond its edges the frame is
        mirrored.
    """
    count = len(block)
    planes = np.empty((count, 8, geometry.rows, geometry.stride), np.float32)
    places = np.broadcast_to(shifts, (count, 2)) - geometry.before

    def fill(
        image: NDArray[Any], first: NDArray[Any], out: NDArray[np.float32]
    ) -> None:
        sizes = zip(first, out.shape[1:], image.shape, strict=True)
        around = [
            _mirrored(2 * start + np.arange(-1, 2 * length + 1), 2 * size)
            for start, length, size in sizes
        ]
        row, column = differences(half_pixels(image)[np.ix_(*around)], operator)
        norm = np.sqrt(row * row + column * column)
        norm[norm <= VANISHING * np.abs(image).max()] = np.inf
        for plane in range(4):
            odd = slice(plane // 2, None, 2), slice(plane % 2, None, 2)
            np.divide(column[odd], norm[odd], out=out[plane], casting="same_kind")
            np.divide(row[odd], norm[odd], out=out[plane + 4], casting="same_kind")

    with ThreadPoolExecutor(min(threads, count)) as pool:
        list(pool.map(fill, block, places, planes))
    return planes


def half_pixels(image: NDArray[Any]) -> Image:
    """Return the image's waves at every half pixel from edge to edge, without its mean.

    Parameters
    ----------
    image : ndarray, shape (H, W)

    Returns
    -------
    ndarray of float64, shape (2 * H + 1, 2 * W + 1)
        Entry ``(k, l)`` lies at ``(k / 2, l / 2)``; pixel centres are at odd ones.
    """
    values = np.subtract(image, image.mean(dtype=np.float64), dtype=np.float64)
    for axis in (0, 1):
        shape = list(values.shape)
        shape[axis] = 2 * shape[axis] + 1
        finer = np.empty(shape)
        odd, even = ([slice(None)] * 2 for _ in range(2))
        odd[axis], even[axis] = slice(1, None, 2), slice(0, None, 2)
        finer[tuple(odd)] = values
        finer[tuple(even)] = _at_edges(values, axis)
        values = finer
    result: Image = values
    return result


def magnified(
    block: NDArray[Any], frames: range, plan: MagnifyPlan, pitch: int, threads: int
) -> NDArray[np.float32]:
    """Return the magnified frames phase by phase, shape (n, M * M, H, pitch)."""
    _, height, width = plan.shape
    images = np.empty((len(block), *plan.output_shape), np.float32)
    fourier.start_transform(plan, threads)(block, frames, {"magnified": images})
    m = plan.output_shape[0] // height
    parted = np.zeros((len(block), m * m, height, pitch), np.float32)
    for image, phases in zip(images, parted, strict=True):
        for phase, cell in zip(phases, cells(image, (m, m)), strict=True):
            phase[:, :width] = cell
    return parted


def _at_edges(values: Image, axis: int) -> Image:
    """Return the waves along an axis at its samples' edges, one more than samples."""
    from scipy import fft

    length = values.shape[axis]
    after = [(0, 0), (0, 0)]
    after[axis] = (0, 1)
    waves = np.pad(fft.dct(values, axis=axis), after)
    edges: Image = fft.dct(waves, 1, axis=axis) / (2 * length)
    return edges


def _mirrored(places: NDArray[np.intp], last: int) -> NDArray[np.intp]:
    """Return where points are found that go back and forth between 0 and the last."""
    around = places % (2 * last)
    return np.minimum(around, 2 * last - around)
