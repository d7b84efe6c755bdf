"""Running moments of a series of images, from which those of any stretch follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Statistic = Literal["AVG", "VAR", "STD", "TAC2"]

Plane = NDArray[np.float64]

LEAST_FRAMES: dict[Statistic, int] = {"AVG": 1, "VAR": 2, "STD": 2, "TAC2": 2}
"""Frames that a statistic needs to mean anything."""

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


def sums_of(statistic: Statistic) -> tuple[str, ...]:
    """Return the names of the sums that a statistic needs."""
    return _SUMS[statistic]


class Totals:
    """Sums over the frames of one sub-pixel phase.

    All but the mean are taken of the frames minus the very first one, the origin: the
    variance of a bright, nearly steady pixel stays exact, that of a steady one zero.

    Parameters
    ----------
    statistic : {"AVG", "VAR", "STD", "TAC2"}
        What `since` returns.
    sums : dict of ndarray of float64, shape (H, W) or (Z, H, W)
        Where to keep the sums that `sums_of` names; what is there does not matter.
    """

    def __init__(self, statistic: Statistic, sums: dict[str, Plane]) -> None:
        self._statistic = statistic
        self._sums = sums
        self._shape = sums["sum"].shape
        self.clear()

    def clear(self) -> None:
        """Forget all frames."""
        self._count = 0
        self._only: Mapping[str, NDArray[Any]] = {}
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
        before: dict[str, Plane] = {}
        ends = {name: self._plane(block, name) for name in _ENDS[self._statistic]}
        if self._count == 0:
            self._origin = ends.get("first", self._origin)
            self._last = ends.get("last", self._last)
            self._only = block
        else:
            self._write_only()
            moments = {name: self._plane(block, name) for name in self._sums} | ends
            first = moments.pop("first", self._origin) - self._origin
            if self._statistic == "TAC2":
                self._sums["lag"] += self._last * first
            if mark:
                before = {name: plane.copy() for name, plane in self._sums.items()}
                before["first"] = first
            self._add_moments(count, moments, first)
        self._count += count
        return before

    def _write_only(self) -> None:
        """Put the only block so far into the sums: until then nothing is copied."""
        for name in self._only and self._sums:
            self._plane(self._only, name, out=self._sums[name])
        self._only = {}

    def _plane(
        self, block: Mapping[str, NDArray[Any]], name: str, out: Plane | None = None
    ) -> Plane:
        """Return one moment in float64, less the rounding error that comes with it."""
        width = self._shape[-1]
        with_error = f"{name}_error" in block
        error = block[f"{name}_error"][..., :width] if with_error else 0.0
        plane = block[name][..., :width]
        moment: Plane = np.subtract(plane, error, out=out, dtype=np.float64)
        return moment

    def since(self, before: Mapping[str, Plane], count: int, out: Plane) -> None:
        """Write the statistic of the last ``count`` frames, those since the mark."""
        sums = self._sums
        if self._only:
            at = {"sum": out} if self._statistic == "AVG" else {}
            sums = {name: self._plane(self._only, name, at.get(name)) for name in sums}
        if before:
            sums = {name: plane - before[name] for name, plane in sums.items()}
        mean = np.divide(sums["sum"], count, out=out)
        if self._statistic == "TAC2" and count == 1:
            out[:] = 0.0
        elif self._statistic == "TAC2":
            ends = before.get("first", 0.0) + self._last
            products = sums["lag"] - mean * (2.0 * sums["sum"] - ends)
            out[:] = products / (count - 1) + mean * mean
        elif self._statistic != "AVG":
            np.maximum(sums["squares"] / count - mean * mean, 0.0, out=out)
            if self._statistic == "STD":
                np.sqrt(out, out=out)

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
