"""The interpolation kernels: which samples a point is made of, and what each weighs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import catmull_rom

Kernel = Literal["catmull_rom", "bilinear", "nearest", "lanczos", "fourier"]

TAPS: Mapping[str, int] = {"nearest": 1, "bilinear": 2, "catmull_rom": 4, "lanczos": 8}
"""Samples that a point is made of along an axis; the Fourier kernel takes all."""

Weight = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def linear(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight of samples this far from the point."""
    return np.maximum(1.0 - np.abs(distance), 0.0)


def lanczos(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sinc function, windowed by the middle lobe of one four times wider."""
    windowed = np.sinc(distance) * np.sinc(distance / 4.0)
    return np.where(np.abs(distance) < 4.0, windowed, 0.0)


WEIGHTS: Mapping[str, Weight] = {
    "nearest": np.ones_like,
    "bilinear": linear,
    "catmull_rom": catmull_rom.kernel,
    "lanczos": lanczos,
}


def taps_at(
    kernel: Kernel, length: int, points: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the taps that interpolate an axis at each point.

    Parameters
    ----------
    kernel : str
        Any but ``"fourier"``.
    length : int
        Number of samples on the axis.
    points : ndarray of float64, shape (n,)
        Continuous coordinates; the centre of sample ``i`` is ``i + 0.5``.

    Returns
    -------
    first : ndarray of int64, shape (n,)
        The first of `TAPS` neighbouring samples. They may lie outside the axis, where
        its edge samples go on.
    weights : ndarray of float64, shape (n, TAPS)
        What each sample weighs; 1 together, or 0 for a point outside ``[0, length)``.
    """
    count = TAPS[kernel]
    if kernel == "nearest":
        first = np.floor(points + catmull_rom.TOLERANCE)
    else:
        first = np.floor(points - 0.5) - (count // 2 - 1)
    centres = first[:, np.newaxis] + np.arange(count) + 0.5
    weights = WEIGHTS[kernel](points[:, np.newaxis] - centres)
    if kernel == "lanczos":
        weights /= weights.sum(axis=1, keepdims=True)
    weights[~catmull_rom.inside(points, length)] = 0.0
    return np.clip(first, -count, length).astype(np.int64), weights
