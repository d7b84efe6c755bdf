"""Collects finished frames, for tasks that compute each frame by itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.declaration import Partial


class FrameMerger:
    """Puts finished frames in their place.

    Parameters
    ----------
    name : str
        The output that holds them.
    shape : tuple of int
        Shape of all finished frames, (T, Y, X).
    """

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self._name = name
        self._frames = np.empty(shape, np.float32)

    def places(self, frames: range) -> Partial:
        """Return where these frames belong."""
        return {self._name: self._frames[frames.start : frames.stop]}

    def add(self, frames: range, partial: Partial, threads: int = 1) -> None:  # noqa: ARG002
        """Copy the frames of one block, unless they were written to their place."""
        place = self._frames[frames.start : frames.stop]
        if not np.may_share_memory(place, partial[self._name]):
            place[:] = partial[self._name]

    def result(self) -> NDArray[np.float32]:
        """Return all frames."""
        return self._frames
