"""Sample frames at any points: the task's declaration."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.declaration import Parameter, Task
from napari_nanopyx._kernels.warp import maps
from napari_nanopyx._kernels.warp.plan import Kernel, WarpPlan


def example() -> tuple[NDArray[Any], dict[str, Any]]:
    """Return a small stack and a turn to try the task on."""
    frames = np.random.default_rng(5).poisson(200, (3, 23, 37)).astype(np.uint16)
    affine = maps.turned((23, 37), np.array([[0.25, -1.5]]), (1.1, 0.9), 0.2)
    return frames, {"affine": affine}


def arguments(
    shape: tuple[int, ...],
    kernel: Any = "catmull_rom",
    angle: Any = 0.1,
    field: bool = False,
) -> dict[str, Any]:
    """Return what the plan takes: a turn about the middle, and shifts if wanted."""
    if not isinstance(angle, int | float) or not abs(angle) <= np.pi:
        raise ValueError(
            f"angle is {angle!r}, but must be a number from -pi to pi, in radians"
        )
    height, width = shape[1:]
    affine = maps.turned((height, width), np.zeros((1, 2)), (1.0, 1.0), float(angle))
    given: dict[str, Any] = {"affine": affine, "kernel": kernel}
    if field:
        rows, columns = np.mgrid[:height, :width]
        waves = (np.sin(columns / 30), np.cos(rows / 20))
        given["field"] = np.stack(waves)[np.newaxis].astype(np.float32)
    return given


TASK = Task(
    name="warp",
    summary="frames sampled at any points",
    parameters=(
        Parameter("kernel", "catmull_rom", choices=get_args(Kernel)),
        Parameter("angle", 0.1, -3.2, 3.2, summary="how far rows are turned, radians"),
        Parameter("field", False, summary="whether points are shifted one by one"),
    ),
    plan=WarpPlan,
    example=example,
    arguments=arguments,
    resized=WarpPlan.resized,
)
