"""Finds between pixels where two images agree best, near a whole displacement.

What the moved image shows of the reference is a template, whose weight falls off
towards its edges. The sums of its products with the reference, displaced by quarters of
a pixel, come from the task `correlate`. The deviation of the reference under the
template changes smoothly, because of those edges: it is interpolated from whole pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import template
from napari_nanopyx._kernels.correlate.plan import CorrelatePlan
from napari_nanopyx._kernels.reference_noise import AS_IT_IS, Clearer

FINER = 2
"""Sums that there are in each pixel."""

SUMS = 4
"""Sums to each side."""

STEPS = 4
"""Places in each pixel to which they are interpolated."""

PLACES = 5
"""Places to each side."""

NEAR = 3
"""Whole pixels to each side at which deviations are known."""

TAPS = 2
"""Places to each side of the highest one between which the maximum is found."""

POINTS = 10
"""Points between two places."""

LOOKS = 16
"""How often a template may be moved to where the correlation is higher."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Peaks:
    """Where the correlation of pairs of images is highest."""

    displacements: Values
    """How far the content has moved along each axis, in pixels, (pairs, axes)."""
    similarity: Values
    """Pearson correlation of the overlap there, of the finest detail in part only; 0
    for an image without contrast."""
    significance: Values
    """The same in standard deviations of what independent noise would give."""
    inside: NDArray[np.bool_]
    """Whether it is a maximum within reach, not cut off by it."""
    uncertainty: Values
    """Standard deviation of the displacement that noise causes, (pairs, axes)."""

    def put(self, chosen: NDArray[np.intp], others: Peaks) -> None:
        """Replace some by others."""
        for each in fields(self):
            getattr(self, each.name)[chosen] = getattr(others, each.name)


def find(
    reference: NDArray[np.float32],
    moved: NDArray[np.float32],
    lags: NDArray[np.intp],
    reach: tuple[int, ...],
    *,
    is_windowed: bool,
    sums: Callable[[NDArray[Any], CorrelatePlan], NDArray[np.float32]],
    clearer: Clearer = AS_IT_IS,
) -> Peaks:
    """Return the best displacement of each pair near one that is given.

    Parameters
    ----------
    reference, moved : ndarray of float32, shape (1, *shape) or (pairs, *shape)
        Images with mean zero; one reference counts for all.
    lags : ndarray of int, shape (pairs, axes)
        Displacements, at most a few pixels off.
    reach : tuple of int
        Farthest displacement along each axis.
    is_windowed : bool
        Whether the weight of a template falls off from its middle on.
    sums : callable
        Computes a plan of the task `correlate`.
    clearer : Clearer
        What is to be known of the reference if noise was taken off it.
    """
    between, among, _ = _interpolations()
    scene = template.continued(reference)
    squares = np.square(reference)
    pairs, axes = lags.shape
    correlation = np.zeros((pairs, *(2 * PLACES + 1,) * axes))
    pixels, lags, todo = np.zeros(pairs), lags.copy(), np.arange(pairs)
    plan: CorrelatePlan | None = None
    for _ in range(LOOKS):
        of = slice(None) if len(reference) == 1 else todo
        images = moved if len(todo) == pairs else moved[todo]
        weights = template.Weights(moved.shape[1:], lags[todo], is_windowed)
        total, means, variances = weights.moments(images)
        shifted = weights.displaced(NEAR)
        at_once = template.contracted(reference[of], shifted)
        deviations = template.contracted(squares[of], shifted)
        shape = (-1, *(1,) * axes)
        deviations -= at_once**2 / np.maximum(total, 1e-30).reshape(shape)
        if plan is None or plan.has_many:
            size = (len(todo), *moved.shape[1:])
            plan = CorrelatePlan(size, scene[of], (SUMS,) * axes, FINER)
        plan = plan.of(lags[todo], weights.lines())
        products = refined(sums(images, plan).astype(np.float64), among)
        products -= means.reshape(shape) * refined(at_once, between)
        scale = refined(deviations, between) * variances.reshape(shape)
        correlation[todo] = _ratio(products, np.sqrt(np.maximum(scale, 0)))
        pixels[todo] = total
        top = argmax(correlation[todo]) - PLACES
        step = np.rint(top / STEPS).astype(np.intp)
        further = (np.abs(top) > PLACES - TAPS).any(axis=1)
        further &= (np.abs(lags[todo] + step) <= np.add(reach, 1)).all(axis=1)
        todo, step = todo[further], step[further]
        if not len(todo):
            break
        lags[todo] += step
    offset, similarity, bends = _highest(correlation)
    displacements = lags + offset
    inside = (np.abs(displacements) <= np.add(reach, 0.5)).all(axis=1)
    inside &= (np.abs(argmax(correlation) - PLACES) <= PLACES - TAPS).all(axis=1)
    inside &= similarity > 0
    significance = np.clip(similarity, 0.0, 1.0) * np.sqrt(pixels)
    similarity = np.clip(similarity, 0.0, 1.0) * clearer.likeness
    # The slopes of both images meet the noise of the other; those of noise only once.
    signal = similarity if clearer.signal is None else clearer.signal
    noise = np.sqrt((1 - similarity) * (1 + signal) / np.maximum(pixels, 1))
    return Peaks(
        displacements,
        similarity,
        significance,
        inside,
        np.where(
            bends > 0,
            _ratio(noise[:, np.newaxis] * template.slopes(reference), bends),
            np.nan,
        ),
    )


def argmax(values: NDArray[Any]) -> NDArray[np.intp]:
    """Return the place of each image's maximum, (images, axes)."""
    flat = values.reshape(len(values), -1).argmax(axis=1)
    result: NDArray[np.intp] = np.stack(
        np.unravel_index(flat, values.shape[1:]), axis=1
    )
    return result


def _around(values: Values, offset: NDArray[np.intp], span: int) -> Values:
    """Return the values of each image around a place, counted from the middle."""
    near = np.arange(-span, span + 1)
    axes = values.ndim - 1
    grid = [np.arange(len(values)).reshape(-1, *(1,) * axes)]
    for axis, side in enumerate(values.shape[1:]):
        line = offset[:, axis, np.newaxis] + side // 2 + near
        shape = [1] * axes
        shape[axis] = -1
        grid.append(line.reshape(len(values), *shape))
    result: Values = values[tuple(grid)]
    return result


def _ratio(numerator: Values, denominator: Values) -> Values:
    result = np.zeros(np.broadcast_shapes(numerator.shape, denominator.shape))
    np.divide(numerator, denominator, out=result, where=denominator > 0)
    return result


def _highest(correlation: Values) -> tuple[Values, Values, Values]:
    """Return where correlations are highest, from the middle, how high, how bent."""
    middle_ = correlation.shape[1] // 2
    top = np.clip(argmax(correlation) - middle_, TAPS - middle_, middle_ - TAPS)
    fine = refined(_around(correlation, top, TAPS), _interpolations()[2])
    best = np.clip(argmax(fine), 1, 2 * POINTS - 1) - POINTS
    near = _around(fine, best, 1)
    axes = near.ndim - 1
    middle: tuple[Any, ...] = (slice(None), *(1,) * axes)
    height, place, bends = near[middle].copy(), *np.empty((2, len(near), axes))
    for axis in range(axes):
        line = list(middle)
        line[axis + 1] = slice(None)
        low, centre, high = near[tuple(line)].T
        slope, bend = (high - low) / 2, 2 * centre - low - high
        place[:, axis] = np.clip(_ratio(slope, bend), -1, 1)
        bends[:, axis] = bend * (POINTS * STEPS) ** 2
        height += slope * place[:, axis] / 2
    return (top + (best + place) / POINTS) / STEPS, height, bends


@cache
def _interpolations() -> tuple[Values, Values, Values]:
    """Return what leads from pixels and sums to places, and on to between these."""
    places = np.arange(-PLACES, PLACES + 1) / STEPS
    points = np.arange(-POINTS, POINTS + 1) / POINTS
    return (
        lagrange(places, NEAR),
        lagrange(places * FINER, SUMS),
        lagrange(points, TAPS),
    )


def lagrange(points: Values, taps: int) -> Values:
    """Return the weights of the polynomial through 2 taps + 1 values, by point."""
    nodes = np.arange(-taps, taps + 1)
    weights = np.ones((len(points), len(nodes)))
    for index, node in enumerate(nodes):
        for other in np.delete(nodes, index):
            weights[:, index] *= (points - other) / (node - other)
    return weights


def refined(values: Values, weights: Values) -> Values:
    """Interpolate images along each axis."""
    result = values
    for axis in range(1, values.ndim):
        lines = np.moveaxis(result, axis, -1) @ weights.T
        result = np.moveaxis(lines, -1, axis)
    return result
