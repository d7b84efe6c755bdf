"""Checks values that users give; what is wrong is said with the argument's name.

Every message tells what was given and what is allowed. A value of the wrong kind is a
TypeError, one that is out of range a ValueError.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

Choice = TypeVar("Choice", bound=str)


SENSITIVITIES = (0.4, 20)
"""Of eSRRF: what float32 rounds off shows at smaller exponents near 0, at larger ones
near 1."""

FARTHEST = 1e9
"""Pixels of a shift beyond which coordinates would lose their fractions."""


class DriftCorrection(Protocol):
    """Anything that knows the (row, column) shift of each frame, such as a table."""

    @property
    def shifts(self) -> ArrayLike:
        """The correction to apply, shape (T, 2), in pixels."""


def whole(name: str, value: Any, minimum: int, maximum: int | None = None) -> int:
    """Return a whole number within a range; 5.0 is one, 2.5 and True are not."""
    allowed = f"a whole number {_span(minimum, maximum)}"
    given = number(name, value, allowed)
    if given != int(given):
        raise ValueError(f"{name} is {value!r}, but must be {allowed}")
    _within(name, value, int(given), minimum, maximum, allowed)
    return int(given)


def positive(
    name: str, value: Any, maximum: float | None = None, reason: str = ""
) -> float:
    """Return a number above zero; ``reason`` tells where the maximum comes from."""
    allowed = "a number above 0"
    if maximum is not None:
        allowed += f", at most {maximum:g}{reason and f' ({reason})'}"
    given = number(name, value, allowed)
    if not 0.0 < given <= (math.inf if maximum is None else maximum):
        raise ValueError(f"{name} is {value!r}, but must be {allowed}")
    return given


def sensitivity(name: str, value: Any) -> float:
    """Return an exponent for eSRRF."""
    least, most = SENSITIVITIES
    allowed = f"a number from {least:g} to {most:g}"
    given = number(name, value, allowed)
    _within(name, value, given, least, most, allowed)
    return given


def number(name: str, value: Any, allowed: str) -> float:
    """Return a finite real number."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(
            f"{name} is {value!r}, a {type(value).__name__}, but must be {allowed}"
        )
    try:
        given = float(value)
    except OverflowError:
        given = math.inf
    if not math.isfinite(given):
        raise ValueError(f"{name} is {value!r}, but must be {allowed}")
    return given


def both_axes(
    name: str, value: Any, check: Callable[[str, Any], float]
) -> tuple[float, float]:
    """Return numbers for rows and columns, from one for both or from a pair."""
    if not isinstance(value, tuple | list | np.ndarray) or np.ndim(value) == 0:
        same = check(name, value)
        return same, same
    if np.shape(value) != (2,):
        raise ValueError(f"{name} is {value!r}, but must be a number or (row, column)")
    row, column = value
    return check(f"{name} of rows", row), check(f"{name} of columns", column)


def filling(value: Any) -> float:
    """Return what is put where there is no image, a number that float32 can hold."""
    allowed = "a finite number within float32"
    given = number("fill", value, allowed)
    if abs(given) > float(np.finfo(np.float32).max):
        raise ValueError(f"fill is {value!r}, but must be {allowed}")
    return given


def one_of(name: str, value: Any, choices: Sequence[Choice]) -> Choice:
    """Return a word that is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        allowed = f"one of {listed}" if len(choices) > 1 else listed
        error = ValueError if isinstance(value, str) else TypeError
        raise error(f"{name} is {value!r}, but must be {allowed}")
    return cast("Choice", value)


def flag(name: str, value: Any) -> bool:
    """Return True or False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} is {value!r}, but must be True or False")
    return bool(value)


def steering(implementation: Any, progress: Any, cancel: Any) -> None:
    """Raise if a keyword that every function takes is of the wrong kind."""
    if implementation is not None and not isinstance(implementation, str):
        raise TypeError(
            f"implementation is {implementation!r}, but must be a name that "
            "napari_nanopyx.engine.implementations lists, or None"
        )
    if progress is not None and not callable(progress):
        raise TypeError(
            f"progress is {progress!r}, but must be a function that takes what is done "
            "and how much there is in all, or None"
        )
    if cancel is not None and not callable(getattr(cancel, "is_set", None)):
        raise TypeError(
            f"cancel is {cancel!r}, but must have a method is_set(), as a "
            "threading.Event has, or be None"
        )


def shifts(
    name: str, value: ArrayLike, frames: int, *, pair: bool
) -> NDArray[np.float64]:
    """Return (row, column) shifts, one for each frame, shape (frames, 2).

    With ``pair``, one shift for all frames is allowed too, and gives shape (1, 2), and
    shifts may leave the image: by how much does not matter, so they are cut there.
    """
    allowed = f"(row, column) of each frame, an array of shape ({frames}, 2)"
    if pair:
        allowed = f"one (row, column), or {allowed}"
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} is {value!r}, but must be {allowed}") from error
    if array.dtype.kind not in "uif":
        raise TypeError(f"{name} has dtype {array.dtype}, but must be {allowed}")
    if pair and array.shape == (2,):
        array = array[np.newaxis]
    if array.shape != (frames, 2) and not (pair and array.shape == (1, 2)):
        raise ValueError(f"{name} has shape {array.shape}, but must be {allowed}")
    if not np.isfinite(array).all():
        bad = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        raise ValueError(
            f"{name} holds {array[bad].tolist()} for frame {bad}, but must be finite"
        )
    result = array.astype(np.float64)
    return result.clip(-FARTHEST, FARTHEST) if pair else result


def weights(name: str, value: ArrayLike) -> NDArray[np.float32]:
    """Return a table of weights, (rows, columns), as float32."""
    allowed = "a table of real numbers, with rows and columns"
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} is {value!r}, but must be {allowed}") from error
    if array.dtype.kind not in "buif":
        raise TypeError(f"{name} has dtype {array.dtype}, but must be {allowed}")
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}, but must be {allowed}")
    with np.errstate(over="ignore"):
        result = np.ascontiguousarray(array, np.float32)
    bad = np.argwhere(~np.isfinite(result))
    if len(bad):
        row, column = (int(index) for index in bad[0])
        raise ValueError(
            f"{name} holds {array[row, column]} in row {row}, column {column}, but "
            "must be finite in float32"
        )
    return result


def drift(
    value: ArrayLike | DriftCorrection | None, shape: tuple[int, ...]
) -> NDArray[np.float64] | None:
    """Return the correction of each frame, None if there is nothing to correct."""
    if value is None:
        return None
    table = getattr(value, "shifts", value)
    of = getattr(value, "frame_shape", None)
    if of is not None and tuple(of) != shape[1:]:
        raise ValueError(
            f"drift is for frames of shape {tuple(of)}, but image has frames of shape "
            f"{shape[1:]}: take the table of this movie"
        )
    result = shifts("drift", cast("ArrayLike", table), shape[0], pair=False)
    outside = np.flatnonzero((np.abs(result) >= shape[1:]).any(axis=1))
    if outside.size:
        row, column = result[outside[0]]
        raise ValueError(
            f"drift moves frame {outside[0]} by ({row:g}, {column:g}), but must stay "
            f"below the size of a frame, ({shape[1]}, {shape[2]}): give it in pixels"
        )
    return result if result.any() else None


def _within(
    name: str, given: Any, value: float, low: float, high: float | None, allowed: str
) -> None:
    if value < low or (high is not None and value > high):
        raise ValueError(f"{name} is {given!r}, but must be {allowed}")


def _span(minimum: int, maximum: int | None) -> str:
    return f"from {minimum}" + (" up" if maximum is None else f" to {maximum}")
