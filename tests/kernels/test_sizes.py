"""Frames of odd, prime and unequal sides agree with the reference at every factor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_nanopyx import engine
from napari_nanopyx._engine.running import runner
from napari_nanopyx._kernels import tasks

IMAGES = ((17, 31), (101, 7), (13, 101))
VOLUMES = ((3, 17, 11), (1, 5, 31))
KINDS = ("serial", "numba", "opencl")
NAMES = {
    task: [
        each.name
        for each in engine.implementations(task)
        if each.available and each.name.startswith(KINDS)
    ]
    for task in ("esrrf", "esrrf_3d", "srrf")
}


def cases() -> Iterator[Any]:
    for magnification in range(1, 6):
        given: dict[str, Any] = {"magnification": magnification}
        for way in ("catmull_rom", "fourier"):
            yield "esrrf", IMAGES, {**given, "interpolation": way}
        yield "srrf", IMAGES, given
        yield "srrf", IMAGES, {**given, "temporal": "TRAC2"}
        yield "esrrf_3d", VOLUMES, {**given, "magnification_z": 1 + magnification % 3}


@pytest.mark.parametrize(
    ("task", "sizes", "parameters"),
    [
        pytest.param(*case, id=f"{case[0]}-{'-'.join(map(str, case[2].values()))}")
        for case in cases()
    ],
)
def test_agrees_with_the_reference(
    task: str, sizes: tuple[tuple[int, ...], ...], parameters: dict[str, Any]
) -> None:
    for size in sizes:
        rng = np.random.default_rng(sum(size))
        image = rng.poisson(rng.uniform(20, 400, (3, *size))).astype(np.uint16)
        reference = reconstruct(task, image, "reference", parameters)
        factor = parameters["magnification"]
        assert reference.shape[-2:] == tuple(factor * side for side in size[-2:])
        allowed = 1e-5 * np.abs(reference).max() + 1e-6 * reference.std()
        for name in NAMES[task]:
            result = reconstruct(task, image, name, parameters)
            worst = np.abs(result - reference).max()
            assert worst <= allowed, f"{name}, {size}: off by {worst:.3g}"


def reconstruct(
    task: str, image: NDArray[Any], name: str, parameters: dict[str, Any]
) -> NDArray[np.float64]:
    """Run a task on a pinned implementation."""
    plan = tasks()[task].plan(image.shape, **parameters)
    result = runner.run(tasks()[task], image, plan, implementation=name)
    return result.astype(np.float64)
