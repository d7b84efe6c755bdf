"""What tasks share that finish each frame by itself: much of the plan, the merger."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.declaration import Cost, Output, Partial


class FrameByFrame(ABC):
    """What does not depend on the task of a plan whose frames may share any block."""

    output: ClassVar[str]
    """Name of the finished frames among the kernel's arguments."""

    shape: tuple[int, ...]

    @property
    @abstractmethod
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one finished frame."""

    @property
    @abstractmethod
    def cost(self) -> Cost:
        """Work per input frame."""

    @property
    def segments(self) -> Sequence[range]:
        """Any frames may share a block."""
        return [range(self.shape[0])]

    @property
    def block_bytes_per_frame(self) -> int:
        """The frame and the result."""
        return int(self.cost.bytes)

    def part_rows(self, threads: int) -> int:
        """Return how many output rows a thread takes at a time."""
        return max(16, -(-self.output_shape[0] // (4 * threads)))

    def parts(self, count: int, part_rows: int) -> int:
        """Return the number of bands of rows in all frames of a block."""
        return count * -(-self.output_shape[0] // part_rows)

    def work_floats(self, part_rows: int) -> dict[str, int]:  # noqa: ARG002
        """Nothing is kept between steps."""
        return {}

    def outputs(self, frames: range) -> dict[str, Output]:
        """Return the finished frames."""
        shape = (len(frames), *self.output_shape)
        return {self.output: Output(shape, each_frame=True)}

    def merger(self) -> FrameMerger:
        """Return an empty stack to put frames into."""
        return FrameMerger(self.output, (self.shape[0], *self.output_shape))


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
