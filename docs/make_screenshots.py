"""Photographs the running plugin for the documentation: ``make docs``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import napari
import numpy as np
from PIL import Image
from qtpy.QtTest import QTest

import napari_nanopyx
from napari_nanopyx.data import telomeres_path
from napari_nanopyx.io import open_movie

IMAGES = Path(__file__).parent / "images"
PLUGIN = "napari-nanopyx"
SIZE = (1280, 860)
COLOURS = (256, 128, 64, 32)
MOST_BYTES = 200_000
PATIENCE_SECONDS = 240
SETTLED_MILLISECONDS = 350
MAGNIFICATION = 4
PIXEL = 0.11
PANEL_WIDTH = 620


def main(*names: str) -> None:
    """Write every picture, or those that are named."""
    for photograph in (workflow, engine_panel, sweep, resolution, error_map):
        if names and photograph.__name__ not in names:
            continue
        with _viewer() as viewer:
            photograph(viewer)
            QTest.qWait(SETTLED_MILLISECONDS)
            viewer.reset_view()
            QTest.qWait(SETTLED_MILLISECONDS)
            _save(viewer, f"screenshot_{photograph.__name__}.png")


def workflow(viewer: napari.Viewer) -> None:
    """Reconstruct the bundled movie, and look at it beside the movie."""
    viewer.open_sample(PLUGIN, "telomeres")
    step = _open(viewer, "eSRRF reconstruction")
    step.form.fields["radius"].value = 2.0
    step.form.fields["sensitivity"].value = 2.0
    _run(step)
    _stack(viewer)


def engine_panel(viewer: napari.Viewer) -> None:
    """Watch the engine while it computes."""
    viewer.open_sample(PLUGIN, "telomeres")
    step = _open(viewer, "eSRRF reconstruction")
    _run(step)
    viewer.layers.pop()
    viewer.layers.selection.active = viewer.layers[0]
    panel = _open(viewer, "Liquid Engine", tabify=True)
    panel.setMinimumWidth(PANEL_WIDTH)
    step.form.fields["magnification"].value = 8
    step.run()
    _wait(lambda: step.progress_bar.value() > 60)
    panel.parent().raise_()
    QTest.qWait(SETTLED_MILLISECONDS)
    panel._timer.stop()  # a picture shows one moment


def sweep(viewer: napari.Viewer) -> None:
    """Look for the radius and the sensitivity that suit the movie."""
    viewer.open_sample(PLUGIN, "telomeres")
    step = _open(viewer, "eSRRF parameter sweep")
    step.form.fields["radii"].value = [1.0, 1.5, 2.0, 2.5]
    _run(step)


def resolution(viewer: napari.Viewer) -> None:
    """Measure the resolution of the reconstructions of odd and even frames."""
    with open_movie(telomeres_path()) as movie:
        halves = {"odd frames": movie[1::2], "even frames": movie[::2]}
    for name, frames in halves.items():
        _add_reconstruction(viewer, frames, name, temporal="TAC2", darkest=60)
    step = _open(viewer, "Fourier ring correlation")
    step.form.fields["image_a"].value = viewer.layers["odd frames"]
    step.form.fields["image_b"].value = viewer.layers["even frames"]
    _run(step)
    _stack(viewer)


def error_map(viewer: napari.Viewer) -> None:
    """See where the reconstruction and the mean of the movie disagree."""
    with open_movie(telomeres_path()) as movie:
        frames = movie[...]
    viewer.add_image(
        frames.mean(axis=0).astype(np.float32),
        name="mean",
        scale=(PIXEL, PIXEL),
        units=("um", "um"),
    )
    _add_reconstruction(viewer, frames, "eSRRF")
    step = _open(viewer, "Error map")
    step.form.fields["reference"].value = viewer.layers["mean"]
    step.form.fields["super_resolved"].value = viewer.layers["eSRRF"]
    _run(step)
    _stack(viewer)


def _add_reconstruction(
    viewer: napari.Viewer,
    frames: Any,
    name: str,
    temporal: Any = "AVG",
    darkest: float = 1,
) -> None:
    image = napari_nanopyx.esrrf(
        frames, magnification=MAGNIFICATION, radius=2.0, temporal=temporal
    )[0]
    offset = PIXEL * (1 / MAGNIFICATION - 1) / 2
    viewer.add_image(
        image,
        name=name,
        scale=(PIXEL / MAGNIFICATION,) * 2,
        translate=(offset, offset),
        units=("um", "um"),
        colormap="magma",
        contrast_limits=np.percentile(image, (darkest, 99.9)),
    )


def _stack(viewer: napari.Viewer) -> None:
    """Show the layers one above the other, the first on top."""
    viewer.canvas.grid.shape = (-1, 1)
    viewer.canvas.grid.enabled = True


def _open(viewer: napari.Viewer, name: str, tabify: bool = False) -> Any:
    window = viewer.window
    return window.add_plugin_dock_widget(PLUGIN, name, tabify=tabify)[1]


def _run(step: Any) -> None:
    step.run()
    _wait(lambda: not step.watches)


def _wait(until: Callable[[], bool]) -> None:
    for _ in range(PATIENCE_SECONDS * 20):
        if until():
            return
        QTest.qWait(50)
    raise TimeoutError(f"nothing came of it in {PATIENCE_SECONDS} s")


def _save(viewer: napari.Viewer, name: str) -> None:
    """Write what the window shows, with few colours if need be: the file is kept."""
    pixels = viewer.screenshot(canvas_only=False, flash=False)
    picture = Image.fromarray(pixels).convert("RGB")
    picture.save(IMAGES / name, optimize=True)
    if (IMAGES / name).stat().st_size <= MOST_BYTES:
        return
    for colours in COLOURS:
        picture.quantize(colours).save(IMAGES / name, optimize=True)
        if (IMAGES / name).stat().st_size <= MOST_BYTES:
            return
    raise SystemExit(f"{name} is larger than {MOST_BYTES} bytes")


@contextmanager
def _viewer() -> Iterator[napari.Viewer]:
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.window.resize(*SIZE)
    try:
        yield viewer
    finally:
        viewer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
