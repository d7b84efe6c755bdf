"""How much the pixels of a moved image count where its reference shows the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

NOTHING = 1
"""Pixels at the edges of what both images show that do not count."""

RISE = 4
"""Pixels further inwards over which weights rise."""

ROOM = 8
"""Pixels at least in which a reference goes over into its other edge."""

LEAST_VARIANCE = 1e-6
"""Share of the sum of squares below which a variance is rounding."""


def _rising(inwards: NDArray[np.intp], rise: Any) -> NDArray[np.float64]:
    """Return weights that rise over so many pixels from 0 inwards."""
    share = np.clip((inwards + 0.5) / rise, 0, 1)
    return np.where(inwards < 0, 0.0, (1 - np.cos(np.pi * share)) / 2)


_RISING = _rising(np.arange(-1, RISE + 1), RISE).astype(np.float32)

Values = NDArray[np.float64]
Images = NDArray[np.float32]


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
        self._lags = lags
        self._is_windowed = is_windowed

    def lines(self) -> tuple[Images, ...]:
        """Return the weights by pixel of the reference, (pairs, side) for each axis."""
        return tuple(
            self._line(axis, np.arange(side))[:, 0]
            for axis, side in enumerate(self._shape)
        )

    def displaced(self, near: int) -> list[Images]:
        """Return the same for a reference displaced by -near to near pixels.

        Shape (pairs, displacements, side) for each axis.
        """
        moves = np.arange(-near, near + 1)[:, np.newaxis]
        return [
            self._line(axis, np.arange(side) + moves)
            for axis, side in enumerate(self._shape)
        ]

    def moments(self, images: Images) -> tuple[Values, Values, Values]:
        """Return the sum of weights, the mean and the squared deviations of images."""
        lines = []
        for axis, side in enumerate(self._shape):
            line = self._line(axis, np.arange(side), by_pair=True)
            lines.append(line[:, 0])
        first, square = np.empty((2, len(images)))
        squares = np.empty(self._shape, np.float32)
        for index, image in enumerate(images):
            some = [line[index] for line in lines]
            first[index] = _summed(image, some)
            square[index] = _summed(np.square(image, out=squares), some)
        total = np.prod([line.sum(axis=1, dtype="f8") for line in lines], axis=0)
        mean = first / np.maximum(total, 1e-30)
        deviation = square - mean * first
        deviation[deviation <= LEAST_VARIANCE * square] = 0.0
        return total, mean, deviation

    def _line(
        self, axis: int, places: NDArray[np.intp], by_pair: bool = False
    ) -> Images:
        """Return weights at some pixels of the reference, (pairs, n, side).

        Or of the moved image, one line for each pair. What moved as far has the same
        weights: they are computed once.
        """
        side = self._shape[axis]
        every, of = np.unique(self._lags[:, axis], return_inverse=True)
        lags = every[:, np.newaxis, np.newaxis]
        first, last = np.maximum(0, -lags), side - 1 - np.maximum(0, lags)
        places = np.atleast_2d(places) - (lags if by_pair else 0)
        inwards = np.minimum(places - first, last - places) - NOTHING
        if not self._is_windowed:
            weights: Images = _RISING[np.clip(inwards, -1, RISE) + 1]
        else:
            rise = np.maximum((last - first + 1) / 2 - NOTHING, 1)
            weights = _rising(inwards, rise).astype(np.float32)
        return weights[of]


def contracted(images: NDArray[Any], lines: list[Images]) -> Values:
    """Return weighted sums of images for each combination of the axes' weights."""
    result = images
    for axis, line in enumerate(lines, start=1):
        if len(result) == 1:  # one product for all is faster than one for each
            found = np.tensordot(line, result[0], (2, axis - 1))
            result = np.moveaxis(found, 1, axis)
        else:
            moved = np.moveaxis(result, axis, -2)
            line = line.reshape(len(line), *(1,) * (moved.ndim - 3), *line.shape[1:])
            result = np.moveaxis(line @ moved, -2, axis)
    return result.astype(np.float64)


def _summed(image: Images, lines: list[Images]) -> float:
    """Return the weighted sum of one image."""
    result: Any = image
    for line in reversed(lines):
        result = result @ line
    return float(result)


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
