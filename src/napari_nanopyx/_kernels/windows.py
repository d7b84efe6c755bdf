"""Which frames make up each time point of the result."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence


def windows(
    frames: int, frames_per_timepoint: int = 0, frame_gap: int = 0, least: int = 1
) -> list[range]:
    """Return the frames of each time point.

    Parameters
    ----------
    frames : int
        Number of input frames T.
    frames_per_timepoint : int
        Window length F; 0, or more than there are frames, means all frames.
    frame_gap : int
        Frames between the starts of two windows. 0 sets windows side by side and
        keeps the last one even if it is incomplete; otherwise windows may overlap
        (gap below F) or leave frames out (gap above F), and an incomplete one is
        dropped.
    least : int
        Frames that a window must have; one with fewer is dropped.
    """
    length = frames_per_timepoint
    if not 0 < length <= frames:
        length = frames
    if frame_gap == 0:
        starts = range(0, frames, length)
    else:
        starts = range(0, frames - length + 1, frame_gap)
    found = [range(start, min(start + length, frames)) for start in starts]
    return [window for window in found if len(window) >= least]


def segments(windows: Sequence[range]) -> list[range]:
    """Return the longest runs of frames that no edge of a window cuts.

    A block of frames inside one segment belongs wholly to each window that it
    touches. Frames that no window holds are in no segment.
    """
    changes: Counter[int] = Counter()
    for window in windows:
        changes[window.start] += 1
        changes[window.stop] -= 1
    edges = sorted(changes)
    depths = itertools.accumulate(changes[edge] for edge in edges)
    return [
        range(start, stop)
        for (start, stop), depth in zip(itertools.pairwise(edges), depths, strict=False)
        if depth
    ]
