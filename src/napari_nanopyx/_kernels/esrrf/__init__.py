"""Enhanced super-resolution radial fluctuations: the task's declaration."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.declaration import Parameter, Task
from napari_nanopyx._kernels.esrrf.plan import EsrrfPlan


def example() -> tuple[NDArray[Any], dict[str, Any]]:
    """Return a small movie and parameters to try the task on."""
    frames = np.random.default_rng(2).poisson(200, (5, 19, 23)).astype(np.uint16)
    return frames, {"magnification": 4, "radius": 1.5, "sensitivity": 2.0}


TASK = Task(
    name="esrrf",
    summary="Radial gradient convergence of every frame, reduced over time",
    parameters=(
        Parameter("magnification", 5, 1, 10, summary="output pixels per camera pixel"),
        Parameter("radius", 1.5, 0.1, 5.0, summary="half the window, in pixels"),
        Parameter("sensitivity", 1.0, 0.1, 10.0, summary="exponent of the convergence"),
        Parameter("temporal", "AVG", choices=("AVG", "VAR", "TAC2", "STD")),
        Parameter("intensity_weighting", True),
        Parameter("gradient", "roberts", choices=("roberts", "two_point")),
        Parameter("drift", False, summary="whether each frame is shifted"),
    ),
    plan=EsrrfPlan,
    example=example,
    resized=EsrrfPlan.resized,
)
