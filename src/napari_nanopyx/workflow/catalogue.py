"""Which public functions can be steps of a workflow, and how they fit together."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

import napari_nanopyx as nx
from napari_nanopyx._parameters import parameters
from napari_nanopyx.workflow.grid import Grid

Wanted = Literal["movie", "image", "channels", "volumes", "drift", "registration"]
"""What an input must be."""
Result = Literal["frames", "images", "drift", "registration", "measurement"]
"""What a step makes: as many frames as its movie has, images of time points, …"""

AXES: Mapping[str, str] = {
    "movie": "TYX",
    "image": "YX",
    "channels": "CYX",
    "volumes": "TZYX",
}
"""The axes that a function takes at once; over others it is called again and again."""

TABLES = ("drift", "registration")
"""Results that are neither images nor numbers, and have files of their own."""

NEVER = frozenset({"progress", "cancel", "out"})
"""Arguments that no file can give."""

Numbers = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """What a workflow must know of a function that its signature does not say."""

    function: Callable[..., Any]
    inputs: Mapping[str, Wanted]
    result: Result
    grid: Callable[[Mapping[str, Any], int], Grid] = lambda _chosen, _frames: Grid()
    """Parameters and frames → where the result lies on the input."""
    alone: Callable[[Mapping[str, Any]], bool] = lambda _: True
    """Parameters → whether each frame is made of one frame, so that a movie can be
    computed a few frames at a time."""
    image: Callable[[Any], Any] | None = None
    """Result → the image in a measurement, if there is one."""
    over: Callable[[Mapping[str, Any]], str | None] = lambda _: None
    """Parameters → the input that the image lies over; None for the first."""
    numbers: Callable[[Any], Numbers] = lambda _: {}
    """Result → what the summary says of it."""
    loaded: Mapping[str, Any] = field(default_factory=dict)
    """Inputs that may be files, with the class that can `load` them."""

    @property
    def name(self) -> str:
        """The public name of the function."""
        return self.function.__name__

    @property
    def hints(self) -> dict[str, Any]:
        """Return the type hint of each argument that a file can give."""
        return {
            parameter.name: hint
            for parameter, hint in parameters(self.function)
            if parameter.name not in NEVER | self.inputs.keys()
        }

    @property
    def defaults(self) -> dict[str, Any]:
        """Return the value of each such argument, if it need not be given."""
        listed = inspect.signature(self.function).parameters
        return {
            name: listed[name].default
            for name in self.hints
            if listed[name].default is not inspect.Parameter.empty
        }

    @property
    def optional(self) -> frozenset[str]:
        """The inputs that need not be given."""
        listed = inspect.signature(self.function).parameters
        empty = inspect.Parameter.empty
        return frozenset(n for n in self.inputs if listed[n].default is not empty)


def _time(grid: Grid, chosen: Mapping[str, Any], frames: int) -> Grid:
    window = min(chosen.get("frames_per_timepoint") or frames, frames)
    return grid.windowed(window, chosen.get("frame_gap") or window)


def _reconstructed(chosen: Mapping[str, Any], frames: int) -> Grid:
    factor = chosen["magnification"]
    return _time(Grid.magnified(Y=factor, X=factor), chosen, frames)


def _volume(chosen: Mapping[str, Any], frames: int) -> Grid:
    factor, axial = chosen["magnification"], chosen["magnification_z"]
    return _time(Grid.magnified(Z=axial, Y=factor, X=factor), chosen, frames)


def _magnified(chosen: Mapping[str, Any], _frames: int) -> Grid:
    rows, columns = np.broadcast_to(chosen["factor"], 2)
    return Grid.magnified(Y=float(rows), X=float(columns))


def _drift_numbers(table: Any) -> Numbers:
    lengths = np.sqrt((table.shifts**2).sum(axis=1))
    return {"max drift (px)": float(lengths.max()), "flagged": int(table.flagged.sum())}


def _registration_numbers(registration: Any) -> Numbers:
    lengths = np.hypot(registration.shifts[:, 0], registration.shifts[:, 1])
    failed = sum(bool(each.reason) for each in registration.channels)
    return {"max shift (px)": float(lengths.max()), "unregistered": failed}


def _resolution_numbers(result: Any) -> Numbers:
    known = math.isfinite(result.resolution)
    return {
        "resolution": float(result.resolution) if known else None,
        "unit": result.units,
    }


def _map_numbers(result: Any) -> Numbers:
    found = result.resolution[np.isfinite(result.resolution)]
    return {
        "median resolution": float(np.median(found)) if found.size else None,
        "unit": result.units,
    }


def _error_numbers(result: Any) -> Numbers:
    return {"RSP": float(result.rsp), "RSE": float(result.rse)}


def _sweep_numbers(result: Any) -> Numbers:
    radius, sensitivity = (
        (None, None)
        if result.best is None
        else (result.best.radius, result.best.sensitivity)
    )
    return {"best radius (px)": radius, "best sensitivity": sensitivity}


_DRIFT = {"drift": nx.DriftTable}
_LISTED = (
    Kind(
        nx.estimate_channel_shifts,
        {"image": "channels"},
        "registration",
        numbers=_registration_numbers,
    ),
    Kind(
        nx.register_channels,
        {"image": "channels", "registration": "registration"},
        "frames",
        loaded={"registration": nx.ChannelRegistration},
    ),
    Kind(nx.estimate_drift, {"image": "movie"}, "drift", numbers=_drift_numbers),
    Kind(
        nx.correct_drift,
        {"image": "movie", "table": "drift"},
        "frames",
        loaded={"table": nx.DriftTable},
    ),
    Kind(
        nx.denoise_nlm,
        {"image": "movie"},
        "frames",
        alone=lambda chosen: chosen["frame_distance"] == 0,
    ),
    Kind(nx.convolve, {"image": "movie"}, "frames"),
    Kind(nx.transform, {"image": "movie"}, "frames"),
    Kind(nx.magnify, {"image": "movie"}, "frames", grid=_magnified),
    Kind(
        nx.esrrf,
        {"image": "movie", "drift": "drift"},
        "images",
        grid=_reconstructed,
        loaded=_DRIFT,
    ),
    Kind(
        nx.srrf,
        {"image": "movie", "drift": "drift"},
        "images",
        grid=_reconstructed,
        loaded=_DRIFT,
    ),
    Kind(nx.esrrf_3d, {"image": "volumes"}, "images", grid=_volume),
    Kind(nx.sweep_esrrf, {"image": "movie"}, "measurement", numbers=_sweep_numbers),
    Kind(
        nx.frc,
        {"image_a": "image", "image_b": "image"},
        "measurement",
        numbers=_resolution_numbers,
    ),
    Kind(
        nx.decorrelation,
        {"image": "image"},
        "measurement",
        numbers=_resolution_numbers,
    ),
    Kind(
        nx.frc_map,
        {"image_a": "image", "image_b": "image"},
        "measurement",
        image=lambda result: result.image(),
        numbers=_map_numbers,
    ),
    Kind(
        nx.decorrelation_map,
        {"image": "image"},
        "measurement",
        image=lambda result: result.image(),
        numbers=_map_numbers,
    ),
    Kind(
        nx.error_map,
        {"reference": "image", "super_resolved": "image"},
        "measurement",
        image=lambda result: result.map,
        over=lambda chosen: (
            "reference" if chosen["space"] == "reference" else "super_resolved"
        ),
        numbers=_error_numbers,
    ),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _LISTED}
"""Every function that can be a step, by its public name, in the order of a chain."""
