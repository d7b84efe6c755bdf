"""Makes the options of a command from the signature of a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from copy import copy
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer

from napari_nanopyx._parameters import PROGRAMMATIC, explanations, parameters, summary

Source = Annotated[
    Path,
    typer.Argument(metavar="IN", help="TIFF file or Zarr folder.", show_default=False),
]
Target = Annotated[
    Path,
    typer.Argument(
        metavar="OUT",
        help="TIFF file or OME-Zarr folder to write (.tif, .tiff, .zarr).",
        show_default=False,
    ),
]
Channel = Annotated[
    int | None, typer.Option(help="Channel to take, from 0, if there are several.")
]
Plane = Annotated[
    int | None, typer.Option(help="Plane to take, from 0, if there are several.")
]
Pinned = Annotated[
    str | None,
    typer.Option(
        "--implementation",
        help="Compute with this implementation (see doctor); else the engine chooses.",
    ),
]
Drift = Annotated[
    Path | None,
    typer.Option(help="CSV file: row and column correction of every frame."),
]

_NO_OPTIONS = PROGRAMMATIC | {"roi", "out"}
"""Parameters that a word on the command line cannot give."""

CHOSEN: Mapping[str, Any] = {
    "channel": Channel,
    "plane": Plane,
    "implementation": Pinned,
}

Numbers = Annotated[
    Any, typer.Option(parser=lambda text: numbers(text), metavar="N,N…")
]
Table = Annotated[
    Any, typer.Option(parser=lambda text: table(text), metavar="N,N…;N,N…")
]
Pair = Annotated[tuple[float, float], typer.Option(metavar="ROW COLUMN")]


def with_options(
    command: Callable[..., None],
    function: Callable[..., Any],
    positional: Mapping[str, Any],
    words: Mapping[str, Any] | None = None,
    chosen: Mapping[str, Any] = CHOSEN,
    explained: Mapping[str, str] | None = None,
) -> Callable[..., None]:
    """Give a command the parameters of a function as its options.

    Parameters
    ----------
    command
        Takes all of them by name.
    function
        Its signature gives the options, its docstring their help.
    positional
        The arguments that are files, with their types.
    words
        The types of options that the signature does not tell, by parameter.
    chosen
        Options that are no parameters.
    explained
        Help that the docstring does not give, by parameter.
    """
    help_of = explanations(function) | dict(explained or {})
    images, told = images_of(function, words), words or {}
    empty = inspect.Parameter.empty
    options = [
        _parameter(name, hint, images.get(name, empty))
        for name, hint in positional.items()
    ]
    for parameter, hint in parameters(function):
        name = parameter.name
        if name == "drift" and name not in told:
            options.append(_parameter(name, Drift, None))
        elif name in told or name not in {*images, *positional, *_NO_OPTIONS}:
            text = _help(help_of.get(name, ""), hint)
            known = told.get(name, _plain(hint))
            options.append(_parameter(name, _option(known, text), parameter.default))
    options += [_parameter(name, hint, None) for name, hint in chosen.items()]
    command.__name__ = function.__name__
    command.__doc__ = summary(function)
    command.__annotations__ = {option.name: option.annotation for option in options}
    command.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    return command


def images_of(
    function: Callable[..., Any], words: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the parameters that are images, and their defaults: none, or None."""
    named = {parameter.name: hint for parameter, hint in parameters(function)}
    return {
        name: each.default
        for name, each in inspect.signature(function).parameters.items()
        if name not in (words or {})
        and not _is_plain(named[name])
        and (
            each.default is each.empty
            or (each.kind is each.POSITIONAL_OR_KEYWORD and each.default is None)
        )
    }


def _is_plain(hint: Any) -> bool:
    """Tell whether a word gives it: a number, a pair, a choice."""
    plain = _plain(hint)
    return plain in (int, float, bool, str) or get_origin(plain) is tuple


def _option(known: Any, text: str) -> Any:
    """Return the type of an option, with its help."""
    if get_origin(known) is Annotated:
        kind, option = get_args(known)
        option = copy(option)
        option.help = text
        return Annotated[kind, option]
    return Annotated[known, typer.Option(help=text)]


def numbers(text: str) -> tuple[float, ...]:
    """Return the numbers of a list such as ``1,1.5,2``."""
    try:
        return tuple(float(word) for word in text.split(","))
    except ValueError as problem:
        raise typer.BadParameter(
            f"{text!r} is no list of numbers, such as 1,1.5,2"
        ) from problem


def table(text: str) -> list[tuple[float, ...]]:
    """Return the numbers of a table such as ``1,2,1;2,4,2;1,2,1``."""
    return [numbers(row) for row in text.split(";")]


def _plain(hint: Any) -> Any:
    """Return the type of an option: without a range, and text for a choice."""
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) is Literal or hint == (str | float):
        return str
    if get_origin(hint) in (Union, UnionType):
        plain = [each for each in get_args(hint) if get_origin(each) is not Literal]
        return plain[0] if len(plain) == 1 else hint
    return hint


def _help(text: str, hint: Any) -> str:
    """Return a parameter's explanation for a terminal, with its choices."""
    plain = text.replace("`", "")
    if get_origin(hint) is Literal:
        plain += f" One of {', '.join(map(str, get_args(hint)))}."
    return plain


def file_argument(name: str, help_text: str = "TIFF file or Zarr folder.") -> Any:
    """Return the type of an argument that is a file; None if it may be left out."""
    metavar = name.upper()
    argument = typer.Argument(metavar=metavar, help=help_text, show_default=False)
    return Annotated[Path | None, argument]


def _parameter(
    name: str, hint: Any, default: Any = inspect.Parameter.empty
) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=hint)
