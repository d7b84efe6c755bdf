"""What a workflow panel computes on the compute thread, and the layers of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx import ChannelRegistration, DriftTable
from napari_nanopyx.io import ImageMetadata
from napari_nanopyx.widgets.compute import Progress
from napari_nanopyx.widgets.layers import Source
from napari_nanopyx.widgets.outcome import display_range
from napari_nanopyx.widgets.provenance import KEY, fingerprint
from napari_nanopyx.widgets.table_files import drift_layer, registration_layer
from napari_nanopyx.workflow import Moment, Outcome, Row, Workflow, run, run_files
from napari_nanopyx.workflow.grid import Grid
from napari_nanopyx.workflow.opening import wanted_axes
from napari_nanopyx.workflow.running import usual_axes

if TYPE_CHECKING:
    from napari.viewer import Viewer


@dataclass
class State:
    """How far a run has come: written by the compute thread, read by the window."""

    moment: Moment | None = None
    rows: list[Row] = field(default_factory=list)
    """Of movies that are over."""
    outcomes: list[Outcome] = field(default_factory=list)
    """Of steps that are done, if the run is on a layer."""

    def note(self, moment: Moment) -> None:
        """Take the present moment."""
        self.moment = moment


@dataclass(frozen=True)
class Added:
    """A layer to be added, with nothing left to compute."""

    data: NDArray[Any]
    options: dict[str, Any]
    kind: str = "image"
    contrast: tuple[float, float] | None = None


def letters(source: Source, workflow: Workflow) -> str:
    """Return a letter for each axis of a layer, from its labels if they say."""
    found = "".join(str(label)[:1].upper() for label in source.axis_labels)
    known = len(set(found)) == len(found) and set(found) <= set("TCZYX")
    if known and found.endswith("YX"):
        return found
    return usual_axes(wanted_axes(workflow), source.ndim)


def calibration(source: Source, axes: str) -> ImageMetadata:
    """Return what a layer says about pixels and frames."""
    scale = dict(zip(axes, source.scale.tolist(), strict=True))
    units = dict(zip(axes, source.units, strict=True))
    unit = f"{units['X']:~P}"
    same = str(units["X"]) == str(units["Y"]) and unit not in ("px", "pixel")
    seconds = None
    if "T" in axes and units["T"].dimensionality == {"[time]": 1}:
        seconds = float((scale["T"] * units["T"]).to("second").magnitude)
    depth = scale.get("Z") if same and str(units.get("Z")) == str(units["X"]) else None
    return ImageMetadata(
        axes,
        (scale["Y"], scale["X"]) if same else None,
        unit if same else "pixel",
        seconds,
        depth=depth,
    )


def on_layer(
    workflow: Workflow,
    source: Source,
    state: State,
    progress: Progress,
    cancel: Event,
) -> list[Added]:
    """Run a workflow on a layer, and return the layers of its results."""
    axes = letters(source, workflow)
    run(
        workflow,
        source.data,
        axes=axes,
        metadata=calibration(source, axes),
        name=source.name,
        outcomes=state.outcomes,
        report=state.note,
        progress=progress,
        cancel=cancel,
    )
    return layers_of(state.outcomes, source, axes, workflow)


def on_files(
    workflow: Workflow,
    files: Sequence[Path],
    output: Path,
    replace_results: bool,
    state: State,
    progress: Progress,
    cancel: Event,
) -> Any:
    """Run a workflow on files, and return the summary."""

    def note(moment: Moment) -> None:
        state.note(moment)
        progress(round(1000 * moment.share), 1000)

    return run_files(
        workflow,
        files,
        output,
        replace_results=replace_results,
        report=note,
        finished=state.rows.append,
        cancel=cancel,
    )


def layers_of(
    outcomes: Sequence[Outcome], source: Source, axes: str, workflow: Workflow
) -> list[Added]:
    """Return a layer for each image and table that is to be kept."""
    record = {
        "workflow": workflow.text,
        "inputs": {
            "movie": {
                "layer": source.name,
                "path": source.path,
                "axes": axes,
                "fingerprint": fingerprint(source.data),
            }
        },
    }
    made = [
        _layer(outcome, source, axes, record)
        if outcome.images is not None
        else _table(outcome, source, axes, record)
        for outcome in outcomes
        if outcome.step.save
    ]
    return [each for each in made if each is not None]


def _table(
    outcome: Outcome, source: Source, axes: str, record: dict[str, Any]
) -> Added | None:
    """Return the track of a drift, or the arrows of a registration."""
    name = f"{source.name} {outcome.step.name}"
    if isinstance(outcome.result, DriftTable):
        data, options, kind = drift_layer(outcome.result, name)
        own = "TYX" if outcome.result.shifts.shape[1] == 2 else "TZYX"
    elif isinstance(outcome.result, ChannelRegistration):
        data, options, kind = registration_layer(outcome.result, name)
        own = "CYX"
    else:
        return None
    options["metadata"][KEY] = _record(outcome, record)
    if own == axes:
        options |= place(source, axes, own, Grid())
    return Added(data, options, kind)


def _layer(
    outcome: Outcome, source: Source, axes: str, record: dict[str, Any]
) -> Added:
    images = outcome.images
    if images is None:
        raise ValueError("the outcome has no image")
    pixels = images.view[...]
    own = images.view.axes
    kept = _kept(own, axes)
    # Back to the order of the layer's axes, with one pixel where an axis is gone.
    turned = pixels.transpose([own.index(axis) for axis in axes if axis in own])
    index = tuple(slice(None) if axis in own else np.newaxis for axis in kept)
    image = turned[index]
    limits, contrast = display_range(image)
    name = f"{source.name} {outcome.step.name}"
    options = {
        "name": name,
        "colormap": "magma" if outcome.step.function in _MAGMA else source.colormap,
        "contrast_limits": limits,
        "metadata": {KEY: _record(outcome, record)},
        **place(source, axes, kept, images.grid),
    }
    return Added(image, options, contrast=contrast)


def _record(outcome: Outcome, record: dict[str, Any]) -> dict[str, Any]:
    """Return how a result was made: words, numbers, lists and dictionaries only."""
    whole = {
        **outcome.provenance,
        **record,
        "inputs": {**record["inputs"], "step": outcome.provenance["inputs"]},
        "seconds": round(outcome.seconds, 6),
        "frames_by_implementation": dict(outcome.implementations),
    }
    if outcome.result is not None:
        whole["result"] = str(outcome.result)
    return whole


_MAGMA = ("esrrf", "srrf", "esrrf_3d", "error_map", "frc_map", "decorrelation_map")


def _kept(own: str, axes: str) -> str:
    """Return the axes of a result's layer: from its first one on, as napari aligns."""
    first = min(axes.index(axis) for axis in own)
    return axes[first:]


def place(source: Source, axes: str, kept: str, grid: Grid) -> dict[str, Any]:
    """Return what `add_image` must be told so that a result lies over its layer.

    Parameters
    ----------
    source
        The layer.
    axes
        A letter for each of its axes.
    kept
        The last ones of them, which the result has.
    grid
        Where the result lies on the layer's pixels.
    """
    step = np.array([grid.step.get(axis, 1.0) for axis in axes])
    offset = np.array([grid.offset.get(axis, 0.0) for axis in axes])
    linear = source.rotate @ source.shear @ np.diag(source.scale)
    translate = source.translate + linear @ offset
    part = slice(len(axes) - len(kept), None)
    affine = np.eye(len(kept) + 1)
    affine[:-1, :-1] = source.affine[:-1, :-1][part, part]
    affine[:-1, -1] = source.affine[:-1, -1][part]
    return {
        "scale": (source.scale * step)[part],
        "translate": translate[part],
        "rotate": source.rotate[part, part],
        "shear": source.shear[part, part],
        "affine": affine,
        "units": source.units[part],
        "axis_labels": source.axis_labels[part],
    }


def add(viewer: Viewer, layers: Sequence[Added]) -> None:
    """Add layers to the viewer."""
    for each in layers:
        layer = getattr(viewer, f"add_{each.kind}")(each.data, **each.options)
        if each.contrast is not None:
            layer.contrast_limits = each.contrast
