"""What a form must know of the parameters of a workflow's steps."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from napari_nanopyx.workflow.catalogue import Kind

MOST = 1_000_000
NOT_SHOWN = frozenset(
    {"implementation", "pixel_size", "units", "frame_interval", "roi"}
)
"""What the engine or the image knows better, or no field can give."""

_ESSENTIAL = frozenset(
    {
        *("magnification", "magnification_z", "radius", "sensitivity", "temporal"),
        *("ring_radius", "frames_per_timepoint", "psf_ratio", "voxel_ratio"),
        *("factor", "kernel", "shift", "scale", "angle", "radii", "sensitivities"),
        *("reference", "max_shift", "blocks_per_axis", "model", "time_averaging"),
        *("max_drift", "method", "threshold", "space", "patch_size", "sigma", "mode"),
        *("patch_distance", "resolution"),
    }
)
"""Parameters that are not folded away."""

_PARTICULAR: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("convolve", "kernel"): {
        "widget_type": "LiteralEvalLineEdit",
        "value": [[0.0, 0.125, 0.0], [0.125, 0.5, 0.125], [0.0, 0.125, 0.0]],
    },
    ("magnify", "factor"): {
        "annotation": float,
        "value": 2.0,
        "min": 0.1,
        "max": 20.0,
        "step": 0.5,
    },
    ("frc", "threshold"): {
        "choices": ["1/7", "half-bit", "one-bit", "2-sigma", "3-sigma"]
    },
    ("sweep_esrrf", "radii"): {
        "annotation": list[float],
        "value": [1.0, 1.5, 2.0, 2.5],
    },
    ("sweep_esrrf", "sensitivities"): {
        "annotation": list[float],
        "value": [1.0, 2.0, 3.0],
    },
    ("correct_drift", "fill"): {"annotation": float, "value": 0.0, "min": -MOST},
    ("estimate_channel_shifts", "max_shift"): {"value": 10},
}


@dataclass
class Fields:
    """The options of a form's fields, for one function."""

    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    automatic: dict[str, Any] = field(default_factory=dict)
    """The value of a field that stands for None."""
    hidden: list[str] = field(default_factory=list)
    advanced: list[str] = field(default_factory=list)


def fields_of(kind: Kind) -> Fields:
    """Return the options of the fields for a function's parameters."""
    made = Fields(hidden=[*kind.inputs, "out"])
    for name, hint in kind.hints.items():
        if name in NOT_SHOWN:
            made.hidden.append(name)
            continue
        if name not in _ESSENTIAL:
            made.advanced.append(name)
        particular = _PARTICULAR.get((kind.name, name))
        if particular is not None:
            made.options[name] = dict(particular)
        else:
            _add(made, name, hint, kind.defaults.get(name))
    return made


def required(kind: Kind) -> dict[str, Any]:
    """Return a first value for each parameter that has no default."""
    options = fields_of(kind).options
    return {
        name: options[name]["value"] for name in kind.hints if name not in kind.defaults
    }


def _add(made: Fields, name: str, hint: Any, default: Any) -> None:
    """Add what the hint of a parameter leaves open."""
    origin, options = get_origin(hint), get_args(hint)
    optional = origin in (Union, types.UnionType) and types.NoneType in options
    plain = [each for each in options if each is not types.NoneType]
    if optional and plain == [bool]:
        choices = [("automatic", None), ("on", True), ("off", False)]
        made.options[name] = {"choices": choices}
    elif optional and plain and plain[0] in (int, float):
        label = name.replace("_", " ").capitalize()
        made.options[name] = {
            "label": f"{label} (0: automatic)",
            "annotation": plain[0],
            "value": plain[0](0),
            "min": 0,
            "max": MOST,
        }
        made.automatic[name] = plain[0](0)
    elif hint in (int, float):
        made.options[name] = {"min": 0 if hint is int else -MOST, "max": MOST}
    elif hint in (bool, str) or origin in (Annotated, Literal):
        return
    elif isinstance(default, tuple):
        made.options[name] = {
            "annotation": tuple[float, float],
            "value": default,
            "options": {"min": -MOST, "max": MOST, "step": 0.1},
        }
    else:
        made.hidden.append(name)
