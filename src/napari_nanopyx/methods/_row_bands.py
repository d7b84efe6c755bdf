"""Reconstructs band by band of rows where the sums of all take too much memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine.running.runner import Cancel, run
from napari_nanopyx._engine.running.source import Source
from napari_nanopyx._kernels import tasks
from napari_nanopyx._kernels.srrf.bands import bands, of_rows
from napari_nanopyx._kernels.srrf.plan import SrrfPlan

KEPT_BYTES = (4 * 2**20, 256 * 2**20)
"""What a band may keep from one block of frames to the next, however many there are:
less than the first is not worth another pass, more than the second is too much."""


class Rows:
    """Some rows of each frame of a movie, read when they are asked for."""

    def __init__(self, movie: Source, rows: range) -> None:
        self._movie = movie
        self._rows = slice(rows.start, rows.stop)
        self.shape = (len(movie), len(rows), movie.shape[2])
        self.dtype = movie.dtype

    def __getitem__(self, frames: slice) -> NDArray[Any]:
        return self._movie[frames][:, self._rows]


def reconstruct(
    source: Source,
    plan: SrrfPlan,
    *,
    implementation: str | None,
    progress: Callable[[int, int], object] | None,
    cancel: Cancel | None,
) -> NDArray[np.float32]:
    """Run SRRF in as many passes over the movie as there are bands."""
    task, every = tasks()["srrf"], bands(plan, *KEPT_BYTES)
    if len(every) == 1:
        return run(
            task,
            source,
            plan,
            implementation=implementation,
            progress=progress,
            cancel=cancel,
        )
    m = plan.magnification
    _, height, width = plan.shape
    result = np.empty((len(plan.windows), m * height, m * width), np.float32)

    for number, band in enumerate(every):

        def report(done: int, total: int, number: int = number) -> None:
            if progress is not None:
                progress(number * total + done, len(every) * total)

        images = run(
            task,
            Rows(source, band.read),
            of_rows(plan, band.read),
            implementation=implementation,
            progress=report,
            cancel=cancel,
        )
        first = m * (band.rows.start - band.read.start)
        kept = images[:, first : first + m * len(band.rows)]
        result[:, m * band.rows.start : m * band.rows.stop] = kept
    return result
