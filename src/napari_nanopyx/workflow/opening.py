"""Finds out which axis of an image is time, channel or plane, for a workflow."""

from __future__ import annotations

from typing import Any

from napari_nanopyx.workflow.catalogue import AXES, KINDS
from napari_nanopyx.workflow.grid import ORDER
from napari_nanopyx.workflow.model import Reference, Workflow, channel_number
from napari_nanopyx.workflow.view import View

NAMES = {"C": "channels", "Z": "planes"}


def wanted_axes(workflow: Workflow) -> str:
    """Return the axes that the steps of a workflow speak of."""
    letters = set("TYX")
    for step in workflow.steps:
        kind = KINDS[step.function]
        for name, text in step.inputs.items():
            letters |= set(AXES.get(kind.inputs[name], ""))
            parts = Reference.parse(text).parts
            if any(channel_number(part) is not None for part in parts):
                letters.add("C")
    return "".join(axis for axis in ORDER if axis in letters)


def as_view(data: Any, axes: str, wanted: str) -> View:
    """Return an image with the axes that a workflow wants.

    Axes of length 1 are dropped. If the image has one axis under another letter than
    the one that is wanted, it is taken for that: many programs write movies as Z
    stacks. Channels or planes that no step speaks of stay: each is treated alike.

    Parameters
    ----------
    data
        Anything with ``shape``, ``dtype`` and slicing.
    axes
        A letter for each axis, as the file says; rows and columns last.
    wanted
        From `wanted_axes`.
    """
    shape = tuple(int(length) for length in data.shape)
    if not axes.endswith("YX") or len(axes) != len(shape) or 0 in shape:
        raise ValueError(
            f"the image has the axes {axes} and the shape {shape}, but a workflow "
            "takes grey images, rows and columns last: convert colour images first"
        )
    lengths = dict(zip(axes, shape, strict=True))
    others = [axis for axis in axes[:-2] if lengths[axis] > 1 or axis in wanted]
    strange = [axis for axis in others if axis not in wanted]
    missing = [axis for axis in wanted[:-2] if axis not in others]
    renamed = {}
    if strange and missing and len(strange) == len(missing) == 1:
        renamed = {strange[0]: missing[0]}
    left = [axis for axis in missing if axis not in renamed.values() and axis != "T"]
    if left:
        raise ValueError(
            f"the image has no {NAMES[left[0]]} (axes {axes}, shape {shape}), but a "
            "step of the workflow needs them"
        )
    unknown = [a for a in others if renamed.get(a, a) not in ORDER]
    if unknown:
        raise ValueError(
            f"the image has the axes {axes} and the shape {shape}: nobody knows what "
            f"{unknown[0]} is; choose a part of the file"
        )
    spare = iter(axis for axis in ORDER if axis not in {*axes, *renamed.values()})
    letters = "".join(
        renamed.get(a, a) if a in ORDER or a in renamed else next(spare) for a in axes
    )
    view = View(data, letters)
    for axis, letter in zip(axes, letters, strict=True):
        if axis not in others and axis not in "YX":
            view = view.pick(letter, 0)
    return view
