"""What a policy is told, and what it is: measurements in, choice out, nothing else.

A policy is a pure function of a `Situation`. It reads no clock, file or random
state, so that every choice can be repeated and tested with a table of numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from napari_nanopyx._engine.measurements.evidence import Evidence
from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.types import Implementation, Workload

BACKGROUND_SHARE = 0.25
"""The part of a core that preparing takes from a computation on all cores.

Most of it happens in a process of low priority, which gets a tenth of a busy core.
"""


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a choice may depend on."""

    workload: Workload
    candidates: Sequence[Implementation]
    evidence: Evidence
    remaining: int
    """Frames of the run that no block has computed yet."""
    ready: Collection[str] = ()
    """Names of the candidates that are prepared."""
    opened: Collection[str] = ()
    """Names of those that this run has opened."""
    pinned: bool = False
    """Whether the only candidate was asked for by name."""
    seed: int = 0
    """For policies that draw lots."""
    background_share: float = BACKGROUND_SHARE / 2
    """Computing time lost for each second of preparing something beside it."""
    busy: Collection[str] = ()
    """Names of those that compute something now, apart."""
    awaited: bool = False
    """Whether one of them has a block of this run that was left behind."""
    disturbed: bool = False
    """Whether something is being prepared in this process now, so that what shares
    the processor with it looks slower than it is."""

    def usable(self) -> list[Implementation]:
        """Return the candidates that can be chosen; the reference only as a last one.

        One that is busy is chosen only if there is no other.

        Raises
        ------
        ValueError
            If there is none.
        """
        usable = [c for c in self.candidates if c.available]
        usable = [c for c in usable if c.kind != "reference"] or usable
        if self.busy:
            usable = [c for c in usable if c.name not in self.busy] or usable
        if not usable:
            raise ValueError("there is no available implementation to choose from")
        return usable

    def only_busy(self, usable: Sequence[Implementation]) -> list[Implementation]:
        """Return those that could be chosen if they were not busy."""
        if not self.busy:
            return []
        busy = [c for c in self.candidates if c.available and c.name in self.busy]
        return [c for c in busy if c not in usable]

    @property
    def core_share(self) -> float:
        """The part that one core is of all that compute."""
        return self.background_share / BACKGROUND_SHARE

    @property
    def has_contest(self) -> bool:
        """Whether there is more than one candidate that can run."""
        return sum(c.available for c in self.candidates) > 1


Policy = Callable[[Situation], Choice]
