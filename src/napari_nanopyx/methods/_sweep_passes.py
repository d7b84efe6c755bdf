"""Goes through a movie once for each set of eSRRF parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine.runner import Cancel, run
from napari_nanopyx._engine.source import Source
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
    pairs: int
    """How many sets of parameters will be asked for."""
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

    def images(self, parameters: dict[str, Any]) -> list[list[NDArray[np.float32]]]:
        """Return each chunk's image of all frames, then of the even and the odd."""
        frames, height, width = self.source.shape
        plan = HalvesPlan(
            (frames, height, width),
            chunks=self.chunks,
            halves=self.halves,
            **parameters,
        )
        if not plan.halves:
            return [[image] for image in self._run(self.source, plan)]
        images = iter(self._run(EvenFirst(self.source, self.chunks), plan))
        found = [
            list(islice(images, 3 if len(each) > 1 else 1)) for each in self.chunks
        ]
        if plan.temporal == "TAC2":  # all frames have other neighbours
            whole = self._run(self.source, replace(plan, halves=False))
            found = [
                [image, *each[1:]] for image, each in zip(whole, found, strict=True)
            ]
        return found

    def _run(self, movie: Any, plan: HalvesPlan) -> NDArray[np.float32]:
        each = 2 if self.halves and plan.temporal == "TAC2" else 1
        total = each * self.pairs * len(self.source)
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
