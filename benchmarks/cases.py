"""What is measured: the inputs, and how a call is timed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Sizes:
    """Shapes and parameters of one benchmark run."""

    esrrf_shape: tuple[int, int, int] = (10, 283, 283)
    magnify_shape: tuple[int, int, int] = (10, 300, 300)
    srrf_shape: tuple[int, int, int] = (4, 300, 300)
    magnification: int = 5
    radius: float = 1.5
    sensitivity: float = 2.0
    ring_radius: float = 0.5
    repeats: int = 3
    movie_frames: int = 10_000

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for a child process."""
        return asdict(self)


SMALL = Sizes((2, 32, 32), (2, 30, 30), (2, 31, 31), repeats=1, movie_frames=40)
"""To try the benchmark itself; its times mean nothing."""


def movie(shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Return blinking spots on a noisy background, the same at every call."""
    _, height, width = shape
    random = np.random.default_rng(20250101)
    spots = max(4, height * width // 400)
    rows, columns = random.uniform(0, height, spots), random.uniform(0, width, spots)
    y, x = np.arange(height)[:, np.newaxis], np.arange(width)[:, np.newaxis]
    profiles = np.exp(-((y - rows) ** 2) / 3.4), np.exp(-((x - columns) ** 2) / 3.4)
    images = np.empty(shape, np.float32)
    for frame in images:
        brightness = random.exponential(300, spots)
        photons = (profiles[0] * brightness) @ profiles[1].T + 100
        frame[:] = random.poisson(photons)
    return images


def best_time(call: Callable[[], Any], repeats: int) -> float:
    """Return the shortest of several times of a call, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)
