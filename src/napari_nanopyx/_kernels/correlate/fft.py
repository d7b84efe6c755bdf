"""Correlation as a product of Fourier transforms, in float32, a few frames a thread."""

from __future__ import annotations

from collections.abc import Callable
from math import log2, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.correlate.interpolation import kept
from napari_nanopyx._kernels.correlate.plan import CorrelatePlan
from napari_nanopyx._kernels.declaration import Compute, Partial
from napari_nanopyx._kernels.products import BY_ONE_THREAD
from napari_nanopyx._kernels.threads import spread

FEW_BYTES = 2**20
"""Pixels that a thread transforms at a time, so that they stay in its cache."""

SHARED_PIXELS = 2**20
"""Pixels of a block, of the reference's size, below which one thread transforms it: a
few milliseconds' work, in which others hardly have begun."""

MOST_WAVES = 24
"""Whole displacements along an axis above which a transform is faster than a product
with a matrix."""

FLOPS_PER_PIXEL = 35.0
"""How many operations of the kernel take as long as one pixel of a transform there and
back, for each doubling of the pixels."""

Spectra = NDArray[np.complex64]
Inverse = Callable[[NDArray[Any]], NDArray[Any]]


def flops(plan: CorrelatePlan) -> float:
    """Return how many operations of the kernel take about as long as a frame."""
    pixels = prod(plan.scene.shape[1:])
    transforms = 1.6 if plan.has_many else 1.0
    return FLOPS_PER_PIXEL * pixels * log2(pixels + 1) * transforms


def unfit(plan: CorrelatePlan) -> str:
    """Say why a plan cannot be computed this way; an empty text if it can."""
    pairs = zip(plan.shape[1:], plan.scene.shape[1:], strict=True)
    if all(side <= length for side, length in pairs):
        return ""
    return "the frames are larger than the reference"


def start(plan: CorrelatePlan, threads: int) -> Compute:
    """Transform the reference; return what correlates blocks with it."""
    lengths = plan.scene.shape[1:]
    at_once = max(1, FEW_BYTES // (4 * prod(lengths)))
    only = None if plan.has_many else np.conj(_transformed(plan.scene, lengths))
    inverses = [
        _inverse(length, reach, plan.finer, axis, axis == len(lengths))
        for axis, (length, reach) in enumerate(
            zip(lengths, plan.reach, strict=True), start=1
        )
    ]

    def few(block: NDArray[Any], frames: range) -> NDArray[Any]:
        products = _transformed(plan.templates(block, frames), lengths)
        if only is None:
            images = plan.scene[frames.start : frames.stop]
            products *= np.conj(_transformed(images, lengths))
        else:
            products *= only
        for inverse in inverses:
            products = inverse(products)
        return products

    def compute(block: NDArray[Any], frames: range, outputs: Partial) -> None:
        sums = outputs["sums"]

        few_pixels = len(block) * prod(lengths) < SHARED_PIXELS
        workers = 1 if few_pixels else threads
        step = max(1, min(at_once, -(-len(block) // workers)))

        def job(first: int) -> None:
            part = slice(first, min(first + step, len(block)))
            sums[part] = few(block[part], frames[part])

        spread(job, range(0, len(block), step), workers)

    return compute


def _transformed(images: NDArray[Any], lengths: tuple[int, ...]) -> Spectra:
    """Return half of the transform of images that are continued by zeros."""
    from scipy import fft

    result: Spectra = fft.rfft(images, lengths[-1], axis=-1)
    for axis, length in enumerate(lengths[:-1], start=1):
        result = fft.fft(result, length, axis=axis, overwrite_x=True)
    return result


def _inverse(length: int, reach: int, finer: int, axis: int, is_last: bool) -> Inverse:
    """Return what goes back along an axis, to the displacements that are wanted."""
    from scipy import fft

    if finer > 1 or 2 * reach + 1 <= MOST_WAVES:
        waves = _waves(length, np.arange(-reach, reach + 1) / finer, finer)
        return _summed(waves) if is_last else _along(waves, axis)
    places = np.arange(-reach, reach + 1)

    def transformed(products: NDArray[Any]) -> NDArray[Any]:
        if is_last:
            lines = fft.irfft(products, length, axis=axis, overwrite_x=True)
        else:
            lines = fft.ifft(products, axis=axis, overwrite_x=True)
        return np.take(lines, places, axis=axis, mode="wrap")

    return transformed


def _along(waves: Spectra, axis: int) -> Inverse:
    """Return what multiplies by waves, (places, length), along an axis."""
    both = np.concatenate((waves.real, waves.imag))
    step = max(1, BY_ONE_THREAD // both.size)

    def inverse(products: Spectra) -> Spectra:
        lines = np.moveaxis(products, axis, -2).view(np.float32)
        found = [
            both @ lines[..., first : first + step]
            for first in range(0, lines.shape[-1], step)
        ]
        pair = np.split(np.concatenate(found, axis=-1), 2, axis=-2)
        real, imaginary = (each.view(np.complex64) for each in pair)
        return np.moveaxis(real + np.complex64(1j) * imaginary, -2, axis)

    return inverse


def _summed(waves: Spectra) -> Inverse:
    """Return the same for half of a line, of which the other half is the conjugate."""
    length = waves.shape[1]
    half = waves[:, : length // 2 + 1].copy()
    half[:, 1 : (length + 1) // 2] *= 2
    pairs = half.conj().view(np.float32).T.copy()
    return lambda products: np.ascontiguousarray(products).view(np.float32) @ pairs


def _waves(length: int, places: NDArray[np.float64], finer: int) -> Spectra:
    """Return the inverse transform of a line, to some places: (places, length)."""
    numbers = np.rint(np.fft.fftfreq(length) * length)
    waves = np.exp(2j * np.pi * places[:, np.newaxis] * numbers / length)
    waves *= kept(length, finer)[np.abs(numbers).astype(int)] / length
    result: Spectra = waves.astype(np.complex64)
    return result
