"""OpenCL contexts and programs, each made once in a process."""

from __future__ import annotations

import warnings
from functools import cache
from importlib import import_module
from typing import Any


@cache
def context(platform_index: int, device_index: int) -> Any:
    """Return the context of a device."""
    import pyopencl as cl

    device = cl.get_platforms()[platform_index].get_devices()[device_index]
    return cl.Context([device])


@cache
def program(context: Any, task_name: str, options: tuple[str, ...]) -> Any:
    """Return a built program; other sessions of this process build nothing again."""
    import pyopencl as cl

    generated = import_module(f"napari_nanopyx._generated.{task_name}_opencl")
    with warnings.catch_warnings():
        # A compiler that says anything at all, such as what it did, is no fault.
        warnings.simplefilter("ignore", cl.CompilerWarning)
        return cl.Program(context, generated.SOURCE).build(list(options))


def forget() -> None:
    """Make new ones when next asked: a device was lost, or others are there now."""
    context.cache_clear()
    program.cache_clear()
