"""Steps that give an image of the same scene: larger, moved, or cleaner."""

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


class TransformStep(StepWidget):
    """Shift, scale and turn an image."""

    def __init__(self, napari_viewer: Viewer) -> None:
        pair = {"annotation": tuple[float, float]}
        shifts = {"min": -10_000.0, "max": 10_000.0, "step": 0.1}
        scales = {"min": 0.01, "max": 100.0, "step": 0.01}
        step = Step(
            title="Transform",
            function=napari_nanopyx.transform,
            images={"image": (2, 3)},
            suffix=lambda _: "transformed",
            place=lambda source, _: Placement.magnified(source.ndim, 1.0),
            options={
                "shift": pair | {"label": "Shift (row, column)", "options": shifts},
                "scale": pair | {"label": "Scale (row, column)", "options": scales},
                "angle": {"label": "Angle (radians)"},
                "fill": {"label": "Value outside"},
            },
            advanced=("fill",),
        )
        super().__init__(napari_viewer, step)
