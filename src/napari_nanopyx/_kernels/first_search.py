"""Finds to about a pixel where images agree best, on images of larger pixels.

Larger pixels hold less noise and are fewer. They are correlated at all displacements
within reach, as images that end at their edges.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.correlate.plan import CorrelatePlan
from napari_nanopyx._kernels.products import with_vector

LEAST_SIDE = 32
"""Large pixels along the shortest axis, at least."""

LARGEST_STEP = 4
"""Pixels along an axis that are taken as one, at most."""

AS_HIGH = 0.95
"""Share of the highest correlation from which another one may as well be right."""

AS_CLEAR = 0.8
"""The same of how far it stands out of the noise."""

VALLEY = 0.85
"""Share of the highest correlation that two maxima are divided by."""

Images = NDArray[np.float32]


def steps(shape: tuple[int, ...]) -> list[int]:
    """Return how many pixels to take as one, largest first: powers of two."""
    largest = 1
    while largest < LARGEST_STEP and min(shape) >= 2 * largest * LEAST_SIDE:
        largest *= 2
    return [largest] if largest == 1 else [largest, largest // 2]


def sides(shape: tuple[int, ...], step: int) -> tuple[int, ...]:
    """Return the shape of an image in larger pixels."""
    return tuple(-(-side // step) for side in shape)


def binned(images: Images, step: int) -> Images:
    """Return sums over so many pixels along each axis; the last may be of fewer."""
    if step == 1:
        return images
    result, ones = images, np.ones(step, np.float32)
    for axis in range(1, images.ndim):
        side, after = result.shape[axis], result.shape[axis + 1 :]
        if side % step == 0:  # products with a vector, which are faster than sums
            shape = (*result.shape[:axis], side // step, *after)
            if after:
                lines = ones @ result.reshape(-1, step, prod(after))
            else:
                lines = with_vector(result.reshape(-1, step), ones)
            result = lines.reshape(shape)
        else:
            members = np.arange(side) // step == np.arange(-(-side // step))[:, None]
            lines = np.moveaxis(result, axis, -1) @ members.T.astype(np.float32)
            result = np.moveaxis(lines, -1, axis)
    return np.ascontiguousarray(result)


def find(
    reference: Images,
    moved: Images,
    shape: tuple[int, ...],
    reach: tuple[int, ...],
    step: int,
    sums: Callable[[NDArray[Any], CorrelatePlan], Images],
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the best displacements, in pixels, and which of them might be others.

    Parameters
    ----------
    reference, moved : ndarray of float32, shape (1 | pairs, ...), (pairs, ...)
        Images in larger pixels, with mean zero.
    shape : tuple of int
        Their shape in pixels.
    reach : tuple of int
        Farthest displacement along each axis, in pixels.
    step : int
        Pixels along an axis that are taken as one.
    sums : callable
        Computes a plan of the task `correlate`.

    Returns
    -------
    lags : ndarray of int, shape (pairs, axes)
    ambiguous : ndarray of bool, shape (pairs,)
        Whether another displacement far from it fits nearly as well.
    """
    from scipy.fft import next_fast_len

    lags = tuple(-(-each // step) for each in reach)
    pairs = list(zip(moved.shape[1:], lags, strict=True))
    room = [(0, next_fast_len(side + lag, True) - side) for side, lag in pairs]
    scene = np.pad(reference, [(0, 0), *room])
    found = sums(moved, CorrelatePlan(moved.shape, scene, lags))
    share: Any = np.ones((1,) * found.ndim, np.float32)
    for axis, (side, lag) in enumerate(zip(shape, lags, strict=True), start=1):
        shown = np.maximum(side - step * np.abs(np.arange(-lag, lag + 1)), 1) / side
        line = shown.astype(np.float32)
        share = share * line.reshape(-1, *(1,) * (found.ndim - 1 - axis))
    clear: Images = found / np.sqrt(share)  # the same noise everywhere
    top = clear.reshape(len(clear), -1).argmax(axis=1)
    places = np.stack(np.unravel_index(top, clear.shape[1:]), axis=1)
    near = places - lags + _between(clear, places)
    return (
        np.rint(near * step).astype(np.intp),
        _ambiguous(clear, share, top),
    )


def _between(scores: Images, places: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return how far a parabola's top is from the highest score along each axis."""
    result = np.zeros(places.shape)
    rows = np.arange(len(places))
    for axis, side in enumerate(scores.shape[1:]):
        index = [rows, *np.clip(places, 0, None).T]
        index[axis + 1] = np.clip(places[:, axis], 1, side - 2)
        lines = []
        for move in (-1, 0, 1):
            moved = list(index)
            moved[axis + 1] = index[axis + 1] + move
            lines.append(scores[tuple(moved)].astype(np.float64))
        low, middle, high = lines
        bend = 2 * middle - low - high
        inner = (index[axis + 1] == places[:, axis]) & (bend > 0)
        slope = (high - low) / 2
        result[inner, axis] = np.clip(slope[inner] / bend[inner], -0.5, 0.5)
    return result


def _ambiguous(
    clear: Images, share: Images, top: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Tell where correlation is as high elsewhere, beyond a valley."""
    from scipy import ndimage

    rows, shape = np.arange(len(clear)), (-1, *(1,) * (clear.ndim - 1))
    alike = clear / np.sqrt(share)
    highest = clear.reshape(len(clear), -1)[rows, top]
    level = alike.reshape(len(clear), -1)[rows, top].reshape(shape)
    hot = (alike >= AS_HIGH * level) & (clear >= AS_CLEAR * highest.reshape(shape))
    result = np.zeros(len(clear), np.bool_)
    others = hot.copy()
    middle = np.unravel_index(top, clear.shape[1:])
    for axis, side in enumerate(clear.shape[1:]):
        for move in (-1, 0, 1):  # no valley divides it from its neighbours
            near = list(middle)
            near[axis] = np.clip(middle[axis] + move, 0, side - 1)
            others[(rows, *near)] = False
    doubtful = others.reshape(len(others), -1).any(axis=1)
    for index in np.flatnonzero(doubtful & (highest > 0)).tolist():
        regions, _ = ndimage.label(alike[index] >= VALLEY * level[index])
        result[index] = len(np.unique(regions[hot[index]])) > 1
    return result
