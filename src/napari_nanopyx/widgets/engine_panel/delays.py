"""Notices from block to block which implementations are delayed, and since when."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from napari_nanopyx.engine import Expected

MOST_ENDED = 2
SHORTEST_SECONDS = 1.0
"""A delay that lasted less is not worth a line once it has ended."""


@dataclass(frozen=True, slots=True)
class Delay:
    """A time in which an implementation is slower than usual."""

    implementation: str
    factor: float
    """Times the usual seconds."""
    began: float
    """When it was noticed, in Unix time."""
    ended: float | None = None
    """When a fast block ended it; None while it lasts."""

    def __str__(self) -> str:
        name, times = self.implementation, f"{self.factor:.2g} times as long as usual"
        if self.ended is None:
            return f"{_clock(self.began)} {name} takes {times}"
        seconds = self.ended - self.began
        return f"{_clock(self.ended)} {name} no longer takes {times} ({seconds:.0f} s)"


class Delays:
    """The delays of a task that were seen: those that last, and the last few ended."""

    def __init__(self) -> None:
        self._lasting: dict[str, Delay] = {}
        self._ended: list[Delay] = []

    def note(self, expected: Mapping[str, Expected], at: float) -> None:
        """Compare what is expected at this moment with what was before."""
        for name, seconds in expected.items():
            known = self._lasting.get(name)
            if seconds.slowdown > 1:
                began = at if known is None else known.began
                self._lasting[name] = Delay(name, seconds.slowdown, began)
            elif known is not None:
                del self._lasting[name]
                if at - known.began >= SHORTEST_SECONDS:
                    self._ended.append(replace(known, ended=at))
                    del self._ended[:-MOST_ENDED]

    @property
    def listed(self) -> list[Delay]:
        """Those that last, the newest first, then those that have ended."""
        lasting = sorted(self._lasting.values(), key=lambda each: -each.began)
        return [*lasting, *reversed(self._ended)]


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))
