"""eSRRF takes no more memory for a longer movie, whatever the reduction."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import napari_nanopyx as nx
from napari_nanopyx._engine.context import choose_by
from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.policy.situation import Situation


class Endless:
    """A movie that is made when it is read."""

    dtype = np.dtype(np.uint16)

    def __init__(self, *shape: int) -> None:
        self.shape = shape

    def __getitem__(self, frames: slice) -> NDArray[np.uint16]:
        count = len(range(*frames.indices(self.shape[0])))
        rng = np.random.default_rng(frames.start)
        return rng.integers(60, 120, (count, *self.shape[1:]), self.dtype)


def fifty_frames(situation: Situation) -> Choice:
    """Make blocks alike, however fast the computer is at the moment."""
    return Choice(situation.candidates[0], 50, None, "asked for")


def peak_bytes(movie: Any, parameters: dict[str, Any]) -> int:
    method: Any = nx.esrrf_3d if len(movie.shape) == 4 else nx.esrrf
    tracemalloc.start()
    try:
        with choose_by(fifty_frames):
            method(movie, 2, implementation="serial", **parameters)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("temporal", ["AVG", "VAR", "STD", "TAC2"])
@pytest.mark.parametrize(
    ("size", "options"),
    [
        ((64, 48), {}),
        ((64, 48), {"interpolation": "fourier"}),
        ((3, 32, 24), {}),
    ],
)
def test_memory_does_not_grow_with_the_frames(
    temporal: str, size: tuple[int, ...], options: dict[str, Any]
) -> None:
    parameters = {"temporal": temporal, **options}
    peak_bytes(Endless(60, *size), parameters)
    few, many = (peak_bytes(Endless(count, *size), parameters) for count in (200, 2000))
    assert many < 1.1 * few
