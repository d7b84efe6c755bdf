"""Finds the input of a step among what is there, and takes the part that is wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_nanopyx.methods.drift_table import DriftTable
from napari_nanopyx.workflow.catalogue import Wanted
from napari_nanopyx.workflow.grid import Grid
from napari_nanopyx.workflow.model import channel_number
from napari_nanopyx.workflow.view import View

BLOCK_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Images:
    """An image, and where its pixels lie on the movie's."""

    view: View
    grid: Grid = field(default_factory=Grid)


def half(value: Any, parity: str) -> Any:
    """Return every second frame, from the first (``"even"``) or the second on."""
    start = 0 if parity == "even" else 1
    if isinstance(value, DriftTable):
        return value[start::2]
    if isinstance(value, Images) and "T" in value.view.axes:
        if value.view.length("T") < 2:
            raise ValueError("a movie of one frame has no halves")
        frames = Grid({"T": 2.0}, {"T": float(start)})
        picked = value.view.pick("T", slice(start, None, 2))
        return Images(picked, value.grid.then(frames))
    return value


def part_of(value: Any, part: str, stop_if_asked: Callable[[], None]) -> Any:
    """Return a part of an image or table."""
    if part in ("even", "odd"):
        return half(value, part)
    if part == "mean":
        return Images(_mean(value.view, stop_if_asked), value.grid)
    number = channel_number(part)
    count = value.view.length("C")
    if number is None or number >= count:
        raise ValueError(f"{part} is asked for, but there are {count} channels, from 0")
    if "C" not in value.view.axes:
        return value
    return Images(value.view.pick("C", number), value.grid)


def fitting(images: Images, wanted: Wanted, text: str, *, loops: bool) -> Images:
    """Return an image with axes that a step can take.

    Parameters
    ----------
    images
        What there is.
    wanted
        What the input must be.
    text
        What the workflow calls it.
    loops
        Whether the step may be made for each channel and plane.
    """
    view = images.view
    core = {"movie": "TYX", "image": "YX", "channels": "CYX", "volumes": "TZYX"}[wanted]
    for axis in view.axes[:-2]:
        if axis not in core and view.length(axis) == 1:
            view = view.pick(axis, 0)
    extra = [axis for axis in view.axes if axis not in core]
    if not loops and extra:
        remedy = {
            "T": f"give '{text}.mean', or make one image of it first",
            "C": f"choose one, such as '{text}.channel0'",
            "Z": "choose one plane when the file is opened",
        }[extra[0]]
        names = {"T": "frames", "C": "channels", "Z": "planes"}
        raise ValueError(
            f"{text!r} has {view.length(extra[0])} {names[extra[0]]}, but this step "
            f"takes one: {remedy}"
        )
    if wanted == "channels" and "C" not in view.axes:
        raise ValueError(f"{text!r} has one channel, but this step needs several")
    if wanted == "volumes" and "Z" not in view.axes:
        raise ValueError(f"{text!r} has one plane, but this step needs several")
    return Images(view, images.grid)


def _mean(view: View, stop_if_asked: Callable[[], None]) -> View:
    """Return the mean of all frames, of which a few at a time are read."""
    if "T" not in view.axes:
        return view
    shape = view.shape[1:]
    step = max(1, BLOCK_BYTES // max(1, 8 * int(np.prod(shape))))
    total = np.zeros(shape)
    for start in range(0, len(view), step):
        stop_if_asked()
        total += view[start : start + step].sum(axis=0, dtype=np.float64)
    return View((total / len(view)).astype(np.float32), view.axes[1:])
