"""The steps of the plugin: each is one method with what its form needs besides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import napari_nanopyx
from napari_nanopyx.widgets.layers import Placement, Source
from napari_nanopyx.widgets.step import Step, StepWidget

if TYPE_CHECKING:
    from napari.viewer import Viewer


class EsrrfStep(StepWidget):
    """Reconstruct a super-resolved image from a movie by eSRRF."""

    def __init__(self, napari_viewer: Viewer) -> None:
        step = Step(
            title="eSRRF",
            function=napari_nanopyx.esrrf,
            images={"image": (2, 3)},
            suffix=_name_esrrf,
            place=_place_esrrf,
            options={
                "image": {"label": "Movie"},
                "temporal": {
                    "label": "Combine frames by",
                    "choices": [
                        ("AVG: mean", "AVG"),
                        ("VAR: variance", "VAR"),
                        ("STD: standard deviation", "STD"),
                        ("TAC2: autocorrelation", "TAC2"),
                    ],
                },
                "frames_per_timepoint": {"label": "Frames per time point (0: all)"},
                "frame_gap": {"label": "Frames between starts (0: same)"},
                "macro_pixel_correction": {"label": "Macro-pixel correction"},
            },
            advanced=(
                "frame_gap",
                "intensity_weighting",
                "macro_pixel_correction",
                "interpolation",
                "gradient",
                "border",
            ),
            colormap="magma",
        )
        super().__init__(napari_viewer, step)


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


def _name_esrrf(chosen: Mapping[str, Any]) -> str:
    return f"eSRRF {chosen['temporal']} ×{chosen['magnification']}"


def _place_esrrf(source: Source, chosen: Mapping[str, Any]) -> Placement:
    grid = Placement.magnified(source.ndim, chosen["magnification"])
    if source.ndim == 2:
        return grid
    frames = min(chosen["frames_per_timepoint"] or len(source.data), len(source.data))
    return grid.windowed(frames, chosen["frame_gap"] or frames)
