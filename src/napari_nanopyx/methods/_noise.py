"""The standard deviation of an image's noise, from its finest details."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = np.sqrt(3.0)

DETAIL = np.array([1 - ROOT, ROOT - 3, 3 + ROOT, -1 - ROOT]) / np.sqrt(32.0)
"""High-pass filter of the Daubechies wavelet with two vanishing moments."""

QUARTILE = 0.6744897501960817
"""The median of the magnitude of a normal variable with standard deviation 1."""


def noise_sigma(image: NDArray[Any]) -> float:
    """Return the standard deviation of the white noise in an image.

    Parameters
    ----------
    image : ndarray, shape (Y, X)

    Returns
    -------
    float
        The median magnitude of the finest diagonal wavelet coefficients that are not
        zero, scaled to that of normal noise; 0 if there are none.

    References
    ----------
    .. [1] Donoho and Johnstone, Ideal spatial adaptation by wavelet shrinkage,
       Biometrika 81 (1994), doi:10.1093/biomet/81.3.425
    """
    image = np.asarray(image, np.float64)
    details = _details(_details(image - image.flat[0]).T)
    magnitudes = np.abs(details[details != 0])
    return float(np.median(magnitudes)) / QUARTILE if magnitudes.size else 0.0


def _details(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Filter along the columns' direction, keep every second; mirrored at the edges."""
    width = image.shape[1]
    extended = np.pad(image, ((0, 0), (2, 3)), mode="symmetric")
    count = (width + len(DETAIL) - 1) // 2
    details = np.zeros((len(image), count))
    for tap, weight in enumerate(DETAIL):
        details += weight * extended[:, tap : tap + 2 * count : 2]
    return details
