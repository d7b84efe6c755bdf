"""How much the pixels of a moved image count where its reference shows the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.products import with_matrix, with_vectors

NOTHING = 1
"""Pixels at the edges of what both images show that do not count."""

RISE = 4
"""Pixels further inwards over which weights rise."""

ROOM = 8
"""Pixels at least in which a reference goes over into its other edge."""

FEW = 8
"""Images that are summed up at a time."""

LEAST_VARIANCE = 1e-6
"""Share of the sum of squares below which a variance is rounding."""


def _rising(inwards: NDArray[np.intp], rise: Any) -> NDArray[np.float64]:
    """Return weights that rise over so many pixels from 0 inwards."""
    share = np.clip((inwards + 0.5) / rise, 0, 1)
    return np.where(inwards < 0, 0.0, (1 - np.cos(np.pi * share)) / 2)


_RISING = _rising(np.arange(-1, RISE + 1), RISE).astype(np.float32)

Values = NDArray[np.float64]
Images = NDArray[np.float32]
Lines = tuple[Images, NDArray[np.intp]]


class Weights:
    """Weights of the pixels that images and references both show.

    They are products of one line along each axis: nothing at the very edge, then rising
    like a cosine to 1.

    Parameters
    ----------
    shape : tuple of int
        Shape of an image.
    lags : ndarray of int, shape (pairs, axes)
        How far each image has moved, about.
    is_windowed : bool
        Whether weights rise up to the middle.
    """

    def __init__(
        self, shape: tuple[int, ...], lags: NDArray[np.intp], is_windowed: bool
    ) -> None:
        self._shape = shape
        self._is_windowed = is_windowed
        # what moved as far has the same weights: they are computed once
        self._every, self._of = [], []
        for line in lags.T:
            every, of = np.unique(line, return_inverse=True)
            self._every.append(every)
            self._of.append(of)

    def lines(self) -> tuple[Images, ...]:
        """Return the weights by pixel of the reference, (pairs, side) for each axis."""
        return tuple(
            self._lines(axis, np.zeros(1, np.intp))[:, 0][of]
            for axis, of in enumerate(self._of)
        )

    def displaced(self, near: int) -> list[Lines]:
        """Return the same for a reference displaced by -near to near pixels.

        For each axis, those that differ, (lags, displacements, side), and which of them
        each pair has.
        """
        moves = np.arange(-near, near + 1)
        return [(self._lines(axis, moves), of) for axis, of in enumerate(self._of)]

    def moments(self, images: Images) -> tuple[Values, Values, Values]:
        """Return the sum of weights, the mean and the squared deviations of images."""
        lines = [
            self._lines(axis, -every[:, np.newaxis])[:, 0]
            for axis, every in enumerate(self._every)
        ]
        first, square = np.empty((2, len(images)))
        squares = np.empty((FEW, *self._shape), np.float32)
        for start in range(0, len(images), FEW):
            part = slice(start, start + FEW)
            few = images[part]
            pairs = zip(lines, self._of, strict=True)
            some = [line[of[part]] for line, of in pairs]
            first[part] = _summed(few, some)
            square[part] = _summed(np.square(few, out=squares[: len(few)]), some)
        pairs = zip(lines, self._of, strict=True)
        sums = [line.sum(axis=1, dtype=np.float64)[of] for line, of in pairs]
        total = np.prod(sums, axis=0)
        mean = first / np.maximum(total, 1e-30)
        deviation = square - mean * first
        deviation[deviation <= LEAST_VARIANCE * square] = 0.0
        return total, mean, deviation

    def _lines(self, axis: int, moves: NDArray[np.intp]) -> Images:
        """Return weights of the reference's pixels, (lags, moves, side).

        Of pixels that lie so far from each. Moves are the same for all lags, or have a
        row for each.
        """
        side = self._shape[axis]
        lags = self._every[axis][:, np.newaxis, np.newaxis]
        first, last = np.maximum(0, -lags), side - 1 - np.maximum(0, lags)
        places = np.arange(side) + np.atleast_2d(moves)[:, :, np.newaxis]
        inwards = np.minimum(places - first, last - places) - NOTHING
        if not self._is_windowed:
            weights: Images = _RISING[np.clip(inwards, -1, RISE) + 1]
            return weights
        rise = np.maximum((last - first + 1) / 2 - NOTHING, 1)
        return _rising(inwards, rise).astype(np.float32)


def contracted(images: NDArray[Any], lines: list[Lines]) -> Values:
    """Return weighted sums of images for each combination of the axes' weights."""
    result = images
    for axis, (line, of) in enumerate(lines, start=1):
        moved = np.moveaxis(result, axis, 1 if len(result) == 1 else -2)
        if len(result) == 1:  # one product for all is faster than one for each
            flat = moved.reshape(moved.shape[1], -1)
            found = with_matrix(line.reshape(-1, line.shape[2]), flat)
            found = found.reshape(*line.shape[:2], *moved.shape[2:])
            result = np.moveaxis(found, 1, axis)[of]
        else:
            each = line[of]
            each = each.reshape(len(each), *(1,) * (moved.ndim - 3), *each.shape[1:])
            result = np.moveaxis(each @ moved, -2, axis)
    return result.astype(np.float64)


def _summed(images: Images, lines: list[Images]) -> Images:
    """Return the weighted sum of each image; lines are (images, side)."""
    result = images
    for line in reversed(lines):
        shape = result.shape[:-1]
        result = with_vectors(result.reshape(len(line), -1, line.shape[1]), line)
        result = result.reshape(shape)
    return result


def continued(references: Images) -> Images:
    """Return images that go on without end: one edge goes over into the other."""
    from scipy.fft import next_fast_len

    sides = references.shape[1:]
    lengths = [next_fast_len(side + ROOM, True) for side in sides]
    result = np.empty((len(references), *lengths), np.float32)
    result[(slice(None), *map(slice, sides))] = references
    for axis, (side, length) in enumerate(zip(sides, lengths, strict=True), start=1):
        share = np.arange(1, length - side + 1, dtype=np.float32) / (length - side + 1)
        share = share.reshape(-1, *(1,) * (len(sides) - axis))
        done = (slice(None),) * axis
        rest = tuple(map(slice, sides[axis:]))  # what other axes have not reached yet
        ends = [result[(*done, slice(at, at + 1), *rest)] for at in (0, side - 1)]
        result[(*done, slice(side, None), *rest)] = (
            ends[1] + (ends[0] - ends[1]) * share
        )
    return result


def slopes(references: Images) -> Values:
    """Return the mean squared slope along each axis by variance, as a root."""
    variance, *squares = np.empty((references.ndim, len(references)))
    for index, image in enumerate(references):  # one after the other fits in the cache
        variance[index] = np.square(image).mean(dtype=np.float64)
        for axis, square in enumerate(squares):
            square[index] = _mean_squared_slope(image, axis)
    result: Values = np.sqrt(
        np.stack(squares, axis=1) / np.maximum(variance, 1e-30)[:, None]
    )
    return result


def _mean_squared_slope(image: Images, axis: int) -> float:
    """Return it of one image, by cubic polynomials through four pixels."""
    side, before = image.shape[axis], (slice(None),) * axis
    one, two, three, four = (
        image[(*before, slice(first, side - 3 + first))] for first in range(4)
    )
    slope = three - two
    slope *= 27
    slope -= four
    slope += one
    return float(np.square(slope, out=slope).mean(dtype=np.float64)) / 24**2
