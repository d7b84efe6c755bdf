"""``python -m benchmarks.drift``: drift of 50 frames, its time and its error.

Beside it NanoPyx, scikit-image and pystackreg, if a Python that has them is given. Best
of several warm calls; all on the same movie, in turn. Then what a user finds: the
median of settled calls in new processes with new histories, beside the best of the
others before and after them. Then the error on real frames that were moved by known
amounts, at three levels of noise.
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
from benchmarks.drift_scenes import SCENES, dense
from benchmarks.drift_settled import settled

REPEATS, PEER_REPEATS = 15, 3
SETTLING = 5.0
"""Seconds of calls before the first measurement of each: the engine compiles other
implementations beside them, and tries them."""

HISTORIES = 5
"""New processes, each with a new history, that what a user finds is told by."""

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
    histories = 1 if options.small else HISTORIES
    for line in users(frames, side, options.peer_python, numbers, histories):
        print(line, flush=True)
    if options.data is not None:
        for line in errors(options.data, options.peer_python, numbers):
            print(line, flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(numbers, indent=1) + "\n")


def table(
    frames: int,
    side: int,
    python: Path | None,
    numbers: Numbers | None = None,
    settling: float = 0.0,
) -> Iterator[str]:
    """Yield the rows of a table."""
    images, moves = dense(frames, side)
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


def users(
    frames: int,
    side: int,
    python: Path | None,
    numbers: Numbers,
    histories: int,
) -> Iterator[str]:
    """Yield the rows of a table of what calls take once they have settled."""
    numbers["settled"] = {}
    yield ""
    yield f"## Median of settled calls, new histories: {histories}"
    for scene, make in SCENES.items():
        images, moves = make(frames, side)
        before = programs(python, [images], PEER_REPEATS)[0]
        found = settled(images, histories)
        after = programs(python, [images], PEER_REPEATS)[0]
        others = {
            label: 1e3 * min(each[0], after[label][0]) for label, each in before.items()
        }
        errors = {
            label: float(np.sqrt(np.mean(np.square(shifts + moves))))
            for label, (_, shifts) in before.items()
        }
        error = np.square(nx.estimate_drift(images).shifts + moves).mean() ** 0.5
        errors["napari-nanopyx"] = float(error)
        numbers["settled"][scene] = {
            "histories": found,
            "others": others,
            "errors": errors,
        }
        ours = sorted(each["settled"] for each in found)
        first = sorted(each["first"] for each in found)
        yield ""
        yield f"### {scene}"
        yield ""
        yield "|  | ms | times as long as our slowest | error, px rms |"
        yield "| --- | ---: | ---: | ---: |"
        listed = ", ".join(f"{each:.1f}" for each in ours)
        yield f"| napari-nanopyx | {listed} | 1.0 | {error:.4f} |"
        yield f"| the first call | {first[0]:.0f} to {first[-1]:.0f} |  |  |"
        for label, each in others.items():
            ratio = each / ours[-1]
            yield f"| {label} | {each:.0f} | {ratio:.1f} | {errors[label]:.4f} |"


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
