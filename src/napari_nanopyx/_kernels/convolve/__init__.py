"""Weighted sums of neighbouring pixels: the task's declaration."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.convolve import fft
from napari_nanopyx._kernels.convolve.plan import ConvolvePlan
from napari_nanopyx._kernels.declaration import Algorithm, Parameter, Task


def example() -> tuple[NDArray[Any], dict[str, Any]]:
    """Return a small stack and a separable kernel to try the task on."""
    frames = np.random.default_rng(3).poisson(200, (3, 21, 150)).astype(np.uint16)
    kernel = np.outer([1, 2, 4, 2, 1], [1, 3, 1]).astype(np.float32)
    return frames, {"kernel": kernel}


def not_separable(plan: ConvolvePlan) -> str:
    """Say why a kernel cannot be applied in two steps; an empty text if it can."""
    if plan.factors is not None:
        return ""
    return "this kernel is not a column times a row, as its rank is above 1"


def separated_flops(plan: ConvolvePlan) -> float:
    """Return the operations of two kernels of one row or column, each half as fast."""
    return 4.0 * sum(plan.kernel.shape) * plan.shape[1] * plan.shape[2]


def arguments(
    shape: tuple[int, ...],  # noqa: ARG001
    kernel: Any = None,
    kernel_size: Any = 7,
    separable: bool = False,
) -> dict[str, Any]:
    """Return what the plan takes: a kernel, or one of this size (a side or two)."""
    if kernel is None:
        sides = np.broadcast_to(np.asarray(kernel_size), 2)
        if sides.dtype.kind not in "iu" or not ((sides >= 1) & (sides <= 101)).all():
            raise ValueError(
                f"kernel_size is {kernel_size!r}, but must be a whole number from 1 to "
                "101, or two of them (rows, columns)"
            )
        random = np.random.default_rng(4)
        kernel = random.random(tuple(sides.tolist()))
        if separable:
            kernel = np.outer(kernel[:, 0], kernel[0])
        kernel /= kernel.sum()
    weights = np.asarray(kernel)
    if weights.ndim != 2 or not weights.size or weights.dtype.kind not in "buif":
        raise ValueError(
            f"kernel has shape {weights.shape} and dtype {weights.dtype}, but must be "
            "numbers of shape (rows, columns)"
        )
    return {"kernel": weights.astype(np.float32)}


TASK = Task(
    name="convolve",
    summary="Weighted sums of the pixels around each pixel",
    parameters=(
        Parameter("kernel_height", 7, 1, 101, summary="rows of the kernel"),
        Parameter("kernel_width", 7, 1, 101, summary="columns of the kernel"),
    ),
    plan=ConvolvePlan,
    example=example,
    arguments=arguments,
    resized=ConvolvePlan.resized,
    algorithms=(
        Algorithm(
            "separable",
            "down the columns, then along the rows",
            unfit=not_separable,
            flops=separated_flops,
            rewritten=ConvolvePlan.separated,
        ),
        Algorithm(
            "fft",
            "as a product of Fourier transforms",
            flops=fft.flops,
            start=fft.start,
        ),
    ),
)
