"""``python -m benchmarks.convolution``: every algorithm, over sizes and kernels.

Beside them NanoPyx and OpenCV, if a Python that has them is given. Best of several warm
calls through the public function of each.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import napari_nanopyx as nx
from benchmarks import peak
from benchmarks.beside import command, others, ours
from napari_nanopyx._engine.machine import devices

CASES = ((1000, 21, "random"), (1000, 21, "ones"), (1000, 3, "random"))
SIDES = (100, 300, 1000)
KERNEL_SIDES = (3, 7, 15, 31, 63, 127)


def main() -> None:
    """Run the command line."""
    options = command("convolution", __doc__).parse_args()
    cases = ((40, 5, "random"), (40, 5, "ones")) if options.small else CASES
    sides, kernels = ((40,), (3, 5)) if options.small else (SIDES, KERNEL_SIDES)
    lines = chain(beside_others(cases, options.peer_python), map_of(sides, kernels))
    for line in lines:
        print(line, flush=True)


def inputs(side: int, kernel: int, weights: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return a noisy image and a kernel, the same at every call."""
    random = np.random.default_rng(20250102)
    image = random.poisson(300, (side, side)).astype(np.float32)
    values = random.random((kernel, kernel)) if weights == "random" else 1.0
    return image, np.full((kernel, kernel), values, np.float32)


def our_times(image: NDArray[Any], kernel: NDArray[Any]) -> dict[str, float]:
    """Return the seconds of every implementation that fits."""
    return ours(
        "convolve", lambda name: nx.convolve(image, kernel, implementation=name)
    )


def beside_others(
    cases: tuple[tuple[int, int, str], ...], python: Path | None
) -> Iterator[str]:
    """Yield a table for each case, with the share of the processor's limit."""
    limit = peak.measured_peak(devices.thread_count())
    for side, size, weights in cases:
        image, kernel = inputs(side, size, weights)
        flops, least_bytes = 2.0 * kernel.size * image.size, 8.0 * image.size
        yield f"## {side} x {side}, kernel {size} x {size}, {weights}"
        yield ""
        yield f"Directly: {flops / 1e9:.2f} Gflop; read and written once: "
        yield f"{least_bytes / 1e6:.0f} MB."
        if limit is not None:
            yield f"At the processor's limit of {limit:.0f} GFLOP/s on "
            yield f"{devices.thread_count()} threads: {flops / limit / 1e6:.2f} ms."
        yield ""
        yield "|  | ms | GFLOP/s, counted as if direct |"
        yield "| --- | ---: | ---: |"
        times = our_times(image, kernel)
        times |= others(python, "convolution_peer", {"image": image, "kernel": kernel})
        for name, seconds in sorted(times.items(), key=lambda item: item[1]):
            yield f"| {name} | {1e3 * seconds:.2f} | {flops / seconds / 1e9:.0f} |"
        yield ""


def map_of(sides: tuple[int, ...], kernels: tuple[int, ...]) -> Iterator[str]:
    """Yield which implementation is the fastest, over image and kernel sizes."""
    yield "## The fastest (random kernels)"
    yield ""
    yield "| image | " + " | ".join(f"{size} x {size}" for size in kernels) + " |"
    yield "| --- |" + " --- |" * len(kernels)
    for side in sides:
        cells = []
        for size in kernels:
            times = our_times(*inputs(side, size, "random"))
            name = min(times, key=times.__getitem__)
            cells.append(f"{name}, {1e3 * times[name]:.2f} ms")
        yield f"| {side} x {side} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
