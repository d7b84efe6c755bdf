"""Opens Zarr arrays and OME-Zarr images frame by frame."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx.io.metadata import ImageMetadata, plain_unit
from napari_nanopyx.io.stack import (
    LARGEST_FRAME_BYTES,
    FrameStack,
    ImageFileError,
    check_size,
)

PROVENANCE_KEY = "napari-nanopyx"
USUAL_AXES = {2: "YX", 3: "TYX", 4: "TCYX", 5: "TCZYX"}


def open_zarr(path: Path) -> FrameStack:
    """Open a Zarr array, or the largest resolution of an OME-Zarr image."""
    try:
        import zarr
    except ImportError as problem:
        raise ImageFileError(
            f"{path} is a folder, and reading Zarr folders needs the package zarr: "
            "pip install zarr"
        ) from problem
    try:
        node = zarr.open(str(path), mode="r")
    except Exception as problem:
        raise ImageFileError(
            f"{path} is a folder but not a Zarr image: "
            "give a TIFF file or a Zarr folder"
        ) from problem
    array, metadata = _image_in(node, path)
    if array.ndim < 2 or len(metadata.axes) != array.ndim:
        raise ImageFileError(
            f"{path} has {array.ndim} axes and they are called {metadata.axes!r}: "
            "an image has 2 to 5, each with a letter"
        )
    leading, frame_shape = array.shape[:-2], array.shape[-2:]
    check_size(leading, frame_shape, array.dtype)
    chunk_bytes = math.prod(array.chunks) * array.dtype.itemsize
    if chunk_bytes > LARGEST_FRAME_BYTES:
        raise ImageFileError(
            f"one chunk of {path} takes {chunk_bytes} bytes; "
            f"chunks up to {LARGEST_FRAME_BYTES} bytes are read"
        )

    def read(numbers: NDArray[np.intp]) -> NDArray[Any]:
        return _read(array, numbers, leading, path)

    return FrameStack(read, leading, frame_shape, array.dtype, metadata)


def _image_in(node: Any, path: Path) -> tuple[Any, ImageMetadata]:
    if hasattr(node, "dtype"):
        return node, ImageMetadata(USUAL_AXES.get(node.ndim, ""))
    attributes = dict(node.attrs)
    multiscales = attributes.get("ome", attributes).get("multiscales")
    if multiscales:
        try:
            return _multiscale(node, multiscales[0])
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as problem:
            raise ImageFileError(
                f"{path}: its OME-Zarr description is damaged: {problem!r}"
            ) from problem
    names = sorted(node.array_keys())
    if len(names) != 1:
        found = ", ".join(names) or "none"
        raise ImageFileError(
            f"{path} is a Zarr group with the arrays: {found}. "
            "Give the path of one array"
        )
    array = node[names[0]]
    return array, ImageMetadata(USUAL_AXES.get(array.ndim, ""))


def _multiscale(group: Any, description: Any) -> tuple[Any, ImageMetadata]:
    """Return the full-resolution array and what its description says."""
    largest = description["datasets"][0]
    array = group[largest["path"]]
    named = [
        axis if isinstance(axis, dict) else {"name": axis}
        for axis in description.get("axes", [])
    ]
    axes = "".join(str(axis["name"]).upper() for axis in named)
    axes = axes or USUAL_AXES.get(array.ndim, "")
    scale = [1.0] * array.ndim
    for level in (largest, description):
        for change in level.get("coordinateTransformations", []):
            if change.get("type") == "scale":
                scale = [
                    a * float(b) for a, b in zip(scale, change["scale"], strict=True)
                ]
    units = {str(axis["name"]).upper(): str(axis.get("unit", "")) for axis in named}
    sized = units.get("X", "") != "" and axes.endswith("YX")
    timed = units.get("T", "") == "second"
    return array, ImageMetadata(
        axes,
        (scale[-2], scale[-1]) if sized else None,
        plain_unit(units["X"]) if sized else "pixel",
        scale[axes.index("T")] if timed else None,
        _note(group),
        scale[-3] if sized and axes.endswith("ZYX") else None,
    )


def _note(group: Any) -> str:
    """Return how the image was made, as this package writes it down."""
    note = group.attrs.get(PROVENANCE_KEY)
    return "" if note is None else json.dumps(note)


def _read(
    array: Any, numbers: NDArray[np.intp], leading: tuple[int, ...], path: Path
) -> NDArray[Any]:
    try:
        if not leading:
            return np.asarray(array[...])[np.newaxis]
        places = np.unravel_index(numbers, leading)
        moving = [axis for axis, at in enumerate(places) if np.ptp(at) > 0]
        if len(moving) == 1 and numbers.size > 1:
            steps = np.diff(places[moving[0]])
            if steps[0] > 0 and (steps == steps[0]).all():
                key: list[Any] = [int(at[0]) for at in places]
                along = places[moving[0]]
                key[moving[0]] = slice(int(along[0]), int(along[-1]) + 1, int(steps[0]))
                return np.asarray(array[tuple(key)])
        frames = np.empty((numbers.size, *array.shape[-2:]), array.dtype)
        for place, position in enumerate(zip(*places, strict=True)):
            frames[place] = array[tuple(int(index) for index in position)]
        return frames
    except Exception as problem:
        raise ImageFileError(f"{path}: a chunk cannot be read: {problem}") from problem
