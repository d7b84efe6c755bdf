"""Fourier magnification: as products of matrices, or by cosine transforms.

A row of pixels, mirrored at both ends, is a sum of as many cosine waves as it has
pixels. Both ways evaluate that sum between the pixels, in float32. The mean of a frame
is taken off before, so that a bright background costs no digits.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import catmull_rom
from napari_nanopyx._kernels.declaration import Compute, Partial
from napari_nanopyx._kernels.magnify.plan import MagnifyPlan

PRODUCT_SHARE = 0.5
"""How many of the kernel's operations take as long as one of a matrix product."""

FLOPS_PER_PIXEL = 3.0
"""The same for a pixel of a transform, for each doubling of the pixels."""

OTHER = "kernel is {!r}, which takes a few neighbours of each point, not whole rows"

Resample = Callable[[NDArray[np.float32], int], NDArray[np.float32]]
"""Replaces the samples of an image along one axis by others, on so many threads."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Where the output samples along one axis lie on the input."""

    number: int
    length: int
    shift: float
    points: NDArray[np.float64]

    @property
    def inside(self) -> slice:
        """Output samples that lie on the axis: one run, or none."""
        found = np.flatnonzero(catmull_rom.inside(self.points, self.length))
        return slice(found[0], found[-1] + 1) if len(found) else slice(0, 0)


def not_fourier(plan: MagnifyPlan) -> str:
    """Say why the interpolation is not this one; an empty text if it is."""
    return "" if plan.kernel == "fourier" else OTHER.format(plan.kernel)


def not_whole(plan: MagnifyPlan) -> str:
    """Say why cosine transforms cannot compute a plan; an empty text if they can."""
    if plan.kernel == "fourier" and any(factor % 1 for factor in plan.factor):
        row, column = plan.factor
        return f"the factors are {row:g} and {column:g}, but must be whole numbers"
    return not_fourier(plan)


def matrix_flops(plan: MagnifyPlan) -> float:
    """Return how many operations of the kernel take about as long as the products."""
    _, height, width = plan.shape
    rows, columns = plan.output_shape
    return PRODUCT_SHARE * 2.0 * rows * width * (height + columns)


def transform_flops(plan: MagnifyPlan) -> float:
    """Return how many operations of the kernel take about as long as transforms."""
    pixels = plan.output_shape[0] * plan.output_shape[1]
    return FLOPS_PER_PIXEL * pixels * log2(pixels + 1)


def start_matrix(plan: MagnifyPlan, threads: int) -> Compute:
    """Return what magnifies by a matrix for each axis; NumPy has threads of its own."""
    return _start(plan, threads, _by_matrix, at_once=1)


def start_transform(plan: MagnifyPlan, threads: int) -> Compute:
    """Return what magnifies by cosine transforms."""
    return _start(plan, threads, _by_transform, at_once=threads)


def _start(
    plan: MagnifyPlan,
    threads: int,
    resampling: Callable[[Axis], Resample],
    at_once: int,
) -> Compute:
    """Return what magnifies so many frames at once, resampling along either axis."""

    def prepared(shift: NDArray[np.float64]) -> list[tuple[slice, Resample]]:
        axes = map(Axis, (0, 1), plan.shape[1:], shift.tolist(), plan.points(*shift))
        return [(axis.inside, resampling(axis)) for axis in axes]

    common = None if plan.tables_vary else prepared(plan.shift[0])

    def magnify(
        image: NDArray[Any], out: NDArray[np.float32], number: int, workers: int
    ) -> None:
        (rows, down), (columns, across) = common or prepared(plan.shift[number])
        mean = image.mean(dtype=np.float64)
        values = np.subtract(image, mean, dtype=np.float64).astype(np.float32)
        magnified = across(down(values, workers)[rows], workers)[:, columns]
        out[...] = 0.0
        np.add(magnified, np.float32(mean), out=out[rows, columns])

    def compute(block: NDArray[Any], frames: range, outputs: Partial) -> None:
        workers = max(1, threads // len(block))
        with ThreadPoolExecutor(at_once) as pool:
            jobs = [
                pool.submit(magnify, image, out, number, workers)
                for image, out, number in zip(
                    block, outputs["magnified"], frames, strict=True
                )
            ]
            for job in jobs:
                job.result()

    return compute


def _by_matrix(axis: Axis) -> Resample:
    weights = matrix(axis.length, axis.points).astype(np.float32)

    def resample(image: NDArray[np.float32], workers: int) -> NDArray[np.float32]:  # noqa: ARG001
        return weights @ image if axis.number == 0 else image @ weights.T

    return resample


def matrix(length: int, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each sample of an axis weighs at each point, (points, length).

    The sum over all cosine waves has a closed form: a periodic sinc around the sample,
    and another around its mirror image.
    """
    places = points[:, np.newaxis]
    samples = np.arange(length) + 0.5
    near, mirrored = places - samples, places + samples
    return _periodic_sinc(length, near) + _periodic_sinc(length, mirrored)


def _periodic_sinc(length: int, distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a peak at every multiple of twice the length, limited to its waves."""
    period = 2.0 * length
    angle = np.pi / period * (distance - period * np.round(distance / period))
    at_peak = np.abs(angle) < 1e-12
    angle[at_peak] = 1.0
    result: NDArray[np.float64] = np.sin((period - 1.0) * angle) / np.sin(angle)
    result[at_peak] = period - 1.0
    return result / period


def _by_transform(axis: Axis) -> Resample:
    """Return what shifts the waves and evaluates them on a finer grid.

    A shifted cosine wave is a sum of a cosine and a sine.
    """
    from scipy import fft

    length, count, number = axis.length, len(axis.points), axis.number
    phases = np.pi / length * axis.shift * np.arange(length)
    if number == 0:
        phases = phases[:, np.newaxis]
    cosines = (np.cos(phases) / (2 * length)).astype(np.float32)
    sines = (np.sin(phases) / (2 * length)).astype(np.float32)
    rising = (slice(1, None), slice(None))[:: 1 - 2 * number]

    def resample(image: NDArray[np.float32], workers: int) -> NDArray[np.float32]:
        waves = fft.dct(image, axis=number, workers=workers)
        result: NDArray[np.float32] = fft.dct(
            waves * cosines, 3, count, number, workers=workers
        )
        if axis.shift and length > 1:
            odd = (waves * sines)[rising]
            result += fft.dst(odd, 3, count, number, workers=workers)
        return result

    return resample
