"""``python -m benchmarks.gpu``: a long eSRRF on every OpenCL device, with copies."""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
from numpy.typing import NDArray

import napari_nanopyx as nx
from benchmarks.long_movie import SIDE, tiled
from napari_nanopyx import engine

CHECKED_FRAMES = 8


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu", description=__doc__
    )
    parser.add_argument("--frames", type=int, default=10_000)
    frames = parser.parse_args().frames
    movie = np.stack(list(tiled(frames)))
    names = [
        each.name
        for each in engine.implementations("esrrf")
        if each.kind == "opencl" and each.available
    ]
    if not names:
        missing = [i for i in engine.implementations("esrrf") if i.kind == "opencl"]
        sys.exit("; ".join(f"{i.reason}: {i.remedy}" for i in missing))
    for name in names:
        sys.stdout.write(f"{name}\n  {agreement(movie[:CHECKED_FRAMES], name)}\n")
        for _ in range(2):
            sys.stdout.write(f"  {timed(movie, name)}\n")


def reconstruct(movie: NDArray[np.uint16], name: str) -> NDArray[np.float32]:
    """Compute the case that the paper and this benchmark share."""
    return nx.esrrf(movie, 5, 1.5, 2, implementation=name)


def agreement(movie: NDArray[np.uint16], name: str) -> str:
    """Hold the device to the accuracy budget before it is timed."""
    reference = reconstruct(movie, "reference").astype(np.float64)
    allowed = 1e-5 * np.abs(reference).max() + 1e-6 * reference.std()
    worst = np.abs(reconstruct(movie, name) - reference).max()
    if worst > allowed:
        sys.exit(f"{name} is off by {worst:.3g}, allowed are {allowed:.3g}")
    return f"agrees with the reference: off by {worst / allowed:.2f} of what is allowed"


def timed(movie: NDArray[np.uint16], name: str) -> str:
    """Return seconds by the wall clock, and by the device's own clock for copies."""
    start = time.perf_counter()
    reconstruct(movie, name)
    wall = time.perf_counter() - start
    blocks = [m for m in engine.history("esrrf") if m.implementation == name]
    prepared = transferred = computed = 0.0
    done = 0
    while done < len(movie):
        block = blocks.pop()
        done += block.frames
        prepared += block.timing.prepare
        transferred += block.timing.transfer
        computed += block.timing.compute
    return (
        f"{len(movie)} frames of {SIDE} x {SIDE}: {wall:.2f} s in all; blocks: "
        f"{prepared:.2f} s building, {transferred:.2f} s copying, {computed:.2f} s "
        f"computing ({1e3 * computed / len(movie):.3f} ms a frame)"
    )


if __name__ == "__main__":
    main()
