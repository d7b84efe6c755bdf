"""Temporal autocumulants of a series of images, taken in one image at a time."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]
Lags = tuple[int, ...]


class Autocumulant:
    """Temporal radiality autocumulant of one order, TRAC2, TRAC3 or TRAC4.

    The mean that the definition subtracts is known only at the end. So plain sums of
    products are kept, of the images minus the first one, from which the central ones
    follow; memory does not grow with the number of images. With lag times integrated,
    the same is kept of the images averaged in groups, of those averaged again, and so
    on: one more set whenever their number has grown ``order`` times.

    Parameters
    ----------
    order : {2, 3, 4}
        How many successive images are multiplied.
    integrate : bool
        Whether to add the values at longer lag times.
    """

    def __init__(self, order: int, *, integrate: bool) -> None:
        self._order = order
        self._integrate = integrate
        self._levels = [_Series(order)]
        self._origin: Plane | None = None
        self._sum: Plane | None = None

    def push(
        self,
        image: NDArray[np.float32] | Plane,
        room: dict[Lags, Plane],
        error: NDArray[np.float32] | None = None,
    ) -> None:
        """Take in the next image, less its error if one is given.

        ``room`` is memory to compute in, first empty.
        """
        if self._origin is None or self._sum is None:
            self._origin = image.astype(np.float64)
            if error is not None:
                self._origin -= error
            self._sum = np.zeros_like(self._origin)
        series = self._levels[0]
        values = np.subtract(image, self._origin, out=series.place(self._sum, room))
        if error is not None:
            values -= error
        self._sum += values
        series.keep(values)
        level = 0
        while self._integrate and series.count % self._order == 0:
            level += 1
            if level == len(self._levels):
                self._levels.append(_Series(self._order))
            longer = self._levels[level]
            longer.keep(series.recent_mean(longer.place(self._sum, room)))
            series = longer

    def value(self) -> Plane:
        """Return the autocumulant of the images so far; more than ``order``, please."""
        if self._sum is None:
            raise RuntimeError("an autocumulant needs images: push some first")
        mean = self._sum / self._levels[0].count
        total = np.zeros_like(mean)
        for series in self._levels:
            if series.count > self._order:
                total += np.abs(series.cumulant(mean)) / series.count
        return total


class _Series:
    """Sums of products of images at the lags of one window of ``order`` images.

    Windows start at every image but the last ``order``: as published, the last window
    that fits is left out.
    """

    def __init__(self, order: int) -> None:
        self.count = 0
        self._order = order
        self._heads: list[Plane] = []
        self._recent: list[Plane] = []
        self._sums: dict[Lags, Plane] = {}

    def place(self, like: Plane, room: dict[Lags, Plane]) -> Plane:
        """Return memory for the next image, after the last use of what was there."""
        if len(self._recent) < self._order:
            return np.empty_like(like)
        self._add_window(room)
        return self._recent.pop(0)

    def keep(self, values: Plane) -> None:
        """Take in the next image."""
        self._recent.append(values)
        if self.count < self._order - 1:
            self._heads.append(values.copy())
        self.count += 1

    def recent_mean(self, out: Plane) -> Plane:
        """Write the mean of the last ``order`` images."""
        np.add(self._recent[0], self._recent[1], out=out)
        for values in self._recent[2:]:
            out += values
        out /= self._order
        return out

    def cumulant(self, mean: Plane) -> Plane:
        """Return the sum of products of deviations from the mean.

        At order 4 the products of the sums of pairs are taken off.
        """
        everything = tuple(range(self._order))
        powers = [np.ones_like(mean)]
        for _ in everything:
            powers.append(powers[-1] * -mean)
        raw = {
            lags: self._raw(lags)
            for length in range(1, self._order + 1)
            for lags in itertools.combinations(everything, length)
        }
        result = self._central(everything, raw, powers)
        if self._order == 4:
            for other in (1, 2, 3):
                rest = tuple(lag for lag in (1, 2, 3) if lag != other)
                pair = self._central((0, other), raw, powers)
                result -= pair * self._central(rest, raw, powers)
        return result

    def _add_window(self, room: dict[Lags, Plane]) -> None:
        """Add the products of the recent images to the sums."""
        window = self._recent
        for lags in _patterns(self._order):
            product = window[0]
            if len(lags) > 1:
                shorter = room[lags[:-1]] if len(lags) > 2 else window[0]
                if lags not in room:
                    room[lags] = np.empty_like(shorter)
                product = np.multiply(shorter, window[lags[-1]], out=room[lags])
            if lags in self._sums:
                self._sums[lags] += product
            else:
                self._sums[lags] = product.copy()

    def _raw(self, lags: Lags) -> Plane:
        """Return the sum of products at these lags over all windows.

        What was added up is the same product from the windows' first image on: the
        first few are taken off again, the last few added.
        """
        start = lags[0]
        pattern = tuple(lag - start for lag in lags)
        total = self._sums[pattern].copy()
        for first in range(start):
            total -= _product(self._heads, pattern, first)
            total += _product(self._recent, pattern, first)
        return total

    def _central(
        self, lags: Lags, raw: Mapping[Lags, Plane], powers: list[Plane]
    ) -> Plane:
        total = (self.count - self._order) * powers[len(lags)]
        for length in range(1, len(lags) + 1):
            for some in itertools.combinations(lags, length):
                total += powers[len(lags) - length] * raw[some]
        return total


def _patterns(order: int) -> list[Lags]:
    """Return every choice of lags that has the first image in it, short ones first."""
    return [
        (0, *rest)
        for length in range(order)
        for rest in itertools.combinations(range(1, order), length)
    ]


def _product(images: list[Plane], lags: Lags, first: int) -> Plane:
    product = images[first + lags[0]].copy()
    for lag in lags[1:]:
        product *= images[first + lag]
    return product
