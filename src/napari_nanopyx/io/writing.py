"""Writes TIFF files that are either complete or not there."""

from __future__ import annotations

import json
import math
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx.io.metadata import ImageMetadata

CLASSIC_TIFF_BYTES = 4 * 10**9
SUFFIXES = (".tif", ".tiff", ".zarr")
TIFF_SUFFIXES = (".tif", ".tiff")


def check_output(
    path: str | os.PathLike[str],
    source: str | os.PathLike[str] | None = None,
    suffixes: Sequence[str] = SUFFIXES,
    *,
    replace: bool = False,
) -> Path:
    """Refuse an output path that cannot be written, before anything is computed.

    Parameters
    ----------
    path
        Where the result is to go.
    source
        The input, which must not be overwritten.
    suffixes
        How the file's name may end.
    replace
        Whether a Zarr folder may be there already; a file always may.
    """
    place = Path(path)
    if place.suffix.lower() not in suffixes:
        raise ValueError(f"the output {place} must end in {' or '.join(suffixes)}")
    if place.is_dir() and place.suffix.lower() == ".zarr" and not replace:
        raise ValueError(
            f"the output {place} is there already: give another name, or remove it"
        )
    if place.is_dir() and place.suffix.lower() != ".zarr":
        raise ValueError(f"the output {place} is a folder: give a file name")
    if not place.parent.is_dir():
        raise ValueError(f"the folder of the output, {place.parent}, does not exist")
    if not os.access(place.parent, os.W_OK):
        raise ValueError(f"the folder of the output, {place.parent}, is not writable")
    if source is not None and place.exists() and place.samefile(source):
        raise ValueError(f"the output {place} is the input itself: give another name")
    if source is not None and place.resolve().is_relative_to(Path(source).resolve()):
        raise ValueError(f"the output {place} lies inside the input {source}")
    return place


def write_tiff(
    path: str | os.PathLike[str],
    frames: NDArray[Any] | Iterable[NDArray[Any]],
    metadata: ImageMetadata,
    *,
    shape: tuple[int, ...] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Path:
    """Write a float32 TIFF file in one piece: complete, or not at all.

    The file is written under another name beside `path` and takes its place only
    when it is complete and on disk.

    Parameters
    ----------
    path
        Ends in ``.tif`` or ``.tiff``; ``.ome.tif`` gives OME metadata.
    frames
        The array, or its frames (Y, X) one after the other.
    metadata
        Axes of the array, size of its pixels, time between its frames.
    shape
        Needed if `frames` is not an array.
    provenance
        How the image was made; kept as JSON in the file's description.

    Returns
    -------
    Path
        Where the file is.

    Notes
    -----
    ImageJ's metadata are written as long as its format allows (4 GB); larger files
    become BigTIFF with OME metadata.
    """
    place = check_output(path, suffixes=TIFF_SUFFIXES)
    if isinstance(frames, np.ndarray):
        shape = frames.shape
        frames = frames.reshape(-1, *shape[-2:])
    if shape is None:
        raise ValueError("shape is needed when the frames come one by one")
    if len(metadata.axes) != len(shape):
        raise ValueError(f"axes are {metadata.axes!r}, but the shape is {shape}")
    import tifffile

    size = math.prod(shape) * 4
    ome = place.name.lower().endswith((".ome.tif", ".ome.tiff"))
    ome = ome or size > CLASSIC_TIFF_BYTES
    bigtiff = size > CLASSIC_TIFF_BYTES
    note = json.dumps(provenance, default=str) if provenance else ""
    with (
        temporary_beside(place) as part,
        tifffile.TiffWriter(part, ome=ome, imagej=not ome, bigtiff=bigtiff) as writer,
    ):
        writer.write(
            exactly(frames, shape),
            shape=shape,
            dtype="float32",
            photometric="minisblack",
            resolution=_pixels_per_unit(metadata),
            metadata=_tags(metadata, note, ome),
        )
    return place


@contextmanager
def temporary_beside(place: Path) -> Iterator[Path]:
    """Give a name to write to; the file takes its place when the block succeeds."""
    part = place.with_name(f".{place.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield part
        with part.open("r+b") as file:
            os.fsync(file.fileno())
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)


def exactly(
    frames: Iterable[NDArray[Any]], shape: tuple[int, ...]
) -> Iterator[NDArray[np.float32]]:
    """Yield the frames as float32, and fail if they are not what was announced."""
    expected, given = math.prod(shape[:-2]), 0
    for frame in frames:
        if frame.shape != shape[-2:]:
            raise ValueError(f"frame {given} is {frame.shape}, not {shape[-2:]}")
        given += 1
        if given > expected:
            break
        yield np.ascontiguousarray(frame, np.float32)
    if given != expected:
        fault = "fewer" if given < expected else "more"
        raise ValueError(f"{fault} frames were given than the {expected} announced")


def _pixels_per_unit(metadata: ImageMetadata) -> tuple[float, float] | None:
    if metadata.pixel_size is None:
        return None
    height, width = metadata.pixel_size
    return (1 / width, 1 / height)


def _tags(metadata: ImageMetadata, note: str, ome: bool) -> dict[str, Any]:
    tags: dict[str, Any] = {"axes": metadata.axes}
    if ome:
        if metadata.pixel_size is not None:
            height, width = metadata.pixel_size
            tags |= {"PhysicalSizeY": height, "PhysicalSizeX": width}
            tags |= dict.fromkeys(
                ("PhysicalSizeYUnit", "PhysicalSizeXUnit"), metadata.unit
            )
            if metadata.depth is not None:
                tags |= {"PhysicalSizeZ": metadata.depth}
                tags |= {"PhysicalSizeZUnit": metadata.unit}
        if metadata.frame_interval is not None:
            tags |= {"TimeIncrement": metadata.frame_interval, "TimeIncrementUnit": "s"}
        if note:
            tags["Description"] = note
        return tags
    if metadata.pixel_size is not None:
        tags["unit"] = metadata.unit.replace("µm", "um")
        if metadata.depth is not None:
            tags["spacing"] = metadata.depth
    if metadata.frame_interval is not None:
        tags["finterval"] = metadata.frame_interval
    if note:
        tags["Info"] = note
    return tags
