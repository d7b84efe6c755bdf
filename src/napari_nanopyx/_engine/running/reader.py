"""Reads the blocks of a run in order, one of them ahead of the computation."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, Protocol

from numpy.typing import NDArray

Block = tuple[range, NDArray[Any]]


class Readable(Protocol):
    """Where frames come from."""

    def read(self, frames: range) -> NDArray[Any]:
        """Return frames as a C-contiguous block of uint8, uint16 or float32."""


class Reader:
    """Hands out the frames of some segments; no block straddles two of them.

    Parameters
    ----------
    source
        Where the frames come from. What it raises is raised by `take`.
    segments
        The frames to read, in order.
    """

    def __init__(self, source: Readable, segments: Sequence[range]) -> None:
        self._source = source
        self._unread = deque(segment for segment in segments if len(segment))
        self._read: deque[Block] = deque()
        self._ahead: Future[Block] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self.remaining = sum(len(segment) for segment in segments)
        """Frames that have not been handed out."""

    def take(self, frames: int, at_most: int) -> Block:
        """Return the next frames: about `frames`, so as to leave no small remainder."""
        if self._ahead is not None:
            block, self._ahead = self._ahead.result(), None
            self._read.append(block)
        if not self._read:
            self._read.append(self._fetch(self._next(frames)))
        which, block_read = self._read.popleft()
        if len(which) > min(2 * frames, at_most):
            self._read.appendleft((which[frames:], block_read[frames:]))
            which, block_read = which[:frames], block_read[:frames]
        self.remaining -= len(which)
        return which, block_read

    def give_back(self, frames: range, block: NDArray[Any]) -> None:
        """Take a block back, to be handed out again."""
        self._read.appendleft((frames, block))
        self.remaining += len(frames)

    def give_up(self) -> None:
        """Forget the frames that were handed out before and given back."""
        self.remaining -= sum(len(frames) for frames, _ in self._read)
        self._read.clear()

    def read_ahead(self, frames: int) -> None:
        """Start reading the block after the one handed out, unless it is there."""
        if self._read or self._ahead is not None or not self._unread:
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="nanopyx-reader")
        context, following = copy_context(), self._next(frames)
        self._ahead = self._thread.submit(context.run, self._fetch, following)

    def close(self) -> None:
        """Wait until nothing is being read any more."""
        if self._thread is not None:
            self._thread.shutdown(wait=True, cancel_futures=True)

    def _next(self, frames: int) -> range:
        segment = self._unread.popleft()
        if len(segment) > frames:
            self._unread.appendleft(segment[frames:])
        return segment[:frames]

    def _fetch(self, frames: range) -> Block:
        return frames, self._source.read(frames)
