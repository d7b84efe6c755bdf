"""An image of the same scene: larger, moved, or cleaner."""

from __future__ import annotations

import napari_nanopyx
from napari_nanopyx.widgets.layers import Placement, same_place
from napari_nanopyx.widgets.preview.request import Previewed
from napari_nanopyx.widgets.step_declaration import Step

FILL = {
    "label": "Value outside",
    "annotation": float,
    "value": 0.0,
    "min": -1e6,
    "max": 1e6,
}
"""The field for what is put where there is no image."""


_AUTOMATIC = {"annotation": float, "value": 0.0, "min": 0.0, "max": 1e6}
DENOISE = Step(
    title="Denoise",
    function=napari_nanopyx.denoise_nlm,
    images={"image": (2, 3)},
    suffix=lambda _: "denoised",
    place=same_place,
    options={
        "patch_size": {"label": "Patch size (pixels)", "min": 2, "max": 51},
        "patch_distance": {
            "label": "Search distance (pixels)",
            "min": 1,
            "max": 50,
        },
        "frame_distance": {
            "label": "Search distance (frames)",
            "min": 0,
            "max": 10,
        },
        "h": _AUTOMATIC | {"label": "Strength h (0: from the noise)"},
        "sigma": _AUTOMATIC | {"label": "Noise (0: estimated)"},
    },
    automatic={"h": 0.0, "sigma": 0.0},
    preview=Previewed(
        task="nlm",
        margin=lambda chosen: chosen["patch_distance"] + chosen["patch_size"] // 2 + 1,
        most_frames=1,
    ),
)


MAGNIFY = Step(
    title="Magnify",
    function=napari_nanopyx.magnify,
    images={"image": (2, 3)},
    suffix=lambda chosen: f"magnified ×{chosen['factor']:g}",
    place=lambda source, chosen: Placement.magnified(source.ndim, chosen["factor"]),
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
    preview=Previewed(
        task="magnify",
        margin=lambda chosen: 12 if chosen["kernel"] == "fourier" else 5,
        most_frames=1,
    ),
)


TRANSFORM = Step(
    title="Transform",
    function=napari_nanopyx.transform,
    images={"image": (2, 3)},
    suffix=lambda _: "transformed",
    place=same_place,
    options={
        "shift": {
            "label": "Shift (row, column)",
            "annotation": tuple[float, float],
            "options": {"min": -10_000.0, "max": 10_000.0, "step": 0.1},
        },
        "scale": {
            "label": "Scale (row, column)",
            "annotation": tuple[float, float],
            "options": {"min": 0.01, "max": 100.0, "step": 0.01},
        },
        "angle": {"label": "Angle (radians)"},
        "fill": FILL,
    },
    advanced=("fill",),
)
