"""Computes a result on the compute thread, for a layer or plot on the GUI thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx.widgets import provenance
from napari_nanopyx.widgets.compute import Progress
from napari_nanopyx.widgets.layers import (
    Placement,
    Source,
    flatten,
    in_layer_order,
    layer_options,
)
from napari_nanopyx.widgets.script import Call

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_nanopyx.engine import Choice, Measurement, Run

MOST_SAMPLES = 1_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result with all that its layer needs: nothing is left to compute."""

    result: Any
    """What the method returned."""
    image: NDArray[Any] | None
    """The image in it, if there is one."""
    provenance: dict[str, Any]
    limits: tuple[float, float] = (0.0, 1.0)
    """Smallest and largest value of the image."""
    contrast: tuple[float, float] = (0.0, 1.0)
    """The values between which it is shown."""

    @property
    def summary(self) -> str:
        """What a result that is more than an image says of itself."""
        return "" if isinstance(self.result, np.ndarray) else str(self.result)


def compute(
    call: Call,
    image_of: Callable[[Any], NDArray[Any]] | None,
    progress: Progress,
    cancel: Event,
) -> Outcome:
    """Make a call and describe what came of it.

    Parameters
    ----------
    call
        A method of the package, with its arguments.
    image_of
        Takes the image out of the result; None if there is none.
    progress, cancel
        Passed on to the method.
    """
    from napari_nanopyx import engine

    began = time.perf_counter()
    with engine.record() as runs, _devices_used() as devices:
        result = call(progress, cancel)
    seconds = time.perf_counter() - began
    record = provenance.describe(
        f"napari_nanopyx.{call.name}",
        call.parameters,
        call.sources,
        runs,
        devices,
        seconds,
    )
    if not isinstance(result, np.ndarray):
        record["result"] = str(result)
    if image_of is None:
        return Outcome(result, None, record)
    image = flatten(image_of(result))
    return Outcome(result, image, record, *display_range(image))


@contextmanager
def _devices_used() -> Iterator[dict[int, dict[str, str]]]:
    from napari_nanopyx import engine

    used: dict[int, dict[str, str]] = {}

    def note(run: Run, _choice: Choice, measurement: Measurement) -> None:
        used.setdefault(run.id, {})[measurement.implementation] = measurement.device

    engine.events.block_finished.connect(note)
    try:
        yield used
    finally:
        engine.events.block_finished.disconnect(note)


def display_range(
    image: NDArray[Any],
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the extremes of an image, and the range that shows it well.

    A few bright points would leave the rest dark, so the brightest thousandth is shown
    as white; what is negative, as autocorrelations can be, is shown as black.
    """
    if not image.size:
        return (0.0, 1.0), (0.0, 1.0)
    low, high = float(image.min()), float(image.max())
    if not (isfinite(low) and isfinite(high)):
        return display_range(image[np.isfinite(image)])
    if not low < high:
        return (low, low + 1), (low, low + 1)
    values = image.ravel()[:: max(1, image.size // MOST_SAMPLES)]
    dark, bright = (float(value) for value in np.percentile(values, (1, 99.9)))
    dark = max(dark, 0.0) if high > 0 else dark
    return (low, high), (dark, bright) if dark < bright else (low, high)


def add_layer(
    viewer: Viewer,
    source: Source,
    placement: Placement,
    name: str,
    colormap: str | None,
    outcome: Outcome,
) -> None:
    """Add the image of a result to the viewer, over the layer it was made from."""
    if outcome.image is None:
        raise ValueError("the outcome has no image")
    layer = viewer.add_image(
        in_layer_order(outcome.image, source),
        name=name,
        colormap=colormap or source.colormap,
        contrast_limits=outcome.limits,
        metadata={provenance.KEY: outcome.provenance},
        **layer_options(source, placement, outcome.image.ndim),
    )
    layer.contrast_limits = outcome.contrast


def add_new_layer(
    viewer: Viewer, axes: str, name: str, colormap: str | None, outcome: Outcome
) -> None:
    """Add an image that was made from no layer, such as a simulated one."""
    if outcome.image is None:
        raise ValueError("the outcome has no image")
    viewer.add_image(
        outcome.image,
        name=name,
        colormap=colormap or "gray",
        contrast_limits=outcome.limits,
        axis_labels=tuple(axes[-outcome.image.ndim :]),
        metadata={provenance.KEY: outcome.provenance},
    ).contrast_limits = outcome.contrast
