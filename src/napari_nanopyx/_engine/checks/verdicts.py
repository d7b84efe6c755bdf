"""Remembers which implementations could be compiled here, beside the history.

One small file each: a crash is not to be repeated by the next process.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from napari_nanopyx._engine.measurements import history

_FOLDER = "compiled"


class Subject(NamedTuple):
    """What was compiled: a verdict holds until any of it changes."""

    task: str
    digest: str
    implementation: str
    device: str
    compiler: str


_known: dict[Path, dict[Subject, str]] = {}


def recall(subject: Subject) -> str | None:
    """Return why it could not be compiled, empty if it could, None if never tried."""
    return _all().get(subject)


def problems() -> dict[Subject, str]:
    """Return all that could not be compiled, and why."""
    known = list(_all().items())  # another thread may add to it
    return {subject: problem for subject, problem in known if problem}


def remember(subject: Subject, problem: str) -> None:
    """Keep a verdict; `problem` is empty if there was none."""
    _all()[subject] = problem
    path = _path(subject)
    written = path.with_name(f"{path.stem}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(json.dumps([*subject, problem]), encoding="utf-8")
        written.replace(path)
    except OSError:
        # This process remembers. That the folder cannot be used, the history tells.
        with suppress(OSError):
            written.unlink(missing_ok=True)


def forget_problems() -> None:
    """Let what could not be compiled be tried again."""
    for subject in problems():
        del _all()[subject]
        with suppress(OSError):  # the next process meets the same problem, and tells
            _path(subject).unlink(missing_ok=True)


def _all() -> dict[Subject, str]:
    """Return what is known, read from the folder when first asked."""
    beside = history.current().path
    if beside not in _known:
        found = sorted(beside.with_name(_FOLDER).glob("*.json"))
        verdicts = (_read(path) for path in found)
        _known[beside] = dict(verdict for verdict in verdicts if verdict is not None)
    return _known[beside]


def _read(path: Path) -> tuple[Subject, str] | None:
    """Return a verdict, or None if the file holds none: it will be written again."""
    try:
        texts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not (
        isinstance(texts, list)
        and len(texts) == len(Subject._fields) + 1
        and all(isinstance(text, str) for text in texts)
    ):
        return None
    return Subject(*texts[:-1]), texts[-1]


def _path(subject: Subject) -> Path:
    name = sha256(json.dumps(subject).encode()).hexdigest()[:24]
    return history.current().path.with_name(_FOLDER) / f"{name}.json"
