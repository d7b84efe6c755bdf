"""Super-resolution radial fluctuations: the task's declaration."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.declaration import Parameter, Task
from napari_nanopyx._kernels.srrf.merging import LEAST_FRAMES, Temporal, Weight
from napari_nanopyx._kernels.srrf.plan import SrrfPlan


def example() -> tuple[NDArray[Any], dict[str, Any]]:
    """Return a small movie and parameters to try the task on."""
    frames = np.random.default_rng(3).poisson(200, (5, 19, 23)).astype(np.uint16)
    return frames, {"magnification": 4, "ring_radius": 0.7, "temporal": "TRPPM"}


def arguments(
    shape: tuple[int, ...], *, drift: bool = False, **others: Any
) -> dict[str, Any]:
    """Return what the plan takes; a drift that is asked for goes two pixels far."""
    temporal = others.get("temporal", "TRA")
    least = LEAST_FRAMES[temporal]
    if shape[0] < least:
        raise ValueError(
            f"temporal is {temporal!r}, which needs at least {least} frames, but there "
            f"are {shape[0]}"
        )
    windows = others.get("frames_per_timepoint", 0)
    if not isinstance(windows, int | np.integer) or not (
        windows == 0 or windows >= least
    ):
        raise ValueError(
            f"frames_per_timepoint is {windows!r}, but must be 0 or a whole number "
            f"from {least} up"
        )
    shifts = np.linspace((0.0, 0.0), (2.0, -2.0), shape[0]) if drift else None
    return {"drift": shifts, **others}


TASK = Task(
    name="srrf",
    summary="Radiality of every frame, reduced over time",
    parameters=(
        Parameter("magnification", 5, 1, 10, summary="output pixels per camera pixel"),
        Parameter("ring_radius", 0.5, 0.1, 3.0, summary="radius of the ring in pixels"),
        Parameter("axes", 6, 2, 8, summary="half the samples on the ring"),
        Parameter("temporal", "TRA", choices=get_args(Temporal)),
        Parameter("intensity_weighting", True),
        Parameter("weight", "after", choices=get_args(Weight)),
        Parameter("gradient_smoothing", False),
        Parameter("drift", False, summary="whether each frame is shifted"),
    ),
    plan=SrrfPlan,
    example=example,
    arguments=arguments,
    resized=SrrfPlan.resized,
)
