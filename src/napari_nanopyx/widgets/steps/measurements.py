"""Steps that give a number and a curve, rather than an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import napari_nanopyx
from napari_nanopyx.widgets.layers import Source
from napari_nanopyx.widgets.step import Step, StepWidget

if TYPE_CHECKING:
    from napari.viewer import Viewer


class FrcStep(StepWidget):
    """Measure the resolution of two images by Fourier ring correlation."""

    def __init__(self, napari_viewer: Viewer) -> None:
        step = Step(
            title="FRC",
            function=napari_nanopyx.frc,
            images={"image_a": (2,), "image_b": (2,)},
            options={
                "image_a": {"label": "First image"},
                "image_b": {"label": "Second image"},
                "threshold": {
                    "choices": ["1/7", "half-bit", "one-bit", "2-sigma", "3-sigma"]
                },
            },
            hidden=("pixel_size", "units"),
            derived=pixel_size,
        )
        super().__init__(napari_viewer, step)


def pixel_size(source: Source) -> dict[str, Any]:
    """Return the pixel size and unit of a layer; nothing if pixels are not square."""
    height, width = source.scale[-2:]
    if height != width or source.units[-1] != source.units[-2]:
        return {}
    return {"pixel_size": float(width), "units": f"{source.units[-1]:~P}"}
