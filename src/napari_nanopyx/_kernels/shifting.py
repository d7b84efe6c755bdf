"""Finds by how much one image is shifted against another, and takes it back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.ring_correlation import taper

_TAPER = 0.25
_STEP = 0.1
_REACH = 1.0
"""Around the best whole pixel, the correlation is evaluated this far and so finely."""


def shift_to(
    reference: NDArray[Any], image: NDArray[Any], farthest: float, workers: int = 1
) -> tuple[float, float]:
    """Return the (row, column) by which to move an image's content onto a reference.

    Parameters
    ----------
    reference, image : ndarray, of one shape
    farthest : float
        Pixels, along each axis, beyond which no match is looked for.
    workers : int
        Threads of the transforms.
    """
    from scipy import fft

    product = _centred(reference, workers) * _centred(image, workers).conj()
    height, width = image.shape
    correlation = fft.irfft2(product, image.shape, workers=workers)
    lags = [np.rint(np.fft.fftfreq(length, 1 / length)) for length in image.shape]
    for axis, lag in enumerate(lags):
        correlation[(slice(None),) * axis + (np.abs(lag) > farthest,)] = -np.inf
    peak = np.unravel_index(int(np.argmax(correlation)), correlation.shape)
    rows, columns = (
        lag[place] + np.arange(-_REACH, _REACH + _STEP / 2, _STEP)
        for lag, place in zip(lags, peak, strict=True)
    )
    weights = np.full(product.shape[1], 2.0)
    weights[0] = 1.0  # the other columns stand for two
    if width % 2 == 0:
        weights[-1] = 1.0
    down = np.exp(2j * np.pi * np.outer(rows, np.fft.fftfreq(height)))
    across = np.exp(2j * np.pi * np.outer(np.fft.rfftfreq(width), columns))
    fine = ((down @ (product * weights)) @ across).real
    best = np.unravel_index(int(np.argmax(fine)), fine.shape)
    row = rows[best[0]] + _STEP * _vertex(fine[:, best[1]], int(best[0]))
    column = columns[best[1]] + _STEP * _vertex(fine[best[0]], int(best[1]))
    return float(row), float(column)


def moved(image: NDArray[Any], shift: tuple[float, float]) -> NDArray[np.float64]:
    """Return an image with its content moved, its edge pixels continued."""
    from scipy import ndimage

    result: NDArray[np.float64] = ndimage.shift(
        image.astype(np.float64), shift, order=3, mode="nearest"
    )
    return result


def _centred(image: NDArray[Any], workers: int) -> NDArray[np.complex128]:
    """Return the transform of an image about its mean, faded towards the edges."""
    from scipy import fft

    rows, columns = (taper(length, _TAPER) for length in image.shape)
    window = np.outer(rows, columns)
    values = image.astype(np.float64)
    values -= np.average(values, weights=window) if window.any() else values.mean()
    result: NDArray[np.complex128] = fft.rfft2(values * window, workers=workers)
    return result


def _vertex(values: NDArray[np.float64], at: int) -> float:
    """Return where a parabola through a maximum and its neighbours peaks, in steps."""
    if not 0 < at < len(values) - 1:
        return 0.0
    before, peak, after = values[at - 1 : at + 2]
    curvature = before - 2 * peak + after
    return float(0.5 * (before - after) / curvature) if curvature < 0 else 0.0
