"""OpenCL: one implementation per device, intermediates kept on the device."""

from __future__ import annotations

import time
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine import devices
from napari_nanopyx._engine.backends import programs
from napari_nanopyx._engine.backends.arguments import Arguments, allocated, pixel_scale
from napari_nanopyx._engine.patience import Watch
from napari_nanopyx._engine.types import Compiler, Device, Implementation, Timing
from napari_nanopyx._kernels.declaration import Partial, Plan, Task

LAUNCH_FRAMES = 32
"""Frames of a launch on a GPU, at most."""

PIXEL_TYPES = {"uint8": "uchar", "uint16": "ushort", "float32": "float"}
_PAUSE_SECONDS = 5e-5
"""Between two looks at whether a GPU is ready."""

GPU_GROUP = (32, 1, 4)
"""Neighbouring columns of one phase, so that table reads are the same for all."""


def implementations(task_name: str) -> list[Implementation]:
    """Return one implementation per OpenCL device, or one that says what is missing."""
    problem = devices.opencl_problem()
    if problem is None:
        return [
            Implementation(
                task_name,
                device.name,
                "opencl",
                device.identity,
                most_frames=_most_frames(device),
                apart=device.is_gpu,
            )
            for device in devices.opencl_devices()
        ]
    reason, remedy = problem
    return [Implementation(task_name, "opencl", "opencl", "", False, reason, remedy)]


def open(implementation: Implementation, task: Task, plan: Plan) -> OpenCLSession:
    """Open an OpenCL implementation for a plan."""
    for device in devices.opencl_devices():
        if device.name == implementation.name:
            return OpenCLSession(device, task.name, plan)
    raise LookupError(f"OpenCL device {implementation.name!r} has gone")


def compiler(implementation: Implementation) -> Compiler:
    """Return the compiler of the device's driver; the device stands for its version."""

    def compile_(task: Task, plan: Plan, dtype: str) -> None:
        session = open(implementation, task, plan)
        try:
            session.compile(dtype)
        finally:
            session.close()

    return Compiler(f"pyopencl {version('pyopencl')}", compile_)


def _most_frames(device: Device) -> int:
    return 512 if device.is_gpu else 32


def _cpu_lanes(device: Device) -> int:
    """Return the lanes of a vector: PoCL's older LLVM crashes on sixteen."""
    lanes = int(device.details["float_lanes"])
    return 8 if lanes >= 8 else 4 if lanes >= 4 else 1


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
        self.preferred_frames = _most_frames(device)
        self._launch_frames = self._frames_that_fit(device)
        self._context = programs.context(
            int(device.details["platform_index"]), int(device.details["device_index"])
        )
        profiling = cl.command_queue_properties.PROFILING_ENABLE
        self._compute = cl.CommandQueue(self._context, properties=profiling)
        self._copy = cl.CommandQueue(self._context, properties=profiling)
        self._kernels: dict[str, list[tuple[str, Any]]] = {}
        self._buffers: dict[tuple[str, int], Any] = {}

    def run(
        self,
        block: NDArray[Any],
        frames: range,
        places: Partial | None = None,
        watch: Watch | None = None,
    ) -> tuple[Partial, Timing]:
        """Compute the partial result of a block."""
        start = time.perf_counter()
        kernels = self._build(block.dtype.name)
        built = time.perf_counter()
        self._scale = pixel_scale(block) if self._lacks_double else 1.0
        partial = allocated(self._plan, frames, places)
        copies: list[Any] = []
        slots_free: dict[int, Any] = {}
        watch = watch or Watch(len(frames))
        length = min(self._launch_frames, watch.launch_frames)
        watch.starts(length)
        for number, first in enumerate(range(0, len(frames), length)):
            slot = number % 2
            free = slots_free.get(slot)
            if free is not None:
                self._wait(free)
            seconds = time.perf_counter() - built
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

    def compile(self, dtype: str) -> None:
        """Build the program before there is a block to compute."""
        self._build(dtype)

    def close(self) -> None:
        """Release the device memory."""
        for buffer in self._buffers.values():
            buffer.release()
        self._buffers.clear()

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

    def _build(self, pixel: str) -> list[tuple[str, Any]]:
        if pixel in self._kernels:
            return self._kernels[pixel]
        options = ["-w", f"-DLANES={self._lanes}", f"-DPIXEL={PIXEL_TYPES[pixel]}"]
        if self._lacks_double:
            options.append("-DWITHOUT_DOUBLE")
        if self._tables_fit_constant_memory():
            options.append("-DTABLE=__constant")
        program = programs.program(self._context, self._task_name, tuple(options))
        self._kernels[pixel] = [
            (name, self._cl.Kernel(program, f"{name}_item"))
            for name in self._generated.items(**self._sizes(self._arguments.scalars))
        ]
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
        for name, ctype, role in self._generated.ARGUMENTS:
            if role == "scalar":
                values.append(
                    (np.int32 if ctype == "int" else np.float32)(scalars[name])
                )
            elif role == "out":
                size = outputs[name].nbytes if name in outputs else 4
                own = slot if name in self._each_frame else 0
                values.append(self._buffer(name, own, size))
            elif role == "work":
                values.append(self._buffer(name, 0, 4 * work[name] * len(frames) + 256))
            elif name in tables:
                values.append(self._buffers[name, table_slot])
            else:
                values.append(self._buffer(name, slot, 4))
        self._copy.flush()
        done = copies[-1]
        for name, kernel in kernels:
            items = self._generated.items(**sizes)[name]
            kernel.set_args(*values, *(np.int32(n) for n in items))
            local = GPU_GROUP if self._is_gpu else None
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
        buffer = self._buffer(name, slot, array.nbytes)
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

    def _buffer(self, name: str, slot: int, size: int) -> Any:
        """Return the memory kept under this name, enlarged if it is too small."""
        held = self._buffers.get((name, slot))
        if held is None or held.size < size:
            if held is not None:
                self._copy.finish()
                self._compute.finish()
                held.release()
            flags = self._cl.mem_flags.READ_WRITE
            held = self._cl.Buffer(self._context, flags, size)
            self._buffers[name, slot] = held
        return held
