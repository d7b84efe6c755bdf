"""How close two results are that differ only by rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def assert_close(
    actual: NDArray[Any], expected: NDArray[Any], tolerance: float = 1e-6
) -> None:
    """Allow a difference of a part of the largest expected value.

    The default is what blocks of other lengths may change; the engine cuts them by the
    times it has measured.
    """
    scale = np.abs(expected).max()
    assert scale > 0
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * scale)
