"""Writes OME-Zarr images that are either complete or not there."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx.io.metadata import MICROMETRE_WORDS, SIGNS, ImageMetadata
from napari_nanopyx.io.writing import check_output, exactly, write_tiff
from napari_nanopyx.io.zarr_store import PROVENANCE_KEY

NGFF_VERSION = "0.4"
"""The version that every reader of OME-Zarr knows; its arrays are of Zarr format 2."""

CHUNK_SIDE = 1024
_KINDS = {"T": "time", "C": "channel"}
_UNITS = {sign: word for word, sign in SIGNS.items()}


def write_image(
    path: str | os.PathLike[str],
    frames: NDArray[Any] | Iterable[NDArray[Any]],
    metadata: ImageMetadata,
    *,
    shape: tuple[int, ...] | None = None,
    provenance: Mapping[str, Any] | None = None,
    replace: bool = False,
) -> Path:
    """Write a float32 image in one piece, as TIFF or OME-Zarr by the path's end.

    Parameters
    ----------
    path
        Ends in ``.tif``, ``.tiff`` or ``.zarr``.
    frames, metadata, shape, provenance
        As for `write_tiff`.
    replace
        As for `write_zarr`; a file is always replaced.
    """
    if Path(path).suffix.lower() == ".zarr":
        return write_zarr(
            path,
            frames,
            metadata,
            shape=shape,
            provenance=provenance,
            replace=replace,
        )
    return write_tiff(path, frames, metadata, shape=shape, provenance=provenance)


def write_zarr(
    path: str | os.PathLike[str],
    frames: NDArray[Any] | Iterable[NDArray[Any]],
    metadata: ImageMetadata,
    *,
    shape: tuple[int, ...] | None = None,
    provenance: Mapping[str, Any] | None = None,
    replace: bool = False,
) -> Path:
    """Write a float32 OME-Zarr image (NGFF 0.4) in one piece.

    The folder is filled under another name beside `path`, and renamed when it is
    complete.

    Parameters
    ----------
    path
        Ends in ``.zarr``.
    frames
        The array, or its frames (Y, X) one after the other.
    metadata
        Axes of the array, size of its pixels, time between its frames.
    shape
        Needed if `frames` is not an array.
    provenance
        How the image was made; kept in the attributes of the group.
    replace
        Whether an image that this function has written may be replaced; it stays until
        the new one is complete.

    Returns
    -------
    Path
        Where the folder is.
    """
    place = check_output(path, suffixes=(".zarr",), replace=replace)
    if place.exists() and not _is_ours(place):
        raise ValueError(
            f"the output {place} is there already, and napari-nanopyx has not written "
            "it: give another name"
        )
    if isinstance(frames, np.ndarray):
        shape = frames.shape
        frames = frames.reshape(-1, *shape[-2:])
    if shape is None:
        raise ValueError("shape is needed when the frames come one by one")
    if len(metadata.axes) != len(shape):
        raise ValueError(f"axes are {metadata.axes!r}, but the shape is {shape}")
    zarr = _zarr(place)
    part = place.with_name(f".{place.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        group = zarr.open_group(str(part), mode="w", zarr_format=2)
        chunks = (1,) * (len(shape) - 2) + tuple(min(s, CHUNK_SIDE) for s in shape[-2:])
        array = group.create_array(
            "0",
            shape=shape,
            dtype="float32",
            chunks=chunks,
            chunk_key_encoding={"name": "v2", "separator": "/"},
        )
        for number, frame in enumerate(exactly(frames, shape)):
            array[tuple(map(int, np.unravel_index(number, shape[:-2])))] = frame
        if provenance:
            group.attrs[PROVENANCE_KEY] = _plain(provenance)
        group.attrs["multiscales"] = [_multiscale(place, metadata)]
        _to_disk(part)
        _put_in_place(part, place)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return place


def _is_ours(place: Path) -> bool:
    try:
        attributes = json.loads((place / ".zattrs").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(attributes, dict) and PROVENANCE_KEY in attributes


def _put_in_place(part: Path, place: Path) -> None:
    """Give a folder its name; what has it goes when the new one is there."""
    if not place.exists():
        part.rename(place)
        return
    old = part.with_suffix(".old")
    place.rename(old)
    try:
        part.rename(place)
    except OSError:
        old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _zarr(place: Path) -> Any:
    """Return the package, of a version that can write."""
    try:
        import zarr
    except ImportError as problem:
        raise ValueError(
            f"the output {place} is a Zarr folder, and writing one needs the package "
            "zarr: pip install 'zarr>=3', or write a TIFF file"
        ) from problem
    if int(zarr.__version__.split(".")[0]) < 3:
        raise ValueError(
            f"writing {place} needs zarr 3, but zarr {zarr.__version__} is installed: "
            "pip install 'zarr>=3', or write a TIFF file"
        )
    return zarr


def _multiscale(place: Path, metadata: ImageMetadata) -> dict[str, Any]:
    """Return what NGFF says of an image: axes, their units and scales."""
    height, width = metadata.pixel_size or (1.0, 1.0)
    scales = {"Y": height, "X": width, "Z": metadata.depth or 1.0}
    scales["T"] = metadata.frame_interval or 1.0
    unit = _space_unit(metadata) if metadata.pixel_size else None
    units = {"Y": unit, "X": unit, "Z": unit if metadata.depth else None}
    units["T"] = "second" if metadata.frame_interval else None
    axes = []
    for letter in metadata.axes:
        axis = {"name": letter.lower(), "type": _KINDS.get(letter, "space")}
        if units.get(letter):
            axis["unit"] = str(units[letter])
        axes.append(axis)
    scale = [float(scales.get(letter, 1.0)) for letter in metadata.axes]
    level = {
        "path": "0",
        "coordinateTransformations": [{"type": "scale", "scale": scale}],
    }
    name = place.name.removesuffix(".zarr").removesuffix(".ome")
    return {"version": NGFF_VERSION, "name": name, "axes": axes, "datasets": [level]}


def _space_unit(metadata: ImageMetadata) -> str:
    is_micrometre = metadata.unit in MICROMETRE_WORDS
    return "micrometer" if is_micrometre else _UNITS.get(metadata.unit, metadata.unit)


def _plain(provenance: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(provenance, default=str))


def _to_disk(folder: Path) -> None:
    """Have every file on disk before the folder gets its name."""
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("r+b") as opened:
                os.fsync(opened.fileno())
