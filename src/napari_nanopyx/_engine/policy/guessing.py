"""What to begin with, as long as nothing has been measured."""

from __future__ import annotations

from collections.abc import Sequence

from napari_nanopyx._engine.policy import reasons
from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.policy.situation import Situation
from napari_nanopyx._engine.policy.trials import TRIAL_SECONDS, frames_in
from napari_nanopyx._engine.types import Implementation

_FIRST_GUESSES = ("threads-dynamic", "threads-guided", "threads-static", "serial")
_KINDS = ("compiled", "opencl", "numba", "reference")
_GUESSED_FLOPS_PER_SECOND = 2e9
_GUESSED_FRAMES = 8


def first_frames(situation: Situation, seconds: float) -> int:
    """Return a few frames to begin with, when no run time is known."""
    per_frame = situation.workload.flops / _GUESSED_FLOPS_PER_SECOND
    return min(frames_in(seconds, per_frame), _GUESSED_FRAMES, situation.remaining)


def guess(situation: Situation, usable: Sequence[Implementation]) -> Choice:
    """Choose among implementations of which nothing is known."""
    reason = reasons.without_contest(situation) or reasons.FIRST_GUESS
    frames = first_frames(situation, TRIAL_SECONDS)
    return Choice(min(usable, key=_first_guess), frames, None, reason)


def _first_guess(candidate: Implementation) -> tuple[float, int]:
    """Return what ranks a candidate of which nothing is known: much less work first."""
    return min(2 * candidate.work, 1.0), guess_rank(candidate)


def guess_rank(candidate: Implementation) -> int:
    """Return the place of a candidate of which nothing is known, from 0."""
    if candidate.name in _FIRST_GUESSES:
        return _FIRST_GUESSES.index(candidate.name)
    kind = _KINDS.index(candidate.kind) if candidate.kind in _KINDS else len(_KINDS)
    return len(_FIRST_GUESSES) + kind
