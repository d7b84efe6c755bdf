"""Keeps a channel registration in a TIFF file, with JSON as its description."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.shift_field import Model
from napari_nanopyx.io import ImageFileError, check_output, open_image, temporary_beside
from napari_nanopyx.io.writing import CLASSIC_TIFF_BYTES, TIFF_SUFFIXES
from napari_nanopyx.methods.channel_registration import (
    ChannelQuality,
    ChannelRegistration,
)

FORMAT = "napari-nanopyx channel registration"
VERSION = 1
LONGEST_NOTE = 10_000_000


def write(registration: ChannelRegistration, path: str | os.PathLike[str]) -> Path:
    """Write a registration in one piece, and return where it is."""
    import tifffile

    place = check_output(path, suffixes=TIFF_SUFFIXES)
    note = {
        "format": FORMAT,
        "version": VERSION,
        "reference": registration.reference,
        "model": registration.model,
        "size": registration.shape,
        "axes": registration.axes,
        "pixel_size": registration.pixel_size,
        "units": registration.units,
        "source": registration.source,
        "settings": dict(registration.settings),
        "channels": [_without_nan(asdict(each)) for each in registration.channels],
        "affine": None if registration.affine is None else registration.affine.tolist(),
    }
    text = json.dumps(note, default=str, allow_nan=False)
    big = registration.shifts.nbytes > CLASSIC_TIFF_BYTES
    with (
        temporary_beside(place) as part,
        tifffile.TiffWriter(part, bigtiff=big) as writer,
    ):
        writer.write(
            registration.shifts,
            photometric="minisblack",
            description=text,
            metadata=None,
        )
    return place


def read(path: str | os.PathLike[str]) -> ChannelRegistration:
    """Read a registration, and trust nothing that the file says."""
    place = Path(path)
    stack = open_image(place)
    try:
        note = _note(place)
        try:
            shape = _shape(note)
            shifts = _shifts(stack, shape)
            return _registration(note, shifts)
        except (KeyError, TypeError, ValueError, OverflowError) as problem:
            raise ImageFileError(
                f"{place} is no channel registration that can be read: "
                f"{_described(problem)}"
            ) from problem
    finally:
        stack.close()


def _note(place: Path) -> dict[str, Any]:
    """Return the JSON of the file's description."""
    import tifffile

    try:
        with tifffile.TiffFile(place) as file:
            text = file.pages.first.description
        note = json.loads(text) if len(text) <= LONGEST_NOTE else None
    except (ValueError, RecursionError, OSError, IndexError):
        note = None
    if not isinstance(note, dict) or note.get("format") != FORMAT:
        raise ImageFileError(
            f"{place} is an image, but no channel registration: give a file that "
            "ChannelRegistration.save has written"
        )
    if note.get("version") != VERSION:
        raise ImageFileError(
            f"{place} has version {note.get('version')!r} of the format, but this "
            f"program reads version {VERSION}: use a newer one"
        )
    return note


def _shape(note: dict[str, Any]) -> tuple[int, int, int]:
    count, rows, columns = (_whole("size", each) for each in note["size"])
    return count, rows, columns


def _shifts(stack: Any, shape: tuple[int, int, int]) -> NDArray[np.float32]:
    count, rows, columns = shape
    if (
        stack.shape != (2 * count, rows, columns)
        or stack.dtype != np.float32
        or count < 2
    ):
        raise ValueError(
            f"it holds {stack.dtype} of shape {stack.shape}, but its note tells of "
            f"float32 of {2 * count} × {rows} × {columns}"
        )
    shifts = np.ascontiguousarray(stack[:], np.float32)
    if not np.isfinite(shifts).all():
        raise ValueError("some of its shifts are not finite")
    return shifts.reshape(count, 2, rows, columns)


def _registration(
    note: dict[str, Any], shifts: NDArray[np.float32]
) -> ChannelRegistration:
    count = len(shifts)
    reference = _whole("reference", note["reference"])
    if reference >= count or note["model"] not in get_args(Model):
        raise ValueError(f"reference is {reference} and model {note['model']!r}")
    if len(note["channels"]) != count:
        raise ValueError(f"it tells of {len(note['channels'])} channels, not {count}")
    affine = note["affine"]
    if affine is not None:
        affine = np.array(affine, np.float64)
        if affine.shape != (count, 2, 3) or not np.isfinite(affine).all():
            raise ValueError(f"affine has shape {affine.shape}")
    pixel_size = float(note["pixel_size"])
    if not 0 < pixel_size < math.inf:
        raise ValueError(f"pixel_size is {pixel_size}")
    settings = note["settings"]
    if not isinstance(settings, dict):
        raise TypeError(f"settings is {settings!r}")
    return ChannelRegistration(
        shifts,
        reference,
        note["model"],
        tuple(_quality(each) for each in note["channels"]),
        affine,
        pixel_size,
        str(note["units"]),
        str(note["axes"]),
        str(note["source"]),
        settings,
    )


def _quality(note: dict[str, Any]) -> ChannelQuality:
    similarity, residual = (
        math.nan if note[name] is None else float(note[name])
        for name in ("similarity", "residual")
    )
    return ChannelQuality(
        similarity,
        residual,
        _whole("used", note["used"]),
        _whole("compared", note["compared"]),
        str(note["reason"]),
    )


def _whole(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name} holds {value!r}, not a whole number")
    return value


def _without_nan(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with None for NaN, of which JSON knows nothing."""
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in values.items()
    }


def _described(problem: Exception) -> str:
    if isinstance(problem, KeyError):
        return f"{problem.args[0]} is missing"
    return str(problem)
