"""OpenCL: one implementation per device, intermediates kept on the device."""

from __future__ import annotations

from importlib.metadata import version

from napari_nanopyx._engine.backends.opencl_session import OpenCLSession, most_frames
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.types import Compiler, Implementation
from napari_nanopyx._kernels.declaration import Plan, Task


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
                most_frames=most_frames(device),
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
            session.kernels(dtype)
        finally:
            session.close()

    return Compiler(f"pyopencl {version('pyopencl')}", compile_)
