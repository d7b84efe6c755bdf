"""Goes through a movie once for each radius of eSRRF."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine.running.runner import Cancel, run
from napari_nanopyx._engine.running.source import Source
from napari_nanopyx._kernels import tasks
from napari_nanopyx._kernels.esrrf.halves import EvenFirst, HalvesPlan
from napari_nanopyx.methods._single_images import stop_if

_FRAMES_AT_ONCE = 16


@dataclass(slots=True)
class Passes:
    """A movie and how often it is gone through."""

    source: Source
    chunks: tuple[range, ...]
    halves: bool
    """Whether images of the even and of the odd frames are wanted too."""
    count: int
    """How often images will be asked for."""
    implementation: str | None
    progress: Callable[[int, int], object] | None
    cancel: Cancel | None
    frames_done: int = 0

    def references(self) -> list[NDArray[np.float64]]:
        """Return the mean of the frames of each chunk."""
        means = []
        for chunk in self.chunks:
            total = np.zeros(self.source.shape[1:])
            for start in range(chunk.start, chunk.stop, _FRAMES_AT_ONCE):
                stop_if(self.cancel)
                part = range(start, min(start + _FRAMES_AT_ONCE, chunk.stop))
                total += self.source.read(part).sum(axis=0, dtype=np.float64)
            means.append(total / len(chunk))
        return means

    def images(
        self, parameters: dict[str, Any], sensitivities: tuple[float, ...]
    ) -> list[list[list[NDArray[np.float32]]]]:
        """Return, at each sensitivity, what each chunk gives.

        That is the image of all its frames, then of the even and of the odd ones.
        """
        frames, height, width = self.source.shape
        plan = HalvesPlan(
            (frames, height, width),
            chunks=self.chunks,
            halves=self.halves,
            sensitivity=sensitivities[0],
            more_sensitivities=sensitivities[1:],
            **parameters,
        )
        if not plan.halves:
            return self._parted(self._run(self.source, plan), 1)
        found = self._parted(self._run(EvenFirst(self.source, self.chunks), plan), 3)
        if plan.temporal == "TAC2":  # all frames have other neighbours
            whole = self._run(self.source, replace(plan, halves=False))
            for images, others in zip(chain(*found), whole, strict=True):
                images[0] = others
        return found

    def _parted(
        self, images: NDArray[np.float32], of_chunk: int
    ) -> list[list[list[NDArray[np.float32]]]]:
        """Return the images by sensitivity and chunk; one frame has no halves."""
        counts = [of_chunk if len(chunk) > 1 else 1 for chunk in self.chunks]
        left = iter(images)
        return [
            [list(islice(left, count)) for count in counts]
            for _ in range(len(images) // sum(counts))
        ]

    def _run(self, movie: Any, plan: HalvesPlan) -> NDArray[np.float32]:
        each = 2 if self.halves and plan.temporal == "TAC2" else 1
        total = each * self.count * len(self.source)
        before = self.frames_done

        def report(done: int, _: int) -> None:
            self.frames_done = before + done
            if self.progress is not None:
                self.progress(self.frames_done, total)

        return run(
            tasks()["esrrf"],
            movie,
            plan,
            implementation=self.implementation,
            progress=report,
            cancel=self.cancel,
        )
