"""Reads images or volumes of a movie, or a part of each."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.running.source import (
    Source,
    as_source,
    check_finite,
    kernel_dtype,
)


class Frames:
    """A movie of images, (T, Y, X), or volumes, (T, Z, Y, X), read as asked for.

    Parameters
    ----------
    image : array_like
        NumPy, Dask, Zarr, or anything with ``shape``, ``dtype`` and slicing.
    """

    def __init__(self, image: ArrayLike | Source) -> None:
        self._volumes: Any = None
        self._source: Source | None = None
        if len(getattr(image, "shape", ())) == 4 and hasattr(image, "dtype"):
            self._volumes = image
            self.shape = tuple(int(side) for side in self._volumes.shape)
            if 0 in self.shape:
                raise ValueError(
                    f"image is empty (shape {self.shape}): give at least one volume"
                )
            self.dtype = kernel_dtype(self._volumes.dtype)
            return
        self._source = as_source(image)
        self.shape = self._source.shape
        self.dtype = self._source.dtype

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def is_single(self) -> bool:
        """Whether it is one image, without an axis of time."""
        return self._source is not None and self._source.is_single

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """Shape of an image or volume."""
        return self.shape[1:]

    def read(self, frames: range) -> NDArray[Any]:
        """Return frames; NaN and infinity are a ValueError."""
        if self._source is not None:
            return self._source.read(frames)
        block = np.asarray(self._volumes[frames.start : frames.stop])
        with np.errstate(over="ignore"):
            block = np.ascontiguousarray(block, self.dtype)
        check_finite(block, frames, "image")
        return block

    def digest(self) -> str:
        """Return what tells this movie from others.

        Of shape, dtype and the first, the middle and the last frame.
        """
        digest = hashlib.blake2b(f"{self.shape} {self.dtype}".encode(), digest_size=16)
        last = len(self) - 1
        for frame in sorted({0, last // 2, last}):
            digest.update(self.read(range(frame, frame + 1)).tobytes())
        return f"blake2b:{digest.hexdigest()}"
