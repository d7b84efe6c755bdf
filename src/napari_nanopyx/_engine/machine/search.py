"""Looks for OpenCL devices in a child process, which a broken driver may take down."""

from __future__ import annotations

import json
import os
import re
import sys
import sysconfig
from pathlib import Path
from typing import Any

from napari_nanopyx._engine import settings
from napari_nanopyx._engine.machine import child
from napari_nanopyx._engine.types import Device

PROBE_SECONDS = 20.0

Problem = tuple[str, str]
"""Why something is missing, and what can be done about it."""

_PROBE = Path(__file__).with_name("probe.py")
_DRIVER = (
    "install the OpenCL driver of your GPU; "
    "or, on Linux, pip install napari-nanopyx[opencl-cpu] to use OpenCL on the CPU"
)
_REMEDIES = {
    "not installed": (
        "pyopencl is not installed",
        "pip install napari-nanopyx[opencl] for a GPU whose driver is installed; "
        "or, on Linux, pip install napari-nanopyx[opencl-cpu] for the CPU",
    ),
    "import": (
        "pyopencl cannot be imported ({detail})",
        "pip install --force-reinstall pyopencl",
    ),
    "no platform": ("pyopencl is installed, but finds no OpenCL driver", _DRIVER),
    "no device": ("the OpenCL drivers here offer no device", _DRIVER),
    "device": (
        "the OpenCL device does not work ({detail})",
        "update or reinstall its driver",
    ),
    "crash": (
        "looking for OpenCL devices crashed ({detail})",
        "update or remove the OpenCL drivers; NAPARI_NANOPYX_DISABLE_OPENCL=1 stops "
        "looking",
    ),
    "hang": (
        "looking for OpenCL devices took more than {detail} s",
        "update or remove the OpenCL drivers; NAPARI_NANOPYX_DISABLE_OPENCL=1 stops "
        "looking",
    ),
    "frozen": (
        "this packaged application has no Python interpreter to look for OpenCL with",
        "install napari and napari-nanopyx with pip or conda to use OpenCL",
    ),
    "disabled": (
        "OpenCL is turned off by NAPARI_NANOPYX_DISABLE_OPENCL, or in the preferences",
        "unset the variable, or change the OpenCL devices in the preferences",
    ),
}


def search(limit_seconds: float = PROBE_SECONDS) -> tuple[list[Device], Problem | None]:
    """Return the OpenCL devices, and why there are none if there are none."""
    if settings.opencl_is_off():
        return [], _problem("disabled")
    python = interpreter()
    if python is None:
        return [], _problem("frozen")
    answer = _ask(python, limit_seconds)
    names: dict[str, int] = {}
    devices = [_device(found, names) for found in answer["devices"]]
    if devices:
        return devices, None
    return [], _problem(answer["problem"], answer["detail"])


def interpreter() -> str | None:
    """Return a Python interpreter; the running program itself need not be one."""
    folder, suffix = sysconfig.get_config_var("BINDIR"), ".exe" * (os.name == "nt")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [Path(sys.executable)] if sys.executable else []
    candidates += [
        Path(place) / f"{name}{suffix}"
        for place in (sys.prefix, f"{sys.prefix}/bin", folder)
        if place
        for name in ("python", f"python{version}", "python3")
    ]
    for candidate in candidates:
        if re.match(r"(python|pypy)", candidate.name.lower()) and candidate.is_file():
            return str(candidate)
    return None


def _ask(python: str, limit_seconds: float) -> dict[str, Any]:
    """Run the probe."""
    try:
        ended = child.run(python, _PROBE, limit_seconds)
    except OSError as error:
        return _failed("crash", str(error))
    if ended.status is None:
        return _failed("hang", f"{limit_seconds:g}")
    try:
        answer: dict[str, Any] = json.loads(ended.printed[-1])
    except (IndexError, ValueError):
        detail = ": ".join([f"exit status {ended.status}", *ended.said[-1:]])
        return _failed("crash", detail)
    return answer


def _failed(problem: str, detail: str) -> dict[str, Any]:
    return {"devices": [], "problem": problem, "detail": detail}


def _problem(kind: str, detail: str = "") -> Problem:
    reason, remedy = _REMEDIES[kind]
    return reason.format(detail=detail), remedy


def _device(found: dict[str, Any], names: dict[str, int]) -> Device:
    details = dict(found)
    plain = re.sub(r"\((R|TM|C)\)", "", details.pop("name"), flags=re.IGNORECASE)
    name = " ".join(plain.split()) or "device"
    names[name] = names.get(name, 0) + 1
    numbered = name if names[name] == 1 else f"{name} #{names[name]}"
    identity = (
        f"{numbered}, {details['units']} units, {details['platform']}, "
        f"driver {details['driver']}"
    )
    return Device(
        f"opencl:{numbered}",
        "opencl",
        identity,
        details.pop("memory_bytes"),
        details.pop("is_gpu"),
        details,
    )
