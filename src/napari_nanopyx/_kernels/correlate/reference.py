"""Correlation at displacements between pixels in float64 NumPy, from the definition."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.correlate.interpolation import kept

Values = NDArray[np.float64]


def sums(
    template: NDArray[Any], reference: NDArray[Any], reach: tuple[int, ...], finer: int
) -> Values:
    """Return the sums of products of a template with a displaced reference.

    Parameters
    ----------
    template : ndarray, shape (*sides,)
        What is looked for.
    reference : ndarray, shape (*lengths,)
        One period of an image that goes on without end.
    reach : tuple of int
        Steps to each side along each axis.
    finer : int
        Steps in a pixel.

    Returns
    -------
    ndarray of float64, shape (2 * reach + 1 along each axis)
        At each displacement d, the sum over all pixels x of ``template[x]`` times the
        reference at x - d, interpolated by its waves.
    """
    pairs = zip(template.shape, reference.shape, reach, strict=True)
    lines = [_waves(*each, finer) for each in pairs]
    return _summed(template.astype(np.float64), reference.astype(np.float64), lines)


def _waves(side: int, length: int, reach: int, finer: int) -> Values:
    """Return what makes the displaced pixels of those of one period.

    Shape (displacements, side, length).
    """
    places = np.arange(-reach, reach + 1)[:, np.newaxis, np.newaxis] / finer
    pixels = np.arange(side)[:, np.newaxis] - np.arange(length) - places
    weights = kept(length, finer)
    waves = np.full(pixels.shape, weights[0])
    for number in range(1, length // 2 + 1):
        times = 1 if 2 * number == length else 2
        waves += times * weights[number] * np.cos(2 * np.pi * number * pixels / length)
    return waves / length


def _summed(template: Values, reference: Values, lines: list[Values]) -> Values:
    """Displace the reference along one axis after the other, and sum the products."""
    if len(lines) == 1:
        side, length = template.shape[-1], reference.shape[-1]
        products = template.reshape(-1, side).T @ reference.reshape(-1, length)
        return np.tensordot(lines[0], products, 2)
    axis = template.ndim - len(lines)
    return np.stack(
        [
            _summed(template, _displaced(reference, line, axis), lines[1:])
            for line in lines[0]
        ]
    )


def _displaced(reference: Values, line: Values, axis: int) -> Values:
    return np.moveaxis(np.tensordot(line, reference, (1, axis)), 0, axis)
