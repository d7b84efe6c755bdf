"""Finds between pixels where two images agree best, near a whole displacement.

What the moved image shows of the reference, however it is displaced nearby, is a
template. Its products with the reference are summed at each whole displacement nearby,
and the sums interpolated by a windowed sinc. This is as much as to interpolate the
reference, and no edge is involved. The deviation of the reference under the template,
which changes slowly, is interpolated by parabolas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import template

MARGIN = 6
"""How much farther than a template its reference must reach, to all sides."""

SLACK = 2
"""How far the best whole displacement may be from where it is looked for."""

NEAR = 3
"""Displacements to each side at which there are sums."""

STEPS = 4
"""Places in each pixel at which there are sums."""

LOOKS = 16
"""How often a template may be moved to where the correlation is higher."""

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
    reference: NDArray[np.float32],
    moved: NDArray[np.float32],
    lags: NDArray[np.intp],
    reach: tuple[int, ...],
    *,
    share: float,
    edges: bool,
    workers: int,
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
    share : float
        Share of the template along which its weight falls off.
    edges : bool
        Whether images end at their edges, or continue at the opposite one.
    workers : int
        Threads.
    """
    margin = max(NEAR, min(MARGIN, min(moved.shape[1:]) // 10))
    places = np.arange(-NEAR * STEPS, NEAR * STEPS + 1) / STEPS
    references = template.References(reference, places, workers)
    between = lagrange(places, NEAR)
    pairs, axes = lags.shape
    correlation = np.zeros((pairs, *(len(places),) * axes))
    pixels = np.zeros(pairs)
    lags, todo = lags.copy(), np.arange(pairs)
    for _ in range(LOOKS):
        templates = template.cut(
            moved[todo], lags[todo], margin=margin, near=NEAR, share=share, edges=edges
        )
        pixels[todo] = templates.pixels
        correlation[todo] = _ratio(
            references.products(templates, todo),
            _refined(references.deviations(templates, todo), between),
        )
        whole = (slice(None), *(slice(STEPS, -STEPS, STEPS),) * axes)
        step = argmax(correlation[todo][whole]) - SLACK
        further = (np.abs(step) == SLACK) & (
            np.abs(lags[todo] + step) <= np.add(reach, 1)
        )
        further = further.any(axis=1)
        todo = todo[further]
        if not len(todo):
            break
        lags[todo] += step[further]
    offset, similarity = _highest(correlation)
    displacements = lags + offset
    inside = (np.abs(displacements) <= np.add(reach, 0.5)).all(axis=1)
    inside &= (np.abs(offset) < NEAR - 0.5).all(axis=1) & (similarity > 0)
    similarity = np.clip(similarity, 0.0, 1.0)
    return Peaks(displacements, similarity, similarity * np.sqrt(pixels), inside)


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
    result = np.zeros(numerator.shape)
    np.divide(numerator, denominator, out=result, where=denominator > 0)
    return result


def _highest(correlation: Values) -> tuple[Values, Values]:
    """Return where correlations are highest, from the middle, and how high."""
    taps, finer = 2, 10
    top = argmax(correlation)
    middle_ = correlation.shape[1] // 2
    top = np.clip(top - middle_, taps - middle_, middle_ - taps)
    points = np.arange(-finer, finer + 1) / finer
    fine = _refined(_around(correlation, top, taps), lagrange(points, taps))
    best = np.clip(argmax(fine), 1, 2 * finer - 1) - finer
    near = _around(fine, best, 1)
    axes = near.ndim - 1
    middle: tuple[Any, ...] = (slice(None), *(1,) * axes)
    height, place = near[middle].copy(), np.empty((len(near), axes))
    for axis in range(axes):
        line = list(middle)
        line[axis + 1] = slice(None)
        low, centre, high = near[tuple(line)].T
        slope, bend = (high - low) / 2, 2 * centre - low - high
        place[:, axis] = np.clip(_ratio(slope, bend), -1, 1)
        height += slope * place[:, axis] / 2
    return (top + (best + place) / finer) / STEPS, height


def lagrange(points: Values, taps: int) -> Values:
    """Return the weights of the polynomial through 2 taps + 1 values, by point."""
    nodes = np.arange(-taps, taps + 1)
    weights = np.ones((len(points), len(nodes)))
    for index, node in enumerate(nodes):
        for other in np.delete(nodes, index):
            weights[:, index] *= (points - other) / (node - other)
    return weights


def _refined(values: Values, weights: Values) -> Values:
    """Interpolate images along each axis."""
    result = values
    for axis in range(1, values.ndim):
        lines = np.moveaxis(result, axis, -1) @ weights.T
        result = np.moveaxis(lines, -1, axis)
    return result
