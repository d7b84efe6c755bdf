"""What is run again and again: a task, its arguments and a movie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import napari_nanopyx
from benchmarks.cases import movie
from napari_nanopyx._kernels import tasks
from napari_nanopyx._kernels.declaration import Plan, Task


@dataclass(frozen=True)
class Job:
    """A few frames and what is computed of them, as a user's call or block by block."""

    task_name: str
    arguments: Mapping[str, Any]
    frames: int
    side: int
    """Height and width of a frame."""

    @property
    def task(self) -> Task:
        """The task as the engine knows it."""
        return tasks()[self.task_name]

    def movie(self) -> NDArray[np.uint16]:
        """Return the frames."""
        return movie((self.frames, self.side, self.side)).astype(np.uint16)

    def plan(self) -> Plan:
        """Return what the engine is asked for."""
        return self.task.plan((self.frames, self.side, self.side), **self.arguments)

    def call(self, image: NDArray[np.uint16]) -> NDArray[np.float32]:
        """Compute it through the public function."""
        function = getattr(napari_nanopyx, self.task_name)
        result: NDArray[np.float32] = function(image, **self.arguments)
        return result


def weights(side: int) -> NDArray[np.float32]:
    """Return a kernel drawn by lot, which no product of a column and a row replaces."""
    return np.random.default_rng(5).random((side, side), np.float32)


_ESRRF = {"magnification": 5, "radius": 1.5, "sensitivity": 2.0}

JOBS = {
    "magnify": Job("magnify", {"factor": (5.0, 5.0)}, 10, 300),
    "esrrf": Job("esrrf", _ESRRF, 10, 283),
    "convolve": Job("convolve", {"kernel": weights(21)}, 4, 1000),
}
"""By task: the sizes of the publication, small enough for a processor to be measured
again and again, and so large that pauses of the system are short beside them."""

GPU_JOBS = {
    "esrrf": Job("esrrf", _ESRRF, 20, 283),
    "convolve": Job("convolve", {"kernel": weights(51)}, 4, 1000),
}
"""Where a GPU is much faster than a processor with many cores."""
