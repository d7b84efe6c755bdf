"""Finds everything that is wrong with a workflow before anything is computed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from napari_nanopyx.workflow import hints
from napari_nanopyx.workflow.catalogue import KINDS, TABLES, Kind
from napari_nanopyx.workflow.model import (
    MOVIE,
    Reference,
    Step,
    Workflow,
    channel_number,
)

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,49}")


class WorkflowError(ValueError):
    """A workflow that cannot be run, with every reason."""

    def __init__(self, source: str, reasons: Sequence[str]) -> None:
        listed = "; ".join(reasons)
        super().__init__(f"workflow {source}: {listed}" if source else listed)
        self.reasons = tuple(reasons)


def check(workflow: Workflow, source: str = "") -> None:
    """Raise a `WorkflowError` if there is anything wrong."""
    found = problems(workflow)
    if found:
        raise WorkflowError(source, found)


def problems(workflow: Workflow) -> list[str]:
    """Return what is wrong with a workflow, a sentence each; nothing if it can run."""
    if not workflow.steps:
        return ["there is no step: add one"]
    found: list[str] = []
    made: dict[str, Step] = {}
    for step in workflow.steps:
        found += [f"step {step.name!r}: {fault}" for fault in _faults(step, made)]
        folder = workflow.folder or Path()
        found += [
            f"step {step.name!r}: files.{name} is {path!r}, but there is no such file"
            for name, path in step.files.items()
            if not (folder / path).is_file()
        ]
        made[step.name] = step
    return found


def _faults(step: Step, made: Mapping[str, Step]) -> Iterator[str]:
    """Yield what is wrong with a step, after those that are made already."""
    if not NAME.fullmatch(step.name) or step.name.lower() == MOVIE:
        yield (
            "its name must begin with a letter and have letters, digits, '_' and '-' "
            f"only, 50 at most, and not be {MOVIE!r}"
        )
    if step.name.lower() in {name.lower() for name in made}:
        yield "another step has this name already"
    kind = KINDS.get(step.function)
    if kind is None:
        close = get_close_matches(step.function, KINDS, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"one of {', '.join(KINDS)}"
        yield f"there is no step {step.function!r}: {hint}"
        return
    yield from _parameter_faults(step, kind)
    for name in kind.inputs:
        if name in step.inputs and name in step.files:
            yield f"{name} is given twice, in inputs and in files"
        if name not in {*step.inputs, *step.files} and name not in kind.optional:
            yield f"inputs.{name} is missing: give where it comes from"
    for name in step.inputs.keys() - kind.inputs.keys():
        yield f"there is no input {name!r}: {step.function} takes {_list(kind.inputs)}"
    for name in step.files.keys() - kind.loaded.keys():
        yield f"files.{name} cannot be given: {step.function} reads no such file"
    for name in step.inputs.keys() & kind.inputs.keys():
        yield from _reference_faults(name, step.inputs[name], kind, made)


def _parameter_faults(step: Step, kind: Kind) -> Iterator[str]:
    allowed = kind.hints
    for name, value in step.parameters.items():
        if name not in allowed:
            close = get_close_matches(name, allowed, 1)
            hint = (
                f"did you mean {close[0]!r}?" if close else f"it has {_list(allowed)}"
            )
            yield f"{step.function} has no parameter {name!r}: {hint}"
        elif not hints.fits(value, allowed[name]):
            yield f"{name} is {value!r}, but must be {hints.described(allowed[name])}"
    for name in allowed.keys() - kind.defaults.keys() - step.parameters.keys():
        yield f"parameters.{name} is missing: give {hints.described(allowed[name])}"


def _reference_faults(
    name: str, text: str, kind: Kind, made: Mapping[str, Step]
) -> Iterator[str]:
    try:
        reference = Reference.parse(text)
    except ValueError as problem:
        yield f"inputs.{name}: {problem}"
        return
    if reference.name == MOVIE:
        given, source = "frames", None
    elif reference.name in made:
        source = made[reference.name]
        made_by = KINDS.get(source.function)
        if made_by is None:
            return
        given = "images" if made_by.image else made_by.result
    else:
        listed = _list([MOVIE, *made])
        yield f"inputs.{name} is {text!r}, but before this step there is only {listed}"
        return
    wanted = kind.inputs[name]
    wants_table = wanted in TABLES
    if (given != wanted) if wants_table else (given not in ("frames", "images")):
        words = {"frames": "a movie", "images": "an image", "measurement": "numbers"}
        yield (
            f"inputs.{name} is {text!r}, which is {words.get(given, f'a {given}')}, "
            f"but must be {_wanted(wanted)}"
        )
        return
    yield from _part_faults(name, reference, given, source)


def _part_faults(
    name: str, reference: Reference, given: str, source: Step | None
) -> Iterator[str]:
    halves = [part for part in reference.parts if part in ("even", "odd")]
    if given == "registration" and reference.parts:
        yield f"inputs.{name} is {str(reference)!r}, but a registration has no parts"
    if given == "drift" and set(reference.parts) - {"even", "odd"}:
        yield f"inputs.{name} is {str(reference)!r}, but drift has even and odd only"
    if len(halves) > 1 or len(set(reference.parts)) < len(reference.parts):
        yield f"inputs.{name} is {str(reference)!r}, but halves cannot be halved"
    if sum(channel_number(part) is not None for part in reference.parts) > 1:
        yield f"inputs.{name} is {str(reference)!r}, but may choose one channel"
    if not halves or given != "images" or source is None:
        return
    if KINDS[source.function].image is not None:
        yield f"inputs.{name} is {str(reference)!r}, but {source.name!r} has no halves"
    elif source.parameters.get("frames_per_timepoint", 0) != 0:
        yield (
            f"inputs.{name} is {str(reference)!r}: for halves, {source.name!r} must "
            "combine all frames, with frames_per_timepoint 0"
        )


def _wanted(wanted: str) -> str:
    words: dict[str, Any] = {
        "movie": "a movie",
        "image": "an image",
        "channels": "an image with channels",
        "volumes": "a movie of volumes",
        "drift": "drift, from estimate_drift",
        "registration": "a registration, from estimate_channel_shifts",
    }
    return str(words[wanted])


def _list(names: Any) -> str:
    return ", ".join(map(repr, names))
