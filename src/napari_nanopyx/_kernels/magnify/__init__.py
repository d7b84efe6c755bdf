"""Magnify frames by any factor, shifted: the task's declaration."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.declaration import Algorithm, Parameter, Task
from napari_nanopyx._kernels.magnify import fourier
from napari_nanopyx._kernels.magnify.kernels import Kernel
from napari_nanopyx._kernels.magnify.plan import MagnifyPlan


def example() -> tuple[NDArray[Any], dict[str, Any]]:
    """Return a small stack and parameters to try the task on."""
    frames = np.random.default_rng(1).poisson(200, (3, 13, 17)).astype(np.uint16)
    return frames, {"factor": (3.0, 2.5), "shift": np.array([[0.25, -0.5]])}


def arguments(
    shape: tuple[int, ...],
    factor: Any = 5.0,
    shift: Any = (0.0, 0.0),
    kernel: Any = "catmull_rom",
) -> dict[str, Any]:
    """Return what the plan takes: one factor for each axis, a shift for each frame."""
    allowed = "a number above 0, at most 100, or such numbers for (row, column)"
    factors = _numbers("factor", factor, allowed)
    if factors.shape not in ((), (2,)) or not ((factors > 0) & (factors <= 100)).all():
        raise ValueError(f"factor is {factor!r}, but must be {allowed}")
    rows, columns = np.broadcast_to(factors, 2).tolist()
    if shape[1] * rows < 1 or shape[2] * columns < 1:
        raise ValueError(
            f"factor is {factor!r}, which leaves no pixel of {shape[1]} × {shape[2]}"
        )
    allowed = "(row, column) of all frames or of each"
    shifts = np.atleast_2d(_numbers("shift", shift, allowed))
    if shifts.shape not in ((1, 2), (shape[0], 2)) or not np.isfinite(shifts).all():
        raise ValueError(f"shift is {shift!r}, but must be {allowed}")
    return {"factor": (rows, columns), "shift": shifts, "kernel": kernel}


def takes_whole_rows(plan: MagnifyPlan) -> str:
    """Say why the kernel cannot compute a plan; an empty text if it can."""
    if plan.kernel != "fourier":
        return ""
    return "kernel is 'fourier', which takes whole rows, not neighbours of a point"


def _numbers(name: str, value: Any, allowed: str) -> NDArray[np.float64]:
    try:
        return np.asarray(value, np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} is {value!r}, but must be {allowed}") from error


TASK = Task(
    name="magnify",
    summary="interpolation onto a finer grid",
    parameters=(
        Parameter("row_factor", 5.0, 0.1, 20.0, summary="output rows per input row"),
        Parameter("column_factor", 5.0, 0.1, 20.0, summary="the same for columns"),
        Parameter("kernel", "catmull_rom", choices=get_args(Kernel)),
    ),
    plan=MagnifyPlan,
    example=example,
    arguments=arguments,
    resized=MagnifyPlan.resized,
    unfit=takes_whole_rows,
    algorithms=(
        Algorithm(
            "matrix",
            "a matrix product along either axis",
            unfit=fourier.not_fourier,
            flops=fourier.matrix_flops,
            start=fourier.start_matrix,
        ),
        Algorithm(
            "dct",
            "cosine transforms to more samples",
            unfit=fourier.not_whole,
            flops=fourier.transform_flops,
            start=fourier.start_transform,
        ),
    ),
)
