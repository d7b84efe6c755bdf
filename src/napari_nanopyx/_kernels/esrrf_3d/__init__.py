"""Enhanced super-resolution radial fluctuations of volumes: the task's declaration."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.declaration import Parameter, Task
from napari_nanopyx._kernels.esrrf_3d.plan import Esrrf3dPlan


def example() -> tuple[NDArray[Any], dict[str, Any]]:
    """Return a few small volumes and parameters to try the task on."""
    frames = np.random.default_rng(2).poisson(200, (3, 4, 11, 13)).astype(np.uint16)
    return frames, {"magnification": 2, "radius": 1.5, "sensitivity": 2.0}


TASK = Task(
    name="esrrf_3d",
    summary="Radial gradient convergence in every volume, reduced over time",
    parameters=(
        Parameter("magnification", 2, 1, 10, summary="output per camera pixel"),
        Parameter("magnification_z", 2, 1, 10, summary="output planes per plane"),
        Parameter("radius", 1.5, 0.1, 5.0, summary="half the window, in pixels"),
        Parameter("sensitivity", 1.0, 0.4, 10.0, summary="exponent of the convergence"),
        Parameter("psf_ratio", 2.8, 0.1, 20.0, summary="axial per lateral spot size"),
        Parameter("voxel_ratio", 4.0, 0.1, 20.0, summary="plane per pixel distance"),
        Parameter("temporal", "AVG", choices=("AVG", "VAR", "TAC2", "STD")),
        Parameter("intensity_weighting", True),
    ),
    plan=Esrrf3dPlan,
    example=example,
    axes=4,
    resized=Esrrf3dPlan.resized,
)
