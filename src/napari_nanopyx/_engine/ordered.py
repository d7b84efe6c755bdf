"""Merges blocks in the order of their frames, though one may come late."""

from __future__ import annotations

from napari_nanopyx._kernels.declaration import Merger, Partial


class Ordered:
    """Hands blocks to a merger, in order.

    While a block is awaited that was left behind, those after it are kept. Others may
    compute its frames meanwhile: what is complete first is merged.

    Parameters
    ----------
    merger
        Takes the blocks.
    """

    def __init__(self, merger: Merger) -> None:
        self._merger = merger
        self._awaited: range | None = None
        self._kept: list[tuple[range, Partial]] = []

    def wait_for(self, frames: range) -> None:
        """Keep what comes from now on, until these frames are there."""
        self._awaited = frames

    def add(self, frames: range, partial: Partial, threads: int) -> None:
        """Take over a block."""
        if self._awaited is None:
            self._merger.add(frames, partial, threads)
        else:
            self._kept.append((frames, partial))

    def settle(self, partial: Partial | None, threads: int) -> None:
        """Merge what is kept.

        The awaited block comes first, if its partial result is given; others that have
        computed its frames are forgotten then.
        """
        awaited, self._awaited = self._awaited, None
        assert awaited is not None  # noqa: S101 - or there is nothing to settle
        if partial is not None:
            self._merger.add(awaited, partial, threads)
            self._kept = [each for each in self._kept if each[0].start not in awaited]
        for frames, kept in sorted(self._kept, key=lambda each: each[0].start):
            self._merger.add(frames, kept, threads)
        self._kept.clear()
