"""Magnify frames by any factor, shifted: the task's declaration."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.declaration import Parameter, Task
from napari_nanopyx._kernels.magnify.plan import MagnifyPlan


def example() -> tuple[NDArray[Any], dict[str, Any]]:
    """Return a small stack and parameters to try the task on."""
    frames = np.random.default_rng(1).poisson(200, (3, 13, 17)).astype(np.uint16)
    return frames, {"factor": (3.0, 2.5), "shift": np.array([[0.25, -0.5]])}


TASK = Task(
    name="magnify",
    summary="Catmull-Rom interpolation onto a finer grid",
    parameters=(
        Parameter("row_factor", 5.0, 0.1, 20.0, summary="output rows per input row"),
        Parameter("column_factor", 5.0, 0.1, 20.0, summary="the same for columns"),
    ),
    plan=MagnifyPlan,
    example=example,
    resized=MagnifyPlan.resized,
)
