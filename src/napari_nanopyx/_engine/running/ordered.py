"""Merges blocks in the order of their frames, though one may come late."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from napari_nanopyx._kernels.declaration import Merger, Partial


class Computed(NamedTuple):
    """A block that has been computed."""

    frames: range
    partial: Partial
    name: str
    """The implementation that computed it."""


class Ordered:
    """Hands blocks to a merger, in order.

    While a block is awaited that was left behind, those after it are kept. Others may
    compute its frames meanwhile: what is complete first is merged.

    Parameters
    ----------
    merger
        Takes the blocks.
    count
        Called with an implementation and how many frames of it are used, once that is
        sure.
    """

    def __init__(self, merger: Merger, count: Callable[[str, int], None]) -> None:
        self._merger = merger
        self._count = count
        self._awaited: range | None = None
        self._kept: list[Computed] = []

    def wait_for(self, frames: range) -> None:
        """Keep what comes from now on, until these frames are there."""
        self._awaited = frames

    def add(self, block: Computed, threads: int) -> None:
        """Take over a block."""
        awaited = self._awaited
        if awaited is None:
            self._merger.add(block.frames, block.partial, threads)
        else:
            self._kept.append(block)
        if awaited is None or block.frames.start not in awaited:
            self._count(block.name, len(block.frames))

    def settle(self, block: Computed | None, threads: int) -> None:
        """Merge what is kept.

        If the awaited block is given, others that have computed its frames are
        forgotten.
        """
        awaited, self._awaited = self._awaited, None
        assert awaited is not None  # noqa: S101 - or there is nothing to settle
        kept, self._kept = self._kept, []
        if block is not None:
            kept = [each for each in kept if each.frames.start not in awaited]
            kept.append(block)
        for each in sorted(kept, key=lambda each: each.frames.start):
            self._merger.add(each.frames, each.partial, threads)
            if each.frames.start in awaited:
                self._count(each.name, len(each.frames))
