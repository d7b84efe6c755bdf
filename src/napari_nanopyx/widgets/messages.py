"""Puts what the program did, or could not do, into sentences for its users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_nanopyx.engine import NanoPyxError


def explain(title: str, problem: BaseException) -> str | None:
    """Return a plain sentence, or None if `problem` is a mistake in the program.

    Parameters
    ----------
    title
        What was being computed.
    problem
        What the computation raised.

    Examples
    --------
    >>> explain("eSRRF", ValueError("radius is 0: give a number from 0.1 to 3"))
    'eSRRF: radius is 0: give a number from 0.1 to 3'
    """
    if isinstance(problem, MemoryError):
        return (
            f"{title}: there is not enough memory for the result. Use a smaller "
            f"magnification, or fewer frames. ({problem})"
        )
    if isinstance(problem, NanoPyxError | ValueError | TypeError | OSError):
        return f"{title}: {problem}"
    return None


def how_it_was_computed(provenance: Mapping[str, Any]) -> str:
    """Return who computed a result and why, from its provenance record.

    Examples
    --------
    >>> run = {"frames_by_implementation": {"serial": 10}, "last_choice": "serial",
    ...        "reason": "the only one here"}
    >>> how_it_was_computed({"seconds": 1.5, "runs": [run]})
    'Done in 1.5 s, computed by serial: the only one here'
    """
    done = f"Done in {provenance['seconds']:.2g} s"
    runs = provenance["runs"]
    if not runs:
        return done
    frames = runs[-1]["frames_by_implementation"]
    last, reason = runs[-1]["last_choice"], runs[-1]["reason"]
    sentence = f"{done}, computed by {last}: {reason}"
    if len(frames) > 1:
        shares = ", ".join(f"{name} {count}" for name, count in frames.items())
        sentence += f". Frames: {shares}"
    return sentence
