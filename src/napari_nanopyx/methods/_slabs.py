"""Reconstructs volumes that memory does not hold: some planes at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine import context
from napari_nanopyx._engine.errors import ImplementationFailed, NoImplementationLeft
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.running.failures import Fault, fault
from napari_nanopyx._engine.running.runner import Cancel, run
from napari_nanopyx._engine.running.source import Source
from napari_nanopyx._kernels import macro_pixel
from napari_nanopyx._kernels.declaration import Task
from napari_nanopyx._kernels.esrrf_3d.plan import Esrrf3dPlan
from napari_nanopyx._kernels.moments import cells

USED = 0.75
"""Share of a memory that may be taken."""

LARGE = 2**27
"""Bytes from which on it matters how much memory an OpenCL device has."""


def reconstruct(
    task: Task,
    source: Source,
    plan: Esrrf3dPlan,
    *,
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> NDArray[np.float32]:
    """Compute 3-D eSRRF, in slabs of planes if memory does not hold whole volumes.

    A slab is computed with the planes around it that its voxels see, which makes its
    voxels those of the whole volume. One that a device has no memory for is halved.

    Raises
    ------
    MemoryError
        If memory does not hold the result and what one plane takes.
    """
    depth, frames = plan.size[0], plan.shape[0]
    waiting = deque(_cut(range(depth), planes_that_fit(plan, implementation)))
    result: NDArray[np.float32] = np.empty(0, np.float32)
    while waiting:
        slab = waiting.popleft()

        def report(done: int, _: int, slab: range = slab) -> None:
            if progress is not None:
                progress((frames * slab.start + done * len(slab)) // depth, frames)

        try:
            part = run(
                task,
                source if len(slab) == depth else _Planes(source, _around(plan, slab)),
                of_slab(plan, slab),
                implementation=implementation,
                progress=report,
                cancel=cancel,
            )
        except (ImplementationFailed, NoImplementationLeft) as error:
            cause = error.__cause__
            if len(slab) == 1 or cause is None or fault(cause) is not Fault.MEMORY:
                raise
            waiting.extendleft(reversed(_cut(slab, -(-len(slab) // 2))))
            continue
        if len(slab) == depth:
            return part
        if not result.size:
            size = (
                length * m for length, m in zip(plan.size, plan.factors, strict=True)
            )
            result = np.empty((len(part), *size), np.float32)
        m_z = plan.magnification_z
        result[:, m_z * slab.start : m_z * slab.stop] = part
    if plan.macro_pixel_correction:
        for volume in result:
            _correct(volume, plan.factors)
    return result


def of_slab(plan: Esrrf3dPlan, slab: range) -> Esrrf3dPlan:
    """Return the plan of some of the planes; how much light each phase has is left."""
    if len(slab) == plan.size[0]:
        return plan
    given = _around(plan, slab)
    frames, _, *sides = plan.shape
    return replace(
        plan,
        shape=(frames, len(given), *sides),
        margins=(slab.start - given.start, given.stop - slab.stop),
        macro_pixel_correction=False,
    )


def planes_that_fit(plan: Esrrf3dPlan, implementation: str | None = None) -> int:
    """Return how many planes a slab may have, for this computer and its devices."""
    pinned = implementation or context.pinned("esrrf_3d")
    depth = planes = plan.size[0]
    memory = USED * devices.memory_bytes()
    while memory and (needed := _needed(plan, planes, pinned)) > memory:
        if planes == 1:
            raise MemoryError(_too_large(plan, needed, memory))
        planes = -(-planes // 2)
    while planes > 1 and not _on_devices(of_slab(plan, range(depth)[:planes]), pinned):
        planes = -(-planes // 2)
    return planes


def _needed(plan: Esrrf3dPlan, planes: int, pinned: str | None = None) -> int:
    """Return the memory for a slab's sums, those of all blocks, and the results.

    Each thread that computes has some of its own beside them.
    """
    depth, height, width = plan.size
    slab = of_slab(plan, range(depth)[:planes])
    outputs = slab.outputs(range(1))
    sums = sum(output.nbytes for output in outputs.values())
    kept = 2 * sum(not each.endswith("_error") for each in outputs)
    parts = outputs["sum"].nbytes * (kept + len(plan.windows))
    needed = sums + parts + slab.block_bytes_per_frame + _of_threads(slab, pinned)
    if planes == depth:
        return needed
    voxels = depth * height * width
    return needed + 4 * voxels * (2 + len(plan.windows) * prod(plan.factors))


def _of_threads(plan: Esrrf3dPlan, pinned: str | None) -> int:
    """Return what the threads of the compiled implementations take, if they may run."""
    if pinned is not None and not pinned.startswith(("serial", "threads")):
        return 0
    threads = 1 if pinned == "serial" else devices.thread_count()
    return 4 * threads * plan.scratch_floats(plan.part_rows(threads))


def _on_devices(plan: Esrrf3dPlan, pinned: str | None) -> bool:
    """Tell whether each OpenCL device that may be used has the memory for a plan."""
    buffers = [4 * floats for floats in plan.work_floats(plan.size[1]).values()]
    buffers += [output.nbytes for output in plan.outputs(range(1)).values()]
    needed = sum(buffers) + 8 * prod(plan.shape[1:])
    if needed < LARGE or (pinned and not pinned.startswith("opencl")):
        return True
    return all(
        max(buffers) <= int(device.details["max_allocation_bytes"])
        and needed <= USED * device.memory_bytes
        for device in devices.opencl_devices()
        if pinned in (None, device.name)
    )


def _too_large(plan: Esrrf3dPlan, needed: int, memory: float) -> str:
    return (
        f"volumes of {' x '.join(map(str, plan.shape[1:]))} voxels need "
        f"{needed / 2**30:.3g} GiB with these parameters even plane by "
        f"plane, but of this computer's memory {memory / 2**30:.3g} GiB may be used: "
        "reconstruct a part of the pixels or time points at a time, lower "
        "magnification, magnification_z or radius, or compute with fewer threads "
        "(NAPARI_NANOPYX_THREADS)"
    )


def _cut(planes: range, most: int) -> list[range]:
    """Return slabs of about the same size."""
    count = -(-len(planes) // most)
    edges = [len(planes) * i // count for i in range(count + 1)]
    return [planes[a:b] for a, b in pairwise(edges)]


def _around(plan: Esrrf3dPlan, slab: range) -> range:
    """Return a slab's planes and those its voxels see, as far as there are any."""
    return range(
        max(0, slab.start - plan.reach), min(plan.size[0], slab.stop + plan.reach)
    )


class _Planes:
    """Some planes of every volume; no more than one whole volume is held."""

    def __init__(self, source: Source, planes: range) -> None:
        self._source = source
        self._planes = slice(planes.start, planes.stop)
        frames, _, *sides = source.shape
        self.shape = (frames, len(planes), *sides)
        self.dtype = source.dtype

    def __getitem__(self, frames: slice) -> NDArray[Any]:
        count = range(*frames.indices(self.shape[0]))
        block = np.empty((len(count), *self.shape[1:]), self.dtype)
        for target, frame in zip(block, count, strict=True):
            target[:] = self._source.read(range(frame, frame + 1))[0, self._planes]
        return block


def _correct(volume: NDArray[np.float32], factors: tuple[int, ...]) -> None:
    """Even out the phases of a whole volume, as the merger does."""
    phases = cells(volume, factors)
    means = [float(each.mean(dtype=np.float64)) for each in phases]
    for each, gain in zip(phases, macro_pixel.gains(means), strict=True):
        each *= gain
