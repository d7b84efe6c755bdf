"""How alike frames and a reference are at each displacement: the task's declaration."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.correlate import fft
from napari_nanopyx._kernels.correlate.plan import CorrelatePlan
from napari_nanopyx._kernels.declaration import Algorithm, Parameter, Task


def example() -> tuple[NDArray[Any], dict[str, Any]]:
    """Return a small stack and a reference to try the task on."""
    random = np.random.default_rng(9)
    frames = random.poisson(200, (3, 21, 30)).astype(np.uint16)
    scene = random.normal(0, 1, (1, 24, 36)).astype(np.float32)
    return frames, {"scene": scene, "reach": (6, 5), "finer": 4}


def arguments(
    shape: tuple[int, ...], displacements: Any = 169, finer: Any = 4
) -> dict[str, Any]:
    """Return what the plan takes: a random reference, so many displacements in all."""
    given = (("displacements", displacements, 10_000), ("finer", finer, 16))
    for name, value, most in given:
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise TypeError(f"{name} is {value!r}, but must be a whole number")
        if not 1 <= value <= most:
            raise ValueError(f"{name} is {value!r}, but must be from 1 to {most}")
    reach = round((float(displacements) ** (1 / (len(shape) - 1)) - 1) / 2)
    random = np.random.default_rng(4)
    scene = random.normal(0, 1, (1, *shape[1:])).astype(np.float32)
    return {"scene": scene, "reach": (reach,) * (len(shape) - 1), "finer": int(finer)}


def takes_images(plan: CorrelatePlan) -> str:
    """Say why the kernel cannot compute a plan; an empty text if it can."""
    return "" if len(plan.reach) == 2 else "the kernel takes images, not volumes"


TASK = Task(
    name="correlate",
    summary="sums of products with a displaced reference",
    parameters=(
        Parameter("displacements", 169, 1, 10_000, summary="how many, in all"),
        Parameter("finer", 4, 1, 16, summary="displacements in a pixel"),
    ),
    plan=CorrelatePlan,
    example=example,
    arguments=arguments,
    resized=CorrelatePlan.resized,
    unfit=takes_images,
    algorithms=(
        Algorithm(
            "fft",
            "as a product of Fourier transforms",
            unfit=fft.unfit,
            flops=fft.flops,
            start=fft.start,
        ),
    ),
)
