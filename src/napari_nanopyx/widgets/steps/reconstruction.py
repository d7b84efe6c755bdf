"""Steps that give a super-resolved image."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING, Any

import napari_nanopyx
from napari_nanopyx._kernels.srrf.merging import LEAST_FRAMES
from napari_nanopyx.widgets.layers import Placement, Source
from napari_nanopyx.widgets.preview_request import Previewed
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
            place=_place_in_time,
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
                "macro_pixel_correction": {
                    "label": "Macro-pixel correction",
                    "choices": [
                        ("unless Fourier", None),
                        ("on", True),
                        ("off", False),
                    ],
                },
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
            preview=Previewed(
                task="esrrf",
                margin=lambda chosen: (
                    ceil(chosen["radius"])
                    + (12 if chosen["interpolation"] == "fourier" else 5)
                ),
                least_frames=lambda chosen: 1 if chosen["temporal"] == "AVG" else 2,
                fixed={"frames_per_timepoint": 0, "frame_gap": 0},
            ),
        )
        super().__init__(napari_viewer, step)


class SrrfStep(StepWidget):
    """Reconstruct a super-resolved image from a movie by SRRF."""

    def __init__(self, napari_viewer: Viewer) -> None:
        step = Step(
            title="SRRF",
            function=napari_nanopyx.srrf,
            images={"image": (2, 3)},
            suffix=lambda chosen: (
                f"SRRF {chosen['temporal']} ×{chosen['magnification']}"
            ),
            place=_place_in_time,
            options={
                "image": {"label": "Movie"},
                "temporal": {
                    "label": "Combine frames by",
                    "choices": [
                        ("TRA: mean", "TRA"),
                        ("TRM: maximum", "TRM"),
                        ("TRPPM: pairwise products", "TRPPM"),
                        ("TRAC2: autocumulant, order 2", "TRAC2"),
                        ("TRAC3: autocumulant, order 3", "TRAC3"),
                        ("TRAC4: autocumulant, order 4", "TRAC4"),
                        ("VAR: variance", "VAR"),
                        ("STD: standard deviation", "STD"),
                    ],
                },
                "frames_per_timepoint": {"label": "Frames per time point (0: all)"},
            },
            advanced=(
                "axes",
                "border",
                "intensity_weighting",
                "positivity",
                "renormalise",
                "gradient_smoothing",
                "weight",
                "integrate_lag_times",
            ),
            colormap="magma",
            preview=Previewed(
                task="srrf",
                margin=lambda chosen: ceil(chosen["ring_radius"]) + 6,
                least_frames=lambda chosen: LEAST_FRAMES.get(chosen["temporal"], 1),
                fixed={"frames_per_timepoint": 0, "border": 0},
            ),
        )
        super().__init__(napari_viewer, step)


class Esrrf3dStep(StepWidget):
    """Reconstruct a super-resolved volume from a movie of volumes by 3-D eSRRF."""

    def __init__(self, napari_viewer: Viewer) -> None:
        step = Step(
            title="3-D eSRRF",
            function=napari_nanopyx.esrrf_3d,
            images={"image": (3, 4)},
            axes="TZYX",
            suffix=lambda chosen: (
                f"3-D eSRRF {chosen['temporal']} ×{chosen['magnification']}"
            ),
            place=_place_volume,
            options={
                "image": {"label": "Volumes"},
                "magnification_z": {"label": "Magnification along z"},
                "psf_ratio": {"label": "PSF, axial to lateral"},
                "voxel_ratio": {"label": "Voxel, axial to lateral"},
                "temporal": {"label": "Combine volumes by"},
                "frames_per_timepoint": {"label": "Volumes per time point (0: all)"},
            },
            advanced=("intensity_weighting", "macro_pixel_correction"),
            colormap="magma",
        )
        super().__init__(napari_viewer, step)


def _place_volume(source: Source, chosen: Mapping[str, Any]) -> Placement:
    lateral, axial = chosen["magnification"], chosen["magnification_z"]
    grid = Placement.magnified(source.ndim, (axial, lateral, lateral))
    if source.ndim == 3:
        return grid
    frames = min(chosen["frames_per_timepoint"] or source.shape[0], source.shape[0])
    return grid.windowed(frames, frames)


def _name_esrrf(chosen: Mapping[str, Any]) -> str:
    return f"eSRRF {chosen['temporal']} ×{chosen['magnification']}"


def _place_in_time(source: Source, chosen: Mapping[str, Any]) -> Placement:
    grid = Placement.magnified(source.ndim, chosen["magnification"])
    if source.ndim == 2:
        return grid
    frames = min(chosen["frames_per_timepoint"] or source.shape[0], source.shape[0])
    return grid.windowed(frames, chosen.get("frame_gap") or frames)
