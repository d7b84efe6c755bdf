"""What a policy answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from napari_nanopyx._engine.measurements.expected import Expected
from napari_nanopyx._engine.patience import Patience
from napari_nanopyx._engine.types import Implementation


class Look(NamedTuple):
    """A block that is computed apart as well, to see how long that takes.

    What is ready first is used.
    """

    implementation: Implementation
    patience: Patience | None
    reason: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Which implementation computes the next block, and why."""

    implementation: Implementation
    frames: int
    """How many frames the block should have at most."""
    expected_seconds: float | None
    """For one frame; None while nothing is known."""
    reason: str
    expected: Mapping[str, Expected] = field(default_factory=dict)
    """Seconds for a frame by each candidate of which anything is known, by name."""
    prepare: tuple[Implementation, ...] = ()
    """What to get ready in the background, for later blocks."""
    patience: Patience | None = None
    """When the block should end early; None for never."""
    look: Look | None = None
    """What to measure beside the block."""

    @property
    def runners_up(self) -> list[tuple[str, Expected]]:
        """The other candidates, the fastest first."""
        chosen = self.implementation.name
        others = [item for item in self.expected.items() if item[0] != chosen]
        return sorted(others, key=lambda item: float(item[1]))
