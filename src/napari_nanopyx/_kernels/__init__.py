"""The mathematics, written once: each folder is a task."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

from napari_nanopyx._kernels.declaration import Task

NAMES = (
    "magnify",
    "esrrf",
    "esrrf_3d",
    "srrf",
    "convolve",
    "warp",
    "nlm",
    "correlate",
)


@cache
def tasks() -> Mapping[str, Task]:
    """Return every task by name."""
    modules = (import_module(f"{__name__}.{name}") for name in NAMES)
    return MappingProxyType({module.TASK.name: module.TASK for module in modules})


@cache
def digest(name: str) -> str:
    """Return what identifies a kernel's code: timings of other code do not count."""
    try:
        generated = import_module("napari_nanopyx._generated.digests")
    except ModuleNotFoundError:
        return "not built"
    digests: Mapping[str, str] = generated.DIGESTS
    return digests[name]
