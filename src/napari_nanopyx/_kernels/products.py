"""Products of matrices that BLAS computes on the thread that asks for them.

It would share out larger ones among threads of its own. These wait for a core while
ours or another program's compute: for milliseconds, where the product takes a tenth of
one.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

BY_ONE_THREAD = 2**18
"""Multiply-adds of a product of matrices up to which BLAS uses one thread."""

VECTOR_BY_ONE_THREAD = 9_000
"""The same of a product with a vector."""

ROWS = 4
"""Rows that a matrix is multiplied by at a time."""

FEWEST_COLUMNS = 32
"""Below so many columns at a time, BLAS' own threads take less time."""


def with_matrix(lines: NDArray[Any], matrix: NDArray[Any]) -> NDArray[Any]:
    """Return ``lines @ matrix``."""
    step = BY_ONE_THREAD // (ROWS * max(1, len(matrix)))
    if step < FEWEST_COLUMNS:
        whole: NDArray[Any] = lines @ matrix
        return whole
    columns = matrix.shape[1]
    result = np.empty((len(lines), columns), np.result_type(lines, matrix))
    for row in range(0, len(lines), ROWS):
        rows = slice(row, row + ROWS)
        for first in range(0, columns, step):
            part = slice(first, first + step)
            np.matmul(lines[rows], matrix[:, part], out=result[rows, part])
    return result


def with_vector(matrix: NDArray[Any], vector: NDArray[Any]) -> NDArray[Any]:
    """Return ``matrix @ vector``."""
    result: NDArray[Any] = with_vectors(matrix[np.newaxis], vector[np.newaxis])[0]
    return result


def with_vectors(matrices: NDArray[Any], vectors: NDArray[Any]) -> NDArray[Any]:
    """Return ``matrix @ vector`` of each pair, (pairs, rows)."""
    pairs, rows, columns = matrices.shape
    step = _rows_at_once(rows, columns)
    parts = matrices.reshape(pairs, -1, step, columns)
    result: NDArray[Any] = parts @ vectors[:, np.newaxis, :, np.newaxis]
    return result.reshape(pairs, rows)


@cache
def _rows_at_once(rows: int, columns: int) -> int:
    """Return a divisor of the rows, few enough for one thread; all if that is small."""
    most = VECTOR_BY_ONE_THREAD // max(1, columns)
    if rows <= most or most < ROWS:
        return rows
    step = next(each for each in range(most, 0, -1) if rows % each == 0)
    return step if step >= ROWS else rows
