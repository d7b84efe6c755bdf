"""The policy of what is computed aside: the fastest known, all frames at once."""

from __future__ import annotations

from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.policy.estimates import Estimate, Expectations, estimates
from napari_nanopyx._engine.policy.guessing import guess
from napari_nanopyx._engine.policy.reasons import PINNED
from napari_nanopyx._engine.policy.situation import Situation

QUICKEST = "expected to be done first"


def choose(situation: Situation) -> Choice:
    """Take what is expected to be done first, compiling included; try nothing."""
    usable = situation.usable()
    known = estimates(situation.workload, usable, situation.evidence, situation.ready)
    if not known:
        return guess(situation, usable)
    listed = [candidate for candidate in usable if candidate.name in known]
    best = min(listed, key=lambda c: _seconds(known[c.name], situation.remaining))
    return Choice(
        best,
        situation.remaining,
        known[best.name].seconds,
        PINNED if situation.pinned else QUICKEST,
        Expectations(known),
    )


def _seconds(estimate: Estimate, frames: int) -> float:
    return estimate.preparation + estimate.total(frames)
