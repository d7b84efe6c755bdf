"""Movies whose drift is known, to time and test its estimation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

FINE = 4
"""Finer pixels that one pixel of the dense movie is the mean of, along an axis."""

SPOTS = 150 / 256**2
"""Spots in a pixel."""

Movie = tuple[NDArray[Any], NDArray[np.float64]]
"""Frames, and how far the scene has moved in each."""


def dense(frames: int, side: int) -> Movie:
    """Return a noisy movie of a dense scene that jumps by quarters of a pixel."""
    random = np.random.default_rng(20250102)
    room = 6 * FINE
    scene = random.normal(size=(FINE * side + 2 * room,) * 2).astype(np.float32)
    scene = ndimage.gaussian_filter(scene, 1.5 * FINE)
    scene = np.clip(300 + 100 * scene / scene.std(), 0, None)
    moves = random.integers(-5 * FINE, 5 * FINE + 1, (frames, 2))
    moves[0] = 0
    result = np.empty((frames, side, side), np.uint16)
    for frame, (y, x) in zip(result, moves, strict=True):
        part = scene[room - y :, room - x :][: FINE * side, : FINE * side]
        frame[:] = random.poisson(part.reshape(side, FINE, side, FINE).mean((1, 3)))
    return result, moves / FINE


def spots(frames: int, side: int) -> Movie:
    """Return a noisy movie of spots that wander by whole pixels."""
    random = np.random.default_rng(7)
    room = 16
    pixels = np.arange(side + 2 * room)[:, np.newaxis]
    count = round(SPOTS * pixels.size**2)
    places = random.uniform(0, pixels.size, (2, count))
    rows, columns = np.exp(-((pixels - places[:, np.newaxis]) ** 2) / 3.4)
    scene = (rows * random.exponential(300, count)) @ columns.T + 100
    steps = random.integers(-1, 2, (frames, 2))
    steps[0] = 0
    moves = np.clip(np.cumsum(steps, axis=0), 1 - room, room - 1)
    result = np.empty((frames, side, side), np.uint16)
    for frame, (y, x) in zip(result, moves, strict=True):
        frame[:] = random.poisson(scene[room - y :, room - x :][:side, :side])
    return result, moves.astype(np.float64)


SCENES = {
    "A dense scene, moved by quarters of a pixel": dense,
    "150 spots, moved by whole pixels": spots,
}
