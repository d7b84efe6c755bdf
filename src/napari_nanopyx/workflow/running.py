"""Runs a workflow on one movie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_nanopyx._engine.running.runner import Cancel
from napari_nanopyx.io import ImageMetadata
from napari_nanopyx.workflow.chain import Chain
from napari_nanopyx.workflow.checking import check
from napari_nanopyx.workflow.model import Workflow
from napari_nanopyx.workflow.moment import Moment, Report
from napari_nanopyx.workflow.opening import as_view, wanted_axes
from napari_nanopyx.workflow.outcome import Outcome
from napari_nanopyx.workflow.store import Memory, Store


def run(
    workflow: Workflow,
    image: Any,
    *,
    axes: str = "",
    metadata: ImageMetadata | None = None,
    name: str = "movie",
    store: Store | None = None,
    outcomes: list[Outcome] | None = None,
    report: Report | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> list[Outcome]:
    """Run a workflow on one movie.

    Parameters
    ----------
    workflow
        What to do.
    image : array_like
        NumPy, Dask, Zarr, `napari_nanopyx.io.FrameStack`, or anything with ``shape``,
        ``dtype`` and slicing.
    axes
        A letter of TCZYX for each of its axes; by default CTYX, TZYX or
        TYX, as the steps need them.
    metadata
        Pixel size, unit and time between frames.
    name
        What the movie is called.
    store
        Where results go; by default into memory.
    outcomes
        A list that each outcome is added to as soon as there is one.
    report
        Called with a `Moment` as the work goes on.
    progress
        Called with thousandths done and a thousand.
    cancel : object with ``is_set()``, optional
        Asked between blocks whether to stop.

    Returns
    -------
    list of Outcome
        One for each step.

    Raises
    ------
    WorkflowError, ValueError, TypeError
        If the workflow is wrong, or does not suit the image.
    napari_nanopyx.engine.Cancelled
        If ``cancel`` is set.
    """
    check(workflow)
    wanted = wanted_axes(workflow)
    view = as_view(image, axes or usual_axes(wanted, len(image.shape)), wanted)

    farthest = 0

    def told(moment: Moment) -> None:
        if report is not None:
            report(moment)
        nonlocal farthest
        farthest = max(farthest, round(1000 * moment.share))
        if progress is not None:
            progress(farthest, 1000)

    chain = Chain(workflow, view, metadata, name, store or Memory(), cancel, told)
    kept = [] if outcomes is None else outcomes
    for number in range(len(workflow.steps)):
        kept.append(chain.make(number))
    return kept


def usual_axes(wanted: str, ndim: int) -> str:
    """Return the letters of an image that has no names for its axes."""
    third = "Z" if "Z" in wanted else "C" if "C" in wanted else "T"
    fourth = "TZYX" if "Z" in wanted else "CTYX"
    return {2: "YX", 3: f"{third}YX", 4: fourth, 5: "TCZYX"}.get(ndim, wanted)
