"""Photographs the running plugin for the documentation: ``make docs``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import napari
from qtpy.QtTest import QTest

import napari_nanopyx
from napari_nanopyx.data import telomeres_path
from napari_nanopyx.io import open_movie

IMAGES = Path(__file__).parent / "images"
PLUGIN = "napari-nanopyx"
SIZE = (1400, 850)
PATIENCE_SECONDS = 120


def main() -> None:
    """Write every picture."""
    for photograph in (workflow, engine_panel, resolution):
        with _viewer() as viewer:
            photograph(viewer)
            path = IMAGES / f"screenshot_{photograph.__name__}.png"
            QTest.qWait(500)
            viewer.screenshot(str(path), canvas_only=False, flash=False)


def workflow(viewer: napari.Viewer) -> None:
    """Reconstruct the bundled movie, and look at it beside the movie."""
    _open_movie(viewer)
    step = _open(viewer, "eSRRF reconstruction")
    _run(step)
    viewer.grid.enabled = True


def engine_panel(viewer: napari.Viewer) -> None:
    """Watch the engine while it computes."""
    _open_movie(viewer)
    step = _open(viewer, "eSRRF reconstruction")
    panel = _open(viewer, "Liquid Engine")
    _run(step)
    step.form.fields["magnification"].value = 8
    step.run()
    _wait(lambda: step.progress_bar.value() > 20)
    panel.show()


def resolution(viewer: napari.Viewer) -> None:
    """Measure the resolution of the reconstructions of odd and even frames."""
    with open_movie(telomeres_path()) as movie:
        for name, frames in (("odd", movie[1::2]), ("even", movie[::2])):
            image = napari_nanopyx.esrrf(frames, magnification=4)[0]
            viewer.add_image(
                image,
                name=f"{name} frames",
                scale=(0.0275, 0.0275),
                units=("um", "um"),
                colormap="magma",
            )
    step = _open(viewer, "Fourier ring correlation")
    _run(step)
    viewer.grid.enabled = True


def _open_movie(viewer: napari.Viewer) -> None:
    viewer.open_sample(PLUGIN, "telomeres")


def _open(viewer: napari.Viewer, name: str) -> Any:
    return viewer.window.add_plugin_dock_widget(PLUGIN, name)[1]


def _run(step: Any) -> None:
    step.run()
    _wait(lambda: not step.watches)


def _wait(until: Callable[[], bool]) -> None:
    for _ in range(PATIENCE_SECONDS * 20):
        if until():
            return
        QTest.qWait(50)
    raise TimeoutError(f"nothing came of it in {PATIENCE_SECONDS} s")


@contextmanager
def _viewer() -> Iterator[napari.Viewer]:
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.window.resize(*SIZE)
    try:
        yield viewer
    finally:
        viewer.close()


if __name__ == "__main__":
    main()
