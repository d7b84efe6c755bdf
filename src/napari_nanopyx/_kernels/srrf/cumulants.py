"""Temporal autocumulants of a series of images, taken in some images at a time."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]
Images = NDArray[Any]
"""Images of any shape, one after the other along the first axis."""
Lags = tuple[int, ...]

SUMMED_IMAGES = 8
"""How many products are added up in the images' own precision, the rest in float64."""


def autocumulant(away: Images, order: int, *, integrate: bool) -> Plane:
    """Return what `Autocumulant` does of images that are all at hand, less the first.

    Their mean is known, so that there are fewer products and nothing to take off.
    """
    away = away - (summed(away) / len(away)).astype(away.dtype)
    total = np.zeros(away.shape[1:])
    while len(away) > order:
        total += np.abs(_cumulant(away, order)) / len(away)
        groups = len(away) // order if integrate else 0
        away = away[: groups * order].reshape(groups, order, *away.shape[1:])
        away = away.mean(axis=1)
    return total


def _cumulant(away: Images, order: int) -> Plane:
    """Return the sum of products of deviations from the mean over all windows."""
    starts = len(away) - order

    def total(*lags: int) -> Plane:
        product = away[lags[0] : lags[0] + starts]
        for lag in lags[1:]:
            product = product * away[lag : lag + starts]
        return summed(product)

    result = total(*range(order))
    if order == 4:
        result -= total(0, 1) * total(2, 3)
        result -= total(0, 2) * total(1, 3)
        result -= total(0, 3) * total(1, 2)
    return result


def summed(images: Images) -> Plane:
    """Return the sum of images, a few in their own precision and those in float64."""
    total: Plane = images[:SUMMED_IMAGES].sum(axis=0).astype(np.float64)
    for start in range(SUMMED_IMAGES, len(images), SUMMED_IMAGES):
        total += images[start : start + SUMMED_IMAGES].sum(axis=0)
    return total


class Autocumulant:
    """Temporal radiality autocumulant of one order, TRAC2, TRAC3 or TRAC4.

    The mean that the definition subtracts is known only at the end. So plain sums of
    products are kept, of the images minus the mean of the first few, from which the
    central ones follow; memory does not grow with the number of images. With lag times
    integrated, the same is kept of the images averaged in groups, of those averaged
    again, and so on: one more set whenever their number has grown ``order`` times.

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
        self._sum: Plane = np.zeros(())

    def push(self, away: Images, first: Plane) -> None:
        """Take in the next images, given less the first of them, and that one."""
        if self._origin is None:
            self._origin = first
        for start in range(0, len(away), SUMMED_IMAGES):
            moved = (first - self._origin).astype(away.dtype)
            self._push(away[start : start + SUMMED_IMAGES] + moved)

    def _push(self, values: Images) -> None:
        if self._levels[0].count <= self._order:
            self._move_origin(values)
        self._sum = self._sum + values.sum(axis=0)
        level = 0
        while len(values):
            if level == len(self._levels):
                self._levels.append(_Series(self._order))
            groups = self._levels[level].push(values)
            if not self._integrate:
                return
            values = groups.sum(axis=1)
            values *= values.dtype.type(1 / self._order)
            level += 1

    def _move_origin(self, values: Images) -> None:
        """Count from the mean of all images on, before there are any products."""
        count = self._levels[0].count
        mean = (self._sum + values.sum(axis=0)) / (count + len(values))
        mean = mean.astype(values.dtype)
        values -= mean
        self._origin = self._origin + mean
        self._sum = self._sum - count * mean.astype(np.float64)
        for series in self._levels:
            series.move_origin(mean)

    def value(self) -> Plane:
        """Return the autocumulant of the images so far; more than ``order``, please."""
        if self._origin is None:
            raise RuntimeError("an autocumulant needs images: push some first")
        mean = self._sum / self._levels[0].count
        total = np.zeros(mean.shape)
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
        self._heads: list[Images] = []
        self._recent: Images = np.empty(0)
        self._sums: dict[Lags, Plane] = {}

    def push(self, images: Images) -> Images:
        """Take in the next images.

        Returns
        -------
        ndarray, shape (groups, order, ...)
            Those that complete groups of ``order`` images.
        """
        order = self._order
        self._heads += [one.copy() for one in images[: max(0, order - 1 - self.count)]]
        if self.count:
            images = np.concatenate([self._recent, images])
        started = len(images) - order
        if started > 0:
            self._add_windows(images, started)
        ungrouped = min(order, self.count) - self.count % order
        self.count += len(images) - min(order, self.count)
        self._recent = images[-order:].copy()
        groups = (len(images) - ungrouped) // order
        grouped = images[ungrouped : ungrouped + groups * order]
        return grouped.reshape(groups, order, *images.shape[1:])

    def move_origin(self, mean: NDArray[Any]) -> None:
        """Subtract this from all images; there must be no products yet."""
        self._heads = [image - mean for image in self._heads]
        if self.count:
            self._recent = self._recent - mean

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

    def _add_windows(self, images: Images, count: int) -> None:
        """Add the products of so many windows to the sums."""
        products: dict[Lags, Images] = {}
        for lags in _patterns(self._order):
            last = images[lags[-1] : lags[-1] + count]
            products[lags] = products[lags[:-1]] * last if len(lags) > 1 else last
            total = products[lags].sum(axis=0)
            if lags in self._sums:
                self._sums[lags] += total
            else:
                self._sums[lags] = total.astype(np.float64)

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


def _product(images: list[Images] | Images, lags: Lags, first: int) -> Images:
    product: Images = images[first + lags[0]].copy()
    for lag in lags[1:]:
        product *= images[first + lag]
    return product
