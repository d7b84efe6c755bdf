"""Runs a workflow on many movies, and sums up what came of each."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from napari_nanopyx._engine.errors import Cancelled, NanoPyxError
from napari_nanopyx._engine.running.runner import Cancel
from napari_nanopyx.io import check_output, open_image
from napari_nanopyx.workflow.checking import check
from napari_nanopyx.workflow.model import Workflow
from napari_nanopyx.workflow.moment import Moment, Report
from napari_nanopyx.workflow.running import run
from napari_nanopyx.workflow.store import Folder
from napari_nanopyx.workflow.summary import Row, Summary

SUMMARY = "summary.csv"
SETTINGS = "workflow.toml"
EXPECTED = (NanoPyxError, ValueError, TypeError, OSError, MemoryError)
"""What a movie or a setting can be the reason of."""
IMAGE_SUFFIXES = (".tif", ".ome.tif", ".ome.zarr")


def run_files(
    workflow: Workflow,
    files: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    suffix: str = ".tif",
    replace_results: bool = False,
    channel: int | None = None,
    plane: int | None = None,
    report: Report | None = None,
    finished: Callable[[Row], object] | None = None,
    cancel: Cancel | None = None,
) -> Summary:
    """Run a workflow on many movies; one that fails does not stop the others.

    Results are called after the movie and the step, such as
    ``cell_reconstruction.tif``. Beside them are ``summary.csv``, with a row for each
    movie, and ``workflow.toml``. Each file is complete, or not there at all.

    Parameters
    ----------
    workflow
        What to do.
    files
        TIFF files and Zarr folders; they are only read.
    output
        The folder of the results; made if it is not there.
    suffix : {".tif", ".ome.tif", ".ome.zarr"}
        What images are written as.
    replace_results
        Whether results of an earlier run may be replaced.
    channel, plane
        Which to take, from 0; by default each is treated alike.
    report
        Called with a `Moment` as the work goes on.
    finished
        Called with the row of each movie when its work is over.
    cancel : object with ``is_set()``, optional
        Asked between blocks whether to stop.

    Returns
    -------
    Summary
        Also of movies that failed.

    Raises
    ------
    WorkflowError, ValueError
        If the workflow is wrong, a file is not there, or a result would replace a file.
        Nothing is computed or written then.
    napari_nanopyx.engine.Cancelled
        If ``cancel`` is set. Finished results and their summary stay.
    """
    check(workflow)
    sources = [Path(file) for file in files]
    folder = Path(output)
    if suffix not in IMAGE_SUFFIXES:
        listed = ", ".join(map(repr, IMAGE_SUFFIXES))
        raise ValueError(f"suffix is {suffix!r}, but must be one of {listed}")
    stems = _stems(sources)
    _check_places(workflow, sources, stems, folder, suffix, replace_results)
    folder.mkdir(exist_ok=True)
    workflow.save(folder / SETTINGS)
    summary = Summary([Row(source.name, workflow.digest) for source in sources])
    for number, (source, stem) in enumerate(zip(sources, stems, strict=True)):
        row = summary.rows[number]

        def told(moment: Moment, number: int = number) -> None:
            if report is not None:
                report(replace(moment, files_done=number, files=len(sources)))

        began = time.perf_counter()
        row.state = "running"
        try:
            with (
                open_image(source) as stack,
                Folder(folder, stem, suffix, replace_results) as store,
            ):
                for axis, index in (("C", channel), ("Z", plane)):
                    if index is not None and axis in stack.metadata.axes:
                        stack = stack.select(axis, index)
                run(
                    workflow,
                    stack,
                    axes=stack.metadata.axes,
                    metadata=stack.metadata,
                    name=source.name,
                    store=store,
                    outcomes=row.outcomes,
                    report=told,
                    cancel=cancel,
                )
            row.state = "done"
        except (Cancelled, KeyboardInterrupt, SystemExit):
            row.state = "cancelled"
            raise
        except EXPECTED as problem:
            row.state, row.error = "failed", _sentence(problem)
        except Exception as problem:
            # A mistake in the program: the other movies go on, its place is kept.
            row.state, row.error = "failed", _sentence(problem)
            logging.getLogger(__name__).exception("%s failed", source)
        finally:
            row.seconds = round(time.perf_counter() - began, 3)
            summary.save(folder / SUMMARY)
            if finished is not None:
                finished(row)
    return summary


def _stems(sources: Sequence[Path]) -> list[str]:
    """Return how the results of each movie begin; no two of them alike."""
    stems: list[str] = []
    for source in sources:
        name = source.name
        for suffix in (".ome.tif", ".ome.tiff", ".ome.zarr", ".tif", ".tiff", ".zarr"):
            if name.lower().endswith(suffix):
                name = name[: -len(suffix)]
                break
        stem, number = name, 2
        while stem.lower() in {each.lower() for each in stems}:
            stem, number = f"{name}-{number}", number + 1
        stems.append(stem)
    return stems


def _check_places(
    workflow: Workflow,
    sources: Sequence[Path],
    stems: Sequence[str],
    folder: Path,
    suffix: str,
    replace_results: bool,
) -> None:
    """Refuse to compute what could not be written, or would be written over a movie."""
    if not sources:
        raise ValueError("files is empty: give one movie at least")
    for source in sources:
        if not source.exists():
            raise ValueError(f"{source} does not exist")
    for source in sources:
        if source.is_dir() and folder.resolve().is_relative_to(source.resolve()):
            raise ValueError(f"the output {folder} lies inside the movie {source}")
    places = [folder / SUMMARY, folder / SETTINGS]
    for stem in stems:
        store = Folder(folder, stem, suffix)
        places += [p for p in map(store.place, workflow.steps) if p is not None]
    names = [place.name.lower() for place in places]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"two results would be called {twice[0]}: rename a step")
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"the output {folder} is a file: give a folder")
    if not folder.exists():
        if not folder.parent.is_dir():
            raise ValueError(f"the folder {folder.parent} does not exist")
        return
    check_output(places[0], suffixes=(".csv",))
    there = [place for place in places if place.exists()]
    for place in there:
        if any(place.samefile(source) for source in sources):
            raise ValueError(
                f"the result {place} would replace a movie: give another folder"
            )
    if there and not replace_results:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise ValueError(
            f"{there[0]}{more} would be replaced: give another folder, or allow it"
        )


def _sentence(problem: Exception) -> str:
    text = " ".join(str(problem).split())
    is_told = text and isinstance(problem, EXPECTED)
    return text if is_told else f"{type(problem).__name__}: {text}"
