"""How images have moved, and moving them back."""

from __future__ import annotations

from typing import Any

import napari_nanopyx
from napari_nanopyx.widgets.declarations.images import FILL
from napari_nanopyx.widgets.declarations.measurements import pixel_size
from napari_nanopyx.widgets.layers import Source, same_place
from napari_nanopyx.widgets.step_declaration import Step


def _file(label: str, kinds: str) -> dict[str, Any]:
    """Return the options of a field for a file to read."""
    return {
        "label": label,
        "widget_type": "FileEdit",
        "value": None,
        "mode": "r",
        "filter": kinds,
        "nullable": True,
    }


def _pixel_size_and_interval(source: Source) -> dict[str, Any]:
    """Return what a layer tells of its pixels, and of its frames if that is a time."""
    time = source.axes.taken[0]
    scale, unit = source.scale[time], source.units[time]
    if not unit.is_compatible_with("second"):
        return pixel_size(source)
    seconds = (float(scale) * unit).to("second").magnitude
    return pixel_size(source) | {"frame_interval": float(seconds)}


ESTIMATE_DRIFT = Step(
    title="Drift",
    function=napari_nanopyx.estimate_drift,
    images={"image": (3,)},
    options={
        "image": {"label": "Movie"},
        "reference": {"label": "Compare with"},
        "time_averaging": {
            "label": "Frames to average",
            "min": 1,
            "max": 100_000,
        },
        "max_drift": {
            "label": "Largest drift in pixels (0: any)",
            "annotation": float,
            "value": 0.0,
            "min": 0.0,
            "max": 10_000.0,
        },
        "method": {
            "label": "Method",
            "choices": [
                ("each frame with the reference", "ccm"),
                ("all frames with each other", "rcc"),
            ],
        },
        "max_lag": {"min": 0, "max": 1_000_000},
        "background": {"min": 0.0, "max": 1000.0},
    },
    automatic={"max_drift": 0.0},
    advanced=("max_lag", "background", "window"),
    hidden=(
        *("roi", "channel_index", "projections"),
        *("pixel_size", "units", "frame_interval"),
    ),
    derived=_pixel_size_and_interval,
)


CORRECT_DRIFT = Step(
    title="Correct drift",
    function=napari_nanopyx.correct_drift,
    images={"image": (3,)},
    suffix=lambda _: "drift corrected",
    place=same_place,
    options={
        "image": {"label": "Movie"},
        "table": _file("Drift table", "Tables (*.csv *.txt)"),
        "fill": FILL,
    },
    loaded={"table": napari_nanopyx.DriftTable},
    hidden=("out",),
)


ESTIMATE_CHANNELS = Step(
    title="Channel registration",
    function=napari_nanopyx.estimate_channel_shifts,
    images={"image": (3,)},
    axes="CYX",
    options={
        "image": {"label": "Channels"},
        "reference": {
            "label": "Channel to register to",
            "min": 0,
            "max": 1000,
        },
        "max_shift": {"label": "Largest shift in pixels", "value": 10},
        "blocks_per_axis": {"label": "Blocks along an axis"},
        "min_similarity": {"label": "Least similarity"},
        "blur": {"label": "Blur first (pixels)"},
    },
    advanced=("min_similarity", "blur"),
    hidden=("pixel_size", "units"),
    derived=pixel_size,
)


REGISTER_CHANNELS = Step(
    title="Register channels",
    function=napari_nanopyx.register_channels,
    images={"image": (3,)},
    axes="CYX",
    suffix=lambda _: "registered",
    place=same_place,
    options={
        "image": {"label": "Channels"},
        "registration": _file("Registration", "Registrations (*.tif *.tiff)"),
        "fill": FILL,
    },
    loaded={"registration": napari_nanopyx.ChannelRegistration},
)
