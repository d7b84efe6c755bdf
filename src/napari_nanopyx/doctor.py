"""Reports what this computer offers the engine, what is missing, and the remedy."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_nanopyx._engine.measurements.history import History
    from napari_nanopyx.engine import Device, Implementation

REQUIRED = ("numpy", "tifffile", "psygnal", "platformdirs", "typer")

OPTIONAL = {
    "numba": "pip install 'napari-nanopyx[numba]'",
    "pyopencl": "pip install 'napari-nanopyx[opencl]' (a GPU) or [opencl-cpu]",
    "scikit-learn": "pip install 'napari-nanopyx[paper]' (only for that policy)",
    "napari": "pip install 'napari-nanopyx[napari,pyside6]' (only for the plugin)",
    "zarr": "pip install 'napari-nanopyx[zarr]' (only for Zarr folders)",
    "dask": "pip install 'napari-nanopyx[zarr]' (only for Zarr folders)",
    "matplotlib": "pip install 'napari-nanopyx[demo]' (only for pictures)",
}

SETTINGS = ("NAPARI_NANOPYX_", "NUMBA_", "OCL_ICD_", "OMP_", "POCL_")
"""How environment variables begin that change who computes, or how fast."""


def report() -> str:
    """Return the whole report as text.

    Returns
    -------
    str
        Devices, every task's implementations with reason and remedy, the history of
        measurements, threads, settings, and versions.

    Notes
    -----
    It does not raise: what cannot be told is a line of the report. The first call of
    a process looks for OpenCL devices, which can take some seconds.
    """
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    from napari_nanopyx._engine.errors import describe
    from napari_nanopyx._kernels import tasks

    yield f"napari-nanopyx {_version('napari-nanopyx') or '(not installed)'}"
    yield (
        f"Python {platform.python_version()} on {platform.system()} "
        f"{platform.release()}, {platform.machine()}"
    )
    sections: dict[str, Callable[[], Iterator[str]]] = {"Devices": _devices}
    for name in tasks():
        sections[f"Implementations of {name}"] = partial(_implementations, name)
    sections["History of measurements"] = _history
    sections["Threads"] = _threads
    sections["Settings"] = _settings
    sections["Packages"] = _packages
    for title, section in sections.items():
        yield ""
        yield title
        try:
            for line in section():
                yield f"  {line}"
        except Exception as error:  # noqa: BLE001 - a part of the report
            yield f"  cannot be told: {describe(error)}"


def _packages() -> Iterator[str]:
    for package in REQUIRED:
        yield f"{package} {_version(package) or 'not installed: it is needed'}"
    for package, remedy in OPTIONAL.items():
        yield f"{package} {_version(package) or f'not installed: {remedy}'}"
    yield f"Qt binding: {_qt_binding() or 'none (only for the plugin)'}"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _qt_binding() -> str | None:
    for binding in ("PySide6", "PyQt6"):
        if find_spec(binding) is not None:
            return f"{binding} {_version(binding) or ''}".rstrip()
    return None


def _settings() -> Iterator[str]:
    found = {name: os.environ[name] for name in os.environ if _is_setting(name)}
    for name in sorted(found):
        yield f"{name} is {found[name]!r}"
    if not found:
        yield "no environment variable changes anything"


def _is_setting(name: str) -> bool:
    return name.upper().startswith(SETTINGS)


def _threads() -> Iterator[str]:
    from napari_nanopyx._engine.backends import compiled
    from napari_nanopyx._engine.machine import devices
    from napari_nanopyx._kernels import tasks

    facts = devices.cpu().details
    cores, threads = facts["cores"], facts["threads"]
    yield f"{cores} of {os.cpu_count() or 1} cores are open to this program"
    rule = (
        "one for each core; NAPARI_NANOPYX_THREADS can change it"
        if threads == cores
        else "as NAPARI_NANOPYX_THREADS says"
        if "NAPARI_NANOPYX_THREADS" in os.environ
        else "as was asked for in the preferences"
    )
    yield f"threads that compute: {threads}, {rule}"
    level = compiled.level(next(iter(tasks())))
    name = f"x86-64 v{level}" if level else "one number at a time, or not x86-64"
    yield f"instruction set of the compiled part: {name}"


def _devices() -> Iterator[str]:
    from napari_nanopyx import engine
    from napari_nanopyx._engine.machine import devices

    for device in engine.devices():
        yield _device(device)
    problem = devices.opencl_problem()
    if problem is not None:
        reason, remedy = problem
        yield f"no OpenCL device: {reason}. Remedy: {remedy}"


def _device(device: Device) -> str:
    memory = f"{device.memory_bytes / 2**30:.1f} GiB" if device.memory_bytes else ""
    kind = "GPU" if device.is_gpu else device.kind
    facts = ", ".join(part for part in (kind, device.identity, memory) if part)
    return f"{device.name}: {facts}"


def _history() -> Iterator[str]:
    from napari_nanopyx._engine.measurements import history

    current = history.current()
    yield f"file: {current.path}"
    if current.problem:
        yield current.problem
    if current.in_memory_only:
        yield f"{len(current.measurements())} measurements, in memory only"
    else:
        yield _stored(current)
    old = list(current.path.parent.glob(f"{current.path.name}.damaged-*"))
    if old:
        yield f"{len(old)} damaged and set aside in the same folder; may be deleted"


def _stored(history: History) -> str:
    from napari_nanopyx._engine.measurements import store

    history.flush()
    try:
        found, count = store.examine(history.path)
        if found == "ok":
            size = history.path.stat().st_size / 2**20
            return f"{count} measurements, {size:.1f} MiB; the file is sound"
    except (OSError, sqlite3.Error) as error:
        found = str(error)
    return (
        f"the file is not sound ({found}). Remedy: start the program again, which sets "
        "it aside and starts a new one; if that does not help, set NAPARI_NANOPYX_HOME "
        "to another folder"
    )


def _implementations(task_name: str) -> Iterator[str]:
    from napari_nanopyx import engine

    for implementation in engine.implementations(task_name):
        yield _implementation(implementation)


def _implementation(implementation: Implementation) -> str:
    if implementation.available:
        return f"{implementation.name}: ready"
    remedy = f" Remedy: {implementation.remedy}" if implementation.remedy else ""
    return f"{implementation.name}: cannot run. {implementation.reason}.{remedy}"
