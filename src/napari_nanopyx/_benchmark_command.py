"""The command ``napari-nanopyx benchmark``: which implementation is fastest here."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_nanopyx import _terminal as terminal

if TYPE_CHECKING:
    from napari_nanopyx.engine import Benchmark

INTERRUPTED = 128 + signal.SIGINT
PICTURES = (".png", ".pdf", ".svg")


def benchmark(
    task: Annotated[
        str, typer.Argument(help="What to compute (see doctor).", show_default=False)
    ],
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="[IN]",
            help="TIFF file or Zarr folder; without it, images are generated.",
            show_default=False,
        ),
    ] = None,
    sizes: Annotated[
        str | None,
        typer.Option(
            help="Sides of generated images, such as 64,128 or 64x96 (rows x columns), "
            "or 8x64x96 for volumes; without IN and --sizes: 64,128,256,512.",
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="A parameter of the task; NAME=2,5 measures each value. Can be "
            "repeated.",
        ),
    ] = None,
    implementation: Annotated[
        list[str] | None,
        typer.Option(
            help="Measure this one; can be repeated. By default all but the reference."
        ),
    ] = None,
    repeats: Annotated[
        int, typer.Option(help="Timed blocks of each implementation.")
    ] = 5,
    csv: Annotated[
        Path | None, typer.Option(help="Write all results to this table.")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw the results into this file (.png, .pdf, .svg)."),
    ] = None,
    channel: Annotated[
        int | None, typer.Option(help="Channel to take, from 0, if there are several.")
    ] = None,
    plane: Annotated[
        int | None, typer.Option(help="Plane to take, from 0, if there are several.")
    ] = None,
) -> None:
    """Measure every implementation of a task, after comparing its answer.

    Ctrl-C stops after the block that is being computed; what was measured is shown,
    written and remembered.
    """
    with terminal.one_sentence_errors():
        from napari_nanopyx import engine
        from napari_nanopyx.io import open_stack

        parameters = dict(_parameter(words) for words in parameter or ())
        _check_files(csv, plot)
        opened = (
            nullcontext()
            if source is None
            else open_stack(source, _axes(task), channel=channel, plane=plane)
        )
        with (
            opened as movie,
            _interruptible() as cancel,
            terminal.progress(f"benchmark of {task}", 0) as progress,
        ):
            interrupted = False
            try:
                result = engine.benchmark(
                    task,
                    data=movie,
                    sizes=None if sizes is None else _sizes(sizes),
                    parameters=parameters,
                    implementations=implementation or None,
                    repeats=repeats,
                    progress=progress,
                    cancel=cancel,
                )
            except engine.BenchmarkCancelled as cancelled:
                result, interrupted = cancelled.result, True
        _report(result, csv, plot)
        if interrupted:
            typer.echo("napari-nanopyx: cancelled; this is what was measured", err=True)
            raise typer.Exit(INTERRUPTED)


def _axes(task: str) -> str:
    """Return the axes that a task takes of a file."""
    from napari_nanopyx._kernels import tasks

    known = tasks().get(task)  # one unknown is reported with the others' names, later
    return "TZYX" if known is not None and known.axes > 3 else "TYX"


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Give an event that the first Ctrl-C sets; the second one interrupts at once."""
    cancel = threading.Event()

    def stop(*_: object) -> None:
        cancel.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before)


def _report(result: Benchmark, csv: Path | None, plot: Path | None) -> None:
    typer.echo(str(result))
    if csv is not None:
        result.to_csv(csv)
    if plot is not None and result.winners():
        from io import BytesIO

        from matplotlib.figure import Figure

        figure, picture = Figure((8, 5), layout="constrained"), BytesIO()
        result.plot(figure.add_subplot())
        figure.savefig(picture, format=plot.suffix[1:].lower())
        plot.write_bytes(picture.getvalue())


def _check_files(csv: Path | None, plot: Path | None) -> None:
    """Raise before anything is measured if a result could not be written."""
    for option, path in (("csv", csv), ("plot", plot)):
        if path is None:
            continue
        if not path.parent.is_dir():
            raise FileNotFoundError(
                f"--{option} is {path}, but the folder {path.parent} does not exist"
            )
        if path.is_dir():
            raise IsADirectoryError(f"--{option} is {path}, which is a folder")
    if plot is not None:
        if plot.suffix.lower() not in PICTURES:
            raise ValueError(f"--plot is {plot}, but must end in {', '.join(PICTURES)}")
        from importlib.util import find_spec

        from napari_nanopyx.engine import MissingPackage

        if find_spec("matplotlib") is None:
            raise MissingPackage(
                "Matplotlib", "--plot", "pip install napari-nanopyx[demo]"
            )


def _sizes(words: str) -> list[int | tuple[int, ...]]:
    try:
        return [_size(word) for word in words.split(",")]
    except ValueError as problem:
        raise ValueError(
            f"--sizes is {words!r}, but must be whole numbers with commas between "
            "them, such as 64,128, or rows and columns, such as 64x96"
        ) from problem


def _size(word: str) -> int | tuple[int, ...]:
    sides = tuple(int(side) for side in word.lower().split("x"))
    return sides[0] if len(sides) == 1 else sides


def _parameter(words: str) -> tuple[str, Any]:
    name, equals, text = words.partition("=")
    if not (name.strip() and equals and text.strip()):
        raise ValueError(
            f"--parameter is {words!r}, but must be NAME=VALUE or NAME=VALUE,VALUE"
        )
    values = [_value(word.strip()) for word in text.split(",")]
    return name.strip(), values if len(values) > 1 else values[0]


def _value(word: str) -> float | str | bool:
    if word.lower() in ("true", "false"):
        return word.lower() == "true"
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word
