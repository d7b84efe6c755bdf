"""A stack on disk that reads only the frames it is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_nanopyx.io.metadata import ImageMetadata

LARGEST_FRAME_BYTES = 4 * 2**30
MOST_FRAMES = 10_000_000


class ImageFileError(ValueError):
    """A file that cannot be read as an image, with the reason."""


class FrameStack:
    """An array whose frames stay in the file until they are indexed.

    It has ``shape``, ``dtype``, ``ndim`` and slicing, so every method of the package,
    Dask and napari take it as they take an array. Frames come back in native byte
    order. Reading is by file position and not by memory mapping: the pages of a
    mapped file would count as memory in use.

    Parameters
    ----------
    read
        Returns the frames of these numbers, ``(n, *frame_shape)``.
    leading_shape
        Shape of the axes before the frame's own; frames are numbered in C order.
    frame_shape
        Shape of one frame.
    dtype
        Type of the values.
    metadata
        Axes (one letter for each axis) and calibration.
    close
        Gives the file back.
    """

    def __init__(
        self,
        read: Callable[[NDArray[np.intp]], NDArray[Any]],
        leading_shape: tuple[int, ...],
        frame_shape: tuple[int, ...],
        dtype: DTypeLike,
        metadata: ImageMetadata,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.dtype = np.dtype(dtype).newbyteorder("=")
        self.metadata = metadata
        self._read = read
        self._frame_shape = frame_shape
        self._close = close
        check_size(leading_shape, frame_shape, self.dtype)
        self._numbers = np.arange(math.prod(leading_shape)).reshape(leading_shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of every axis."""
        return self._numbers.shape + self._frame_shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Memory the whole stack would take."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read the frames that `key` touches, then index inside them."""
        keys = _full_key(key, self.ndim)
        leading = self._numbers.ndim
        numbers = np.asarray(self._numbers[keys[:leading]])
        if numbers.size:
            frames = self._read(numbers.ravel()).astype(self.dtype, copy=False)
        else:
            frames = np.empty((0, *self._frame_shape), self.dtype)
        frames = frames.reshape(numbers.shape + self._frame_shape)
        inside = (slice(None),) * numbers.ndim + keys[leading:]
        selected: NDArray[Any] = frames[inside]
        return selected

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[Any]:
        if copy is False:
            raise ValueError("a stack on disk cannot become an array without a copy")
        return np.asarray(self[...], dtype=dtype)

    def select(self, axis: str, index: int) -> FrameStack:
        """Return the stack at one position of a leading axis; nothing is read."""
        place = self.metadata.axes.index(axis)
        length = self._numbers.shape[place]
        if not 0 <= index < length:
            raise ValueError(
                f"{_AXIS_NAMES.get(axis, axis)} is {index}, but the file has "
                f"{length}: give 0 to {length - 1}"
            )
        axes = self.metadata.axes[:place] + self.metadata.axes[place + 1 :]
        numbers = np.asarray(self._numbers.take(index, axis=place))
        return self._renumbered(numbers, axes)

    def with_time_axis(self) -> FrameStack:
        """Return the stack with a time axis of length 1 in front."""
        return self._renumbered(self._numbers[np.newaxis], "T" + self.metadata.axes)

    def renamed(self, axes: str) -> FrameStack:
        """Return the same stack with other letters for its axes."""
        return self._renumbered(self._numbers, axes)

    def ordered(self, axes: str) -> FrameStack:
        """Return the stack with its leading axes in another order."""
        if axes == self.metadata.axes:
            return self  # also where a frame has more axes of its own than two
        places = [self.metadata.axes.index(axis) for axis in axes[:-2]]
        return self._renumbered(self._numbers.transpose(places), axes)

    def _renumbered(self, numbers: NDArray[np.intp], axes: str) -> FrameStack:
        view = object.__new__(FrameStack)
        view.__dict__.update(self.__dict__)
        view._numbers = numbers
        view.metadata = replace(self.metadata, axes=axes)
        return view

    def close(self) -> None:
        """Give the file back; reading afterwards fails."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


_AXIS_NAMES = {"C": "channel", "Z": "plane", "T": "frame"}


def check_size(
    leading_shape: tuple[int, ...],
    frame_shape: tuple[int, ...],
    dtype: np.dtype[Any],
) -> None:
    """Refuse sizes that no camera writes, before any memory is asked for."""
    frame_bytes = math.prod(frame_shape) * dtype.itemsize
    shape = leading_shape + frame_shape
    if any(length < 1 for length in shape):
        raise ImageFileError(f"the image is empty: its shape is {shape}")
    if frame_bytes > LARGEST_FRAME_BYTES:
        raise ImageFileError(
            f"one frame of shape {frame_shape} would take {frame_bytes} bytes; "
            f"frames up to {LARGEST_FRAME_BYTES} bytes are read"
        )
    if math.prod(leading_shape) > MOST_FRAMES:
        raise ImageFileError(
            f"the file claims {math.prod(leading_shape)} frames; "
            f"up to {MOST_FRAMES} are read"
        )


def _full_key(key: Any, ndim: int) -> tuple[Any, ...]:
    keys = key if isinstance(key, tuple) else (key,)
    dots = [place for place, part in enumerate(keys) if part is Ellipsis]
    if len(dots) > 1 or len(keys) - len(dots) > ndim:
        raise IndexError(f"too many indices for a stack with {ndim} axes: {key!r}")
    place = dots[0] if dots else len(keys)
    after = keys[place + 1 :]
    fill = (slice(None),) * (ndim - place - len(after))
    return (*keys[:place], *fill, *after)
