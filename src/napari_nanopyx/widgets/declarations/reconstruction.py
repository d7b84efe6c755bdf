"""Super-resolved images."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

import napari_nanopyx
from napari_nanopyx._kernels import totals
from napari_nanopyx._kernels.srrf import merging
from napari_nanopyx.widgets.layers import Placement, Source
from napari_nanopyx.widgets.preview.request import Previewed
from napari_nanopyx.widgets.step_declaration import Step

FLUCTUATIONS = {
    "AVG": "mean",
    "VAR": "variance",
    "STD": "standard deviation",
    "TAC2": "autocorrelation",
}
RADIALITIES = {
    "TRA": "mean",
    "TRM": "maximum",
    "TRPPM": "pairwise products",
    "TRAC2": "autocumulant, order 2",
    "TRAC3": "autocumulant, order 3",
    "TRAC4": "autocumulant, order 4",
    "VAR": "variance",
    "STD": "standard deviation",
}
"""The ways to combine frames, in words."""


def _in_time(
    image: str, frames: str, temporal: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Return the fields that all reconstructions of a movie have."""
    choices = [(f"{name}: {words}", name) for name, words in temporal.items()]
    return {
        "image": {"label": image},
        "temporal": {"label": f"Combine {frames} by", "choices": choices},
        "frames_per_timepoint": {
            "label": f"{frames.capitalize()} per time point (0: all)"
        },
    }


def _planes_around(chosen: Mapping[str, Any]) -> int:
    planes: float = chosen["radius"] * chosen["psf_ratio"] / chosen["voxel_ratio"]
    return ceil(planes) + 3


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


ESRRF = Step(
    title="eSRRF",
    function=napari_nanopyx.esrrf,
    images={"image": (2, 3)},
    suffix=_name_esrrf,
    place=_place_in_time,
    options=_in_time("Movie", "frames", FLUCTUATIONS)
    | {
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
            ceil(chosen["radius"]) + (12 if chosen["interpolation"] == "fourier" else 5)
        ),
        least_frames=lambda chosen: totals.LEAST_FRAMES[chosen["temporal"]],
        fixed={"frames_per_timepoint": 0, "frame_gap": 0},
    ),
)


SRRF = Step(
    title="SRRF",
    function=napari_nanopyx.srrf,
    images={"image": (2, 3)},
    suffix=lambda chosen: f"SRRF {chosen['temporal']} ×{chosen['magnification']}",
    place=_place_in_time,
    options=_in_time("Movie", "frames", RADIALITIES),
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
        least_frames=lambda chosen: merging.LEAST_FRAMES.get(chosen["temporal"], 1),
        fixed={"frames_per_timepoint": 0, "border": 0},
    ),
)


ESRRF_3D = Step(
    title="3-D eSRRF",
    function=napari_nanopyx.esrrf_3d,
    images={"image": (3, 4)},
    axes="TZYX",
    suffix=lambda chosen: f"3-D eSRRF {chosen['temporal']} ×{chosen['magnification']}",
    place=_place_volume,
    options=_in_time("Volumes", "volumes", FLUCTUATIONS)
    | {
        "magnification_z": {"label": "Magnification along z"},
        "psf_ratio": {"label": "PSF, axial to lateral"},
        "voxel_ratio": {"label": "Voxel, axial to lateral"},
    },
    advanced=("intensity_weighting", "macro_pixel_correction"),
    colormap="magma",
    preview=Previewed(
        task="esrrf_3d",
        margin=lambda chosen: ceil(chosen["radius"]) + 5,
        planes=_planes_around,
        most_pixels=128 * 128,  # of which as many planes are computed as are around
        least_frames=lambda chosen: totals.LEAST_FRAMES[chosen["temporal"]],
        fixed={"frames_per_timepoint": 0},
    ),
)
