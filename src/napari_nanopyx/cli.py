"""The command ``napari-nanopyx``: the methods on files, without a window."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

import napari_nanopyx as nx
from napari_nanopyx import _terminal as terminal
from napari_nanopyx._benchmark_command import benchmark
from napari_nanopyx._commands import (
    images_command,
    in_time,
    numbers_command,
    table_command,
    two_directions,
    uncalibrated,
    unchanged,
)
from napari_nanopyx._options import (
    Channel,
    Numbers,
    Pair,
    Pinned,
    Plane,
    Source,
    Table,
    Target,
)
from napari_nanopyx._run_command import new_workflow, run
from napari_nanopyx._simulate_command import app as simulate

app = typer.Typer(
    name="napari-nanopyx",
    help="Super-resolution reconstruction of microscopy movies.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

esrrf = app.command("esrrf")(images_command(nx.esrrf, in_time))
srrf = app.command("srrf")(images_command(nx.srrf, in_time))
esrrf_3d = app.command("esrrf-3d")(images_command(nx.esrrf_3d, in_time, axes="TZYX"))
sweep_esrrf = app.command("sweep-esrrf")(
    numbers_command(nx.sweep_esrrf, {"radii": Numbers, "sensitivities": Numbers})
)
frc = app.command("frc")(numbers_command(nx.frc))
decorrelation = app.command("decorrelation")(numbers_command(nx.decorrelation))
frc_map = app.command("frc-map")(numbers_command(nx.frc_map))
decorrelation_map = app.command("decorrelation-map")(
    numbers_command(nx.decorrelation_map)
)
error_map = app.command("error-map")(numbers_command(nx.error_map))
denoise = app.command("denoise")(images_command(nx.denoise_nlm, unchanged))
estimate_drift = app.command("estimate-drift")(
    table_command(nx.estimate_drift, volumes=True)
)
correct_drift = app.command("correct-drift")(
    images_command(nx.correct_drift, unchanged, {"table": nx.DriftTable}, volumes=True)
)
estimate_channel_shifts = app.command("estimate-channel-shifts")(
    table_command(nx.estimate_channel_shifts, (".tif", ".tiff"), "CYX")
)
register_channels = app.command("register-channels")(
    images_command(
        nx.register_channels,
        unchanged,
        {"registration": nx.ChannelRegistration},
        axes="CYX",
    )
)
transform = app.command("transform")(
    images_command(nx.transform, unchanged, words={"shift": Pair, "scale": Pair})
)
convolve = app.command("convolve")(
    images_command(nx.convolve, unchanged, words={"kernel": Table})
)
polar = app.command("polar")(images_command(nx.polar, uncalibrated))
gradient = app.command("gradient")(
    images_command(
        nx.gradient, two_directions, image=lambda pair: np.stack(pair, axis=1)
    )
)


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
        from napari_nanopyx import engine
        from napari_nanopyx.io import check_output, open_movie, write_image

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
            write_image(
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
app.command()(new_workflow)
app.command()(run)
app.add_typer(simulate, name="simulate")


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
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Say which version this is.",
        ),
    ] = False,
) -> None:
    """Super-resolution reconstruction of microscopy movies."""
