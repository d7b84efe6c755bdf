"""Reconstructs the bundled movie and compares the result with its mean image."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_nanopyx.data import telomeres as bundled_movie
from napari_nanopyx.io import ImageMetadata, temporary_beside, write_tiff

MAGNIFICATION = 5
RADIUS = 2.0
SENSITIVITY = 2.0
STEP = "eSRRF reconstruction"


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo made, and what it says about it."""

    mean: Path
    """The mean image, magnified to the size of the reconstruction."""
    reconstruction: Path
    picture: Path | None
    """None if matplotlib is not installed."""
    lines: tuple[str, ...]


def reconstruct(
    folder: Path, progress: Callable[[int, int], None] | None = None
) -> DemoResult:
    """Compute the eSRRF image of the bundled movie and write it into `folder`.

    Parameters
    ----------
    folder
        Made if it is not there; files of an earlier demo are replaced.
    progress
        Called with the frames done and the frames in all.

    Returns
    -------
    DemoResult
        The files, and lines that tell which implementation was chosen and why.
    """
    import napari_nanopyx as nx
    from napari_nanopyx import engine

    folder.mkdir(parents=True, exist_ok=True)
    movie, metadata = bundled_movie()
    with engine.record() as runs:
        image = nx.esrrf(
            movie,
            magnification=MAGNIFICATION,
            radius=RADIUS,
            sensitivity=SENSITIVITY,
            progress=progress,
        )[0]
    run = runs[-1]
    mean = nx.magnify(movie.mean(axis=0), MAGNIFICATION)
    flat = metadata.magnified(MAGNIFICATION).with_frame_interval(None)
    flat = ImageMetadata("YX", flat.pixel_size, flat.unit)
    result_path = write_tiff(folder / "telomeres_esrrf.tif", image, flat)
    mean_path = write_tiff(folder / "telomeres_mean.tif", mean, flat)
    picture = None
    if find_spec("matplotlib") is not None:
        picture = folder / "telomeres_comparison.png"
        draw_comparison(mean, image, flat, picture)
    shares = ", ".join(f"{name} {count}" for name, count in run.blocks.items())
    lines = (
        f"{len(movie)} frames of {movie.shape[1]} x {movie.shape[2]} pixels, "
        f"magnification {MAGNIFICATION}: {run.seconds:.2f} s",
        f"Frames by implementation: {shares}",
        f"Last choice: {run.implementation}, because: {run.reason}",
        f"Reconstruction: {result_path}",
        f"Mean image: {mean_path}",
        f"Comparison: {picture or 'needs matplotlib: pip install matplotlib'}",
    )
    return DemoResult(mean_path, result_path, picture, lines)


def draw_comparison(
    mean: NDArray[Any], image: NDArray[Any], metadata: ImageMetadata, path: Path
) -> None:
    """Draw the mean image beside the reconstruction, whole and enlarged.

    Each is shown from its own median to its 99.9th percentile.
    """
    import numpy as np
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    height, width = image.shape
    side = min(height, width) // 4
    peak = np.unravel_index(np.argmax(image), image.shape)
    top = int(np.clip(peak[0] - side // 2, 0, height - side))
    left = int(np.clip(peak[1] - side // 2, 0, width - side))
    figure = Figure(figsize=(10, 8.6), layout="constrained", facecolor="white")
    axes = figure.subplots(2, 2)
    titles = ("Mean of the movie", "eSRRF")
    for column, (picture, title) in enumerate(zip((mean, image), titles, strict=True)):
        low, high = np.percentile(picture, (50, 99.9))
        inset = picture[top : top + side, left : left + side]
        for row, part in enumerate((picture, inset)):
            panel = axes[row, column]
            panel.imshow(part, cmap="magma", vmin=low, vmax=high, interpolation="none")
            panel.set_axis_off()
            _draw_scale_bar(panel, part.shape, metadata)
        axes[0, column].set_title(title)
        axes[0, column].add_patch(
            Rectangle((left, top), side, side, fill=False, edgecolor="white")
        )
    with temporary_beside(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=80)


def _draw_scale_bar(
    panel: Any, shape: tuple[int, ...], metadata: ImageMetadata
) -> None:
    if metadata.pixel_size is None:
        return
    pixel = metadata.pixel_size[1]
    length = next(
        length
        for length in (5, 2, 1, 0.5, 0.2, 0.1, 0)
        if length / pixel < shape[1] / 3
    )
    row, column = shape[0] * 0.94, shape[1] * 0.05
    panel.plot([column, column + length / pixel], [row, row], color="white", lw=3)
    panel.text(
        column, row * 0.985, f"{length} {metadata.unit}", color="white", va="bottom"
    )


def show(result: DemoResult) -> str:
    """Open napari on the result and wait until it is closed.

    Returns
    -------
    str
        What happened, or why no window was opened.
    """
    if not has_display():
        return "No display: napari was not opened."
    if find_spec("napari") is None:
        return "napari is not installed: pip install 'napari-nanopyx[napari,pyside6]'"
    images = (str(result.mean), str(result.reconstruction))
    finished = subprocess.run(  # noqa: S603 - our own Python and our own files
        [sys.executable, "-m", "napari", *images, "--with", "napari-nanopyx", STEP],
        check=False,
    )
    if finished.returncode != 0:
        return f"napari ended with exit code {finished.returncode}."
    return "napari was closed."


def has_display() -> bool:
    """Tell whether a window can be opened here."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
