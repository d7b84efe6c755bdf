"""Calls a function on an image with more axes than it takes at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx.workflow.grid import ORDER
from napari_nanopyx.workflow.view import View

BLOCK_BYTES = 64 * 2**20

Progress = Callable[[int, int], None]
Call = Callable[[View, Progress], NDArray[Any]]


def whole(view: View, core: str, call: Call, progress: Progress) -> NDArray[Any]:
    """Call a function for each channel and plane; it may return any number of frames.

    Parameters
    ----------
    view
        The image.
    core
        The axes that the function takes.
    call
        Takes an image with these axes, and returns one with these axes.
    progress
        Told the frames done and the frames in all.

    Returns
    -------
    ndarray
        With the axes of the image, and time even if it has none.
    """
    loops = [axis for axis in view.axes if axis not in core]
    places = list(itertools.product(*(range(view.length(axis)) for axis in loops)))
    results = []
    for number, place in enumerate(places):
        part = view
        for axis, at in zip(loops, place, strict=True):
            part = part.pick(axis, at)
        results.append(call(part, _within(progress, number, len(places))))
    inner = core if "T" in core or "T" in loops else f"T{core}"
    if "T" in core and results[0].ndim < len(core):
        results = [result[np.newaxis] for result in results]
    if "T" not in core and "T" not in loops:
        results = [result[np.newaxis] for result in results]
    shape = tuple(view.length(axis) for axis in loops)
    stacked = np.stack(results).reshape(shape + results[0].shape)
    axes = [*loops, *inner]
    return stacked.transpose([axes.index(axis) for axis in ORDER if axis in axes])


def in_blocks(
    view: View,
    core: str,
    call: Callable[[View, slice, Progress], NDArray[Any]],
    progress: Progress,
) -> Iterator[NDArray[Any]]:
    """Call a function that treats frames alone, on a few of them at a time.

    Parameters
    ----------
    view, core, progress
        As for `whole`.
    call
        Takes also which frames of the movie they are.
    """
    frames = view.length("T")
    start, length = 0, 1
    while start < frames:
        which = slice(start, min(start + length, frames))
        part = view.pick("T", which) if "T" in view.axes else view

        def call_here(image: View, report: Progress, which: slice = which) -> Any:
            return call(image, which, report)

        begun, count = which.start, which.stop - which.start

        def told(done: int, total: int, begun: int = begun, count: int = count) -> None:
            progress(begun + count * done // max(1, total), frames)

        block = whole(part, core, call_here, told)
        yield block
        start = which.stop
        length = max(1, BLOCK_BYTES // block[0].nbytes)


def _within(progress: Progress, number: int, count: int) -> Progress:
    def report(done: int, total: int) -> None:
        progress(number * total + done, count * total)

    return report


def as_arguments(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as functions take them: pairs are tuples."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in parameters.items()
    }
