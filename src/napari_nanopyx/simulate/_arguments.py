"""Checks what simulations are given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx.methods import _checks as check

Seed = int | np.random.Generator | None


def generator(seed: Seed) -> np.random.Generator:
    """Return the generator given, or a new one with this seed."""
    if isinstance(seed, np.random.Generator):
        return seed
    if seed is None:
        return np.random.default_rng()
    return np.random.default_rng(check.whole("seed", seed, 0))


def image_shape(name: str, value: Any) -> tuple[int, int]:
    """Return (rows, columns), both at least 1."""
    try:
        rows, columns = value
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} is {value!r}, but must be two whole numbers, (rows, columns)"
        ) from error
    return check.whole(f"{name}[0]", rows, 1), check.whole(f"{name}[1]", columns, 1)


def not_negative(name: str, value: Any) -> float:
    """Return a number that is 0 or more."""
    given = check.number(name, value, "0 or a number above 0")
    if given < 0:
        raise ValueError(f"{name} is {value!r}, but must be 0 or a number above 0")
    return given


def probability(name: str, value: Any) -> float:
    """Return a number from 0 to 1."""
    given = check.number(name, value, "a probability, from 0 to 1")
    if not 0 <= given <= 1:
        raise ValueError(f"{name} is {value!r}, but must be a probability, from 0 to 1")
    return given


def numbers(name: str, value: ArrayLike, allowed: str) -> NDArray[np.float64]:
    """Return finite real numbers as float64, of any shape."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} is {value!r}, but must be {allowed}") from error
    if array.dtype.kind not in "buif":
        raise TypeError(f"{name} has dtype {array.dtype}, but must be {allowed}")
    result = array.astype(np.float64)
    if not np.isfinite(result).all():
        raise ValueError(f"{name} holds NaN or infinity, but must be {allowed}")
    return result


def positions(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return (row, column) pairs, shape (n, 2)."""
    allowed = "(row, column) pairs, an array of shape (n, 2)"
    result = numbers(name, value, allowed)
    if result.ndim != 2 or result.shape[1] != 2:
        raise ValueError(f"{name} has shape {result.shape}, but must be {allowed}")
    return result


def spread(
    name: str, value: ArrayLike, shape: tuple[int, ...], allowed: str
) -> NDArray[np.float64]:
    """Return numbers, 0 or more, that broadcast to a shape."""
    result = numbers(name, value, allowed)
    try:
        result = np.broadcast_to(result, shape)
    except ValueError as error:
        raise ValueError(
            f"{name} has shape {result.shape}, but must be {allowed}"
        ) from error
    if (result < 0).any():
        raise ValueError(f"{name} holds {result.min():g}, but must be {allowed}")
    return result
