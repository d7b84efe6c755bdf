"""The command ``napari-nanopyx``: the methods on files, without a window."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_nanopyx import _terminal as terminal
from napari_nanopyx._benchmark_command import benchmark

app = typer.Typer(
    name="napari-nanopyx",
    help="Super-resolution reconstruction of microscopy movies.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

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


@app.command()
def esrrf(
    source: Source,
    target: Target,
    magnification: Annotated[
        int, typer.Option(help="Output pixels per input pixel and axis, 1 to 10.")
    ] = 5,
    radius: Annotated[
        float, typer.Option(help="Width of the radial window, in input pixels.")
    ] = 1.5,
    sensitivity: Annotated[
        float, typer.Option(help="Exponent of the convergence; larger is sharper.")
    ] = 1.0,
    temporal: Annotated[str, typer.Option(help="AVG, VAR, STD or TAC2.")] = "AVG",
    frames_per_timepoint: Annotated[
        int, typer.Option(help="Frames for one output image; 0 takes all.")
    ] = 0,
    frame_gap: Annotated[
        int,
        typer.Option(
            help="Frames between the starts of two images; 0: one after the other."
        ),
    ] = 0,
    intensity_weighting: Annotated[
        bool, typer.Option(help="Multiply by the magnified intensity.")
    ] = True,
    macro_pixel_correction: Annotated[
        bool, typer.Option(help="Even out the pattern of the camera's pixels.")
    ] = True,
    interpolation: Annotated[
        str, typer.Option(help="How the image is interpolated.")
    ] = "catmull_rom",
    gradient: Annotated[str, typer.Option(help="roberts or two_point.")] = "roberts",
    border: Annotated[
        str, typer.Option(help="extend: continue the image; zero: blank margin.")
    ] = "extend",
    drift: Annotated[
        Path | None,
        typer.Option(help="CSV file: row and column correction of every frame."),
    ] = None,
    channel: Channel = None,
    plane: Plane = None,
    implementation: Pinned = None,
) -> None:
    """Reconstruct a movie with enhanced super-resolution radial fluctuations."""
    with terminal.one_sentence_errors():
        import napari_nanopyx as nx
        from napari_nanopyx import engine
        from napari_nanopyx.io import check_output, open_movie, write_tiff

        check_output(target, source)
        shifts = None if drift is None else terminal.read_shifts(drift)
        parameters = {
            "magnification": magnification,
            "radius": radius,
            "sensitivity": sensitivity,
            "temporal": temporal,
            "frames_per_timepoint": frames_per_timepoint,
            "frame_gap": frame_gap,
            "intensity_weighting": intensity_weighting,
            "macro_pixel_correction": macro_pixel_correction,
            "interpolation": interpolation,
            "gradient": gradient,
            "border": border,
        }
        with (
            open_movie(source, channel=channel, plane=plane) as movie,
            engine.record() as runs,
            terminal.progress("eSRRF", len(movie)) as progress,
        ):
            images = nx.esrrf(
                movie,
                **parameters,  # type: ignore[arg-type]
                drift=shifts,
                implementation=implementation,
                progress=progress,
                cancel=terminal.terminated,
            )
            metadata = movie.metadata.magnified(magnification)
        interval = metadata.frame_interval
        step = frame_gap or frames_per_timepoint
        metadata = metadata.with_frame_interval(
            interval * step if interval and step and len(images) > 1 else None
        )
        provenance = terminal.provenance("esrrf", source, parameters, runs)
        write_tiff(target, images, metadata, provenance=provenance)
        terminal.say_written(target, images.shape, runs)


@app.command()
def magnify(
    source: Source,
    target: Target,
    factor: Annotated[
        float, typer.Option(help="Output pixels per input pixel along an axis.")
    ] = 2.0,
    column_factor: Annotated[
        float | None, typer.Option(help="Another factor for the columns.")
    ] = None,
    kernel: Annotated[
        str,
        typer.Option(
            help="catmull_rom, bilinear, nearest, lanczos or fourier interpolation."
        ),
    ] = "catmull_rom",
    shift: Annotated[
        tuple[float, float],
        typer.Option(
            metavar="ROW COLUMN",
            help="Moves the content towards larger indices, in input pixels.",
        ),
    ] = (0.0, 0.0),
    channel: Channel = None,
    plane: Plane = None,
    implementation: Pinned = None,
) -> None:
    """Magnify every frame of a movie; the result is written as it is computed."""
    with terminal.one_sentence_errors():
        import napari_nanopyx as nx
        from napari_nanopyx import engine
        from napari_nanopyx.io import check_output, open_movie, write_tiff

        check_output(target, source)
        factors = (factor, factor if column_factor is None else column_factor)
        parameters = {"factor": factors, "kernel": kernel, "shift": shift}
        with (
            open_movie(source, channel=channel, plane=plane) as movie,
            engine.record() as runs,
            terminal.progress("magnify", len(movie)) as progress,
        ):
            blocks = terminal.in_blocks(
                movie,
                lambda block, report: nx.magnify(
                    block,
                    factors,
                    kernel=kernel,  # type: ignore[arg-type]
                    shift=shift,
                    implementation=implementation,
                    progress=report,
                    cancel=terminal.terminated,
                ),
                progress,
            )
            first = next(blocks)
            shape = (len(movie), *first.shape[-2:])
            write_tiff(
                target,
                terminal.frames(first, blocks),
                movie.metadata.magnified(factors),
                shape=shape,
                provenance=terminal.provenance("magnify", source, parameters, ()),
            )
        terminal.say_written(target, shape, runs)


@app.command()
def demo(
    folder: Annotated[
        Path, typer.Option(help="Where the TIFF and the picture go.")
    ] = Path("demo-output"),
    viewer: Annotated[
        bool, typer.Option(help="Open napari on the result, if there is a display.")
    ] = True,
) -> None:
    """Reconstruct the movie that comes with the package and compare the images."""
    with terminal.one_sentence_errors():
        from napari_nanopyx.demo import reconstruct, show

        with terminal.progress("eSRRF", 0) as progress:
            result = reconstruct(folder, progress)
        for line in result.lines:
            typer.echo(line)
        if viewer:
            typer.echo(show(result))


@app.command()
def doctor() -> None:
    """Say what was found on this computer, what is missing, and what to do."""
    with terminal.one_sentence_errors():
        from napari_nanopyx.doctor import report

        typer.echo(report())


app.command()(benchmark)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"napari-nanopyx {version('napari-nanopyx')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Say it."
        ),
    ] = False,
) -> None:
    """Super-resolution reconstruction of microscopy movies."""
