"""The commands that write a workflow's file and run it on movies."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_nanopyx import _terminal as terminal

if TYPE_CHECKING:
    from napari_nanopyx.workflow import Moment
    from napari_nanopyx.workflow.moment import Report
    from napari_nanopyx.workflow.summary import Row

SOME_FAILED = 1
CLEAR = "\r\x1b[K"
"""Takes the bar away; it is drawn again below."""


def new_workflow(
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="Text file to write (.toml).")
    ],
) -> None:
    """Write the usual workflow as a text file: drift, eSRRF, resolution, errors."""
    with terminal.one_sentence_errors():
        from napari_nanopyx import workflow

        if target.exists():
            raise ValueError(f"{target} is there already: give another name")
        workflow.typical().save(target)
        typer.echo(
            f"{target}: change it in an editor, then: "
            f"napari-nanopyx run {target} MOVIES --output FOLDER"
        )


def run(
    chain: Annotated[
        Path, typer.Argument(metavar="WORKFLOW", help="Text file with the steps.")
    ],
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILES…", help="TIFF files or Zarr folders."),
    ],
    output: Annotated[
        Path, typer.Option(help="Folder of the results; made if it is not there.")
    ],
    form: Annotated[
        str, typer.Option("--format", help="tif, ome.tif or ome.zarr, for images.")
    ] = "tif",
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace results of an earlier run.")
    ] = False,
    channel: Annotated[
        int | None, typer.Option(help="Channel to take, from 0; by default all.")
    ] = None,
    plane: Annotated[
        int | None, typer.Option(help="Plane to take, from 0; by default all.")
    ] = None,
) -> None:
    """Run a workflow on movies, and sum up what came of each.

    A movie that fails does not stop the others; the exit code is then 1.
    """
    with terminal.one_sentence_errors(), _bars() as report:
        from napari_nanopyx import workflow

        summary = workflow.run_files(
            workflow.Workflow.load(chain),
            files,
            output,
            suffix=f".{form.removeprefix('.')}",
            replace_results=replace,
            channel=channel,
            plane=plane,
            report=report,
            finished=_say,
            cancel=terminal.terminated,
        )
    failed = len(summary.failed)
    count = len(summary.rows)
    typer.echo(f"{summary.path}: {count - failed} of {count} movies done")
    if failed:
        raise typer.Exit(SOME_FAILED)


def _say(row: Row) -> None:
    from napari_nanopyx.workflow.summary import described

    if sys.stderr.isatty():
        typer.echo(CLEAR, nl=False, err=True)
    typer.echo(described(row), err=bool(row.error))


@contextmanager
def _bars() -> Iterator[Report]:
    """Give a function that draws a bar for each movie, on a terminal only."""
    if not sys.stderr.isatty():
        yield _no_bar
        return
    with typer.progressbar(length=1000, file=sys.stderr, show_pos=False) as bar:

        def draw(moment: Moment) -> None:
            bar.label = str(moment)
            bar.update(round(1000 * moment.share) - bar.pos)

        yield draw


def _no_bar(_moment: Moment) -> None:
    pass
