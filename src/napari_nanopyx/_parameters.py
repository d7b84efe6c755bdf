"""Reads from a function's hints and docstring what forms and commands must know."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, get_type_hints

from docstring_parser import DocstringStyle, parse

PROGRAMMATIC = frozenset({"implementation", "progress", "cancel", "drift"})
"""Parameters that no form or option can give as a plain value."""


def parameters(function: Callable[..., Any]) -> Iterator[tuple[inspect.Parameter, Any]]:
    """Yield each parameter with its type hint, ranges and choices included."""
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        yield parameter, hints.get(name)


def explanations(function: Callable[..., Any]) -> dict[str, str]:
    """Return what the numpydoc docstring says of each parameter."""
    parsed = parse(function.__doc__ or "", style=DocstringStyle.NUMPYDOC)
    return {
        name.strip(): " ".join((entry.description or "").split())
        for entry in parsed.params
        for name in entry.arg_name.split(",")
    }


def summary(function: Callable[..., Any]) -> str:
    """Return the first sentence of the docstring."""
    return parse(function.__doc__ or "").short_description or ""
