"""Finds the displacement at which two images agree best, between pixels.

Around the best whole displacement, the sums of products are interpolated by a windowed
sinc on a fine grid; mean and variance of the overlap, which change slowly, by
parabolas. A parabola through the best points of the fine grid gives the maximum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

TAPS = 6
"""Whole displacements to each side that a value between them is interpolated from."""

MARGIN = TAPS + 2
"""Displacements beyond those searched that a map has to hold."""

STEPS = 10
"""Points of the fine grid for each pixel."""

CLIMBS = 32
"""Steps from the highest sum to the highest correlation."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Peaks:
    """Where the correlation of pairs of images is highest."""

    displacements: Values
    """How far the content has moved along each axis, in pixels, (pairs, axes)."""
    similarity: Values
    """Pearson correlation of the overlap there; 0 for an image without contrast."""
    significance: Values
    """The same in standard deviations of what independent noise would give."""
    inside: NDArray[np.bool_]
    """Whether it is a maximum within reach, not cut off by it."""


def find(
    maps: NDArray[np.float32],
    reference: NDArray[np.float32],
    moved: NDArray[np.float32],
    reach: tuple[int, ...],
    *,
    overlap: bool,
) -> Peaks:
    """Return the best displacement of each pair.

    Parameters
    ----------
    maps : ndarray, shape (pairs, *lags)
        Sums of products, zero displacement in the middle.
    reference, moved : ndarray, shape (1, *shape) or (pairs, *shape), (pairs, *shape)
        The images that were multiplied.
    reach : tuple of int
        Farthest displacement along each axis.
    overlap : bool
        Correlate what both images show; otherwise they continue at the opposite edge.
    """
    shape = moved.shape[1:]
    statistics = Overlap(reference, moved, overlap)
    best = _highest_sum(maps, shape, reach, overlap)
    limit = np.array(reach) + 1
    near = _around(maps, best, 1)
    for _ in range(CLIMBS):
        covariance, deviation = statistics.at(best)
        correlation = _ratio(near - covariance, deviation)
        step = _argmax(correlation) - 1
        step *= np.abs(best + step) <= limit
        if not step.any():
            break
        best += step
        near = _around(maps, best, 1)
    offset, similarity = _between(_around(maps, best, TAPS), covariance, deviation)
    displacements = best + offset
    inside = (np.abs(displacements) <= np.array(reach) + 0.5).all(axis=1)
    inside &= (np.abs(offset) < 1).all(axis=1) & (similarity > 0)
    similarity = np.clip(similarity, 0.0, 1.0)
    return Peaks(
        displacements,
        similarity,
        similarity * np.sqrt(statistics.pixels(best)),
        inside,
    )


class Overlap:
    """Mean and variance of the pixels that both images of a pair show."""

    def __init__(
        self,
        reference: NDArray[np.float32],
        moved: NDArray[np.float32],
        overlap: bool,
    ) -> None:
        self._shape = moved.shape[1:]
        self._overlap = overlap
        self._images = (reference, moved)
        self._squares = (np.square(reference), np.square(moved))

    def pixels(self, lags: NDArray[np.intp]) -> Values:
        """Return how many pixels there are at one displacement of each pair."""
        shown = np.array(self._shape) - np.abs(lags) * self._overlap
        result: Values = np.prod(shown, axis=1, dtype=np.float64)
        return result

    def at(self, lags: NDArray[np.intp]) -> tuple[Values, Values]:
        """Return product of sums over pixels, and of deviations, around displacements.

        Shape (pairs, 3, ...): at one pixel less, the displacement itself, one more.
        """
        sums, squares, count = [], [], np.ones((len(lags),))
        shown = [self._shown(axis, lags[:, axis]) for axis in range(lags.shape[1])]
        for axis, (each, _) in enumerate(shown):
            length = each.sum(axis=2, dtype=np.float64)
            count = count[..., np.newaxis] * length.reshape(len(lags), *(1,) * axis, 3)
        for which in (0, 1):
            masks = [pair[which] for pair in shown]
            sums.append(_contracted(self._images[which], masks))
            squares.append(_contracted(self._squares[which], masks))
        count = np.maximum(count, 1.0)
        variances = [
            np.where(square > 1e-12, square - total**2 / count, 0.0)
            for total, square in zip(sums, squares, strict=True)
        ]
        deviation = np.sqrt(np.maximum(variances[0], 0) * np.maximum(variances[1], 0))
        return sums[0] * sums[1] / count, deviation

    def _shown(
        self, axis: int, lags: NDArray[np.intp]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mark the samples of an axis of both images that the other one shows too."""
        length = self._shape[axis]
        if not self._overlap:
            every = np.ones((len(lags), 3, length), np.float32)
            return every, every
        place = np.arange(length)
        partner = place + (lags[:, np.newaxis] + [-1, 0, 1])[..., np.newaxis]
        origin = 2 * place - partner
        return tuple(
            ((each >= 0) & (each < length)).astype(np.float32)
            for each in (partner, origin)
        )


def _contracted(images: NDArray[Any], masks: list[NDArray[np.float32]]) -> Values:
    """Return the sums of images over the samples that are marked on each axis."""
    result = images
    for axis, mask in enumerate(masks, start=1):
        lines = np.moveaxis(result, axis, -2)
        marks = mask.reshape(len(mask), *(1,) * (lines.ndim - 3), *mask.shape[1:])
        result = np.moveaxis(np.matmul(marks, lines), -2, axis)
    return result.astype(np.float64)


def _highest_sum(
    maps: NDArray[np.float32],
    shape: tuple[int, ...],
    reach: tuple[int, ...],
    overlap: bool,
) -> NDArray[np.intp]:
    """Return the displacement within reach of the sum that stands out most."""
    window = tuple(
        slice(side // 2 - limit, side // 2 + limit + 1)
        for side, limit in zip(maps.shape[1:], reach, strict=True)
    )
    within = maps[(slice(None), *window)]
    if overlap:
        for axis, (side, limit) in enumerate(zip(shape, reach, strict=True)):
            shown = side - np.abs(np.arange(-limit, limit + 1))
            weight = (1 / np.sqrt(shown)).astype(np.float32)
            within = within * weight.reshape(-1, *(1,) * (len(shape) - 1 - axis))
    result: NDArray[np.intp] = _argmax(within) - np.array(reach)
    return result


def _argmax(values: NDArray[Any]) -> NDArray[np.intp]:
    """Return the place of each image's maximum, (images, axes)."""
    flat = values.reshape(len(values), -1).argmax(axis=1)
    result: NDArray[np.intp] = np.stack(
        np.unravel_index(flat, values.shape[1:]), axis=1
    )
    return result


def _around(maps: NDArray[Any], lags: NDArray[np.intp], span: int) -> Values:
    """Return the values of each map around a displacement."""
    near = np.arange(-span, span + 1)
    index: list[NDArray[np.intp]] = [np.arange(len(maps))]
    for axis, side in enumerate(maps.shape[1:]):
        index.append(lags[:, axis, np.newaxis] + side // 2 + near)
    axes = len(index)
    grid = tuple(
        each.reshape(len(maps), *(-1 if axis == k else 1 for k in range(1, axes)))
        for axis, each in enumerate(index)
    )
    return maps[grid].astype(np.float64)


def _ratio(numerator: Values, denominator: Values) -> Values:
    result = np.zeros(numerator.shape)
    np.divide(numerator, denominator, out=result, where=denominator > 0)
    return result


def _between(
    sums: Values, covariance: Values, deviation: Values
) -> tuple[Values, Values]:
    """Return where the correlation is highest from the middle, and how high."""
    fine = np.arange(-STEPS, STEPS + 1) / STEPS
    sinc = _sinc(fine, sums.shape[1] // 2)
    parabola = np.stack(
        (fine * (fine - 1) / 2, 1 - fine**2, fine * (fine + 1) / 2), axis=1
    )
    interpolated = _refined(sums, sinc) - _refined(covariance, parabola)
    correlation = _ratio(interpolated, _refined(deviation, parabola))
    top = np.clip(_argmax(correlation), 1, 2 * STEPS - 1)
    near = _around(correlation, top - STEPS, 1)
    axes = near.ndim - 1
    place = np.empty((len(near), axes))
    middle_of: tuple[Any, ...] = (slice(None), *(1,) * axes)
    height = near[middle_of].copy()
    for axis in range(axes):
        centre: list[Any] = [slice(None), *(1,) * axes]
        centre[axis + 1] = slice(None)
        low, middle, high = near[tuple(centre)].T
        bend, slope = low - 2 * middle + high, (high - low) / 2
        shift = np.clip(_ratio(slope, -bend), -1, 1)
        place[:, axis] = shift
        height += slope * shift / 2
    return (top - STEPS + place) / STEPS, height


def _sinc(points: Values, taps: int) -> Values:
    """Return the weights of a windowed sinc, (points, 2 taps + 1)."""
    distance = points[:, np.newaxis] - np.arange(-taps, taps + 1)
    window = np.cos(np.pi / 2 * np.clip(distance / (taps + 1), -1, 1)) ** 2
    weights = np.sinc(distance) * window
    normal: Values = weights / weights.sum(axis=1, keepdims=True)
    return normal


def _refined(values: Values, weights: Values) -> Values:
    """Interpolate images along each axis."""
    result = values
    for axis in range(1, values.ndim):
        lines = np.moveaxis(result, axis, -1) @ weights.T
        result = np.moveaxis(lines, -1, axis)
    return result
