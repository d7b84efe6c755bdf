"""Running moments of a series of images, from which those of any stretch follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Statistic = Literal["AVG", "VAR", "STD", "TAC2"]

Plane = NDArray[np.float64]

_SUMS: dict[Statistic, tuple[str, ...]] = {
    "AVG": ("sum",),
    "VAR": ("sum", "squares"),
    "STD": ("sum", "squares"),
    "TAC2": ("sum", "lag"),
}
_ENDS: dict[Statistic, tuple[str, ...]] = {
    "AVG": (),
    "VAR": ("first",),
    "STD": ("first",),
    "TAC2": ("first", "last"),
}


class Totals:
    """Sums over the frames of one sub-pixel phase.

    All but the mean are taken of the frames minus the very first one, the origin: the
    variance of a bright, nearly steady pixel stays exact, that of a steady one zero.
    """

    def __init__(self, statistic: Statistic, shape: tuple[int, int]) -> None:
        self._statistic = statistic
        self._shape = shape
        self.clear()

    def clear(self) -> None:
        """Forget all frames."""
        self._count = 0
        self._sums: dict[str, Plane] = {}
        self._origin: Plane = np.zeros(1)
        self._last: Plane = np.zeros(1)

    def add(
        self, count: int, block: Mapping[str, NDArray[Any]], *, mark: bool = False
    ) -> dict[str, Plane]:
        """Take over the moments of a block of frames.

        Returns
        -------
        dict of ndarray
            If ``mark``, what `since` needs to tell the frames from this block on from
            those before it; empty if there were none before it.
        """
        names = _SUMS[self._statistic] + _ENDS[self._statistic]
        moments = {name: self._plane(block, name) for name in names}
        before: dict[str, Plane] = {}
        if self._count == 0:
            self._origin = moments.pop("first", self._origin)
            self._last = moments.pop("last", self._last)
            self._sums = moments
        else:
            first = moments.pop("first", self._origin) - self._origin
            if self._statistic == "TAC2":
                self._sums["lag"] += self._last * first
            if mark:
                before = {name: plane.copy() for name, plane in self._sums.items()}
                before["first"] = first
            self._add_moments(count, moments, first)
        self._count += count
        return before

    def _plane(self, block: Mapping[str, NDArray[Any]], name: str) -> Plane:
        """Return one moment in float64, less the rounding error that comes with it."""
        width = self._shape[1]
        plane = block[name][:, :width].astype(np.float64)
        if f"{name}_error" in block:
            plane -= block[f"{name}_error"][:, :width]
        return plane

    def since(self, before: Mapping[str, Plane], count: int) -> Plane:
        """Return the statistic of the last ``count`` frames, those since the mark."""
        sums = self._sums
        if before:
            sums = {name: plane - before[name] for name, plane in sums.items()}
        mean = sums["sum"] / count
        if self._statistic == "AVG":
            return mean
        if self._statistic == "TAC2":
            if count == 1:
                return np.zeros(self._shape)
            ends = before.get("first", 0.0) + self._last
            products = sums["lag"] - mean * (2.0 * sums["sum"] - ends)
            return products / (count - 1) + mean * mean
        variance = np.maximum(sums["squares"] / count - mean * mean, 0.0)
        return np.sqrt(variance) if self._statistic == "STD" else variance

    def _add_moments(
        self, count: int, moments: Mapping[str, Plane], first: Plane
    ) -> None:
        """Add sums taken relative to the block's first frame."""
        sums = self._sums
        total = moments["sum"]
        if "squares" in sums:
            sums["squares"] += moments["squares"] + first * (
                2.0 * total + count * first
            )
        if "lag" in sums:
            inner = 2.0 * total - moments["last"] + (count - 1) * first
            sums["lag"] += moments["lag"] + first * inner
            self._last = moments["last"] + first
        sums["sum"] += total
        if self._statistic != "AVG":
            sums["sum"] += count * first
