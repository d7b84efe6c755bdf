"""How many frames a preview can have to be quick enough, by those before it."""

from __future__ import annotations

SLOWEST_SECONDS = 0.1
"""A preview that takes longer has fewer frames next time."""

QUICK_SECONDS = 0.04
"""One that takes less has more, so that there is less noise in it."""

MOST_FRAMES = 24

_FIRST_FRAMES = 2
_AIMED_SECONDS = 0.07


class Pace:
    """Finds the number of frames, up to a largest one.

    It changes rarely: each change is a change of what is seen.
    """

    def __init__(self, most: int = MOST_FRAMES) -> None:
        self._most = most
        self.frames = min(_FIRST_FRAMES, most)

    def took(self, seconds: float, frames: int) -> None:
        """Note how long so many frames took."""
        if QUICK_SECONDS <= seconds <= SLOWEST_SECONDS:
            return
        wished = frames * _AIMED_SECONDS / max(seconds, _AIMED_SECONDS / 2)
        self.frames = min(max(int(wished), 1), self._most)
