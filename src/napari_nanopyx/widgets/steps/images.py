"""Steps that give an image of the same scene: larger, or cleaner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import napari_nanopyx
from napari_nanopyx.widgets.layers import Placement
from napari_nanopyx.widgets.step import Step, StepWidget

if TYPE_CHECKING:
    from napari.viewer import Viewer


class MagnifyStep(StepWidget):
    """Enlarge an image, keeping its place."""

    def __init__(self, napari_viewer: Viewer) -> None:
        step = Step(
            title="Magnify",
            function=napari_nanopyx.magnify,
            images={"image": (2, 3)},
            suffix=lambda chosen: f"magnified ×{chosen['factor']:g}",
            place=lambda source, chosen: Placement.magnified(
                source.ndim, chosen["factor"]
            ),
            options={
                "factor": {
                    "annotation": float,
                    "value": 2.0,
                    "min": 0.1,
                    "max": 20.0,
                    "step": 0.5,
                }
            },
            hidden=("shift",),
        )
        super().__init__(napari_viewer, step)
