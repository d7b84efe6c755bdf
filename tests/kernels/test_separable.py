"""Which kernels are a column times a row."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_nanopyx._kernels.convolve.separable import factors

RANDOM = np.random.default_rng(33)
COLUMN, ROW = RANDOM.normal(size=9), RANDOM.normal(size=14)

SEPARABLE = {
    "ones": np.ones((21, 21)),
    "binomial": np.outer([1, 2, 1], [1, 4, 6, 4, 1]) / 64,
    "random": np.outer(COLUMN, ROW),
    "tiny numbers": 1e-30 * np.outer(COLUMN, ROW),
    "one weight": np.array([[3.0]]),
    "row": ROW[np.newaxis],
    "column": COLUMN[:, np.newaxis],
    "zeros": np.zeros((4, 5)),
    "one row of zeros": np.outer([0, 1, 2], [3, 0]),
}
OTHERS = {
    "identity": np.eye(2),
    "Laplace": np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]]),
    "random": RANDOM.random((21, 21)),
    "disc": np.hypot(*np.mgrid[-4:5, -4:5]) < 4,
    "almost": np.outer(COLUMN, ROW) + 1e-5 * RANDOM.normal(size=(9, 14)),
}


def second_singular_value(kernel: NDArray[np.float32]) -> float:
    """Return it as a share of the first."""
    values = np.linalg.svd(kernel.astype(np.float64), compute_uv=False)
    return float(values[1] / values[0]) if len(values) > 1 and values[0] else 0.0


@pytest.mark.parametrize("kernel", SEPARABLE.values(), ids=SEPARABLE)
def test_separable(kernel: NDArray[np.float64]) -> None:
    given = kernel.astype(np.float32)
    found = factors(given)
    assert found is not None
    assert second_singular_value(given) < 1e-6
    product = np.outer(*(each.astype(np.float64) for each in found))
    np.testing.assert_allclose(product, given, rtol=0, atol=5e-7 * np.abs(given).max())


@pytest.mark.parametrize("kernel", OTHERS.values(), ids=OTHERS)
def test_not_separable(kernel: NDArray[np.float64]) -> None:
    given = kernel.astype(np.float32)
    assert factors(given) is None
    assert second_singular_value(given) > 1e-6


def test_whole_numbers_stay_exact() -> None:
    down, across = factors(np.ones((5, 7), np.float32)) or ((), ())
    assert set(down) == set(across) == {1.0}
