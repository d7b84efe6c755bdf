"""Enhanced super-resolution radial fluctuations: the task's declaration."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.declaration import Parameter, Task
from napari_nanopyx._kernels.esrrf.gradients import Interpolation
from napari_nanopyx._kernels.esrrf.plan import EsrrfPlan


def example() -> tuple[NDArray[Any], dict[str, Any]]:
    """Return a small movie and parameters to try the task on."""
    frames = np.random.default_rng(2).poisson(200, (5, 19, 23)).astype(np.uint16)
    return frames, {"magnification": 4, "radius": 1.5, "sensitivity": 2.0}


def arguments(
    shape: tuple[int, ...],
    *,
    drift: bool = False,
    border: str = "extend",
    frames_per_timepoint: int = 0,
    frame_gap: int = 0,
    macro_pixel_correction: bool = True,
    **others: Any,
) -> dict[str, Any]:
    """Return what the plan takes; a drift that is asked for goes two pixels far."""
    if border not in ("extend", "zero"):
        raise ValueError(f"border is {border!r}, but must be 'extend' or 'zero'")
    windows = {"frames_per_timepoint": frames_per_timepoint, "frame_gap": frame_gap}
    for name, value in windows.items():
        if not isinstance(value, int | np.integer) or value < 0:
            raise ValueError(f"{name} is {value!r}, but must be a whole number from 0")
    if not isinstance(macro_pixel_correction, bool):
        raise TypeError(
            f"macro_pixel_correction is {macro_pixel_correction!r}, but must be True "
            "or False"
        )
    return {
        "drift": np.linspace((0.0, 0.0), (2.0, -2.0), shape[0]) if drift else None,
        "border": border,
        "macro_pixel_correction": macro_pixel_correction,
        **windows,
        **others,
    }


def resized(plan: EsrrfPlan, shape: tuple[int, ...]) -> EsrrfPlan:
    """Return what a plan of either kind is for frames of this shape."""
    return plan.resized(shape)


TASK = Task(
    name="esrrf",
    summary="Radial gradient convergence of every frame, reduced over time",
    parameters=(
        Parameter("magnification", 5, 1, 10, summary="output pixels per camera pixel"),
        Parameter("radius", 1.5, 0.1, 5.0, summary="half the window, in pixels"),
        Parameter("sensitivity", 1.0, 0.4, 10.0, summary="exponent of the convergence"),
        Parameter("temporal", "AVG", choices=("AVG", "VAR", "TAC2", "STD")),
        Parameter("intensity_weighting", True),
        Parameter("interpolation", "catmull_rom", choices=get_args(Interpolation)),
        Parameter("gradient", "roberts", choices=("roberts", "two_point")),
        Parameter("drift", False, summary="whether each frame is shifted"),
    ),
    plan=EsrrfPlan,
    example=example,
    arguments=arguments,
    resized=resized,
)
