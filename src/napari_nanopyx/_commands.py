"""Makes commands of methods: images in, images, tables or numbers out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from numpy.typing import NDArray

from napari_nanopyx import _terminal as terminal
from napari_nanopyx._options import (
    CHOSEN,
    Source,
    Target,
    file_argument,
    images_of,
    with_options,
)

if TYPE_CHECKING:
    from napari_nanopyx.io import ImageMetadata

Described = Callable[["ImageMetadata", Mapping[str, Any], int], "ImageMetadata"]
"""Metadata of the movie, parameters, number of images → metadata of the images."""


def images_command(
    function: Callable[..., Any],
    described: Described,
    loaded: Mapping[str, Any] | None = None,
    *,
    axes: str = "TYX",
    volumes: bool = False,
    words: Mapping[str, Any] | None = None,
    image: Callable[[Any], NDArray[Any]] = lambda result: result,
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
    axes
        Those that the function takes.
    volumes
        Whether it takes (T, Z, Y, X) too, where a file has frames and planes.
    words
        Types of options that the signature does not tell, by parameter.
    image
        Makes one image of the result.
    """
    tables = loaded or {}

    def command(
        source: Path,
        target: Path,
        implementation: str | None,
        channel: int | None = None,
        plane: int | None = None,
        **chosen: Any,
    ) -> None:
        with terminal.one_sentence_errors():
            from napari_nanopyx import engine
            from napari_nanopyx.io import check_output, open_stack, write_image

            check_output(target, source)
            drift = chosen.pop("drift", None)
            given = {} if drift is None else {"drift": terminal.read_shifts(drift)}
            given |= {name: tables[name].load(chosen[name]) for name in tables}
            chosen |= {name: str(chosen[name]) for name in tables}
            name = function.__name__
            taken = _axes_of(source, plane) if volumes else axes
            with (
                open_stack(source, taken, channel=channel, plane=plane) as movie,
                engine.record() as runs,
                terminal.progress(name, len(movie)) as progress,
            ):
                result = function(
                    movie,
                    **(chosen | given),
                    implementation=implementation,
                    progress=progress,
                    cancel=terminal.terminated,
                )
                images = image(result)
                metadata = described(movie.metadata, chosen, len(images))
            provenance = terminal.provenance(name, source, chosen, runs)
            write_image(target, images, metadata, provenance=provenance)
            terminal.say_written(target, images.shape, runs)

    files = {name: file_argument(name, "File as it was saved.") for name in tables}
    positional = {"source": Source, **files, "target": Target}
    return with_options(command, function, positional, words, _choosing(axes))


def _axes_of(source: Path, plane: int | None) -> str:
    """Return the axes of a movie, or those of volumes if the file has some."""
    from napari_nanopyx.io import open_image

    if plane is not None:
        return "TYX"
    with open_image(source) as stack:
        lengths = dict(zip(stack.metadata.axes, stack.shape, strict=True))
    return "TZYX" if lengths.get("T", 1) > 1 and lengths.get("Z", 1) > 1 else "TYX"


def _choosing(axes: str) -> dict[str, Any]:
    """Return the options that say which part of a file to take: of axes not taken."""
    taken = {"channel": "C" in axes, "plane": "Z" in axes}
    return {name: hint for name, hint in CHOSEN.items() if not taken.get(name)}


def table_command(
    function: Callable[..., Any],
    suffixes: tuple[str, ...] = (".csv",),
    axes: str = "TYX",
    volumes: bool = False,
) -> Callable[..., None]:
    """Return a command that reads a movie and saves what was found out about it.

    Parameters
    ----------
    function
        Takes the movie first; its result has ``save``, and says itself in one line.
    suffixes
        How the file that is written may end.
    axes
        Those that the function takes.
    volumes
        Whether it takes (T, Z, Y, X) too, where a file has frames and planes.
    """

    def command(
        source: Path,
        target: Path,
        implementation: str | None,
        channel: int | None = None,
        plane: int | None = None,
        **chosen: Any,
    ) -> None:
        with terminal.one_sentence_errors():
            from napari_nanopyx.io import check_output, open_stack

            check_output(target, source, suffixes=suffixes)
            taken = _axes_of(source, plane) if volumes else axes
            with (
                open_stack(source, taken, channel=channel, plane=plane) as movie,
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

    out = file_argument("out", f"File to write ({', '.join(suffixes)}).")
    positional = {"source": Source, "target": out}
    return with_options(command, function, positional, chosen=_choosing(axes))


def numbers_command(
    function: Callable[..., Any], words: Mapping[str, Any] | None = None
) -> Callable[..., None]:
    """Return a command that reads images and says what was found out about them.

    The pixel size of the first image counts, if its file tells it.

    Parameters
    ----------
    function
        Takes one image or two first; its result says itself in one line.
    words
        Types of options that the signature does not tell, by parameter.
    """
    files = images_of(function, words)

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
            with terminal.progress(function.__name__, len(images[0])) as progress:
                result = function(
                    *(image[...] if len(image) == 1 else image for image in images),
                    **chosen,
                    implementation=implementation,
                    progress=progress,
                    cancel=terminal.terminated,
                )
            typer.echo(result)

    positional = {name: file_argument(name) for name in files}
    return with_options(command, function, positional, words)


def _calibrated(metadata: ImageMetadata, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the pixel size and the time that a file tells, if none was given."""
    size, interval = metadata.pixel_size, metadata.frame_interval
    told: dict[str, Any] = {}
    if chosen.get("frame_interval", 0.0) is None:
        told["frame_interval"] = interval
    if "pixel_size" not in chosen:
        return told
    is_given = chosen.get("units") != "px" or chosen["pixel_size"] not in (None, 1.0)
    if not is_given and size and size[0] == size[1]:
        told |= {"pixel_size": size[0], "units": metadata.unit}
    return told


def in_time(
    metadata: ImageMetadata, chosen: Mapping[str, Any], count: int
) -> ImageMetadata:
    """Describe images of time points, magnified along rows, columns and planes."""
    step = chosen.get("frame_gap") or chosen["frames_per_timepoint"]
    interval = metadata.frame_interval
    axial = chosen.get("magnification_z", 1)
    return metadata.magnified(chosen["magnification"], axial).with_frame_interval(
        interval * step if interval and step and count > 1 else None
    )


def uncalibrated(
    metadata: ImageMetadata,
    chosen: Mapping[str, Any],  # noqa: ARG001
    count: int,  # noqa: ARG001
) -> ImageMetadata:
    """Describe images whose rows and columns are no lengths."""
    return replace(metadata, pixel_size=None, unit="pixel")


def two_directions(
    metadata: ImageMetadata,
    chosen: Mapping[str, Any],  # noqa: ARG001
    count: int,  # noqa: ARG001
) -> ImageMetadata:
    """Describe images with the row and the column direction as channels."""
    return replace(metadata, axes="TCYX")


def unchanged(
    metadata: ImageMetadata,
    chosen: Mapping[str, Any],  # noqa: ARG001
    count: int,  # noqa: ARG001
) -> ImageMetadata:
    """Describe images that lie where those of the movie do."""
    return metadata
