"""What this machine can compute on; looks once, and never raises."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import threading
from functools import cache, lru_cache
from pathlib import Path

from napari_nanopyx._engine import settings
from napari_nanopyx._engine.machine import search
from napari_nanopyx._engine.types import Device

_lock = threading.Lock()
_search_lock = threading.Lock()
_searching: threading.Thread | None = None
_found: tuple[list[Device], search.Problem | None] | None = None


def cpu() -> Device:
    """Return the processor, with the threads that will be used as a part of it."""
    return _cpu(_usable_cores(), thread_count())


@lru_cache
def _cpu(cores: int, threads: int) -> Device:
    model, memory_bytes = _processor()
    plural = "" if threads == 1 else "s"
    identity = f"{model}, {cores} of {_all_cores()} cores, {threads} thread{plural}"
    details = {"model": model, "cores": cores, "threads": threads}
    return Device("cpu", "cpu", identity, memory_bytes, details=details)


def memory_bytes() -> int:
    """Return the memory of this machine; 0 if it is unknown."""
    return _processor()[1]


def thread_count() -> int:
    """Return how many threads to compute with: as many as wished for, or each core."""
    return settings.threads() or _usable_cores()


def opencl_devices() -> list[Device]:
    """Return the OpenCL devices that work here; the first call may take seconds."""
    return [found for found in _search()[0] if settings.is_wanted(found.name)]


def opencl_problem() -> search.Problem | None:
    """Return why there are no OpenCL devices, and what to do; None if there are."""
    found, problem = _search()
    if problem is None and not opencl_devices():
        names = ", ".join(device.name for device in found)
        return (
            f"none of the OpenCL devices here ({names}) is wished for: only "
            f"{settings.wished_devices()!r}",
            "change the OpenCL devices in the preferences, or NAPARI_NANOPYX_DEVICES",
        )
    return problem


def opencl_is_known() -> bool:
    """Tell whether the search is over; if not, see to it that it goes on meanwhile."""
    global _searching
    if _found is not None:
        return True
    with _lock:
        if _searching is None:
            _searching = threading.Thread(
                target=_search, name="nanopyx-opencl-search", daemon=True
            )
            _searching.start()
    return False


def take_over(found: list[Device]) -> None:
    """Know the OpenCL devices that another process of this program has found."""
    global _found
    with _search_lock:
        _found = found, None


def refresh() -> None:
    """Look for OpenCL devices again when next asked."""
    global _found, _searching
    with _search_lock:
        _found, _searching = None, None


def _after_fork() -> None:
    """Make anew what a thread that the child does not have may hold."""
    global _lock, _search_lock, _searching
    _lock, _search_lock, _searching = threading.Lock(), threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _search() -> tuple[list[Device], search.Problem | None]:
    global _found
    with _search_lock:
        if _found is None:
            _found = search.search()
        return _found


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return _all_cores()


@cache
def _all_cores() -> int:
    return os.cpu_count() or 1


@cache
def _processor() -> tuple[str, int]:
    """Return the name of the processor, and the bytes of memory (0 if unknown)."""
    model = platform.processor() or platform.machine() or "unknown processor"
    memory_bytes = 0
    try:
        if platform.system() == "Linux":
            model = _linux_model() or model
        elif platform.system() == "Darwin":
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            answer = subprocess.run(  # noqa: S603 - a fixed command
                command, capture_output=True, text=True, timeout=5, check=True
            )
            model = answer.stdout.strip() or model
        if platform.system() == "Windows":
            memory_bytes = _windows_memory()
        else:
            memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError, subprocess.SubprocessError):
        # A processor without a name still computes; measurements are kept all the same.
        return model, memory_bytes
    return " ".join(model.split()), memory_bytes


def _linux_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
        field, _, value = line.partition(":")
        if field.strip() in ("model name", "Model", "cpu model"):
            return value.strip()
    return ""


def _windows_memory() -> int:
    kilobytes = ctypes.c_ulonglong()
    library = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    library.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes))
    return kilobytes.value * 1024
