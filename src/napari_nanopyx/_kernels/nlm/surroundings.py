"""Movies whose frames come with those around them, or with their noise measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Movie(Protocol):
    """Frames that can be read, (T, Y, X)."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Frames, rows and columns."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixels."""

    def __getitem__(self, frames: slice, /) -> NDArray[Any]:
        """Return some frames."""


class Surroundings:
    """A movie of frames as tall as the frames around each of them, one below the other.

    Nothing is read before it is asked for. Frames before the first and after the last
    one are stood in for by these.

    Parameters
    ----------
    movie : Movie
    distance : int
        How many frames before and after each come with it.
    """

    def __init__(self, movie: Movie, distance: int) -> None:
        self._movie, self._distance = movie, distance
        count, height, width = movie.shape
        self.shape = (count, (2 * distance + 1) * height, width)
        self.dtype = movie.dtype

    def __getitem__(self, frames: slice) -> NDArray[Any]:
        start, stop, _ = frames.indices(self.shape[0])
        first = max(start - self._distance, 0)
        last = min(stop + self._distance, self.shape[0]) - 1
        around = np.arange(-self._distance, self._distance + 1)
        wanted = np.clip(np.add.outer(np.arange(start, stop), around), first, last)
        pictures: NDArray[Any] = self._movie[first : last + 1][wanted - first]
        return pictures.reshape(stop - start, *self.shape[1:])


class Measured:
    """A movie of which each frame is measured when it is read.

    Parameters
    ----------
    movie : Movie
    measure : callable
        Called with the number of each frame that has been read, and with its pixels.
    """

    def __init__(
        self, movie: Movie, measure: Callable[[int, NDArray[Any]], None]
    ) -> None:
        self._movie, self._measure = movie, measure
        self.shape, self.dtype = movie.shape, movie.dtype

    def __getitem__(self, frames: slice) -> NDArray[Any]:
        block = self._movie[frames]
        for number, image in zip(
            range(*frames.indices(self.shape[0])), block, strict=True
        ):
            self._measure(number, image)
        return block
