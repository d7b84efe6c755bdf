"""What users have set for this program; an environment variable has the last word."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

_TURNED_OFF = "none"


@dataclass(frozen=True, slots=True)
class Settings:
    """Wishes of the user; those that are empty or 0 leave it to the engine."""

    threads: int = 0
    """Threads to compute with; 0 for one on each core. NAPARI_NANOPYX_THREADS"""
    devices: str = ""
    """Parts of the names of the OpenCL devices to use, with commas between them; empty
    for all, ``"none"`` for none. NAPARI_NANOPYX_DEVICES"""
    memory_mb: int = 0
    """Megabytes that a block of frames may need; 0 for what suits this computer.
    NAPARI_NANOPYX_MEMORY_MB"""
    folder: str = ""
    """Where the history is kept; empty for the user data folder. NAPARI_NANOPYX_HOME"""

    def __post_init__(self) -> None:
        for name in ("threads", "memory_mb"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{name} is {value!r}, but must be a whole number")
            if value < 0:
                raise ValueError(f"{name} is {value}, but must be 0 or more")
        for name in ("devices", "folder"):
            value = getattr(self, name)
            if not isinstance(value, str):
                raise TypeError(f"{name} is {value!r}, but must be text")


_set = Settings()


def current() -> Settings:
    """Return what has been set, without looking at the environment."""
    return _set


def change(wishes: Mapping[str, Any]) -> None:
    """Set some of them anew."""
    global _set
    _set = replace(_set, **wishes)


def threads() -> int:
    """Return how many threads are wished for; 0 for one on each core."""
    return _number("NAPARI_NANOPYX_THREADS", _set.threads)


def memory_bytes() -> int:
    """Return what a block may need; 0 if nobody has said."""
    return _number("NAPARI_NANOPYX_MEMORY_MB", _set.memory_mb) * 2**20


def folder() -> Path | None:
    """Return where the history is to be kept, if anybody has said."""
    path = os.environ.get("NAPARI_NANOPYX_HOME") or _set.folder
    return Path(path).expanduser() if path else None


def opencl_is_off() -> bool:
    """Tell whether no OpenCL device is to be looked for."""
    off = os.environ.get("NAPARI_NANOPYX_DISABLE_OPENCL", "") not in ("", "0")
    return off or _parts() == [_TURNED_OFF]


def is_wanted(device: str) -> bool:
    """Tell whether the OpenCL device of this name is to be used."""
    parts = _parts()
    return not parts or any(part in device.lower() for part in parts)


def wished_devices() -> str:
    """Return the parts of names that were set, as they were."""
    return os.environ.get("NAPARI_NANOPYX_DEVICES") or _set.devices


def _parts() -> list[str]:
    parts = wished_devices().lower().split(",")
    return [part.strip() for part in parts if part.strip()]


def _number(variable: str, otherwise: int) -> int:
    asked = os.environ.get(variable, "").strip()
    if not asked:
        return otherwise
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    warnings.warn(
        f"{variable} is {asked!r}, but must be a whole number from 1 up: it is left "
        "out of account",
        RuntimeWarning,
        stacklevel=3,
    )
    return otherwise
