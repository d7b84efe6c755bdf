"""The words by which a choice is explained."""

from __future__ import annotations

from collections.abc import Mapping

from napari_nanopyx._engine.policy.estimates import Estimate
from napari_nanopyx._engine.policy.situation import Situation
from napari_nanopyx._engine.types import Implementation

PINNED = "asked for by name"
ONLY_ONE = "the only one available"
FIRST_GUESS = "first guess: nothing like this has been measured here yet"
FASTEST = "fastest so far"
FASTEST_ELSEWHERE = "fastest so far at the most similar size"
FASTEST_NOW = "fastest while {} takes {:.2g} times as long as usual"
SHORT = "a short block, to learn what a block takes besides its frames"
CHECKING = "measuring again: its last block took {:.2g} times as long as usual"


def fastest(best: Implementation, known: Mapping[str, Estimate]) -> str:
    """Return why the best is the best, with figures."""
    estimate = known[best.name]
    delayed = [name for name in known if known[name].pace.slowdown > 1]
    usual = min([best.name, *delayed], key=lambda name: known[name].usual.frame_seconds)
    if usual != best.name:
        reason = FASTEST_NOW.format(usual, known[usual].pace.slowdown)
    else:
        reason = FASTEST if estimate.exact else FASTEST_ELSEWHERE
    reason += f": {_time(estimate.seconds)} a frame"
    others = [name for name in known if known[name].seconds > estimate.seconds]
    if others:
        second = min(others, key=lambda name: known[name].seconds)
        reason += f", next best {second} at {_time(known[second].seconds)}"
    plural = "" if estimate.measurements == 1 else "s"
    return f"{reason} ({estimate.measurements} measurement{plural})"


def without_contest(situation: Situation) -> str:
    """Return why there is nothing to choose from; empty if there is."""
    if situation.pinned:
        return PINNED
    return "" if situation.has_contest else ONLY_ONE


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
