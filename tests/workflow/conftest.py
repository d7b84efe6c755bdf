"""A small movie with a known drift, as an array and as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from movie_files import write_movie
from numpy.typing import NDArray

from napari_nanopyx import simulate

DRIFT = (0.14, -0.18)


@pytest.fixture(scope="session")
def movie() -> NDArray[np.uint16]:
    """Twelve frames of 40 × 44 pixels that drift."""
    made = simulate.drift_movie(12, (40, 44), drift=DRIFT, count=9, sigma=2.0, seed=3)
    return simulate.camera_noise(made.movie + 20.0, seed=4)


@pytest.fixture
def source(tmp_path: Path, movie: NDArray[Any]) -> Path:
    """Write the movie as ImageJ does."""
    return write_movie(tmp_path / "cell.tif", movie)
