"""``python -m benchmarks.drift``: drift of 50 frames, its time and its error.

Beside it NanoPyx, scikit-image and pystackreg, if a Python that has them is given. Best
of several warm calls; all on the same movie, in turn. Then the error on real frames
that were moved by known amounts, at three levels of noise.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

import napari_nanopyx as nx
from benchmarks import machine
from benchmarks.beside import command, others
from benchmarks.cases import best_time

REPEATS, PEER_REPEATS = 15, 3
SETTLING = 5.0
"""Seconds of calls before the first measurement of each: the engine compiles other
implementations beside them, and tries them."""

FINE = 4
"""Finer pixels that one pixel of the movie is the mean of, along an axis."""

PHOTONS = (30, 300, 100_000)
DRAWS = 4
FRAMES: dict[str, tuple[Any, ...]] = {
    "mito_h9c2_608nm_50f.tif": (0,),
    "telomeres_live_200f.tif": (0, slice(100), slice(100)),
    "hybiss_spots_2d.tif": (slice(300, 428), slice(100, 228)),
    "bpae_actin_reference.tif": (slice(100, 196), slice(100, 196)),
    "pmhc_af647_10f.tif": (0, slice(64), slice(64)),
    "sim_clathrin_raw_18.tif": (0,),
}
"""Parts of real images."""

Numbers = dict[str, Any]


def main() -> None:
    """Run the command line."""
    parser = command("drift", __doc__)
    parser.add_argument("--data", type=Path, help="a folder with real images")
    parser.add_argument("--json", type=Path, help="a file for the same as numbers")
    options = parser.parse_args()
    frames, side = (4, 48) if options.small else (50, 256)
    numbers: Numbers = {"machine": machine.describe()}
    settling = 0.0 if options.small else SETTLING
    for line in table(frames, side, options.peer_python, numbers, settling):
        print(line, flush=True)
    if options.data is not None:
        for line in errors(options.data, options.peer_python, numbers):
            print(line, flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(numbers, indent=1) + "\n")


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


def table(
    frames: int,
    side: int,
    python: Path | None,
    numbers: Numbers | None = None,
    settling: float = 0.0,
) -> Iterator[str]:
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

        started, shifts = time.perf_counter(), call()
        while time.perf_counter() - started < settling:
            call()
        results[label] = best_time(call, 2 if "rcc" in label else REPEATS), shifts
    results |= programs(python, [images], PEER_REPEATS)[0]
    found = {
        label: {
            "ms": 1e3 * seconds,
            "error": float(np.sqrt(np.mean(np.square(shifts + moves)))),
        }
        for label, (seconds, shifts) in results.items()
    }
    if numbers is not None:
        numbers["times"] = found
    fastest = found["napari-nanopyx"]["ms"]
    yield f"## {frames} frames of {side} x {side}, Poisson noise of 300 photons"
    yield ""
    yield "|  | ms | times as long | error, px rms |"
    yield "| --- | ---: | ---: | ---: |"
    for label, each in found.items():
        ratio = each["ms"] / fastest
        yield f"| {label} | {each['ms']:.0f} | {ratio:.1f} | {each['error']:.4f} |"


def errors(folder: Path, python: Path | None, numbers: Numbers) -> Iterator[str]:
    """Yield the rows of a table of errors on real frames, moved by known amounts."""
    cases = [
        (name, photons, real(folder / name, part, photons, draw))
        for name, part in FRAMES.items()
        for photons in PHOTONS
        for draw in range(DRAWS)
    ]
    beside = programs(python, [images for _, _, (images, _) in cases], 1)
    wrong: dict[tuple[str, float], dict[str, list[Any]]] = {}
    for (name, photons, (images, moves)), found in zip(cases, beside, strict=True):
        shifts = {"napari-nanopyx": nx.estimate_drift(images, max_drift=8).shifts}
        shifts |= {label: each for label, (_, each) in found.items()}
        row = wrong.setdefault((name, photons), {})
        for label, each in shifts.items():
            row.setdefault(label, []).append(np.add(each, moves)[1:])
    rows = [
        {"image": name, "photons": photons}
        | {k: float(np.sqrt(np.mean(np.square(v)))) for k, v in row.items()}
        for (name, photons), row in wrong.items()
    ]
    numbers["errors"] = rows
    labels = list(rows[0])[2:]
    yield ""
    yield f"## Error in pixels rms, {DRAWS} movies of 10 frames each"
    yield ""
    yield "| image | photons | " + " | ".join(labels) + " |"
    yield "| --- | ---: |" + " ---: |" * len(labels)
    for row_ in rows:
        cells = " | ".join(f"{row_[label]:.4f}" for label in labels)
        yield f"| {row_['image']} | {row_['photons']} | {cells} |"


def real(
    path: Path, part: tuple[Any, ...], photons: float, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a movie of a real frame, moved by its waves, and how far."""
    import tifffile

    frame = tifffile.imread(path)[part].astype(float)
    frame = (frame - frame.min()) / np.ptp(frame)
    random = np.random.default_rng(seed)
    moves = random.uniform(-3, 3, (10, 2))
    moves[0] = 0
    waves = np.fft.fft2(frame)
    clean = [np.fft.ifft2(ndimage.fourier_shift(waves, move)).real for move in moves]
    return random.poisson(photons * (np.clip(clean, 0, None) + 0.1)) * 1.0, moves


Found = dict[str, tuple[float, NDArray[Any]]]


def programs(
    python: Path | None, movies: list[NDArray[Any]], repeats: int
) -> list[Found]:
    """Return time and shifts of the others, for each movie."""
    numbered = {str(number): images for number, images in enumerate(movies)}
    found = others(python, "drift_peer", numbered, repeats=repeats)
    return [
        {label: (each[0], np.array(each[1])) for label, each in results.items()}
        for results in found or [{} for _ in movies]
    ]


if __name__ == "__main__":
    sys.exit(main())
