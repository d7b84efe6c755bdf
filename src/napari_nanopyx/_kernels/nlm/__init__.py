"""Means of pixels whose surroundings are alike: the task's declaration."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.declaration import Parameter, Task
from napari_nanopyx._kernels.nlm.plan import NlmPlan


def example() -> tuple[NDArray[Any], dict[str, Any]]:
    """Return a small noisy stack and settings to try the task on."""
    frames = np.random.default_rng(6).poisson(200, (2, 21, 37)).astype(np.uint16)
    noise = np.full(1, 14.0)
    return frames, {"h": 0.8 * noise, "sigma": noise, "patch_distance": 3}


def arguments(
    shape: tuple[int, ...],
    *,
    h: float = 10.0,
    sigma: float = 0.0,
    patch_size: int = 7,
    patch_distance: int = 11,
    mode: str = "fast",
    exponential: str = "exact",
) -> dict[str, Any]:
    """Return what the plan takes: h and sigma for each frame."""
    if patch_size % 2 == 0 or patch_size < 3:
        raise ValueError(f"patch_size is {patch_size}, but must be odd, from 3 up")
    if mode not in ("fast", "gaussian"):
        raise ValueError(f"mode is {mode!r}, but must be 'fast' or 'gaussian'")
    return {
        "h": np.full(shape[0], float(h)),
        "sigma": np.full(shape[0], float(sigma)),
        "patch_size": patch_size,
        "patch_distance": patch_distance,
        "mode": mode,
        "exponential": exponential,
    }


TASK = Task(
    name="nlm",
    summary="Means of pixels whose surroundings are alike, for less noise",
    parameters=(
        Parameter("patch_size", 7, 3, 51, summary="side of the patches, pixels"),
        Parameter("patch_distance", 11, 1, 50, summary="farthest pixel averaged"),
        Parameter(
            "mode", "fast", choices=("fast", "gaussian"), summary="patch weights"
        ),
    ),
    plan=NlmPlan,
    example=example,
    arguments=arguments,
    resized=NlmPlan.resized,
)
