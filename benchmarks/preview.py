"""``python -m benchmarks.preview``: how soon a preview follows a slider, in napari.

From the change of a setting until the layer has new pixels, for a view of 256 × 256
pixels of a movie, or of a plane of volumes. Needs a display;
``scripts/with_display.sh`` gives one.
"""

from __future__ import annotations

import time
from typing import Any

import napari
import numpy as np
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

STEPS = {
    "eSRRF reconstruction": ("radius", 1.0, 0.05),
    "SRRF reconstruction": ("ring_radius", 0.55, 0.05),
    "Denoise by non-local means": ("h", 5.0, 0.5),
    "Magnify": ("factor", 4.0, 0.1),
}
VOLUME_STEPS = {"3-D eSRRF reconstruction": ("radius", 1.0, 0.05)}
CHANGES = 25
PATIENCE_SECONDS = 10.0


def main() -> None:
    """Print a table."""
    random = np.random.default_rng(0)
    movie = random.poisson(100, (50, 256, 256)).astype(np.uint16)
    volumes = np.stack([np.roll(movie[:10], plane, axis=2) for plane in range(9)], 1)
    print("| step | median ms | 9 of 10 below | computing | frames |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for image, steps in ((movie, STEPS), (volumes, VOLUME_STEPS)):
        viewer = napari.Viewer(show_welcome_screen=False)
        viewer.add_image(image, scale=(1.0, 0.4, 0.1, 0.1)[-image.ndim :])
        for name, how in steps.items():
            print(f"| {name} | {measure(viewer, name, *how)} |", flush=True)
        viewer.close()


def measure(
    viewer: napari.Viewer, name: str, setting: str, first: float, step: float
) -> str:
    """Return the cells of one step."""
    _, widget = viewer.window.add_plugin_dock_widget("napari-nanopyx", name)
    preview, pictures = widget.preview, []
    show = preview._show

    def note(picture: Any) -> None:
        show(picture)
        pictures.append(picture)

    preview._show = note
    preview.toggle.setChecked(True)
    wait(lambda: bool(pictures))
    seconds = []
    for change in range(CHANGES + 5):
        QTest.qWait(50)
        wait(lambda: preview._job is None and not preview._collecting.isActive())
        known, began = len(pictures), time.perf_counter()
        widget.form.fields[setting].value = first + change * step
        wait(lambda known=known: len(pictures) > known)
        seconds.append(time.perf_counter() - began)
    middle, most = np.quantile(seconds[5:], (0.5, 0.9)) * 1000
    computing = 1000 * np.median([picture.seconds for picture in pictures[-CHANGES:]])
    begin, end = pictures[-1].request.region.frames
    preview.toggle.setChecked(False)
    viewer.window.remove_dock_widget(widget)
    return f"{middle:.0f} | {most:.0f} | {computing:.0f} | {end - begin}"


def wait(until: Any) -> None:
    """Let the program go on until something is so."""
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while not until():
        if time.perf_counter() > deadline:
            raise TimeoutError(f"nothing came of it in {PATIENCE_SECONDS:g} s")
        QApplication.processEvents()
        time.sleep(0.001)


if __name__ == "__main__":
    main()
