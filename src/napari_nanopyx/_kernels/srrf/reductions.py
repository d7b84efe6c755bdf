"""Reduces the radiality of a time point, block by block, to one image."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import lags
from napari_nanopyx._kernels.declaration import Partial
from napari_nanopyx._kernels.moments import MANY_VALUES, cells
from napari_nanopyx._kernels.srrf.cumulants import Autocumulant, Plane, autocumulant
from napari_nanopyx._kernels.threads import spread

Image = NDArray[np.float32]
"""A time point to write, shape (M * H, M * W)."""

Size = tuple[int, int, int]
"""Magnification M, and the camera frame's height H and width W."""


class Reduction(Protocol):
    """One time point that is being taken in."""

    def add(
        self, count: int, block: Partial, image: Image | None, threads: int
    ) -> None:
        """Take in what so many frames left behind; after the last, write the image."""


class Maximum:
    """The largest value of each pixel."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._highest: NDArray[Any] | None = None

    def add(
        self,
        count: int,  # noqa: ARG002
        block: Partial,
        image: Image | None,
        threads: int,  # noqa: ARG002
    ) -> None:
        """Take in a block; after the last one, write the image."""
        highest = block["highest"][..., : self._size[-1]]
        if self._highest is not None:
            highest = np.maximum(self._highest, highest)
        self._highest = highest
        if image is not None:
            write(image, self._size, highest)


class Pairs:
    """The mean product of all pairs of frames, each frame paired with itself once.

    It is found from the sums of the values and of their squares.
    """

    def __init__(self, frames: int, size: Size) -> None:
        self._frames = frames
        self._size = size
        self._totals: list[dict[str, Plane]] = [{} for _ in range(size[0] ** 2)]

    def add(
        self,
        count: int,  # noqa: ARG002
        block: Partial,
        image: Image | None,
        threads: int,
    ) -> None:
        """Take in a block; after the last one, write the image."""
        names = [name for name in block if not name.endswith("_error")]
        views = [] if image is None else cells(image, (self._size[0],) * 2)

        def take(phase: int) -> None:
            planes = {name: array[phase] for name, array in block.items()}
            totals = self._totals[phase]
            for name in names:
                more = exact(planes, name, self._size[-1])
                totals[name] = np.add(more, totals.get(name, 0.0), out=more)
            if views:
                views[phase][:] = self._mean(totals)

        if block["sum"].size < MANY_VALUES:
            threads = 1
        spread(take, range(len(self._totals)), threads)

    def _mean(self, totals: dict[str, Plane]) -> Plane:
        """Return the mean of a phase, whose totals are let go."""
        mean = totals.pop("sum")
        mean *= mean
        mean += totals.pop("squares")
        if "light" in totals:
            mean *= totals.pop("light")
            mean /= self._frames
        mean /= self._frames * (self._frames + 1)
        return mean


class Cumulant:
    """An autocumulant of every pixel, in NumPy."""

    def __init__(self, frames: int, size: Size, order: int, integrate: bool) -> None:
        self._frames = frames
        self._size = size
        self._order = order
        self._integrate = integrate
        self._cumulant: Autocumulant | None = None
        self._weights: Plane | float = 0.0

    def add(
        self,
        count: int,
        block: Partial,
        image: Image | None,
        threads: int,  # noqa: ARG002
    ) -> None:
        """Take in a block; after the last one, write the image."""
        width = self._size[-1]
        away = block["away"][..., :width]
        if "light" in block:
            self._weights = self._weights + exact(block, "light", width)
        if count == self._frames:
            value = autocumulant(away, self._order, integrate=self._integrate)
        else:
            if self._cumulant is None:
                self._cumulant = Autocumulant(self._order, integrate=self._integrate)
            self._cumulant.push(away, exact(block, "first", width))
            if image is None:
                return
            value = self._cumulant.value()
        if "light" in block:
            value *= self._weights / self._frames
        if image is not None:
            write(image, self._size, value)


def begin(
    temporal: str, frames: int, size: Size, block: Partial, *, integrate: bool
) -> Reduction:
    """Return an empty reduction of so many frames.

    Autocumulants are for the compiled core if it is installed; but what the reference
    leaves behind, as the first block shows, is reduced in its own precision.
    """
    if temporal == "TRM":
        return Maximum(size)
    if temporal == "TRPPM":
        return Pairs(frames, size)
    order = int(temporal[-1])
    if lags.core() is None or block["away"].dtype != np.float32:
        return Cumulant(frames, size, order, integrate)
    return lags.LagSums(frames, size, order, integrate=integrate)


def exact(block: Partial, name: str, width: int) -> Plane:
    """Return planes of a block in float64, less the error that comes with them."""
    planes = block[name][..., :width]
    error = block[f"{name}_error"][..., :width] if f"{name}_error" in block else 0.0
    found: Plane = np.subtract(planes, error, dtype=np.float64)
    return found


def write(image: Image, size: Size, planes: NDArray[Any]) -> None:
    """Write an image, one plane a phase."""
    for view, plane in zip(cells(image, (size[0],) * 2), planes, strict=True):
        view[:] = plane
