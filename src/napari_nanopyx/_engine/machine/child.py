"""Runs a script in a process of its own, which may crash or hang without harm."""

from __future__ import annotations

import atexit
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_LONGER_SECONDS = 5.0
_running: set[subprocess.Popen[bytes]] = set()
_ending = False


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a script."""

    status: int | None
    """Its exit status; None if it had to be stopped after the time limit."""
    printed: tuple[str, ...]
    """Lines of its standard output."""
    said: tuple[str, ...]
    """Lines of its standard error."""


def run(python: str, script: Path, limit_seconds: float, given: bytes = b"") -> Ended:
    """Run a script, with its time limit as the only argument, and wait for its end.

    Parameters
    ----------
    python
        The interpreter.
    script
        A file that takes the seconds after which it should end itself; a little more
        than `limit_seconds`, in case this process has ended before.
    limit_seconds
        When to stop it.
    given
        What it finds on its standard input.

    Raises
    ------
    OSError
        If it cannot be started.
    """
    command = [python, "-P", str(script), str(limit_seconds + _LONGER_SECONDS)]
    # Files, because a pipe that a grandchild inherits could keep us waiting.
    with (
        tempfile.TemporaryFile() as source,
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as messages,
    ):
        source.write(given)
        source.seek(0)
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and file
            command,
            stdin=source,
            stdout=output,
            stderr=messages,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            start_new_session=os.name == "posix",  # Ctrl-C is not meant for it
        )
        _running.add(child)
        if _ending:
            child.kill()
        status: int | None
        try:
            status = child.wait(limit_seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            status = None
        finally:
            _running.discard(child)
        return Ended(status, _lines(output), _lines(messages))


def _lines(file: IO[bytes]) -> tuple[str, ...]:
    file.seek(0)
    return tuple(file.read().decode(errors="replace").strip().splitlines())


def stop_all() -> None:
    """Kill what runs and what is still started: this program ends."""
    global _ending
    _ending = True
    for child in list(_running):
        child.kill()


atexit.register(stop_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_running.clear)
