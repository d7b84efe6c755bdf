"""Merges what blocks of frames leave behind into one image per time point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.declaration import Merger, Partial
from napari_nanopyx._kernels.moments import MomentsMerger
from napari_nanopyx._kernels.srrf.reductions import Reduction, Size, begin
from napari_nanopyx._kernels.totals import Statistic

Temporal = Literal["TRM", "TRA", "TRPPM", "TRAC2", "TRAC3", "TRAC4", "STD", "VAR"]
Weight = Literal["after", "before"]

LEAST_FRAMES: dict[Temporal, int] = {
    "TRM": 1,
    "TRA": 1,
    "TRPPM": 2,
    "TRAC2": 3,
    "TRAC3": 4,
    "TRAC4": 5,
    "STD": 2,
    "VAR": 2,
}
"""Frames that a reduction needs to mean anything."""

WEIGHTED_AFTER = ("TRPPM", "TRAC2", "TRAC3", "TRAC4")
"""Reductions of radiality alone, which the intensity may weigh afterwards."""

_MOMENTS: dict[Temporal, Statistic] = {"TRA": "AVG", "VAR": "VAR", "STD": "STD"}
_SQUARES = ("sum", "sum_error", "squares", "squares_error")


def outputs(temporal: Temporal, *, after: bool, precise: bool) -> tuple[str, ...]:
    """Return what a block leaves behind; an error is to be taken off its sum.

    If ``precise``, so it is of single values.
    """
    if temporal == "TRM":
        return ("highest",)
    if temporal == "TRA":
        return ("sum", "sum_error")
    weights = ("light", "light_error") if after else ()
    if temporal == "TRPPM":
        return (*_SQUARES, *weights)
    first = ("first", "first_error") if precise else ("first",)
    if temporal in ("STD", "VAR"):
        return (*first, *_SQUARES)
    return (*first, "away", *weights)


def phases(stack: NDArray[np.float64], magnification: int) -> NDArray[np.float64]:
    """Return frames (n, M * H, M * W) phase by phase, (n, M * M, H, W)."""
    count, rows, columns = stack.shape
    m = magnification
    parted = stack.reshape(count, rows // m, m, columns // m, m)
    return parted.transpose(0, 2, 4, 1, 3).reshape(
        count, m * m, rows // m, columns // m
    )


def partial(
    radiality: NDArray[np.float64],
    light: NDArray[np.float64] | None,
    temporal: Temporal,
) -> Partial:
    """Return what frames (n, M * M, H, W) leave behind, straight from definitions.

    ``light`` is their intensity if it weighs the result afterwards. The sum of the
    weights is called so too: of intensities, or of these times radialities.
    """
    if temporal == "TRM":
        return {"highest": radiality.max(axis=0)}
    if temporal == "TRA":
        return {"sum": radiality.sum(axis=0)}
    if temporal == "TRPPM":
        positive = np.maximum(radiality, 0.0)
        found = {"sum": positive.sum(axis=0), "squares": (positive**2).sum(axis=0)}
        return found if light is None else {**found, "light": light.sum(axis=0)}
    away = radiality - radiality[0]
    first = {"first": radiality[0].copy()}
    if temporal in ("STD", "VAR"):
        return {**first, "sum": away.sum(axis=0), "squares": (away**2).sum(axis=0)}
    found = {**first, "away": away}
    if light is not None:
        found["light"] = (radiality * light).sum(axis=0)
    return found


class TimePointMerger:
    """Reduces blocks to time points that lie side by side.

    Parameters
    ----------
    windows : sequence of range
        Frames of each time point, in order.
    size : tuple of int
        Magnification M, and the camera frame's height H and width W.
    temporal : {"TRM", "TRPPM", "TRAC2", "TRAC3", "TRAC4"}
        How.
    integrate : bool
        Whether an autocumulant has those at longer lag times added.
    """

    def __init__(
        self,
        windows: Sequence[range],
        size: Size,
        temporal: Temporal,
        *,
        integrate: bool,
    ) -> None:
        magnification, height, width = size
        self._windows = windows
        self._size = size
        self._temporal = temporal
        self._integrate = integrate
        self._done = 0
        self._next_frame = 0
        self._reduction: Reduction | None = None
        shape = (len(windows), magnification * height, magnification * width)
        self._result = np.empty(shape, np.float32)

    def places(self, frames: range) -> Partial:  # noqa: ARG002
        """Return nothing: what a block leaves behind has yet to be reduced."""
        return {}

    def add(self, frames: range, partial: Partial, threads: int = 1) -> None:
        """Take in a block; blocks must come in order."""
        if frames.start < self._next_frame:
            raise ValueError(
                f"frames {frames.start} to {frames.stop - 1} were added out of order: "
                f"frame {self._next_frame} comes next"
            )
        self._next_frame = frames.stop
        window = self._windows[self._done]
        if self._reduction is None:
            self._reduction = begin(
                self._temporal,
                len(window),
                self._size,
                partial,
                integrate=self._integrate,
            )
        is_last = frames.stop == window.stop
        image = self._result[self._done] if is_last else None
        self._reduction.add(len(frames), partial, image, threads)
        if is_last:
            self._reduction = None
            self._done += 1

    def result(self) -> NDArray[np.float32]:
        """Return the images, shape (windows, M * H, M * W)."""
        missing = len(self._windows) - self._done
        if missing:
            raise RuntimeError(
                f"{missing} of {len(self._result)} time points lack frames: "
                "add every block before asking for the result"
            )
        return self._result


def merger(
    temporal: Temporal,
    windows: Sequence[range],
    size: Size,
    *,
    integrate_lag_times: bool,
) -> Merger:
    """Return an empty collector for every time point."""
    if temporal in _MOMENTS:
        factors, shape = (size[0], size[0]), size[1:]
        return MomentsMerger(windows, _MOMENTS[temporal], factors, shape, False)
    return TimePointMerger(windows, size, temporal, integrate=integrate_lag_times)
