"""``python -m benchmarks.drift``: drift of 50 frames, its time and its error.

Beside it NanoPyx and scikit-image, if a Python that has them is given. Best of several
warm calls; all on the same movie, in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

import napari_nanopyx as nx
from benchmarks.cases import best_time

REPEATS = 7
FINE = 4
"""Finer pixels that one pixel of the movie is the mean of, along an axis."""


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.drift", description=__doc__
    )
    parser.add_argument("--peer-python", type=Path, help="a Python that has the peer")
    parser.add_argument("--small", action="store_true", help="try the benchmark itself")
    options = parser.parse_args()
    frames, side = (4, 32) if options.small else (50, 256)
    for line in table(frames, side, options.peer_python):
        print(line, flush=True)


def movie(frames: int, side: int) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return a noisy movie of a dense scene, and how far it has moved."""
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


def table(frames: int, side: int, python: Path | None) -> Iterator[str]:
    """Yield the rows of a table."""
    images, moves = movie(frames, side)
    results: dict[str, tuple[float, Any]] = {}
    for label, settings in (
        ("napari-nanopyx", {}),
        ("napari-nanopyx, max_drift 10", {"max_drift": 10}),
        ("napari-nanopyx, previous", {"reference": "previous", "max_drift": 12}),
        ("napari-nanopyx, rcc", {"method": "rcc", "max_drift": 12}),
    ):

        def call(settings: Any = settings) -> Any:
            return nx.estimate_drift(images, **settings).shifts

        shifts = call()
        results[label] = best_time(call, 2 if "rcc" in label else REPEATS), shifts
    results |= others(python, images)
    yield f"## {frames} frames of {side} x {side}, Poisson noise of 300 photons"
    yield ""
    yield "|  | ms | error, px rms |"
    yield "| --- | ---: | ---: |"
    for label, (seconds, shifts) in results.items():
        error = float(np.sqrt(np.mean(np.square(shifts + moves))))
        yield f"| {label} | {1e3 * seconds:.0f} | {error:.4f} |"


def others(
    python: Path | None, images: NDArray[Any]
) -> dict[str, tuple[float, NDArray[Any]]]:
    """Return time and shifts of the others, from a process of their own."""
    if python is None:
        return {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "movie.npy", images)
        worker = Path(__file__).with_name("drift_peer.py")
        subprocess.run(
            [str(python), str(worker), name],
            check=True,
            capture_output=True,
            env={**os.environ, "HOME": name},
        )
        found = json.loads((folder / "results.json").read_text())
    return {label: (each[0], np.array(each[1])) for label, each in found.items()}


if __name__ == "__main__":
    sys.exit(main())
