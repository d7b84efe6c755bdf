"""Which blocks were slow beside those before them, and which can be forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from statistics import median

from napari_nanopyx._engine.measurements.blocks import (
    NOTICED,
    NOTICED_BESIDE,
    BlockTime,
    block_time,
)
from napari_nanopyx._engine.types import Measurement

_SHORT_KEPT = 4


def block(measurement: Measurement) -> tuple[int, float]:
    """Return the frames of a block, and the seconds that they took."""
    return measurement.frames, measurement.timing.warm


def slowdown(measurement: Measurement, usual: BlockTime, was_slow: bool) -> float:
    """Judge a block by the usual time, and by whether the one before it was slow.

    On a device that is copied to, the first short block may show little but what each
    takes besides its frames: while nothing is delayed, it is slow only if it takes
    longer than longer ones. Nor do short blocks tell what more frames would take: one
    that is longer than all of them is slow only if its frames are slower than theirs.
    """
    frames, seconds = block(measurement)
    is_short = 2 * frames <= usual.fewest_frames and measurement.timing.transfer > 0
    if is_short and not was_slow and not measurement.confirmed:
        frames = usual.fewest_frames
    longest = usual.most_frames
    is_steady = not was_slow and not measurement.confirmed
    if frames > longest and (is_steady or usual.per_frame == 0):
        frames, seconds = longest, seconds * longest / frames
    noticed = NOTICED if measurement.confirmed else usual.noticed
    if measurement.beside:
        noticed = NOTICED_BESIDE
    return usual.slowdown(frames, seconds, noticed)


def slow(warm: Sequence[Measurement], judged: Sequence[bool]) -> tuple[bool, ...]:
    """Tell of each whether it was slow, of which the oldest have been judged already.

    The usual time that a block is judged by is fitted anew when the blocks that were
    not slow are twice as many.
    """
    if len(judged) == len(warm):
        return tuple(judged)
    found, usual, expected, next_fit = list(judged), [], None, 2
    for place, measurement in enumerate(warm):
        if place >= len(found):
            was_slow = place > 0 and found[-1]
            found.append(
                expected is not None and slowdown(measurement, expected, was_slow) > 1
            )
        if not found[place]:
            usual.append(block(measurement))
        if len(usual) >= next_fit and place + 1 >= len(judged):
            expected, next_fit = block_time(usual), 2 * len(usual)
    return tuple(found)


def least_telling(warm: Sequence[Measurement], judged: Sequence[bool]) -> int:
    """Return the place of the oldest, but for a few short blocks that were not slow.

    Without them the fixed time of a block would be forgotten. Those that were slow, as
    looks for the end of a delay are, do not make short blocks the usual ones. The
    newest may not be judged yet.
    """
    if 2 * warm[0].frames > max(islice(_undelayed(warm, judged), 2), default=0):
        return 0
    pairs = list(zip(warm, judged, strict=False))
    undelayed = list(_undelayed(warm, judged))
    half = median(undelayed) / 2 if undelayed else 0.0
    short = [
        place
        for place, (measurement, is_slow) in enumerate(pairs)
        if not is_slow and measurement.frames <= half
    ]
    kept = set(short) if len(short) <= _SHORT_KEPT else ()
    return next(place for place in range(len(warm)) if place not in kept)


def _undelayed(warm: Sequence[Measurement], judged: Sequence[bool]) -> Iterator[int]:
    """Yield the frames of those that were not slow, so far, the newest first."""
    for place in range(len(warm) - 1, -1, -1):
        if place >= len(judged) or not judged[place]:
            yield warm[place].frames
