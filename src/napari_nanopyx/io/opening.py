"""Opens an image file of any kind that can be read."""

from __future__ import annotations

import os
from pathlib import Path

from napari_nanopyx.io.stack import FrameStack, ImageFileError
from napari_nanopyx.io.tiff import open_tiff
from napari_nanopyx.io.zarr_store import open_zarr

KINDS = {
    "TYX": "a movie",
    "TZYX": "a movie of volumes",
    "CYX": "an image with channels",
}
TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def open_image(path: str | os.PathLike[str]) -> FrameStack:
    """Open a TIFF file or a Zarr (OME-Zarr) folder, reading nothing but its header.

    Parameters
    ----------
    path
        The file or folder.

    Returns
    -------
    FrameStack
        All axes as they are in the file. The first series of a TIFF and the largest
        resolution of an OME-Zarr are taken.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`.
    ImageFileError
        If it is not an image, is cut short, or claims an absurd size.
    """
    place = Path(path)
    if not place.exists():
        raise FileNotFoundError(f"{place} does not exist")
    if place.is_dir():
        return open_zarr(place)
    with place.open("rb") as file:
        signature = file.read(4)
    if signature not in TIFF_SIGNATURES:
        raise ImageFileError(
            f"{place} is not an image that can be read here: "
            "give a TIFF file or a Zarr folder"
        )
    return open_tiff(place)


def open_movie(
    path: str | os.PathLike[str],
    *,
    channel: int | None = None,
    plane: int | None = None,
) -> FrameStack:
    """Open a file as a movie ``(T, Y, X)``.

    Axes of length 1 are dropped. If one axis is left beside Y and X it is taken as
    time, whatever the file calls it: many programs write movies as Z stacks.

    Parameters
    ----------
    path
        The file or folder.
    channel, plane
        Which channel (C) and which plane (Z) to take, counted from 0; needed only
        where the file has several beside its frames.

    Returns
    -------
    FrameStack
        With axes ``"TYX"``.
    """
    return open_stack(path, "TYX", channel=channel, plane=plane)


def open_stack(
    path: str | os.PathLike[str],
    axes: str,
    *,
    channel: int | None = None,
    plane: int | None = None,
) -> FrameStack:
    """Open a file as an image with certain axes.

    Axes of length 1 are dropped. If one axis is left that is not wanted, and one is
    missing, it is taken for that, whatever the file calls it.

    Parameters
    ----------
    path
        The file or folder.
    axes
        ``"TYX"``, ``"TZYX"`` or ``"CYX"``.
    channel, plane
        Which channel (C) and which plane (Z) to take, counted from 0.

    Returns
    -------
    FrameStack
        With these axes, in this order.
    """
    stack = open_image(path)
    try:
        return _with_axes(_part(stack, channel, plane), axes)
    except ValueError as problem:
        stack.close()
        raise ImageFileError(f"{path}: {problem}") from problem


def _part(stack: FrameStack, channel: int | None, plane: int | None) -> FrameStack:
    if not stack.metadata.axes.endswith("YX"):
        raise ImageFileError(
            f"the frames are not plain grey images (axes {stack.metadata.axes}, "
            f"shape {stack.shape}): convert colour images to grey first"
        )
    for axis, name, index in (("C", "channel", channel), ("Z", "plane", plane)):
        if index is None:
            continue
        if axis not in stack.metadata.axes:
            raise ImageFileError(
                f"{name} {index} was asked for, but the axes are {stack.metadata.axes}"
            )
        stack = stack.select(axis, index)
    return stack


def _with_axes(stack: FrameStack, wanted: str) -> FrameStack:
    for axis in sorted(stack.metadata.axes[:-2], key=lambda letter: letter in wanted):
        single = stack.shape[stack.metadata.axes.index(axis)] == 1
        if single and stack.ndim > len(wanted):
            stack = stack.select(axis, 0)
    found = stack.metadata.axes
    strange = [axis for axis in found if axis not in wanted]
    missing = [axis for axis in wanted if axis not in found]
    if len(strange) == len(missing) == 1:
        stack = stack.renamed(found.replace(strange[0], missing[0]))
    elif not strange and missing == ["T"]:
        stack = stack.with_time_axis()
    elif strange or missing:
        sizes = ", ".join(
            f"{axis}={length}" for axis, length in zip(found, stack.shape, strict=True)
        )
        remedy = ": choose one channel or one plane" if strange else ""
        raise ImageFileError(
            f"{KINDS.get(wanted, 'the image')} has the axes {', '.join(wanted)}, but "
            f"this file has {sizes}{remedy}"
        )
    return stack.ordered(wanted)
