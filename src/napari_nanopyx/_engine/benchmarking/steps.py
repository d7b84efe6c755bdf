"""Counts the steps of a benchmark, for its progress, and stops it between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from napari_nanopyx._engine.errors import Cancelled
from napari_nanopyx._engine.running.runner import Cancel


def steps_of(repeats: int) -> int:
    """Return the steps of one implementation: check, warm-up and timed blocks."""
    return 2 + repeats


@dataclass
class Steps:
    """How far the benchmark has come; a step is a check, a warm-up or a timed block."""

    total: int
    progress: Callable[[int, int], object] | None
    cancel: Cancel | None
    done: int = 0

    def begin(self) -> None:
        """Raise if the caller wants no more."""
        if self.cancel is not None and self.cancel.is_set():
            raise Cancelled("the benchmark was cancelled")

    def go_to(self, done: int) -> None:
        """Report that so much is done, unless it has been."""
        if done > self.done:
            self.done = done
            if self.progress is not None:
                self.progress(done, self.total)
