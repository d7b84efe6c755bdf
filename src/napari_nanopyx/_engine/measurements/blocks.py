"""How long a block takes, from those measured: a fixed time, and one for each frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import sqrt

LONGEST_SECONDS = 0.25
"""What a block should take at most: progress and cancel answer this often."""

SHORTEST_SECONDS = 0.1
"""What it should take at least, where its fixed time is short; if it can end early, it
may as well take the longest."""

FIXED_SHARE = 0.01
"""The part of a block that its fixed time may take before the block gets longer."""

NOTICED = 1.25
"""Times the expected seconds from which a block is slow, where they are steady."""

NOTICED_BESIDE = 1.4
"""The same of a block that is computed beside others: memory and cores are shared."""

_NOTICED_AT_MOST = 2.0
_DEVIATIONS = 3.0
_FARTHEST = 4
_DOUBT = 0.02
_TINY = 1e-9


@dataclass(eq=False, slots=True)
class BlockTime:
    """The seconds of an undisturbed block."""

    fixed: float
    """Starting threads, launching kernels, merging: whatever the frames."""
    per_frame: float
    most_frames: int
    """Frames of the longest block that was measured."""
    spread: float = 0.0
    """Standard deviation of the seconds over the expected ones."""
    fewest_frames: int = 1
    """Frames of the shortest block that was measured."""
    limit: int = 2**31
    """Frames of the longest block there can be."""
    shortest: float = SHORTEST_SECONDS
    """Seconds that a block should take at least."""
    frames: int = field(init=False)
    """How many frames a block should have.

    As few as its fixed time allows, because a choice is made anew for each block and a
    delay is noticed at its end; and not many times more than ever measured.
    """
    frame_seconds: float = field(init=False)
    """Seconds for a frame of such a block."""

    def __post_init__(self) -> None:
        each = max(self.per_frame, _TINY)
        enough = max(self.shortest - self.fixed, self.fixed / FIXED_SHARE) / each
        most = min((LONGEST_SECONDS - self.fixed) / each, _FARTHEST * self.most_frames)
        self.frames = max(1, round(min(enough, most, self.limit)))
        self.frame_seconds = self.seconds(self.frames) / self.frames

    def seconds(self, frames: float) -> float:
        """Return the seconds that a block of so many frames takes."""
        return self.fixed + self.per_frame * frames

    @property
    def noticed(self) -> float:
        """Times the expected seconds from which a block counts as slow."""
        return min(max(NOTICED, 1 + _DEVIATIONS * self.spread), _NOTICED_AT_MOST)

    def slowdown(
        self, frames: int, seconds: float, noticed: float | None = None
    ) -> float:
        """Return how many times as long as expected a block took; 1 if not slow."""
        factor = seconds / max(self.seconds(frames), _TINY)
        return factor if factor >= (noticed or self.noticed) else 1.0

    def scaled(self, factor: float) -> BlockTime:
        """Return the same where everything takes so many times as long."""
        fixed, per_frame = factor * self.fixed, factor * self.per_frame
        about = self.most_frames, self.spread, self.fewest_frames
        return BlockTime(fixed, per_frame, *about, self.limit, self.shortest)


@lru_cache(maxsize=1024)
def limited(of: BlockTime, limit: int, ends_early: bool = False) -> BlockTime:
    """Return the time of blocks of so many frames at most, if that is known.

    What a block takes besides its frames counts for more of them else.
    """
    shortest = LONGEST_SECONDS if ends_early else SHORTEST_SECONDS
    return replace(of, limit=limit or of.limit, shortest=shortest)


def block_time(blocks: Sequence[tuple[int, float]]) -> BlockTime:
    """Fit the times of blocks, given as frames and seconds.

    The first fit is of all blocks, the second of those that were faster beside it: a
    few slow outliers hardly move it; one of the shortest is always among them. Each
    error counts beside its block's seconds. A fixed time is believed as far as blocks
    of different lengths show it.
    """
    fixed, per_frame = _fit(blocks)
    ranked = sorted(blocks, key=lambda block: block[1] / (fixed + per_frame * block[0]))
    lengths = [frames for frames, _ in blocks]
    most, fewest = max(lengths), min(lengths)
    half = (len(ranked) + 1) // 2
    kept, left = ranked[:half], ranked[half:]
    if all(frames != fewest for frames, _ in kept):
        kept.append(next(block for block in left if block[0] == fewest))
    fixed, per_frame = _fit(kept)
    squares = sum(
        (seconds / (fixed + per_frame * frames) - 1) ** 2 for frames, seconds in blocks
    )
    spread = sqrt(squares / len(blocks))
    return BlockTime(fixed, per_frame, most, spread, fewest)


def _fit(blocks: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Return the fixed time of blocks, and that of each frame."""
    ones = frames_ones = frames_frames = fixed_sum = frames_sum = 0.0
    for frames, measured in blocks:
        seconds = max(measured, _TINY)
        one, each = 1 / seconds, frames / seconds
        ones += one * one
        frames_ones += one * each
        frames_frames += each * each
        fixed_sum += one
        frames_sum += each
    doubted = ones * (1 + _DOUBT / len(blocks))
    determinant = doubted * frames_frames - frames_ones * frames_ones
    fixed = (fixed_sum * frames_frames - frames_sum * frames_ones) / determinant
    if fixed <= 0:
        return 0.0, frames_sum / frames_frames
    per_frame = (frames_sum - fixed * frames_ones) / frames_frames
    if per_frame <= 0:
        return fixed_sum / doubted, 0.0
    return fixed, per_frame
