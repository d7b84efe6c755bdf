"""Reads and checks what methods on single images are given."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.errors import Cancelled, UnknownImplementation
from napari_nanopyx._engine.running.runner import Cancel
from napari_nanopyx._engine.running.source import as_source


def single_image(name: str, image: ArrayLike, least_side: int) -> NDArray[Any]:
    """Return the pixels, shape (Y, X), of an image that is no stack and not tiny."""
    source = as_source(image, name)
    if len(source) != 1:
        raise ValueError(
            f"{name} has {len(source)} frames, but must be one image, (Y, X): choose a "
            "frame or average them first"
        )
    if min(source.shape[1:]) < least_side:
        raise ValueError(
            f"{name} has shape {source.shape[1:]}, but must have at least {least_side} "
            "pixels along each axis"
        )
    pixels: NDArray[Any] = source.read(range(1))[0]
    return pixels


def length_unit(units: Any) -> str:
    """Return the name of a unit of length."""
    if not isinstance(units, str):
        raise TypeError(f"units is {units!r}, but must be text, such as 'nm'")
    return units


def only_reference(task: str, implementation: str | None) -> None:
    """Raise UnknownImplementation if another than the only one is asked for."""
    if implementation not in (None, "reference"):
        raise UnknownImplementation(str(implementation), task, ["reference"])


def stop_if(cancel: Cancel | None) -> None:
    """Raise Cancelled if a caller wants to stop."""
    if cancel is not None and cancel.is_set():
        raise Cancelled("the computation was cancelled")
