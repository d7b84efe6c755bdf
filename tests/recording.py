"""A movie that is recorded while it is computed, at the pace that a test gives."""

from __future__ import annotations

from threading import Condition
from typing import Any

from numpy.typing import NDArray

PATIENCE_SECONDS = 60


class Recording:
    """An array whose frames are waited for: what a driver of a camera can give."""

    def __init__(self, movie: NDArray[Any]) -> None:
        self._movie, self._recorded, self._news = movie, 0, Condition()
        self.shape, self.dtype, self.ndim = movie.shape, movie.dtype, movie.ndim

    def record(self, count: int) -> None:
        """Have so many frames, in all."""
        with self._news:
            self._recorded = count
            self._news.notify_all()

    def __getitem__(self, part: Any) -> NDArray[Any]:
        frames = part[0] if isinstance(part, tuple) else part
        last = max(range(len(self._movie))[frames], default=-1)
        with self._news:
            came = self._news.wait_for(
                lambda: self._recorded > last, timeout=PATIENCE_SECONDS
            )
        assert came
        frames_there: NDArray[Any] = self._movie[part]
        return frames_there
