"""Lets napari open and save drift tables and channel registrations.

A drift table becomes the track of the scene's middle, a registration the arrows along
which its channels move. The layer's metadata hold the object itself, so that saving
writes exactly what was opened.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_nanopyx import ChannelRegistration, DriftTable

LayerData = tuple[Any, dict[str, Any], str]
Reader = Callable[..., list[LayerData]]

DRIFT = "drift_table"
REGISTRATION = "channel_registration"
"""Where a layer's metadata hold the object."""

ARROWS_PER_AXIS = 16
_HEAD_BYTES = 1 << 20


def get_drift_reader(path: str | Sequence[str], **_: Any) -> Reader | None:
    """Return what reads a drift table, None if the file is something else."""
    if not isinstance(path, str) or not _begins_as_drift(Path(path)):
        return None
    return _reader(lambda each: drift_layer(DriftTable.load(each), _stem(each)))


def get_registration_reader(path: str | Sequence[str], **_: Any) -> Reader | None:
    """Return what reads a channel registration, None if the file is something else."""
    if not isinstance(path, str):
        return None
    try:
        registration = ChannelRegistration.load(path)
    except (ValueError, OSError):
        return None
    return _reader(lambda each: registration_layer(registration, _stem(each)))


def _reader(read: Callable[[str], LayerData]) -> Reader:
    def reader(path: str | Sequence[str], **_: Any) -> list[LayerData]:
        return [read(each) for each in ([path] if isinstance(path, str) else path)]

    return reader


def _begins_as_drift(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return False
    return b"napari-nanopyx drift table" in head or b"Drift Table" in head


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def drift_layer(table: DriftTable, name: str) -> LayerData:
    """Return the track of the middle of the scene, frame by frame.

    Parameters
    ----------
    table
        Its corrections, backwards, are how the scene has moved.
    name
        Of the layer.
    """
    sides = table.shifts.shape[1]
    shape = table.frame_shape or (0,) * sides
    middle = (
        (np.asarray(shape[-sides:], float) - 1) / 2 if any(shape) else np.zeros(sides)
    )
    frames = np.arange(len(table), dtype=float)
    columns = [np.zeros(len(table)), frames, *(middle - table.shifts).T]
    options: dict[str, Any] = {
        "name": name,
        "color_by": "frame",
        "features": {
            "frame": frames,
            "similarity": table.similarity.copy(),
            "flagged": table.flagged.astype(int),
        },
        "metadata": {DRIFT: table, "napari_nanopyx": {"result": str(table)}},
        "tail_length": len(table),
        "tail_width": 3,
    }
    return (
        np.column_stack(columns),
        options
        | _calibrated(
            table.pixel_size, table.units, 1 + sides, sides, table.frame_interval
        ),
        "tracks",
    )


def registration_layer(registration: ChannelRegistration, name: str) -> LayerData:
    """Return arrows along which the content of each channel moves.

    Parameters
    ----------
    registration
        Of its shifts, a grid of some is shown.
    name
        Of the layer.
    """
    count, rows, columns = registration.shape
    at_rows, at_columns = (
        np.unique(
            np.linspace(0, side - 1, ARROWS_PER_AXIS + 2).round().astype(int)[1:-1]
        )
        for side in (rows, columns)
    )
    arrows = []
    for channel in range(count):
        if channel == registration.reference:
            continue
        shifts = registration.shifts[channel][:, at_rows][:, :, at_columns]
        places = np.meshgrid(at_rows, at_columns, indexing="ij")
        where = np.stack([np.full_like(places[0], channel), *places], axis=-1)
        move = np.stack([np.zeros(shifts.shape[1:]), *shifts], axis=-1)
        arrows.append(np.stack([where - move, move], axis=-2).reshape(-1, 2, 3))
    options: dict[str, Any] = {
        "name": name,
        "edge_width": max(rows, columns) / 400,
        "vector_style": "arrow",
        "metadata": {
            REGISTRATION: registration,
            "napari_nanopyx": {"result": str(registration)},
        },
    }
    size = None if registration.units == "px" else registration.pixel_size
    return (
        np.concatenate(arrows),
        options | _calibrated(size, registration.units, 3, 2),
        "vectors",
    )


def _calibrated(
    size: float | None,
    units: str,
    ndim: int,
    sides: int,
    interval: float | None = None,
) -> dict[str, Any]:
    """Return the scale and units of a layer whose last axes are lengths.

    The first is a time, if the seconds from frame to frame are known.
    """
    if size is None or units == "px":
        if interval is None:
            return {}
        size, units = 1.0, "pixel"
    scale = [1.0] * (ndim - sides) + [size] * sides
    names = ["pixel"] * (ndim - sides) + [units] * sides
    if interval is not None:
        scale[0], names[0] = interval, "second"
    return {"scale": tuple(scale), "units": tuple(names)}


def write_drift(path: str, _data: Any, meta: Mapping[str, Any]) -> list[str]:
    """Write the drift table of a layer that was made from one."""
    table = _kept(meta, DRIFT, DriftTable, "drift table")
    return [str(table.save(path))]


def write_registration(path: str, _data: Any, meta: Mapping[str, Any]) -> list[str]:
    """Write the registration of a layer that was made from one."""
    registration = _kept(
        meta, REGISTRATION, ChannelRegistration, "channel registration"
    )
    return [str(registration.save(path))]


def _kept(meta: Mapping[str, Any], key: str, kind: type, word: str) -> Any:
    found = meta.get("metadata", {}).get(key)
    if not isinstance(found, kind):
        raise ValueError(
            f"the layer {meta.get('name')!r} is no {word}: only a layer that was made "
            "of one can be saved as one"
        )
    return found


def path_of_layer(layers: Sequence[Any], key: str) -> str:
    """Return the file of the last layer that was opened from a table; empty if none.

    Parameters
    ----------
    layers
        Of a viewer.
    key
        `DRIFT` or `REGISTRATION`.
    """
    paths = [
        str(layer.source.path)
        for layer in layers
        if key in layer.metadata and layer.source.path
    ]
    return paths[-1] if paths else ""
