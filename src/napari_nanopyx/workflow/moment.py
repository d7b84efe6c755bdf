"""How far a workflow has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """How far a workflow has come, as it is reported while it runs."""

    file: str
    """Name of the movie."""
    files_done: int
    files: int
    step: str
    """Name of the step that is running."""
    steps_done: int
    steps: int
    done: int
    """Frames that the step has done."""
    total: int
    """Frames that it has in all; 0 if not known yet."""

    @property
    def share(self) -> float:
        """Share of all that is done, each step of each movie taken to be as long."""
        part = self.done / self.total if self.total else 0.0
        within = (self.steps_done + min(part, 1.0)) / max(1, self.steps)
        return (self.files_done + within) / max(1, self.files)

    def __str__(self) -> str:
        return f"{self.file}: {self.step} ({self.steps_done + 1} of {self.steps})"


Report = Callable[[Moment], object]
