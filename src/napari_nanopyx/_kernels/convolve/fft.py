"""Convolution as a product of Fourier transforms, float32 throughout."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.convolve.plan import ConvolvePlan
from napari_nanopyx._kernels.declaration import Compute, Partial


def start(plan: ConvolvePlan, threads: int) -> Compute:
    """Transform the kernel; return what convolves blocks with it."""
    from scipy import fft

    _, height, width = plan.shape
    rows, columns = plan.kernel.shape
    size = (
        fft.next_fast_len(height + rows - 1, real=True),
        fft.next_fast_len(width + columns - 1, real=True),
    )
    margins = (
        ((rows - 1) // 2, size[0] - height - (rows - 1) // 2),
        ((columns - 1) // 2, size[1] - width - (columns - 1) // 2),
    )
    kernel_exponent = _exponent(plan.kernel)
    weights = np.ldexp(plan.kernel, -kernel_exponent)
    spectrum = fft.rfft2(weights, size, workers=threads).conj()
    total = float(plan.kernel.sum(dtype=np.float64))

    def compute(block: NDArray[Any], frames: range, outputs: Partial) -> None:  # noqa: ARG001
        for image, out in zip(block, outputs["convolved"], strict=True):
            mean = float(image.mean(dtype=np.float64))
            pixels = (image - mean).astype(np.float64)
            exponent = _exponent(pixels)
            scaled = np.ldexp(pixels, -exponent).astype(np.float32)
            image_spectrum = fft.rfft2(
                np.pad(scaled, margins, mode="edge"), workers=threads
            )
            image_spectrum *= spectrum
            sums = fft.irfft2(image_spectrum, size, workers=threads, overwrite_x=True)
            with np.errstate(over="ignore"):
                out[...] = (
                    np.ldexp(sums[:height, :width], exponent + kernel_exponent)
                    + mean * total
                )

    return compute


def _exponent(values: NDArray[Any]) -> int:
    """Return the power of two that brings the values near 1."""
    return int(np.frexp(max(-float(values.min()), float(values.max())))[1])
