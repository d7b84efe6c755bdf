"""What says how good an image is."""

from __future__ import annotations

from typing import Any

import napari_nanopyx
from napari_nanopyx.widgets.layers import Source, same_place
from napari_nanopyx.widgets.step_declaration import Step

_FRC_OPTIONS: dict[str, dict[str, Any]] = {
    "image_a": {"label": "First image"},
    "image_b": {
        "label": "Second image",
        "absent": "none: compare the first with itself",
    },
    "threshold": {"choices": ["1/7", "half-bit", "one-bit", "2-sigma", "3-sigma"]},
}
_SHARE = {"min": 0.0, "max": 1.0, "step": 0.05}
_CURVE_OPTIONS: dict[str, dict[str, Any]] = {
    "rmin": {"label": "Lowest frequency (of Nyquist)"} | _SHARE,
    "rmax": {"label": "Highest frequency (of Nyquist)"} | _SHARE,
    "n_r": {"label": "Points of a curve", "min": 10, "max": 100},
    "n_g": {"label": "High-pass filters", "min": 5, "max": 40},
}


def pixel_size(source: Source) -> dict[str, Any]:
    """Return the pixel size and unit of a layer; nothing if pixels are not square."""
    height, width = source.scale[-2:]
    if height != width or source.units[-1] != source.units[-2]:
        return {}
    return {"pixel_size": float(width), "units": f"{source.units[-1]:~P}"}


FRC = Step(
    title="FRC",
    function=napari_nanopyx.frc,
    images={"image_a": (2,), "image_b": (2,)},
    options=_FRC_OPTIONS,
    hidden=("pixel_size", "units"),
    derived=pixel_size,
)


FRC_MAP = Step(
    title="FRC map",
    function=napari_nanopyx.frc_map,
    images={"image_a": (2,), "image_b": (2,)},
    suffix=lambda _: "FRC map",
    place=same_place,
    image=lambda result: result.image(),
    options=_FRC_OPTIONS
    | {"blocks": {"label": "Blocks along each axis", "min": 1, "max": 100}},
    hidden=("pixel_size", "units"),
    derived=pixel_size,
    colormap="viridis",
)


DECORRELATION = Step(
    title="Decorrelation",
    function=napari_nanopyx.decorrelation,
    images={"image": (2,)},
    options=_CURVE_OPTIONS | {"sectors": {"min": 1, "max": 64}},
    advanced=("rmin", "rmax", "n_r", "n_g", "sectors"),
    hidden=("pixel_size", "units", "roi"),
    derived=pixel_size,
)


DECORRELATION_MAP = Step(
    title="Decorrelation map",
    function=napari_nanopyx.decorrelation_map,
    images={"image": (2,)},
    suffix=lambda _: "decorrelation map",
    place=same_place,
    image=lambda result: result.image(),
    options=_CURVE_OPTIONS
    | {"tile": {"label": "Pixels of a tile's side", "min": 64, "max": 10_000}},
    advanced=("rmin", "rmax", "n_r", "n_g"),
    hidden=("pixel_size", "units"),
    derived=pixel_size,
    colormap="viridis",
)


ERROR_MAP = Step(
    title="Error map",
    function=napari_nanopyx.error_map,
    images={"reference": (2,), "super_resolved": (2,)},
    suffix=lambda _: "error map",
    place=same_place,
    image=lambda result: result.map,
    over=lambda chosen: "super_resolved" if chosen["space"] == "sr" else "reference",
    options={
        "reference": {"label": "Diffraction-limited image"},
        "super_resolved": {"label": "Super-resolved image"},
        "sigma": {
            "label": "Blur in reference pixels (0: fitted)",
            "annotation": float,
            "value": 0.0,
            "min": 0.0,
            "max": 10.0,
            "step": 0.1,
        },
        "space": {
            "label": "Compare on the grid of",
            "choices": [
                ("the super-resolved image", "sr"),
                ("the reference", "reference"),
            ],
        },
        "crop_border": {"min": 0, "max": 1000},
    },
    automatic={"sigma": 0.0},
    advanced=("sigma", "crop_border"),
    colormap="magma",
)


SWEEP = Step(
    title="eSRRF parameter sweep",
    function=napari_nanopyx.sweep_esrrf,
    images={"image": (3,)},
    options={
        "image": {"label": "Movie"},
        "radii": {"annotation": list[float], "value": [1.0, 1.5, 2.0, 2.5]},
        "sensitivities": {"annotation": list[float], "value": [1.0, 2.0, 3.0]},
        "magnification": {"min": 1, "max": 10},
        "crop_border": {"min": 0, "max": 1000},
        "temporal": {"label": "Combine frames by"},
        "resolution": {"label": "Resolution by"},
        "n_frames": {
            "label": "Frames of a chunk (0: all)",
            "annotation": int,
            "value": 0,
            "min": 0,
            "max": 1_000_000,
        },
    },
    automatic={"n_frames": 0},
    advanced=("intensity_weighting", "macro_pixel_correction", "crop_border"),
    hidden=("sigma", "resolution_range"),
)
