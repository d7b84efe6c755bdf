"""A movie whose frames come one after the other is computed while it is recorded."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from closeness import assert_close
from numpy.typing import NDArray
from recording import PATIENCE_SECONDS, Recording

import napari_nanopyx as nx

RECORDED = 40
MOVIE = np.random.default_rng(8).poisson(100, (60, 24, 20)).astype(np.uint16)


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
    method: Callable[..., NDArray[Any]], home: Path
) -> None:
    """With a history of its own: one that knows how short these frames take waits.

    They would all make a single block then.
    """
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
