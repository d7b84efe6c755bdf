"""Which implementation is the fastest as of now, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

from napari_nanopyx._engine.policy.estimates import WORTH_MOVING, Estimate
from napari_nanopyx._engine.policy.situation import Situation
from napari_nanopyx._engine.types import Implementation


def fastest(
    situation: Situation,
    listed: Sequence[Implementation],
    known: Mapping[str, Estimate],
) -> Implementation:
    """Return the fastest as of now, or the usual one if that is hardly slower now.

    How long a delay is changes from block to block, and its end is noticed at once
    only by who stays; unless it is on a device apart, where that is noticed beside
    what another one computes. Then the other one need only be hardly slower.
    """
    seconds = {c.name: _seconds(known[c.name], situation) for c in listed}
    best = _on_average(listed, known, seconds)
    if all(known[c.name].pace.slowdown == 1 for c in listed):
        return best
    usually = {c.name: known[c.name].usual.frame_seconds for c in listed}
    usual = _on_average(listed, known, usually)
    if known[usual.name].pace.slowdown == 1:
        return best
    if usual.apart and known[usual.name].copies_little:
        elsewhere = [c for c in listed if c.device != usual.device]
        if not elsewhere:
            return best
        other = min(elsewhere, key=lambda c: seconds[c.name])
        return (
            other if seconds[other.name] <= WORTH_MOVING * seconds[best.name] else best
        )
    return usual if seconds[usual.name] <= WORTH_MOVING * seconds[best.name] else best


def _on_average(
    listed: Sequence[Implementation],
    known: Mapping[str, Estimate],
    seconds: Mapping[str, float],
) -> Implementation:
    """Return the best on the device of the fastest, with what accidents add.

    What delays a device for a while would look like accidents beside another device.
    """
    fastest = min(listed, key=lambda c: seconds[c.name])
    least = seconds[fastest.name] * known[fastest.name].accidents
    found = fastest
    for each in listed:
        if seconds[each.name] < least and each.device == fastest.device:
            average = seconds[each.name] * known[each.name].accidents
            if average < least:
                found, least = each, average
    return found


def needs_checking(
    situation: Situation, best: Implementation, known: Mapping[str, Estimate]
) -> bool:
    """Tell whether a single slow block, if no accident, would make another the best."""
    pace = known[best.name].pace
    if pace.slowdown > 1 or pace.suspected == 1:
        return False
    others = (
        _seconds(known[name], situation)
        for name in known
        if name != best.name and known[name].is_ready
    )
    delayed = _seconds(known[best.name], situation) * pace.suspected
    return delayed > min(others, default=inf)


def is_doubtful(best: Implementation, known: Mapping[str, Estimate]) -> bool:
    """Tell whether the best is taken for slow by a single block, left behind maybe.

    What others promise beside it is not known until its next block, which ends early.
    """
    pace = known[best.name].pace
    return best.apart and pace.slowdown > 1 and pace.row == 1


def _seconds(estimate: Estimate, situation: Situation) -> float:
    return estimate.preparation + estimate.total(situation.remaining)
