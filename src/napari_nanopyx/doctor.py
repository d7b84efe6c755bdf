"""Reports what this computer offers the engine, what is missing, and the remedy."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_nanopyx.engine import Device, Implementation

OPTIONAL = {
    "numba": "pip install 'napari-nanopyx[numba]'",
    "pyopencl": "pip install 'napari-nanopyx[opencl]' (a GPU) or [opencl-cpu]",
    "napari": "pip install 'napari-nanopyx[napari,pyside6]' (only for the plugin)",
    "zarr": "pip install zarr (only for Zarr folders)",
    "matplotlib": "pip install 'napari-nanopyx[demo]' (only for the demo's picture)",
}


def report() -> str:
    """Return the whole report as text.

    Returns
    -------
    str
        Versions, devices, and every task's implementations with reason and remedy.
    """
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    from napari_nanopyx import engine
    from napari_nanopyx._kernels import tasks

    yield f"napari-nanopyx {version('napari-nanopyx')}"
    yield (
        f"Python {platform.python_version()} on {platform.system()} "
        f"{platform.machine()}"
    )
    yield ""
    yield "Packages"
    for package in ("numpy", "tifffile"):
        yield f"  {package} {version(package)}"
    for package, remedy in OPTIONAL.items():
        yield f"  {package} {_version(package) or f'not installed: {remedy}'}"
    yield f"  Qt binding: {_qt_binding() or 'none (only for the plugin)'}"
    yield ""
    yield "Devices"
    for device in engine.devices():
        yield f"  {_device(device)}"
    for name in tasks():
        yield ""
        yield f"Implementations of {name}"
        for implementation in engine.implementations(name):
            yield f"  {_implementation(implementation)}"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _qt_binding() -> str | None:
    for binding in ("PySide6", "PyQt6"):
        if find_spec(binding) is not None:
            return binding
    return None


def _device(device: Device) -> str:
    memory = f"{device.memory_bytes / 2**30:.1f} GiB" if device.memory_bytes else ""
    kind = "GPU" if device.is_gpu else device.kind
    facts = ", ".join(part for part in (kind, device.identity, memory) if part)
    return f"{device.name}: {facts}"


def _implementation(implementation: Implementation) -> str:
    if implementation.available:
        return f"{implementation.name}: ready"
    remedy = f" Remedy: {implementation.remedy}" if implementation.remedy else ""
    return f"{implementation.name}: cannot run. {implementation.reason}.{remedy}"
