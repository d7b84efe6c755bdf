"""Makes one path of a drifting scene from displacements between its images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

OUTLIER = 4.0
"""Standard deviations from which a displacement counts as wrong."""

LEAST_LIMIT = 0.05
"""Pixels of disagreement that no displacement is called wrong for."""

ROUNDS = 20
"""How often wrong displacements are looked for."""

_NORMAL = 1.4826
"""Standard deviations of a normal distribution in its median absolute deviation."""


def solve(
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    displacements: Values,
    weights: Values,
    count: int,
) -> tuple[Values, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the positions of images that fit displacements between them best.

    Least squares, again and again without displacements that the others contradict.

    Parameters
    ----------
    first, second : ndarray of int, shape (pairs,)
        The images of each pair.
    displacements : ndarray, shape (pairs, axes)
        From the first to the second.
    weights : ndarray, shape (pairs,)
        How much each counts.
    count : int
        Number of images.

    Returns
    -------
    positions : ndarray, shape (count, axes)
        The origin is that of the first image that has one.
    placed : ndarray of bool, shape (count,)
        Which images are tied to it by pairs; the others have no position.
    kept : ndarray of bool, shape (pairs,)
        Which displacements were believed.
    """
    kept = np.ones(len(first), np.bool_)
    positions, placed = _least_squares(first, second, displacements, weights, count)
    for _ in range(ROUNDS):
        gaps = positions[second] - positions[first] - displacements
        residuals = np.sqrt((gaps**2).sum(axis=1))
        known = kept & placed[first] & placed[second]
        if not known.any():
            break
        limit = OUTLIER * _NORMAL * float(np.median(residuals[known]))
        believed = placed[first] & placed[second]
        believed &= residuals <= max(limit, LEAST_LIMIT)
        if (believed == kept).all():
            break
        kept = believed
        positions, placed = _least_squares(
            first[kept], second[kept], displacements[kept], weights[kept], count
        )
    return positions, placed, kept


def _least_squares(
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    displacements: Values,
    weights: Values,
    count: int,
) -> tuple[Values, NDArray[np.bool_]]:
    """Return positions, and which images the largest group of pairs ties together."""
    from scipy import sparse
    from scipy.sparse import csgraph, linalg

    links = sparse.coo_matrix((weights, (first, second)), (count, count)).tocsr()
    _, group = csgraph.connected_components(links, directed=False)
    placed = group == np.bincount(group).argmax()
    positions = np.zeros((count, displacements.shape[1]))
    known = np.flatnonzero(placed)
    used = placed[first] if len(first) else np.zeros(0, np.bool_)
    if len(known) < 2 or not used.any():
        return positions, placed
    pairs = np.arange(int(used.sum()))
    root = np.sqrt(weights[used])
    place = np.zeros(count, np.intp)
    place[known] = np.arange(len(known))
    signs = np.concatenate((root, -root))
    columns = np.concatenate((place[second[used]], place[first[used]]))
    shape = (len(pairs), len(known))
    steps = sparse.coo_matrix((signs, (np.tile(pairs, 2), columns)), shape).tocsc()
    steps = steps[:, 1:]  # the first is the origin
    normal = (steps.T @ steps).tocsc()
    right = steps.T @ (displacements[used] * root[:, np.newaxis])
    solver = linalg.factorized(normal)
    for axis in range(displacements.shape[1]):
        positions[known[1:], axis] = solver(np.ascontiguousarray(right[:, axis]))
    return positions, placed


def at_frames(centres: Values, positions: Values, count: int, reach: float) -> Values:
    """Return the positions of all frames from those at some times.

    Between them by cubic polynomials that do not overshoot; beyond the first and the
    last with constant slope for so many frames, and then not any further.

    Parameters
    ----------
    centres : ndarray, shape (known,)
        When the positions were taken, in frames, increasing.
    positions : ndarray, shape (known, axes)
        The positions.
    count : int
        Number of frames.
    reach : float
        Frames for which the slope at the ends is trusted.
    """
    frames = np.arange(count, dtype=np.float64)
    if len(centres) == 1:
        return np.repeat(positions, count, axis=0)
    if np.array_equal(centres, frames):  # the import below takes a third of a second
        return positions
    from scipy.interpolate import PchipInterpolator

    curve = PchipInterpolator(centres, positions)
    inner = np.clip(frames, centres[0], centres[-1])
    slope = curve(inner, 1)
    beyond = np.clip(frames - inner, -reach, reach)
    result: Values = curve(inner) + slope * beyond[:, np.newaxis]
    return result
