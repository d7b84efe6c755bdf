"""Reduces the radiality of a time point, block by block, to one image."""

from __future__ import annotations

import itertools
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.declaration import Partial
from napari_nanopyx._kernels.srrf.cumulants import (
    Autocumulant,
    Plane,
    autocumulant,
    summed,
)

TILE_PIXELS = 8192
"""Pixels of one phase that are taken through all frames of a block at a time."""

WHOLE_TILE_VALUES = 2**17
"""The same, counted in all frames, where a block has those of a whole time point."""

Views = list[NDArray[Any]]
"""An image to write, as one view a phase."""


class Reduction(Protocol):
    """One time point that is being taken in."""

    def add(self, count: int, block: Partial, out: Views | None, threads: int) -> None:
        """Take in what so many frames left behind; after the last, write the image."""


class Maximum:
    """The largest value of each pixel."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._highest: NDArray[Any] | None = None

    def add(self, count: int, block: Partial, out: Views | None, threads: int) -> None:  # noqa: ARG002
        """Take in a block; after the last one, write the image."""
        highest = block["highest"][..., : self._width]
        if self._highest is not None:
            highest = np.maximum(self._highest, highest)
        self._highest = highest
        if out is not None:
            for view, plane in zip(out, highest, strict=True):
                view[:] = plane


class Pairs:
    """The mean product of all pairs of frames, each frame paired with itself once.

    It is found from the sums of the values and of their squares.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._count = 0
        self._totals: dict[str, Plane] = {}

    def add(self, count: int, block: Partial, out: Views | None, threads: int) -> None:  # noqa: ARG002
        """Take in a block; after the last one, write the image."""
        self._count += count
        total = self._totals
        for name in block:
            if name.endswith("_error"):
                continue
            more = block[name][..., : self._width].astype(np.float64)
            if f"{name}_error" in block:
                more -= block[f"{name}_error"][..., : self._width]
            total[name] = more + total[name] if name in total else more
        for phase, view in enumerate(out or []):
            pairs = total["sum"][phase] ** 2 + total["squares"][phase]
            if "light" in total:
                pairs *= total["light"][phase] / self._count
            view[:] = pairs / (self._count * (self._count + 1))


class Cumulant:
    """An autocumulant of every pixel.

    A tile of pixels is taken through all frames of a block while it is in the
    processor's cache; one whose frames are all in one block is never kept.
    """

    def __init__(self, width: int, order: int, integrate: bool) -> None:
        self._width = width
        self._order = order
        self._integrate = integrate
        self._count = 0
        self._tiles: dict[tuple[int, int], tuple[Autocumulant, Plane]] = {}

    def add(self, count: int, block: Partial, out: Views | None, threads: int) -> None:  # noqa: ARG002
        """Take in a block; after the last one, write the image."""
        is_whole = self._count == 0 and out is not None
        self._count += count
        kept = {name: images[..., : self._width] for name, images in block.items()}
        _, phases, height, _ = kept["radiality"].shape
        pixels = WHOLE_TILE_VALUES // count if is_whole else TILE_PIXELS
        step = max(1, pixels // self._width)
        for phase, first in itertools.product(range(phases), range(0, height, step)):
            rows = slice(first, min(first + step, height))
            tile = {name: images[:, phase, rows] for name, images in kept.items()}
            if is_whole and out is not None:
                out[phase][rows] = self._of_all(tile)
                continue
            self._take_in((phase, first), tile)
            if out is not None:
                out[phase][rows] = self._value((phase, first))

    def _value(self, key: tuple[int, int]) -> Plane:
        """Return the values of a tile that has taken in all frames, and let it go."""
        cumulant, weights = self._tiles.pop(key)
        value = cumulant.value()
        if weights.ndim:
            value *= weights / self._count
        return value

    def _of_all(self, tile: Partial) -> Plane:
        """Return the values of a tile that has all frames."""
        images, errors = tile["radiality"], tile.get("radiality_error")
        value = autocumulant(images, errors, self._order, integrate=self._integrate)
        if "weighted" in tile:
            value *= summed(tile["weighted"])
            value /= self._count
        return value

    def _take_in(self, key: tuple[int, int], tile: Partial) -> None:
        if key not in self._tiles:
            empty = Autocumulant(self._order, integrate=self._integrate)
            self._tiles[key] = empty, np.zeros(())
        cumulant, weights = self._tiles[key]
        cumulant.push(tile["radiality"], tile.get("radiality_error"))
        if "weighted" in tile:
            weights = weights + tile["weighted"].sum(axis=0, dtype=np.float64)
            self._tiles[key] = cumulant, weights
