"""Describes the machine a benchmark ran on; its name is left out."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def describe() -> dict[str, str]:
    """Return what matters for speed: processor, compiler, versions."""
    facts = {
        "Processor": _cpu_model(),
        "Cores available": str(len(_cores())),
        "Instruction set": _level(),
        "Memory": f"{_memory_bytes() / 2**30:.0f} GiB",
        "System": f"{_system()}, {platform.machine()}",
        "Compiler": _compiler(),
        "Python": platform.python_version(),
    }
    for package in ("napari-nanopyx", "numpy", "numba", "pyopencl"):
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            facts[package] = "not installed"
    return facts


def _cores() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def _cpu_info(field: str) -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == field:
            return value.strip()
    return ""


def _cpu_model() -> str:
    numbers = [_cpu_info(field) for field in ("cpu family", "model")]
    model = _cpu_info("model name") or platform.processor() or "unknown"
    return (
        f"{model} (family {numbers[0]}, model {numbers[1]})" if all(numbers) else model
    )


def _level() -> str:
    flags = set(_cpu_info("flags").split())
    if {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"} <= flags:
        return "x86-64-v4 (AVX-512)"
    if {"avx2", "fma", "bmi2"} <= flags:
        return "x86-64-v3 (AVX2)"
    return "x86-64-v2" if "sse4_2" in flags else "not x86-64, or unknown"


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {platform.release()}"


def _compiler() -> str:
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        return "none"
    ran = subprocess.run([compiler, "--version"], capture_output=True, text=True)
    return ran.stdout.splitlines()[0] if ran.stdout else "unknown"
