"""OpenCL contexts and programs, each made once in a process."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any

_idle: defaultdict[Any, list[list[Any]]] = defaultdict(list)
"""Kernels by program that no session uses."""


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


def take_kernels(program: Any, names: Sequence[str], types: Sequence[Any]) -> list[Any]:
    """Return kernels of a program for one session, as they keep their arguments.

    Making them takes a millisecond or more, so those that were given back are used
    again. They know the types of their arguments, without which a launch takes longer.
    """
    import pyopencl as cl

    with suppress(IndexError):
        return _idle[program].pop()
    kernels = [cl.Kernel(program, name) for name in names]
    for kernel in kernels:
        kernel.set_scalar_arg_dtypes(types)
    return kernels


def give_back(program: Any, kernels: list[Any]) -> None:
    """Let another session have the kernels."""
    _idle[program].append(kernels)


def forget() -> None:
    """Make new ones when next asked: a device was lost, or others are there now."""
    context.cache_clear()
    program.cache_clear()
    _idle.clear()
