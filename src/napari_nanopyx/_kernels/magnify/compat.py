"""Interpolation as nanopyx 2.1.5 has it, for tests."""

from __future__ import annotations

from math import ceil, log2
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import catmull_rom
from napari_nanopyx._kernels.magnify import kernels

Kernel = Literal["catmull_rom", "bicubic", "lanczos", "nearest"]


def taps_at(
    kernel: Kernel, length: int, points: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the taps of each point, within the axis, with their weights.

    Samples outside the axis are left out instead of continuing it.
    """
    outside = ~catmull_rom.inside(points, length)
    if kernel == "nearest":
        taps = np.trunc(points)[:, np.newaxis]
        weights = np.ones(taps.shape)
        outside = (taps[:, 0] < 0) | (taps[:, 0] >= length)
    else:
        first, last = (-2, 2) if kernel == "lanczos" else (-1, 2)
        taps = np.floor(points - 0.5)[:, np.newaxis] + np.arange(first, last + 1)
        weight = kernels.lanczos if kernel == "lanczos" else catmull_rom.kernel
        weights = weight(points[:, np.newaxis] - (taps + 0.5))
    weights[(taps < 0) | (taps >= length)] = 0.0
    if kernel != "catmull_rom":
        weights /= np.where(outside, 1.0, weights.sum(axis=1))[:, np.newaxis]
    weights[outside] = 0.0
    return np.clip(taps, 0, length - 1).astype(np.intp), weights


def fourier(image: NDArray[Any], factor: int) -> NDArray[np.float64]:
    """Return an image magnified by zeros around its spectrum.

    It is mirrored to a square whose side is a power of two, and the result stretched to
    the range of its values.
    """
    side = 2 ** ceil(log2(max(image.shape)))
    befores = [length - (3 * length - side) // 2 for length in image.shape]
    widths = [
        (before, side - length - before)
        for before, length in zip(befores, image.shape, strict=True)
    ]
    square = np.pad(image.astype(np.float64), widths, mode="symmetric")
    half, full = side // 2, factor * side
    spectrum = np.zeros((full, full // 2 + 1), np.complex128)
    spectrum[:half, : half + 1], spectrum[-half:, : half + 1] = np.split(
        np.fft.rfft2(square), 2
    )
    wide = np.fft.irfft2(spectrum, (full, full))
    low, high = float(image.min()), float(image.max())
    wide = (wide - wide.min()) / (wide.max() - wide.min()) * (high - low) + low
    rows, columns = (factor * length for length in image.shape)
    top, left = (factor * side - rows) // 2, (factor * side - columns) // 2
    result: NDArray[np.float64] = wide[top : top + rows, left : left + columns]
    return result
