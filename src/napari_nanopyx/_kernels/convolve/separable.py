"""Kernels that are a column times a row: sums down the columns, then along the rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Factors = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Weights down the columns and along the rows."""

TOLERANCE = 4 * float(np.finfo(np.float32).eps)
"""By what share of the largest weight a product may differ: float32 rounding."""


def factors(kernel: NDArray[np.float32]) -> Factors | None:
    """Return a column and a row whose outer product is the kernel, if there are any.

    They are those through the largest weight. If the kernel's rank is 1, no others do
    better: its second singular value is 0 as well. Unlike singular vectors, they keep
    whole numbers and powers of two exact, and take no time to find.
    """
    row, column = np.unravel_index(np.abs(kernel).argmax(), kernel.shape)
    down = kernel[:, column].astype(np.float64)
    across = kernel[row].astype(np.float64) / (float(kernel[row, column]) or 1.0)
    found = down.astype(np.float32), across.astype(np.float32)
    error = np.abs(
        np.multiply.outer(*(each.astype(np.float64) for each in found)) - kernel
    )
    return found if error.max() <= TOLERANCE * np.abs(kernel).max() else None
