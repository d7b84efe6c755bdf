"""How long to wait for a block on a device of its own before it ends or is left."""

from __future__ import annotations

from math import ceil

from napari_nanopyx._engine.patience import Patience
from napari_nanopyx._engine.policy.estimates import WORTH_MOVING, Estimate
from napari_nanopyx._engine.types import Implementation

LAUNCH_SECONDS = 0.004
"""What a launch should take: the more there are, the more time they take together."""

_FEWEST_LAUNCHES = 2

_TIMES_AS_LONG = 2.0
"""Times the expected seconds from which a block on a device apart is surely slow."""

_SPARE_SECONDS = 0.01
"""What launches may lose together beside that: a single one is slow by accident."""


def patience(
    best: Implementation,
    estimate: Estimate,
    rival: float,
    frames: int,
    spare: float | None = None,
) -> Patience | None:
    """Return when a block should end early; None for never.

    Parameters
    ----------
    best, estimate
        What computes it, and what to expect of it.
    rival
        Seconds for a frame on the next best.
    frames
        Frames of the block.
    spare
        What may be lost on it; by default as much as makes a block slow.
    """
    launch_frames = ceil(LAUNCH_SECONDS / max(estimate.usual.per_frame, 1e-9))
    is_short = frames < _FEWEST_LAUNCHES * launch_frames
    if best.apart:
        return _apart(estimate, rival, frames, frames if is_short else launch_frames)
    if is_short:
        return None
    usual, now = estimate.usual, estimate.now
    if spare is None:
        spare = (usual.noticed - 1) * usual.seconds(frames)
    return Patience(
        launch_frames, max(WORTH_MOVING * rival, now.per_frame), now.fixed + spare
    )


def _apart(
    estimate: Estimate, rival: float, frames: int, launch_frames: int
) -> Patience:
    """Return when to go on without a block.

    Once it is surely slow, as it costs little to leave it: it goes on beside what the
    others do, and its result is used if it is there first. Of a block of several
    launches not before the others were faster, for the device has nothing to do then
    until they have done something.
    """
    factor = max(estimate.usual.noticed, _TIMES_AS_LONG)
    each, spare = factor * estimate.now.per_frame, factor * estimate.now.fixed
    if launch_frames < frames:
        each, spare = max(each, rival), spare + _SPARE_SECONDS
    return Patience(launch_frames, each, spare)
