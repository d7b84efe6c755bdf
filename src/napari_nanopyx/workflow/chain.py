"""Makes the results of a workflow's steps, one after the other."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_nanopyx._engine.errors import Cancelled
from napari_nanopyx._engine.running.runner import Cancel
from napari_nanopyx.io import ImageMetadata
from napari_nanopyx.workflow import calling
from napari_nanopyx.workflow.catalogue import AXES, KINDS, TABLES, Kind
from napari_nanopyx.workflow.inputs import Images, fitting, half, part_of
from napari_nanopyx.workflow.model import MOVIE, Reference, Step, Workflow
from napari_nanopyx.workflow.moment import Moment, Report
from napari_nanopyx.workflow.outcome import Outcome
from napari_nanopyx.workflow.store import Store
from napari_nanopyx.workflow.view import View


class Chain:
    """The steps of a workflow, and what has been made."""

    def __init__(
        self,
        workflow: Workflow,
        movie: View,
        metadata: ImageMetadata | None,
        name: str,
        store: Store,
        cancel: Cancel | None,
        report: Report,
    ) -> None:
        self._workflow = workflow
        self._metadata = metadata or ImageMetadata(movie.axes)
        self._name = name
        self._store = store
        self._cancel = cancel
        self._report = report
        self._digest = workflow.digest
        self._made: dict[str, Any] = {MOVIE: Images(movie)}
        self._halves: dict[tuple[str, str], Images] = {}
        self._moment = Moment(name, 0, 1, "", 0, len(workflow.steps), 0, 0)
        self._files = _loaded(workflow)

    def make(self, number: int) -> Outcome:
        """Make the result of a step, of which those before are made."""
        from napari_nanopyx import engine

        step = self._workflow.steps[number]
        kind = KINDS[step.function]
        self._moment = replace(
            self._moment, step=step.name, steps_done=number, done=0, total=0
        )
        self._progress(0, 0)
        self._stop_if_asked()
        began = time.perf_counter()
        with engine.record() as runs:
            arguments = {
                name: self._input(step, kind, name)
                for name in kind.inputs
                if name in step.inputs or name in step.files
            }
            provenance = _provenance(step, self._name, self._digest)
            result, images, path = self._result(step, kind, arguments, provenance)
        self._made[step.name] = result if images is None else images
        seconds = time.perf_counter() - began
        frames = _frames_by_implementation(runs)
        return Outcome(step, result, images, seconds, frames, provenance, path)

    def _result(
        self,
        step: Step,
        kind: Kind,
        arguments: Mapping[str, Any],
        provenance: Mapping[str, Any],
    ) -> tuple[Any, Images | None, Path | None]:
        """Return the result that is more than an image, the image, and its file."""
        if kind.result in ("frames", "images"):
            images, path = self._images(step, kind, arguments, provenance)
            return None, images, path
        result = kind.function(
            **{
                name: value.view if isinstance(value, Images) else value
                for name, value in arguments.items()
            },
            **self._parameters(step, kind, next(iter(arguments.values()))),
            progress=self._progress,
            cancel=self._cancel,
        )
        if kind.result in TABLES:
            return result, None, self._store.table(step, result) if step.save else None
        if kind.image is None:
            return result, None, None
        over = kind.over(kind.defaults | dict(step.parameters))
        pixels = View(kind.image(result), "YX")
        grid = arguments[over or next(iter(arguments))].grid
        view, path = self._store.images(
            step,
            iter([pixels[...]]),
            pixels.shape,
            grid.metadata(self._metadata, "YX"),
            {**provenance, "result": str(result)},
        )
        return result, Images(view, grid), path

    def _images(
        self,
        step: Step,
        kind: Kind,
        arguments: Mapping[str, Any],
        provenance: Mapping[str, Any],
    ) -> tuple[Images, Path | None]:
        """Compute an image, and give it to the store."""
        source: Images = arguments["image"]
        frames = source.view.length("T")
        blocks = self._blocks(step, kind, arguments)
        first = next(blocks)
        axes = source.view.axes
        count = frames if kind.result == "frames" else len(first)
        if "T" not in axes:
            axes = f"T{axes}"
        shape = (count, *first.shape[1:])
        if count == 1:
            axes, shape, first = axes[1:], shape[1:], first[0]
        chosen = kind.defaults | dict(step.parameters)
        grid = source.grid.then(kind.grid(chosen, frames))
        view, path = self._store.images(
            step,
            _chained(first, blocks),
            shape,
            grid.metadata(self._metadata, axes),
            provenance,
        )
        return Images(view, grid), path

    def _blocks(self, step: Step, kind: Kind, arguments: Mapping[str, Any]) -> Any:
        """Yield the result of a function on an image, a few frames at a time or all."""
        source: Images = arguments["image"]
        core = AXES[kind.inputs["image"]]
        others = {name: value for name, value in arguments.items() if name != "image"}
        given = self._parameters(step, kind, source)

        def call(image: View, progress: calling.Progress, **tables: Any) -> Any:
            return kind.function(
                image=image, **tables, **given, progress=progress, cancel=self._cancel
            )

        def call_part(image: View, which: slice, progress: calling.Progress) -> Any:
            tables = {
                name: value[which] if kind.inputs[name] == "drift" else value
                for name, value in others.items()
            }
            return call(image, progress, **tables)

        chosen = kind.defaults | dict(step.parameters)
        if kind.result == "frames" and kind.alone(chosen):
            return calling.in_blocks(source.view, core, call_part, self._progress)
        made = calling.whole(
            source.view,
            core,
            lambda image, progress: call(image, progress, **others),
            self._progress,
        )
        return iter([made])

    def _input(self, step: Step, kind: Kind, name: str, parity: str = "") -> Any:
        """Return what an input of a step is, of a half of the frames if asked for."""
        if name in step.files:
            table = self._files[step.name, name]
            return half(table, parity) if parity else table
        text = step.inputs[name]
        value = self._referred(Reference.parse(text))
        if parity:
            value = half(value, parity)
        if not isinstance(value, Images):
            return value
        loops = kind.result in ("frames", "images")
        return fitting(value, kind.inputs[name], text, loops=loops)

    def _referred(self, reference: Reference) -> Any:
        value, parts = self._made[reference.name], list(reference.parts)
        made_by = {step.name: step for step in self._workflow.steps}
        step = made_by.get(reference.name)
        for parity in ("even", "odd"):
            combines = step is not None and KINDS[step.function].result == "images"
            if step is not None and combines and parity in parts:
                parts.remove(parity)
                value = self._half(step, parity)
        for part in parts:
            value = part_of(value, part, self._stop_if_asked)
        return value

    def _half(self, step: Step, parity: str) -> Images:
        """Make a step again, of every second frame."""
        if (step.name, parity) not in self._halves:
            kind = KINDS[step.function]
            arguments = {
                name: self._input(step, kind, name, parity)
                for name in kind.inputs
                if name in step.inputs or name in step.files
            }
            (made,) = self._blocks(step, kind, arguments)
            source: Images = arguments["image"]
            axes = source.view.axes.replace("T", "")
            grid = kind.grid(kind.defaults | dict(step.parameters), 1)
            self._halves[step.name, parity] = Images(
                View(made[0], axes), source.grid.then(grid)
            )
        return self._halves[step.name, parity]

    def _parameters(self, step: Step, kind: Kind, source: Any) -> dict[str, Any]:
        """Return the arguments that are no inputs, pixel size and time among them."""
        given = calling.as_arguments(step.parameters)
        asked = {"pixel_size", "units"} & kind.hints.keys()
        if not isinstance(source, Images):
            return given
        metadata = source.grid.metadata(self._metadata, source.view.axes)
        size = metadata.pixel_size
        is_square = size is not None and size[0] == size[1]
        if asked and size and is_square and not asked & given.keys():
            given |= {"pixel_size": size[0], "units": metadata.unit}
        if "frame_interval" in kind.hints.keys() - given.keys():
            given["frame_interval"] = metadata.frame_interval
        return given

    def _progress(self, done: int, total: int) -> None:
        self._moment = replace(self._moment, done=done, total=total)
        self._report(self._moment)

    def _stop_if_asked(self) -> None:
        if self._cancel is not None and self._cancel.is_set():
            raise Cancelled("the computation was cancelled")


def _chained(first: Any, blocks: Any) -> Any:
    yield first
    yield from blocks


def _loaded(workflow: Workflow) -> dict[tuple[str, str], Any]:
    """Read the tables that steps take from files."""
    folder = workflow.folder or Path()
    return {
        (step.name, name): KINDS[step.function].loaded[name].load(folder / path)
        for step in workflow.steps
        for name, path in step.files.items()
    }


def _provenance(step: Step, movie: str, digest: str) -> dict[str, Any]:
    from importlib.metadata import version

    return {
        "software": f"napari-nanopyx {version('napari-nanopyx')}",
        "function": f"napari_nanopyx.{step.function}",
        "step": step.name,
        "movie": movie,
        "inputs": dict(step.inputs) | dict(step.files),
        "parameters": KINDS[step.function].defaults | dict(step.parameters),
        "workflow": digest,
    }


def _frames_by_implementation(runs: Iterable[Any]) -> dict[str, int]:
    frames: dict[str, int] = {}
    for run in runs:
        for name, count in run.blocks.items():
            frames[name] = frames.get(name, 0) + count
    return frames
