"""Computes blocks on one OpenCL device; intermediates stay there."""

from __future__ import annotations

import time
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine.backends import programs
from napari_nanopyx._engine.backends.arguments import Arguments, allocated, pixel_scale
from napari_nanopyx._engine.backends.buffers import Buffers
from napari_nanopyx._engine.backends.pages import touch
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.patience import Watch
from napari_nanopyx._engine.types import Device, Timing
from napari_nanopyx._kernels.declaration import Partial, Plan

LAUNCH_FRAMES = 32
"""Frames of a launch on a GPU, at most."""

PIXEL_TYPES = {"uint8": "uchar", "uint16": "ushort", "float32": "float"}

GPU_GROUP = (32, 1, 4)
"""Neighbouring columns of one phase, so that table reads are the same for all."""

_PAUSE_SECONDS = 5e-5
"""Between two looks at whether a GPU is ready."""

_TOUCHING_THREADS = 8
"""More find no more memory in the same time."""

_ITEM_TYPES = (np.int32, np.int32, np.int32)
"""Of the numbers of items, which every kernel takes last."""


def most_frames(device: Device) -> int:
    """Return how many frames a block should have at most."""
    return 512 if device.is_gpu else 32


class OpenCLSession:
    """Holds one task's program and buffers on one device.

    A block goes to the device in launches of a few frames; the frames of the next
    launch are copied while this one is computed, and each has its own buffer. No more
    than two are on their way at a time, so that a block can end early.
    """

    def __init__(self, device: Device, task_name: str, plan: Plan) -> None:
        import pyopencl as cl

        self._cl = cl
        self._plan = plan
        self._task_name = task_name
        self._details = device.details
        self._is_gpu = device.is_gpu
        self._arguments = Arguments(plan, plan.shape[-2])
        outputs = plan.outputs(range(1))
        self._each_frame = {n for n, output in outputs.items() if output.each_frame}
        self._generated = import_module(f"napari_nanopyx._generated.{task_name}_opencl")
        self._lanes = 1 if device.is_gpu else _cpu_lanes(device)
        self.preferred_frames = most_frames(device)
        self._launch_frames = self._frames_that_fit(device)
        self._context = programs.context(
            int(device.details["platform_index"]), int(device.details["device_index"])
        )
        profiling = cl.command_queue_properties.PROFILING_ENABLE
        self._compute = cl.CommandQueue(self._context, properties=profiling)
        self._copy = cl.CommandQueue(self._context, properties=profiling)
        self._kernels: dict[str, list[tuple[str, Any]]] = {}
        self._taken: list[tuple[Any, list[Any]]] = []
        self._buffers = Buffers(self._context, self._copy, self._compute)

    def run(
        self,
        block: NDArray[Any],
        frames: range,
        places: Partial | None = None,
        watch: Watch | None = None,
    ) -> tuple[Partial, Timing]:
        """Compute the partial result of a block."""
        start = time.perf_counter()
        kernels = self.kernels(block.dtype.name)
        built = time.perf_counter()
        self._scale = pixel_scale(block) if self._lacks_double else 1.0
        partial = allocated(self._plan, frames, places)
        if self._is_gpu:  # Before it starts: others may write there once it is left.
            touch(partial.values(), min(devices.thread_count(), _TOUCHING_THREADS))
        copies: list[Any] = []
        slots_free: dict[int, Any] = {}
        watch = watch or Watch(len(frames))
        length = min(self._launch_frames, watch.launch_frames)
        watch.starts(length)
        started = time.perf_counter()
        for number, first in enumerate(range(0, len(frames), length)):
            slot = number % 2
            free = slots_free.get(slot)
            if free is not None:
                self._wait(free)
            seconds = time.perf_counter() - started
            if not watch.goes_on(max(first - length, 0), first, seconds):
                break
            part = slice(first, min(first + length, len(frames)))
            done = self._launch(
                kernels, block[part], frames[part], slot, free, copies, fresh=first == 0
            )
            each = {n: a[part] for n, a in partial.items() if n in self._each_frame}
            slots_free[slot] = self._fetch(each, slot, done, copies)
        over = {n: a for n, a in partial.items() if n not in self._each_frame}
        self._wait(self._fetch(over, 0, done, copies))
        for name in self._each_frame & partial.keys():
            partial[name] = partial[name][: watch.frames]
        self._copy.finish()
        self._compute.finish()
        stop = time.perf_counter()
        moved = sum(1e-9 * (e.profile.end - e.profile.start) for e in copies)
        moved = min(moved, stop - built)
        return partial, Timing(built - start, moved, stop - built - moved)

    def close(self) -> None:
        """Release the device memory."""
        self._buffers.release()
        for program, kernels in self._taken:
            programs.give_back(program, kernels)
        self._taken.clear()
        self._kernels.clear()

    def _frames_that_fit(self, device: Device) -> int:
        work = sum(self._plan.work_floats(self._arguments.part_rows).values())
        frame_bytes = 4 * work + 2 * self._plan.block_bytes_per_frame
        room = min(
            device.memory_bytes // 4, int(device.details["max_allocation_bytes"])
        )
        return max(1, min(room // frame_bytes, LAUNCH_FRAMES if device.is_gpu else 4))

    @property
    def _lacks_double(self) -> bool:
        return not self._details["double_precision"]

    def kernels(self, pixel: str) -> list[tuple[str, Any]]:
        """Return the steps and their kernels for a type of pixel, built if need be."""
        if pixel in self._kernels:
            return self._kernels[pixel]
        options = ["-w", f"-DLANES={self._lanes}", f"-DPIXEL={PIXEL_TYPES[pixel]}"]
        if self._lacks_double:
            options.append("-DWITHOUT_DOUBLE")
        if self._tables_fit_constant_memory():
            options.append("-DTABLE=__constant")
        program = programs.program(self._context, self._task_name, tuple(options))
        steps = list(self._generated.items(**self._sizes(self._arguments.scalars)))
        types = [
            None if role != "scalar" else np.int32 if ctype == "int" else np.float32
            for _, ctype, role in self._generated.ARGUMENTS
        ]
        names = [f"{step}_item" for step in steps]
        kernels = programs.take_kernels(program, names, [*types, *_ITEM_TYPES])
        self._taken.append((program, kernels))
        self._kernels[pixel] = list(zip(steps, kernels, strict=True))
        return self._kernels[pixel]

    def _tables_fit_constant_memory(self) -> bool:
        frames = range(self._launch_frames)[: self._plan.shape[0]]
        tables = self._arguments.tables(frames)
        roles = {name: role for name, _, role in self._generated.ARGUMENTS}
        used = sum(t.nbytes for name, t in tables.items() if roles[name] == "table")
        return bool(used <= self._details["constant_bytes"] and self._is_gpu)

    def _sizes(self, scalars: dict[str, int | float]) -> dict[str, int | float]:
        names = [
            name for name, _, role in self._generated.ARGUMENTS if role == "scalar"
        ]
        wide = min(4, max(1, self._lanes // 2))
        known = {name: scalars.get(name, 0) for name in names}
        return {**known, "LANES": self._lanes, "WIDE": wide}

    def _wait(self, event: Any) -> None:
        """Wait for an event; drivers of GPUs keep a whole core busy with that."""
        if self._is_gpu:
            complete = self._cl.command_execution_status.COMPLETE
            while event.command_execution_status > complete:
                time.sleep(_PAUSE_SECONDS)
        event.wait()

    def _launch(
        self,
        kernels: list[tuple[str, Any]],
        block: NDArray[Any],
        frames: range,
        slot: int,
        slot_free: Any,
        copies: list[Any],
        *,
        fresh: bool,
    ) -> Any:
        """Enqueue the frames' upload and all steps; return the last step's event."""
        wait = [slot_free] if slot_free is not None else []
        tables = self._arguments.tables(frames)
        table_slot = slot if self._plan.tables_vary else 0
        for name, table in tables.items():
            if self._plan.tables_vary or (name, 0) not in self._buffers:
                copies.append(self._upload(name, table_slot, table, wait))
        given = self._arguments.prepared(block, frames, devices.thread_count())
        for name, array in {**given, "frames": block}.items():
            copies.append(self._upload(name, slot, array, wait))
        scalars = self._arguments.block_scalars(block, frames)
        scalars |= {"fresh": int(fresh), "pixel_scale": self._scale}
        sizes = self._sizes(scalars)
        work = self._plan.work_floats(self._arguments.part_rows)
        outputs = self._plan.outputs(frames)
        values = []
        for name, _, role in self._generated.ARGUMENTS:
            if role == "scalar":
                values.append(scalars[name])
            elif role == "out":
                size = outputs[name].nbytes if name in outputs else 4
                own = slot if name in self._each_frame else 0
                values.append(self._buffers.at_least(name, own, size))
            elif role == "work":
                values.append(
                    self._buffers.at_least(name, 0, 4 * work[name] * len(frames) + 256)
                )
            elif name in tables:
                values.append(self._buffers[name, table_slot])
            else:
                values.append(self._buffers.at_least(name, slot, 4))
        self._copy.flush()
        done = copies[-1]
        items_of = self._generated.items(**sizes)
        local = GPU_GROUP if self._is_gpu else None
        for name, kernel in kernels:
            items = items_of[name]
            kernel.set_args(*values, *items)
            if local is not None:
                items = tuple(
                    -(-n // group) * group
                    for n, group in zip(items, local, strict=True)
                )
            done = self._cl.enqueue_nd_range_kernel(
                self._compute, kernel, items, local, wait_for=[done]
            )
        self._compute.flush()
        return done

    def _upload(
        self, name: str, slot: int, array: NDArray[Any], wait: list[Any]
    ) -> Any:
        buffer = self._buffers.at_least(name, slot, array.nbytes)
        return self._cl.enqueue_copy(
            self._copy, buffer, array, is_blocking=False, wait_for=wait
        )

    def _fetch(self, arrays: Partial, slot: int, done: Any, copies: list[Any]) -> Any:
        """Enqueue copies of outputs back; return the last event, or what is done."""
        event = done
        for name, array in arrays.items():
            event = self._cl.enqueue_copy(
                self._copy,
                array,
                self._buffers[name, slot],
                is_blocking=False,
                wait_for=[done],
            )
            copies.append(event)
        self._copy.flush()
        return event


def _cpu_lanes(device: Device) -> int:
    """Return the lanes of a vector: PoCL's older LLVM crashes on sixteen."""
    lanes = int(device.details["float_lanes"])
    return 8 if lanes >= 8 else 4 if lanes >= 4 else 1
