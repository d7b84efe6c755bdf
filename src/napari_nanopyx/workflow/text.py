"""Reads and writes workflows as TOML; nothing in a file is ever executed."""

from __future__ import annotations

import json
import math
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_nanopyx.workflow.checking import WorkflowError
from napari_nanopyx.workflow.model import Step, Workflow

FORMAT = "napari-nanopyx workflow"
VERSION = 1
MOST_BYTES = 1 << 20

_KEYS = {"name", "function", "inputs", "files", "parameters", "save"}


def read(path: str | os.PathLike[str]) -> Workflow:
    """Read a workflow from a file; what its steps mean is not checked here."""
    place = Path(path)
    if not place.is_file():
        raise WorkflowError(str(place), ["there is no such file"])
    if place.stat().st_size > MOST_BYTES:
        raise WorkflowError(str(place), ["it is too large for a workflow"])
    try:
        content = tomllib.loads(place.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as problem:
        raise WorkflowError(str(place), [f"it is no TOML text: {problem}"]) from problem
    found = _faults(content)
    if found:
        raise WorkflowError(str(place), found)
    steps = tuple(Step(**entry) for entry in content.get("step", []))
    return Workflow(steps, place.parent)


def _faults(content: Mapping[str, Any]) -> list[str]:
    """Return in what a file is not made as a workflow is."""
    if content.get("format") != FORMAT:
        return [f"its first line must be: format = {json.dumps(FORMAT)}"]
    if content.get("version") != VERSION:
        return [
            f"it has version {content.get('version')!r} of the format, but this "
            f"program reads version {VERSION}: update napari-nanopyx"
        ]
    faults = [
        f"{key!r} is not known: steps begin with [[step]]"
        for key in content.keys() - {"format", "version", "step"}
    ]
    entries = content.get("step", [])
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        return [*faults, "steps must begin with [[step]], in two pairs of brackets"]
    for number, entry in enumerate(entries, 1):
        faults += [f"step {number}: {fault}" for fault in _entry_faults(entry)]
    return faults


def _entry_faults(entry: Mapping[str, Any]) -> list[str]:
    listed = ", ".join(sorted(_KEYS))
    faults = [
        f"{key!r} is not known: a step has {listed}"
        for key in sorted(entry.keys() - _KEYS)
    ]
    faults += [
        f"{key} is {entry.get(key)!r}, but must be text"
        for key in ("name", "function")
        if not isinstance(entry.get(key), str)
    ]
    faults += [
        f"{key} must be written as {key}.ARGUMENT = VALUE"
        for key in ("inputs", "files", "parameters")
        if not isinstance(entry.get(key, {}), dict)
    ]
    for key in ("inputs", "files"):
        table = entry.get(key, {})
        if isinstance(table, dict):
            faults += [
                f"{key}.{name} is {value!r}, but must be text"
                for name, value in table.items()
                if not isinstance(value, str)
            ]
    if not isinstance(entry.get("save", True), bool):
        faults.append(f"save is {entry['save']!r}, but must be true or false")
    return faults


def written(workflow: Workflow) -> str:
    """Return the text of a workflow's file."""
    lines = [f"format = {_value(FORMAT)}", f"version = {VERSION}"]
    for step in workflow.steps:
        lines += ["", "[[step]]", f"name = {_value(step.name)}"]
        lines.append(f"function = {_value(step.function)}")
        for key in ("inputs", "files", "parameters"):
            table: Mapping[str, Any] = getattr(step, key)
            lines += [
                f"{key}.{_key(name)} = {_value(value)}"
                for name, value in table.items()
                if value is not None  # TOML has no word for it: it is left out
            ]
        if not step.save:
            lines.append("save = false")
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    plain = name.replace("_", "").replace("-", "")
    return name if plain.isascii() and plain.isalnum() else _value(name)


def _value(value: Any) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # A string of JSON is one of TOML, but for the character DEL.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, Sequence):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    raise TypeError(
        f"{value!r} is a {type(value).__name__}, but a workflow's file holds numbers, "
        "text, true and false, and lists of them"
    )
