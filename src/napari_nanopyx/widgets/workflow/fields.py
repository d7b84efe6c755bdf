"""What a form must know of the parameters of a workflow's steps."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from napari_nanopyx.widgets.declarations import DECLARED
from napari_nanopyx.workflow.catalogue import Kind

MOST = 1_000_000
NOT_SHOWN = frozenset(
    {"implementation", "pixel_size", "units", "frame_interval", "roi"}
)
"""What the engine or the image knows better, or no field can give."""

_ALONE: Mapping[str, Mapping[str, Any]] = {
    "convolve": {
        "kernel": {
            "widget_type": "LiteralEvalLineEdit",
            "value": [[0.0, 0.125, 0.0], [0.125, 0.5, 0.125], [0.0, 0.125, 0.0]],
        }
    }
}
"""The options of functions that are steps of workflows only, by parameter."""


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
    step = DECLARED.get(kind.name)
    options = _ALONE.get(kind.name, {}) if step is None else step.options
    automatic = {} if step is None else step.automatic
    hidden = NOT_SHOWN if step is None else NOT_SHOWN.union(step.hidden)
    for name, hint in kind.hints.items():
        if name in hidden:
            made.hidden.append(name)
            continue
        if step is not None and name in step.advanced:
            made.advanced.append(name)
        if name in automatic:
            made.automatic[name] = automatic[name]
        if name in options:
            made.options[name] = dict(options[name])
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
