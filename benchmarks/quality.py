"""``python -m benchmarks.quality``: measures of quality beside others, as ratios.

A Python that has NanoPyx, OpenCV and scikit-image computes theirs on the same inputs
just before or after. Best of several warm calls through the public function of each.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

import napari_nanopyx as nx
from benchmarks import machine
from benchmarks.beside import command, others
from benchmarks.cases import best_time
from benchmarks.home import history_in
from benchmarks.turning_peer import SCALE, SHIFT

REPEATS = 7
TARGETS: dict[str, tuple[str, float | None]] = {
    "FRC": ("NanoPyx", 15.0),
    "decorrelation": ("NanoPyx", 35.0),
    "error map": ("NanoPyx", 13.0),
    "NLM, fast": ("scikit-image", 4.0),
    "NLM, gaussian": ("scikit-image", 4.0),
    "convolution, random": ("OpenCV", 1.0),
    "convolution, ones": ("OpenCV", 1.0),
    "transform": ("OpenCV", None),
}
"""Against whom, and how many times as fast we want to be, if anybody has said."""

ANGLE = 0.35
"""By which an image is turned, in radians."""

Inputs = dict[str, NDArray[Any]]


def main() -> None:
    """Run the command line."""
    parser = command("quality", __doc__)
    parser.add_argument("--output", type=Path, help="file to write the table to")
    options = parser.parse_args()
    sides = (64, 20, 48, 64, 40) if options.small else (1024, 200, 512, 256, 1000)
    with tempfile.TemporaryDirectory() as home, history_in(Path(home)):
        lines = list(table(inputs(*sides), options.peer_python))
    if options.output is not None:
        options.output.write_text("\n".join(lines) + "\n")
    for line in lines:
        print(line)


def inputs(
    measured: int, reference: int, denoised: int, slow: int, convolved: int
) -> Inputs:
    """Return images of these sides, the same at every call."""
    random = np.random.default_rng(20250104)
    scene = 20 * ndimage.gaussian_filter(random.normal(size=(measured, measured)), 1.5)
    pair = scene + random.normal(size=(2, measured, measured))
    sharp = random.random((5 * reference, 5 * reference)) ** 20
    blurred = ndimage.gaussian_filter(sharp, 6.0)
    seen = blurred.reshape(reference, 5, reference, 5).mean((1, 3))
    shades = ndimage.gaussian_filter(random.normal(size=(denoised, denoised)), 4)
    noisy = 120 + 60 * shades / shades.std() + random.normal(0, 8.0, shades.shape)
    arrays = {
        "a": pair[0],
        "b": pair[1],
        "reference": seen,
        "super_resolved": ndimage.gaussian_filter(sharp, 1.0),
        "noisy": noisy,
        "noisy_small": noisy[:slow, :slow],
        "image": random.poisson(300, (convolved, convolved)),
        "random": random.random((21, 21)),
        "ones": np.ones((21, 21)),
    }
    return {
        name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()
    }


def calls(given: Inputs) -> dict[str, tuple[str, Callable[[], Any]]]:
    """Return what is timed: the size in words, and the call."""

    def size(name: str) -> str:
        return " x ".join(map(str, given[name].shape))

    fast: Any = {"h": 0.8 * 8.0, "sigma": 8.0, "mode": "fast"}
    slow: Any = {"h": 0.6 * 8.0, "sigma": 8.0, "mode": "gaussian"}
    return {
        "FRC": (size("a"), lambda: nx.frc(given["a"], given["b"])),
        "decorrelation": (size("a"), lambda: nx.decorrelation(given["a"])),
        "error map": (
            f"{size('reference')} and {size('super_resolved')}",
            lambda: nx.error_map(given["reference"], given["super_resolved"]),
        ),
        "NLM, fast": (size("noisy"), lambda: nx.denoise_nlm(given["noisy"], **fast)),
        "NLM, gaussian": (
            size("noisy_small"),
            lambda: nx.denoise_nlm(given["noisy_small"], **slow),
        ),
        "convolution, random": (
            f"{size('image')}, kernel {size('random')}",
            lambda: nx.convolve(given["image"], given["random"]),
        ),
        "convolution, ones": (
            f"{size('image')}, kernel {size('ones')}",
            lambda: nx.convolve(given["image"], given["ones"]),
        ),
        "transform": (
            f"{size('image')}, turned by {ANGLE:g} rad",
            lambda: nx.transform(given["image"], shift=SHIFT, scale=SCALE, angle=ANGLE),
        ),
    }


def our_times(given: Inputs) -> dict[str, float]:
    """Return our seconds, warm: the engine has tried other ways before."""
    times = {}
    for name, (_, call) in calls(given).items():
        for _ in range(2 * REPEATS):
            call()
        times[name] = best_time(call, REPEATS)
    return times


def table(given: Inputs, python: Path | None) -> Iterator[str]:
    """Yield a page: the machine, and one row for each program and task."""
    facts = machine.describe()
    yield "# Measures of quality, denoising, convolution and turning beside others"
    yield ""
    yield f"`python -m benchmarks.quality` on {date.today()}: {facts['Processor']},"
    yield f"{facts['Cores available']} cores, load average {os.getloadavg()[0]:.2f}"
    yield f"before. Best of {REPEATS} warm calls through each public function, ours"
    yield "as the engine chooses, with a new history. NLM: patches of 7, distance 11."
    yield "OpenCV turns with a cubic in steps of 1/32 pixel, we with the exact point."
    yield ""
    yield "| task | size | ours, ms | other | its ms | ratio | wanted |"
    yield "| --- | --- | ---: | --- | ---: | ---: | ---: |"
    theirs, mine = others(python, "quality_peer", given, angle=ANGLE), our_times(given)
    for name, (size, _) in calls(given).items():
        rival, least = TARGETS[name]
        for other, seconds in theirs.get(name, {"-": float("nan")}).items():
            wanted = f"{least:g}" if other == rival and least else ""
            yield (
                f"| {name} | {size} | {1e3 * mine[name]:.1f} | {other} "
                f"| {1e3 * seconds:.1f} | {seconds / mine[name]:.1f} | {wanted} |"
            )


if __name__ == "__main__":
    sys.exit(main())
