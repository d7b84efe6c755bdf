"""Lets a block end early, or be left behind, once others are faster."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from threading import Lock
from typing import NamedTuple

import numpy as np

from napari_nanopyx._engine.types import Timing


@dataclass(frozen=True, slots=True)
class Patience:
    """How much may be lost on a block before the rest of it is left to a new choice."""

    launch_frames: int
    """Frames of a launch; between them the clock is looked at."""
    frame_seconds: float
    """What a frame would take elsewhere."""
    spare_seconds: float
    """What may be lost beside that."""
    lost_seconds: float = 0.0
    """What the newest launches have lost."""

    def after(self, frames: int, seconds: float) -> Patience | None:
        """Return what is left of it after a launch; None if it has run out.

        What earlier launches have gained does not count: a delay may begin at any time.
        """
        lost = max(self.lost_seconds + seconds - self.frame_seconds * frames, 0.0)
        return None if lost > self.spare_seconds else replace(self, lost_seconds=lost)

    def seconds(self, frames: int) -> float:
        """Return after how many seconds without these frames it has run out."""
        return self.frame_seconds * frames + self.spare_seconds - self.lost_seconds


class Part(NamedTuple):
    """Frames of a block that are measured together."""

    frames: int
    timing: Timing
    confirmed: bool = False
    """Whether they were slow, and those at their end as well."""


class Watch:
    """Tells a session between the launches of one block whether to go on.

    Another thread may wait for the block meanwhile, and leave it behind.

    Parameters
    ----------
    frames
        Frames of the block.
    patience
        When it should end early; None for never.
    is_cancelled
        Tells whether the run is to stop.
    is_look
        Whether it is computed only to see how long that takes.
    """

    def __init__(
        self,
        frames: int,
        patience: Patience | None = None,
        is_cancelled: Callable[[], bool] = bool,
        *,
        is_look: bool = False,
    ) -> None:
        self.frames = frames
        """Frames that the session has to compute: fewer than the block has, once it is
        to end early."""
        self.launch_frames = frames if patience is None else patience.launch_frames
        """Frames of a launch, at most."""
        self.stop = np.zeros(1, np.intc)
        """Not 0 once nobody wants the block any more: what computes it in parts on the
        processor begins no other."""
        self.spared_threads = 0
        """How many threads to do without, for what others compute meanwhile."""
        self.started: float | None = None
        """When the first launch was begun, by `time.perf_counter`."""
        self.is_left = False
        """Whether others go on without waiting for the block."""
        self._patience = self._left = patience
        self._is_cancelled = is_cancelled
        self._is_look = is_look
        self._ready, self._seconds = 0, 0.0
        self._begun = min(self.launch_frames, frames)
        self._usual = 0, 0.0  # when nothing had been lost yet
        self._lock = Lock()

    def starts(self, launch_frames: int) -> None:
        """Note that launches are begun now, of so many frames."""
        with self._lock:
            self.launch_frames = launch_frames
            if not self.is_left:
                self._begun = min(launch_frames, self._begun)
            self.started = time.perf_counter()

    def goes_on(self, ready: int, begun: int, seconds: float) -> bool:
        """Tell whether to begin another launch.

        So many frames are ready, after so many seconds; those that have been begun
        will be computed in any case.
        """
        with self._lock:
            if ready > self._ready and self._left is not None:
                lasted = seconds - self._seconds
                self._left = self._left.after(ready - self._ready, lasted)
                self._ready, self._seconds = ready, seconds
                if self._left is not None and self._left.lost_seconds == 0:
                    self._usual = ready, seconds
            if self.is_left:
                return begun < self.frames
            if begun and (self._has_run_out or self._is_cancelled()):
                self.frames = begun
                return False
            self._begun = min(begun + self.launch_frames, self.frames)
            return True

    @property
    def deadline(self) -> float:
        """Seconds after which not to wait for it, whatever gets ready then."""
        with self._lock:
            if self._left is None:
                return 0.0 if self._has_run_out else inf
            return self._seconds + self._left.seconds(self._begun - self._ready)

    def leave(self) -> None:
        """Have no other launch begun: others compute the frames that are left out."""
        with self._lock:
            self.is_left = True
            if not self._has_run_out:
                self._left, self.frames = None, self._begun

    def measured(self, timing: Timing) -> list[Part]:
        """Return what a block that took so long tells.

        One that ended early is taken apart: what it computed before it got slow, and
        since.
        """
        if not self._has_run_out:
            return [Part(self.frames, timing)]
        frames, seconds = self._usual
        confirmed = self._is_look or self._is_confirmed(timing.warm)
        if not frames:
            return [Part(self.frames, timing, confirmed)]
        share = seconds / timing.warm
        before = Timing(timing.prepare, share * timing.transfer, share * timing.compute)
        since = Timing(
            0.0, timing.transfer - before.transfer, timing.compute - before.compute
        )
        return [Part(frames, before), Part(self.frames - frames, since, confirmed)]

    def _is_confirmed(self, seconds: float) -> bool:
        """Tell whether what was on its way when patience ran out was slow as well."""
        assert self._patience is not None  # noqa: S101 - it has run out
        each = (seconds - self._seconds) / (self.frames - self._ready)
        return each > self._patience.frame_seconds

    @property
    def _has_run_out(self) -> bool:
        return self._patience is not None and self._left is None
