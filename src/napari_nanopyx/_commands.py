"""Makes commands of methods: options from the signature, help from the docstring."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import typer
from numpy.typing import NDArray

from napari_nanopyx import _terminal as terminal
from napari_nanopyx._parameters import PROGRAMMATIC, explanations, parameters, summary

if TYPE_CHECKING:
    from napari_nanopyx.io import ImageMetadata

Source = Annotated[
    Path,
    typer.Argument(metavar="IN", help="TIFF file or Zarr folder.", show_default=False),
]
Target = Annotated[
    Path,
    typer.Argument(
        metavar="OUT", help="TIFF file to write (.tif, .tiff).", show_default=False
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

_FOR_SCRIPTS = {"roi", "out"}
"""Parameters that a word on the command line cannot give."""

_CHOSEN = {"channel": Channel, "plane": Plane, "implementation": Pinned}

Described = Callable[["ImageMetadata", Mapping[str, Any], int], "ImageMetadata"]
"""Metadata of the movie, parameters, number of images → metadata of the images."""


def images_command(
    function: Callable[..., NDArray[Any]],
    described: Described,
    loaded: Mapping[str, Any] | None = None,
) -> Callable[..., None]:
    """Return a command that reads a movie and writes the images made of it.

    Parameters
    ----------
    function
        Takes the movie first, then parameters with plain values.
    described
        Makes the metadata of what is written.
    loaded
        Parameters that are read from a file, with the class that can `load` them.
    """
    tables = loaded or {}

    def command(
        source: Path,
        target: Path,
        channel: int | None,
        plane: int | None,
        implementation: str | None,
        **chosen: Any,
    ) -> None:
        with terminal.one_sentence_errors():
            from napari_nanopyx import engine
            from napari_nanopyx.io import check_output, open_movie, write_tiff

            check_output(target, source)
            drift = chosen.pop("drift", None)
            given = {} if drift is None else {"drift": terminal.read_shifts(drift)}
            given |= {name: tables[name].load(chosen[name]) for name in tables}
            chosen |= {name: str(chosen[name]) for name in tables}
            name = function.__name__
            with (
                open_movie(source, channel=channel, plane=plane) as movie,
                engine.record() as runs,
                terminal.progress(name, len(movie)) as progress,
            ):
                images = function(
                    movie,
                    **(chosen | given),
                    implementation=implementation,
                    progress=progress,
                    cancel=terminal.terminated,
                )
                metadata = described(movie.metadata, chosen, len(images))
            provenance = terminal.provenance(name, source, chosen, runs)
            write_tiff(target, images, metadata, provenance=provenance)
            terminal.say_written(target, images.shape, runs)

    files = {name: _file(name, "File as it was saved.") for name in tables}
    positional = {"source": Source, **files, "target": Target}
    return _with_options(command, function, positional)


def table_command(function: Callable[..., Any]) -> Callable[..., None]:
    """Return a command that reads a movie and saves what was found out about it.

    Parameters
    ----------
    function
        Takes the movie first; its result has ``save``, and says itself in one line.
    """

    def command(
        source: Path,
        target: Path,
        channel: int | None,
        plane: int | None,
        implementation: str | None,
        **chosen: Any,
    ) -> None:
        with terminal.one_sentence_errors():
            from napari_nanopyx.io import check_output, open_movie

            check_output(target, source, suffixes=(".csv",))
            with (
                open_movie(source, channel=channel, plane=plane) as movie,
                terminal.progress(function.__name__, len(movie)) as progress,
            ):
                result = function(
                    movie,
                    **(chosen | _calibrated(movie.metadata, chosen)),
                    implementation=implementation,
                    progress=progress,
                    cancel=terminal.terminated,
                )
            result.save(target)
            typer.echo(f"{target}: {result}")

    positional = {"source": Source, "target": _file("out", "CSV file to write.")}
    return _with_options(command, function, positional)


def numbers_command(function: Callable[..., Any]) -> Callable[..., None]:
    """Return a command that reads images and says what was found out about them.

    The pixel size of the first image counts, if its file tells it.

    Parameters
    ----------
    function
        Takes one image or two first; its result says itself in one line.
    """
    files = _images(function)

    def command(
        channel: int | None,
        plane: int | None,
        implementation: str | None,
        **chosen: Any,
    ) -> None:
        with terminal.one_sentence_errors(), ExitStack() as opened:
            from napari_nanopyx.io import open_movie

            paths = [chosen.pop(name) for name in files]
            images = [
                opened.enter_context(open_movie(path, channel=channel, plane=plane))
                for path in paths
                if path is not None
            ]
            chosen |= _calibrated(images[0].metadata, chosen)
            pixels = [image[...] for image in images]
            typer.echo(function(*pixels, **chosen, implementation=implementation))

    return _with_options(command, function, {name: _file(name) for name in files})


def _calibrated(metadata: ImageMetadata, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the pixel size that a file tells, if none was given."""
    size = metadata.pixel_size
    is_given = chosen.get("units") != "px" or chosen["pixel_size"] not in (None, 1.0)
    if not is_given and size and size[0] == size[1]:
        return {"pixel_size": size[0], "units": metadata.unit}
    return {}


def _with_options(
    command: Callable[..., None],
    function: Callable[..., Any],
    positional: Mapping[str, Any],
) -> Callable[..., None]:
    """Give a command the parameters of a function as its options."""
    help_of, images = explanations(function), _images(function)
    options = [
        _parameter(name, hint, images.get(name, inspect.Parameter.empty))
        for name, hint in positional.items()
    ]
    for parameter, hint in parameters(function):
        name = parameter.name
        if name == "drift":
            options.append(_parameter(name, Drift, None))
        elif name not in {*images, *PROGRAMMATIC, *_FOR_SCRIPTS}:
            option = typer.Option(help=_help(help_of.get(name, ""), hint))
            plain: Any = Annotated[_plain(hint), option]
            options.append(_parameter(name, plain, parameter.default))
    options += [_parameter(name, hint, None) for name, hint in _CHOSEN.items()]
    command.__name__ = function.__name__
    command.__doc__ = summary(function)
    command.__annotations__ = {option.name: option.annotation for option in options}
    command.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    return command


def _images(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the parameters that are images, and their defaults: none, or None."""
    return {
        name: each.default
        for name, each in inspect.signature(function).parameters.items()
        if each.default is each.empty
        or (each.kind is each.POSITIONAL_OR_KEYWORD and each.default is None)
    }


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


def _file(name: str, help_text: str = "TIFF file or Zarr folder.") -> Any:
    """Return the type of an argument that is a file; None if it may be left out."""
    metavar = name.upper()
    argument = typer.Argument(metavar=metavar, help=help_text, show_default=False)
    return Annotated[Path | None, argument]


def _parameter(
    name: str, hint: Any, default: Any = inspect.Parameter.empty
) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=hint)


def in_time(
    metadata: ImageMetadata, chosen: Mapping[str, Any], count: int
) -> ImageMetadata:
    """Describe images of time points, magnified along rows and columns."""
    step = chosen.get("frame_gap") or chosen["frames_per_timepoint"]
    interval = metadata.frame_interval
    return metadata.magnified(chosen["magnification"]).with_frame_interval(
        interval * step if interval and step and count > 1 else None
    )


def unchanged(
    metadata: ImageMetadata,
    chosen: Mapping[str, Any],  # noqa: ARG001
    count: int,  # noqa: ARG001
) -> ImageMetadata:
    """Describe images that lie where those of the movie do."""
    return metadata
