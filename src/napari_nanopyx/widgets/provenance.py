"""Writes down how a result was made, for its layer's metadata."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_nanopyx.engine import Run
    from napari_nanopyx.widgets.layers import Source

KEY = "napari_nanopyx"
PACKAGES = ("napari-nanopyx", "napari", "numpy")


def describe(
    function: str,
    parameters: Mapping[str, Any],
    sources: Mapping[str, Source],
    runs: Sequence[Run],
    devices: Mapping[int, Mapping[str, str]],
    seconds: float,
) -> dict[str, Any]:
    """Return a record of a result: plain words, numbers, lists and dictionaries only.

    Parameters
    ----------
    function
        What was called, as a script would name it.
    parameters
        The arguments that are no images.
    sources
        The images, by argument.
    runs
        What the engine recorded of the call.
    devices
        The device of each implementation, by the run's id.
    seconds
        How long the call took.
    """
    return {
        "function": function,
        "parameters": dict(parameters),
        "inputs": {name: _describe_source(source) for name, source in sources.items()},
        "runs": [_describe_run(run, devices.get(run.id, {})) for run in runs],
        "seconds": round(seconds, 6),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {
            "python": platform.python_version(),
            **{package: _version(package) for package in PACKAGES},
        },
    }


def fingerprint(data: Any) -> str:
    """Return a hash of an array's shape, type, and first, middle and last frame.

    Three frames, because the array may be larger than memory and slow to read.
    """
    code = blake2b(f"{tuple(data.shape)} {data.dtype}".encode(), digest_size=16)
    length = data.shape[0]  # Zarr arrays have no len()
    frames = (0, length // 2, length - 1) if length else ()
    for frame in sorted(set(frames)):
        code.update(np.ascontiguousarray(data[frame]).tobytes())
    return code.hexdigest()


def _describe_source(source: Source) -> dict[str, Any]:
    return {
        "layer": source.name,
        "path": source.path,
        "shape": list(source.shape),
        "axes": list(source.axes.taken),
        "at": {str(axis): at for axis, at in source.axes.fixed.items()},
        "dtype": str(source.data.dtype),
        "scale": [float(value) for value in source.scale],
        "units": [str(unit) for unit in source.units],
        "fingerprint": fingerprint(source.data),
    }


def _describe_run(run: Run, devices: Mapping[str, str]) -> dict[str, Any]:
    return {
        "task": run.task,
        "frames_by_implementation": dict(run.blocks),
        "last_choice": run.implementation,
        "reason": run.reason,
        "devices": dict(devices),
        "seconds": round(run.seconds, 6),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
