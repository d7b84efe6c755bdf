"""From displacements at some places to one at each pixel: smooth, affine, or the same.

All work with continuous (row, column) coordinates, in float64.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.arrows import Arrows

Model = Literal["field", "affine", "translation"]
Field = NDArray[np.float64]

LEAST_SPREAD = 0.1
"""Pixels by which displacements may differ from the model without losing weight."""

LIMIT = 3.0
"""Spreads beyond which a displacement is an outlier."""

ROUNDS = 50


def smooth(arrows: Arrows, shape: tuple[int, int], blocks: int) -> Field:
    """Return displacements that follow the near arrows, blurred, (2, rows, columns)."""
    if len(arrows) == 1:
        return _everywhere(arrows.displacements[0], shape)
    rows, columns = (np.arange(length) + 0.5 for length in shape)
    farthest = float(np.hypot(*shape))
    total, field = np.zeros(shape), np.zeros((2, *shape))
    for (y, x), displacement in zip(arrows.places, arrows.displacements, strict=True):
        squared = np.square(rows - y)[:, np.newaxis] + np.square(columns - x)
        distance = np.sqrt(squared) + 1.0
        weight = ((farthest - distance) / (farthest * distance)) ** 2
        total += weight
        field += weight * displacement[:, np.newaxis, np.newaxis]
    field /= total
    if blocks > 1:
        sigma = max(length // blocks for length in shape) / 2
        field = _blurred(field, sigma)
    return field


def _blurred(field: Field, sigma: float) -> Field:
    """Blur images that their edges mirror by a Gaussian that ends at 4 sigma.

    So wide a blur is a product of cosine waves much sooner than a sum over neighbours.
    """
    from scipy import fft

    reach = np.arange(1, int(4 * sigma + 0.5) + 1)
    weights = np.exp(-(reach**2) / (2 * sigma**2))
    waves = fft.dctn(field, axes=(1, 2))
    for axis, length in enumerate(field.shape[1:], start=1):
        phases = np.outer(np.pi / length * np.arange(length), reach)
        passed = (1 + 2 * np.cos(phases) @ weights) / (1 + 2 * weights.sum())
        waves *= passed.reshape(-1, *(1,) * (2 - axis))
    result: Field = fft.idctn(waves, axes=(1, 2))
    return result


def fitted(arrows: Arrows, model: Model) -> tuple[Field, NDArray[np.bool_]]:
    """Return the affine map that most arrows agree with, and which ones do.

    Arrows weigh less the further they are off (Cauchy's weights); what is then off by
    more than three spreads is left out of a last, plain fit.

    Returns
    -------
    map : ndarray of float64, shape (2, 3)
        The displacement at (row, column) is ``map @ (row, column, 1)``.
    agrees : ndarray of bool, shape (n,)
    """
    weights = np.ones(len(arrows))
    spread = LEAST_SPREAD
    for _ in range(ROUNDS):
        off = deviations(arrows, _least_squares(arrows, weights, model))
        spread = max(LEAST_SPREAD, 1.4826 * float(np.median(off)))
        before, weights = weights, 1 / (1 + (off / spread) ** 2)
        if np.abs(weights - before).max() < 1e-9:
            break
    agrees = off <= LIMIT * spread
    return _least_squares(arrows, agrees.astype(np.float64), model), agrees


def deviations(arrows: Arrows, fit: Field) -> NDArray[np.float64]:
    """Return by how much each arrow differs from a map, in pixels."""
    expected = arrows.places @ fit[:, :2].T + fit[:, 2]
    off: NDArray[np.float64] = np.hypot(*(arrows.displacements - expected).T)
    return off


def mapped(fit: Field, shape: tuple[int, int]) -> Field:
    """Return a map's displacement of each pixel, (2, rows, columns)."""
    rows, columns = (np.arange(length) + 0.5 for length in shape)
    down = fit[:, 0, np.newaxis] * rows + fit[:, 2, np.newaxis]
    across = fit[:, 1, np.newaxis] * columns
    result: Field = down[:, :, np.newaxis] + across[:, np.newaxis]
    return result


def determines(arrows: Arrows, model: Model) -> bool:
    """Tell whether the places of arrows leave nothing of a map open."""
    if model != "affine":
        return len(arrows) > 0
    centred = arrows.places - arrows.places.mean(axis=0)
    return len(arrows) > 2 and bool(np.linalg.svd(centred)[1][1] > 1.0)


def _least_squares(arrows: Arrows, weights: NDArray[np.float64], model: Model) -> Field:
    total = weights.sum()
    displacement = weights @ arrows.displacements / total
    fit = np.zeros((2, 3))
    if model == "affine":
        middle = weights @ arrows.places / total
        root = np.sqrt(weights)[:, np.newaxis]
        solution = np.linalg.lstsq(
            (arrows.places - middle) * root,
            (arrows.displacements - displacement) * root,
            rcond=None,
        )[0]
        fit[:, :2] = solution.T
        displacement = displacement - fit[:, :2] @ middle
    fit[:, 2] = displacement
    return fit


def _everywhere(displacement: NDArray[np.float64], shape: tuple[int, int]) -> Field:
    whole = np.empty((2, *shape))
    whole[...] = displacement[:, np.newaxis, np.newaxis]
    return whole
