"""Merges the moments of blocks of magnified frames into one image per time point."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import macro_pixel as grid
from napari_nanopyx._kernels.declaration import Partial
from napari_nanopyx._kernels.threads import spread
from napari_nanopyx._kernels.totals import Plane, Statistic, Totals, sums_of
from napari_nanopyx._kernels.windows import segments, windows

__all__ = ["MomentsMerger", "Statistic", "segments", "windows"]


MANY_VALUES = 2**20
"""Of an image: fewer are merged sooner than other threads have begun."""


@dataclass(slots=True)
class _OpenWindow:
    """A time point that has begun, with the totals of each phase just before it."""

    index: int
    frames: range
    before: list[dict[str, Plane]]


class MomentsMerger:
    """Collects the moments of blocks, in float64, for the windows that are open.

    Totals run over all frames since the last time that no window was open. A window
    is the difference of the totals at its end and at its start, so the work for a
    block does not grow with the number of windows that overlap it.

    Parameters
    ----------
    windows : sequence of range
        Frames of each time point, as the function `windows` returns them.
    statistic : {"AVG", "VAR", "STD", "TAC2"}
        Mean, population variance, standard deviation, or second-order temporal
        autocumulant at a lag of one frame. Of a single frame all but AVG are 0.
    magnification : tuple of int
        Output pixels per camera pixel, along each axis of a frame.
    shape : tuple of int
        Shape of the camera frame: (H, W), or (Z, H, W).
    macro_pixel : bool
        Whether to remove the grid within camera pixels from each image.
    margin : int
        Output pixels along each border that hold no values; 0 for volumes.
    """

    def __init__(
        self,
        windows: Sequence[range],
        statistic: Statistic,
        magnification: tuple[int, ...],
        shape: tuple[int, ...],
        macro_pixel: bool,
        margin: int = 0,
    ) -> None:
        self._magnification = magnification
        self._macro_pixel = macro_pixel
        self._margin = margin
        self._waiting = deque(enumerate(windows))
        self._open: list[_OpenWindow] = []
        self._next_frame = 0
        phases = range(prod(magnification))
        sums = {name: np.empty((len(phases), *shape)) for name in sums_of(statistic)}
        self._totals = [
            Totals(statistic, {name: planes[phase] for name, planes in sums.items()})
            for phase in phases
        ]
        size = (m * length for m, length in zip(magnification, shape, strict=True))
        self._result = np.zeros((len(windows), *size), np.float32)

    def places(self, frames: range) -> Partial:  # noqa: ARG002
        """Return nothing: what a block leaves behind has yet to be added up."""
        return {}

    def add(self, frames: range, partial: Partial, threads: int = 1) -> None:
        """Take over the moments of these frames; blocks must come in order.

        Parameters
        ----------
        frames : range
            Frames of the block, all within one segment.
        partial : dict of ndarray, shape (M * M, H, at least W)
            For AVG the ``sum`` of the frames. Otherwise the ``first`` frame of the
            block and, of the frames minus that one, ``sum`` with ``squares`` (VAR,
            STD), or with ``lag`` (products of neighbours) and ``last`` (TAC2).
        threads : int
            On how many threads; each takes some phases.
        """
        if frames.start < self._next_frame:
            raise ValueError(
                f"frames {frames.start} to {frames.stop - 1} were added out of order: "
                f"frame {self._next_frame} comes next"
            )
        self._next_frame = frames.stop
        if not self._open:
            for totals in self._totals:
                totals.clear()
        if self._result[0].size < MANY_VALUES:
            threads = 1
        starting = self._starting(frames.start)
        before: list[dict[str, Plane]] = [{} for _ in self._totals]

        def take(phase: int) -> None:
            block = {name: planes[phase] for name, planes in partial.items()}
            totals = self._totals[phase]
            before[phase] = totals.add(len(frames), block, mark=bool(starting))

        spread(take, range(len(before)), threads)
        for window in starting:
            window.before = before
        self._finish(frames.stop, threads)

    def result(self) -> NDArray[np.float32]:
        """Return the images, frames of the magnified size."""
        missing = len(self._open) + len(self._waiting)
        if missing:
            raise RuntimeError(
                f"{missing} of {len(self._result)} time points lack frames: "
                "add every block before asking for the result"
            )
        return self._result

    def _starting(self, frame: int) -> list[_OpenWindow]:
        """Open the windows that start at this frame."""
        starting = []
        while self._waiting and self._waiting[0][1].start == frame:
            starting.append(_OpenWindow(*self._waiting.popleft(), before=[]))
        self._open += starting
        return starting

    def _finish(self, stop: int, threads: int) -> None:
        """Write the images of the windows that end before this frame; close them."""
        for window in [each for each in self._open if each.frames.stop == stop]:
            image = self._result[window.index]
            means = self._write(window, image, threads)
            if self._macro_pixel:
                gains = grid.gains(means)
                scale_phases(image, self._magnification, gains, threads)
            self._open.remove(window)

    def _write(
        self, window: _OpenWindow, image: NDArray[np.float32], threads: int
    ) -> list[float]:
        """Write one image, and return the mean of each phase."""
        phases = cells(image, self._magnification)
        means = [0.0] * len(phases)
        across = self._magnification[-1]

        def write(row: int) -> None:
            """Write phases that share rows of the image, so that no two threads do."""
            plane = np.empty(phases[0].shape)
            for phase in range(row * across, (row + 1) * across):
                before = window.before[phase]
                self._totals[phase].since(before, len(window.frames), out=plane)
                phases[phase][:] = plane
                means[phase] = grid.phase_mean(plane, phase, len(phases), self._margin)

        spread(write, range(len(phases) // across), threads)
        return means


class Mergers:
    """Several merged one by one, from blocks that hold the phases of all in turn."""

    def __init__(self, mergers: Sequence[MomentsMerger]) -> None:
        self._mergers = mergers

    def places(self, frames: range) -> Partial:  # noqa: ARG002
        """Return nothing: what a block leaves behind has yet to be added up."""
        return {}

    def add(self, frames: range, partial: Partial, threads: int = 1) -> None:
        """Take over the moments of these frames; blocks must come in order."""
        count = len(self._mergers)
        for number, merger in enumerate(self._mergers):
            own = {
                name: np.split(planes, count)[number]
                for name, planes in partial.items()
            }
            merger.add(frames, own, threads)

    def result(self) -> NDArray[np.float32]:
        """Return the images of the first, then of the next."""
        return np.concatenate([merger.result() for merger in self._mergers])


def scale_phases(
    image: NDArray[np.float32],
    magnification: tuple[int, ...],
    gains: Sequence[float],
    threads: int = 1,
) -> None:
    """Multiply each phase of an image by its gain, in place: whole rows at a time."""
    *above, across = magnification
    rows = np.array(gains, image.dtype).reshape(-1, across)
    lines = cells(image, (*above, 1))
    columns = image.shape[-1] // across

    def scale(row: int) -> None:
        lines[row] *= np.tile(rows[row], columns)

    spread(scale, range(len(lines)), threads)


def cells(image: NDArray[Any], magnification: tuple[int, ...]) -> list[NDArray[Any]]:
    """Return views of an image, one a phase: the pixels ``(M * r + a, M * c + b)``."""
    starts = product(*(range(m) for m in magnification))
    steps = [
        tuple(slice(a, None, m) for a, m in zip(start, magnification, strict=True))
        for start in starts
    ]
    return [image[each] for each in steps]
