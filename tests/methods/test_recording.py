"""A movie whose frames come one after the other is computed while it is recorded."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Condition, Event
from typing import Any

import numpy as np
import pytest
from closeness import assert_close
from numpy.typing import NDArray

import napari_nanopyx as nx

PATIENCE_SECONDS = 60
RECORDED = 40
MOVIE = np.random.default_rng(8).poisson(100, (60, 24, 20)).astype(np.uint16)


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


@pytest.mark.parametrize(
    "method",
    [
        lambda movie, **given: nx.esrrf(movie, 2, frames_per_timepoint=20, **given),
        lambda movie, **given: nx.srrf(movie, 2, temporal="TRA", **given),
        lambda movie, **given: nx.denoise_nlm(
            movie, patch_size=3, patch_distance=2, **given
        ),
    ],
    ids=["esrrf", "srrf", "denoise"],
)
def test_frames_are_computed_before_the_last_is_there(
    method: Callable[..., NDArray[Any]],
) -> None:
    recording, begun, done = Recording(MOVIE), Event(), []

    def progress(frames: int, _total: int) -> None:
        done.append(frames)
        begun.set()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(method, recording, progress=progress)
        recording.record(RECORDED)
        assert begun.wait(PATIENCE_SECONDS)
        assert 0 < done[-1] <= RECORDED
        assert not running.done()
        recording.record(len(MOVIE))
        result = running.result(PATIENCE_SECONDS)
    assert done[-1] == len(MOVIE)
    assert_close(result, method(MOVIE), 2e-5)
