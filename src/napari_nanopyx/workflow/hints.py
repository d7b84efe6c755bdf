"""Compares values with type hints, as a workflow's file gives them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin


def fits(value: Any, hint: Any) -> bool:
    """Tell whether a value is what a hint allows, ranges and choices included."""
    origin, options = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return fits(value, options[0]) and _within(value, options[1:])
    if origin is Literal:
        return any(type(value) is type(each) and value == each for each in options)
    if origin in (Union, UnionType):
        return any(fits(value, each) for each in options)
    if origin is tuple and Ellipsis not in options:
        return (
            isinstance(value, list | tuple)
            and len(value) == len(options)
            and all(map(fits, value, options))
        )
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return isinstance(value, list | tuple) and all(
            fits(each, options[0]) for each in value
        )
    if hint in (bool, str, NoneType, None):
        return isinstance(value, NoneType if hint is None else hint)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return _is_number(value) if hint is float else _is_table(value)


def described(hint: Any) -> str:
    """Return what a hint allows, in words."""
    origin, options = get_origin(hint), get_args(hint)
    if origin is Annotated:
        low, high = _limits(options[1:])
        span = "" if low is None else f" from {low:g}"
        return described(options[0]) + span + ("" if high is None else f" to {high:g}")
    if origin is Literal:
        return "one of " + ", ".join(map(repr, options))
    if origin in (Union, UnionType):
        listed = [described(each) for each in options if each is not NoneType]
        return " or ".join(dict.fromkeys(listed))
    if origin is tuple and Ellipsis not in options:
        return f"a list of {len(options)} numbers"
    words = {bool: "true or false", str: "text", int: "a whole number"}
    return words.get(hint, "a number" if hint is float else "a list of numbers")


def _within(value: Any, annotations: Sequence[Any]) -> bool:
    low, high = _limits(annotations)
    each = value if isinstance(value, list | tuple) else [value]
    return all(
        one is None or ((low is None or one >= low) and (high is None or one <= high))
        for one in each
    )


def _limits(annotations: Sequence[Any]) -> tuple[Any, Any]:
    for each in annotations:
        if isinstance(each, dict):
            return each.get("min"), each.get("max")
    return None, None


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
    )


def _is_table(value: Any) -> bool:
    """Tell whether it is a number, or numbers in lists of lists."""
    if isinstance(value, list | tuple):
        return all(_is_table(each) for each in value)
    return _is_number(value)
