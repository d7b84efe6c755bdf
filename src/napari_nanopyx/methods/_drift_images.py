"""The images of a movie that are compared to find its drift."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine.errors import Cancelled
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.running.runner import Cancel
from napari_nanopyx.methods import _checks as check
from napari_nanopyx.methods.drift_table import AXES
from napari_nanopyx.methods.frames import Frames

LEAST_SIDE = 12
"""Pixels along an axis of what is registered."""

BATCH_BYTES = 32 * 2**20
"""Memory of the images that are compared at a time, as float32."""

MEMORY_SHARE = 4
"""Part of the computer's memory, one in so many, that RCC may take."""


def part_of(roi: Any, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Return the part of a frame that is looked at."""
    names = AXES[-len(shape) :]
    if roi is None:
        values = [0] * len(shape) + list(shape)
    else:
        allowed = ", ".join(names) + ", " + ", ".join(f"end {name}" for name in names)
        if isinstance(roi, str) or not hasattr(roi, "__len__"):
            raise TypeError(f"roi is {roi!r}, but must be ({allowed})")
        if len(roi) != 2 * len(shape):
            raise ValueError(f"roi is {roi!r}, but must be ({allowed})")
        values = []
        for index, value in enumerate(roi):
            axis = index % len(shape)
            values.append(
                check.whole(
                    f"roi's {allowed.split(', ')[index]}", value, 0, shape[axis]
                )
            )
    part = tuple(map(slice, values[: len(shape)], values[len(shape) :]))
    for name, span in zip(names, part, strict=True):
        if span.stop - span.start < LEAST_SIDE:
            what = "roi" if roi is not None else "image"
            advice = ": project the volumes first, or give the channel_index"
            advice = advice if name == "plane" else ""
            raise ValueError(
                f"{what} has {max(0, span.stop - span.start)} {name}s to register, but "
                f"must have at least {LEAST_SIDE}{advice}"
            )
    return part


def reach_of(max_drift: float | None, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the farthest displacement along each axis, in whole pixels."""
    if max_drift is None:
        return tuple(max(1, min(side // 2, side - 18)) for side in shape)
    most = min(shape) - 1
    given = check.positive("max_drift", max_drift, most, "smallest side less 1")
    return (math.ceil(given),) * len(shape)


def batches(
    frames: Frames,
    part: tuple[slice, ...],
    averaged: int,
    progress: Callable[[int, int], object] | None,
    cancel: Cancel | None,
    along: int | None = None,
) -> Iterator[NDArray[Any]]:
    """Yield images to compare, as many as fit: frames, or averages of some.

    Of volumes, their means along an axis if one is given.
    """
    most = max(
        1, BATCH_BYTES // (4 * math.prod(each.stop - each.start for each in part))
    )
    most_read = max(1, BATCH_BYTES // (4 * math.prod(frames.frame_shape)))
    step = most if averaged == 1 else averaged
    step = min(step, most_read) if averaged == 1 else step
    averages: list[NDArray[np.float32]] = []
    for start in range(0, len(frames), step):
        stop = min(start + step, len(frames))
        if cancel is not None and cancel.is_set():
            raise Cancelled("the computation was cancelled")
        if averaged == 1:
            yield _projected(
                frames.read(range(start, stop))[(slice(None), *part)], along
            )
        else:
            total = np.zeros([each.stop - each.start for each in part])
            for first in range(start, stop, most_read):
                block = frames.read(range(first, min(first + most_read, stop)))
                total += block[(slice(None), *part)].sum(axis=0, dtype=np.float64)
            averages.append((total / (stop - start)).astype(np.float32))
            if len(averages) == most or stop == len(frames):
                yield _projected(np.stack(averages), along)
                averages = []
        if progress is not None:
            progress(stop, len(frames))


def check_memory(shape: tuple[int, ...], count: int) -> None:
    """Raise if all images, prepared, would take too much memory."""
    memory = devices.memory_bytes()
    needed = count * math.prod(shape) * 24
    if memory and needed > memory // MEMORY_SHARE:
        raise ValueError(
            f"method is 'rcc', which would keep {count} images in "
            f"{needed / 2**30:.1f} GiB of memory: average more frames (time_averaging) "
            "or choose a part (roi)"
        )


def _projected(images: NDArray[Any], along: int | None) -> NDArray[Any]:
    if along is None:
        return images
    means: NDArray[np.float32] = images.mean(axis=along + 1, dtype=np.float32)
    return means


class OneChannel:
    """One channel of a movie (T, C, Y, X), read when it is asked for.

    Parameters
    ----------
    image : array_like
        NumPy, Dask, Zarr, or anything with ``shape``, ``dtype`` and slicing.
    channel : int
        Which one, counted from 0.
    """

    def __init__(self, image: Any, channel: Any) -> None:
        self._image = image if hasattr(image, "dtype") else np.asarray(image)
        shape = tuple(int(side) for side in self._image.shape)
        if len(shape) != 4:
            raise ValueError(
                f"channel_index is {channel!r}, but image has shape {shape}: leave it "
                "out unless image is (T, C, Y, X)"
            )
        self._channel = check.whole("channel_index", channel, 0, shape[1] - 1)
        self.shape = (shape[0], *shape[2:])
        self.dtype = self._image.dtype

    def __getitem__(self, frames: slice) -> NDArray[Any]:
        return np.asarray(self._image[frames, self._channel])
