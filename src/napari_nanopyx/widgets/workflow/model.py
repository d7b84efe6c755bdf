"""The workflow that a panel shows and changes, without a window."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_nanopyx.widgets.workflow.fields import required
from napari_nanopyx.workflow import Reference, Step, Workflow, problems, typical
from napari_nanopyx.workflow.catalogue import KINDS, TABLES, Kind
from napari_nanopyx.workflow.checking import WorkflowError
from napari_nanopyx.workflow.model import MOVIE

FILE = "file: "
"""How a chosen file begins where otherwise a step's name stands."""

NAMES = {
    "estimate_channel_shifts": "registration",
    "register_channels": "registered",
    "estimate_drift": "drift",
    "correct_drift": "still",
    "denoise_nlm": "denoised",
    "convolve": "convolved",
    "transform": "transformed",
    "magnify": "magnified",
    "esrrf": "reconstruction",
    "srrf": "reconstruction",
    "esrrf_3d": "reconstruction",
    "sweep_esrrf": "sweep",
    "frc": "resolution",
    "decorrelation": "decorrelation",
    "frc_map": "resolution-map",
    "decorrelation_map": "resolution-map",
    "error_map": "errors",
}


class WorkflowModel:
    """Steps that can be added, removed, put in another order, and changed."""

    def __init__(self) -> None:
        self.workflow: Workflow = typical()

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps, in order."""
        return self.workflow.steps

    @property
    def problems(self) -> list[str]:
        """What is wrong, a sentence each; nothing if it can run."""
        return problems(self.workflow)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Take the steps of a file; if it is wrong, nothing changes."""
        self.workflow = Workflow.load(path)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the steps to a file."""
        if self.problems:
            raise WorkflowError("", self.problems)
        return self.workflow.save(path)

    def add(self, function: str) -> int:
        """Add a step at the end, with inputs that suit it, and return its number."""
        kind = KINDS[function]
        name = self._free(NAMES.get(function, function))
        made = Step(function, name, parameters=required(kind))
        self._set((*self.steps, made))
        inputs = {name: self._usual(kind, name) for name in kind.inputs}
        number = len(self.steps) - 1
        self.change(number, inputs={n: text for n, text in inputs.items() if text})
        return number

    def remove(self, number: int) -> None:
        """Take a step away; what used its result says so."""
        self._set(self.steps[:number] + self.steps[number + 1 :])

    def move(self, number: int, by: int) -> int:
        """Move a step up (−1) or down (1), and return its new number."""
        there = min(max(number + by, 0), len(self.steps) - 1)
        steps = list(self.steps)
        steps.insert(there, steps.pop(number))
        self._set(tuple(steps))
        return there

    def change(self, number: int, **fields: Any) -> None:
        """Give a step another name, other inputs, files, parameters, or ``save``."""
        before = self.steps[number]
        after = replace(before, **fields)
        steps = [*self.steps]
        steps[number] = after
        if after.name != before.name:
            later = [_renamed(s, before.name, after.name) for s in steps[number + 1 :]]
            steps[number + 1 :] = later
        self._set(tuple(steps))

    def connect(self, number: int, name: str, text: str) -> None:
        """Say where an input comes from: a reference, a file, or (empty) nowhere."""
        step = self.steps[number]
        inputs = {key: value for key, value in step.inputs.items() if key != name}
        files = {key: value for key, value in step.files.items() if key != name}
        if text.startswith(FILE):
            files[name] = text.removeprefix(FILE)
        elif text:
            inputs[name] = text
        order = list(KINDS[step.function].inputs)
        inputs = dict(sorted(inputs.items(), key=lambda item: order.index(item[0])))
        self.change(number, inputs=inputs, files=files)

    def connection(self, number: int, name: str) -> str:
        """Return where an input comes from, as `connect` takes it."""
        step = self.steps[number]
        if name in step.files:
            return FILE + step.files[name]
        return step.inputs.get(name, "")

    def choices(self, number: int, name: str) -> list[str]:
        """Return what an input can come from; the first is the usual."""
        kind = KINDS[self.steps[number].function]
        usual = self._usual(kind, name, number)
        found = [usual] if usual else []
        if kind.inputs[name] not in TABLES:
            found += [MOVIE, f"{MOVIE}.mean"]
        for step in self.steps[:number]:
            made = KINDS.get(step.function)
            if made is not None and _gives(made, kind.inputs[name]):
                found.append(step.name)
                if made.result == "frames":
                    found.append(f"{step.name}.mean")
                if made.result == "images":
                    found += [f"{step.name}.even", f"{step.name}.odd"]
        if name in kind.optional:
            found.append("")
        return list(dict.fromkeys(found))

    def _set(self, steps: tuple[Step, ...]) -> None:
        self.workflow = replace(self.workflow, steps=steps)

    def _free(self, name: str) -> str:
        taken = {step.name.lower() for step in self.steps}
        free, number = name, 2
        while free.lower() in taken:
            free, number = f"{name}-{number}", number + 1
        return free

    def _usual(self, kind: Kind, name: str, before: int | None = None) -> str:
        """Return where an input comes from if nobody says otherwise."""
        wanted = kind.inputs[name]
        made = [
            (step, KINDS[step.function])
            for step in self.steps[: len(self.steps) if before is None else before]
            if step.function in KINDS
        ]
        if before is None:
            made = made[:-1]

        def last(*results: str) -> str:
            names = [step.name for step, k in made if k.result in results]
            return names[-1] if names else ""

        image = last("images")
        if wanted in TABLES:
            # A movie that stands still already needs no drift.
            skip = wanted == "drift" and name in kind.optional and _stands(made)
            return "" if skip else last(wanted)
        if kind.name in ("frc", "frc_map") and image:
            return f"{image}.even" if name == "image_a" else f"{image}.odd"
        frames = last("frames") or MOVIE
        if kind.name == "error_map" and name == "reference":
            return f"{frames}.mean"
        if wanted == "image":
            return image or f"{frames}.mean"
        is_estimate = kind.name == "estimate_channel_shifts"
        return f"{frames}.mean" if is_estimate else frames


def _stands(made: list[tuple[Step, Kind]]) -> bool:
    return any(step.function == "correct_drift" for step, _ in made)


def _gives(made: Kind, wanted: str) -> bool:
    if wanted in TABLES:
        return made.result == wanted
    return made.result in ("frames", "images") or made.image is not None


def _renamed(step: Step, before: str, after: str) -> Step:
    def follow(text: str) -> str:
        try:
            reference = Reference.parse(text)
        except ValueError:
            return text
        same = reference.name == before
        return str(replace(reference, name=after)) if same else text

    inputs: Mapping[str, str] = {n: follow(text) for n, text in step.inputs.items()}
    return replace(step, inputs=inputs)
