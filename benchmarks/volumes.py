"""``python -m benchmarks.volumes``: 3-D eSRRF, and the share of the processor's limit.

Beside it NanoPyx, if a Python that has it is given. Best of several warm calls through
the public function of each; the peer is called once for each of its run types.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import napari_nanopyx as nx
from benchmarks import peak
from benchmarks.beside import command, others, ours
from benchmarks.cases import movie
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._kernels.esrrf_3d.plan import Esrrf3dPlan

SHAPES = ((4, 16, 64, 64), (2, 32, 128, 128))
ROUGH_OPERATIONS, PRECISE_OPERATIONS = 19 / 8, 38 / 8
"""What a sample asks of the processor's multiply-add units: products, multiply-adds and
the estimate of a root, shared by the eight voxels of a mirror. Sums, comparisons and
loads go to other units meanwhile."""


def main() -> None:
    """Run the command line."""
    options = command("volumes", __doc__).parse_args()
    shapes = ((2, 3, 12, 14),) if options.small else SHAPES
    for line in tables(shapes, options.peer_python):
        print(line, flush=True)


def series(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return blinking spots in each plane, the same at every call."""
    frames, planes, height, width = shape
    return movie((frames * planes, height, width)).reshape(shape)


def tables(shapes: tuple[tuple[int, ...], ...], python: Path | None) -> Iterator[str]:
    """Yield a table for each shape."""
    threads = devices.thread_count()
    limit = peak.measured_peak(threads)
    for shape in shapes:
        image = series(shape)
        plan = Esrrf3dPlan(shape)
        rough, all_samples = (
            float(plan.tables(range(1), shape[2])[name].mean())
            for name in ("rough", "counts")
        )
        operations = ROUGH_OPERATIONS * rough
        operations += PRECISE_OPERATIONS * (all_samples - rough)
        operations *= image.size * float(np.prod(plan.factors))
        yield f"## {' x '.join(map(str, shape))}, {threads} threads"
        yield ""
        yield (
            f"{all_samples:.1f} samples for an output voxel, {rough:.1f} of them "
            "rough: "
            f"{operations / 1e9:.2f} G multiply-adds, or what takes as long."
        )
        yield (f"Limit: {limit / 2:.0f} G/s." if limit else "The limit is not known.")
        yield ""
        yield "|  | ms | G/s | share of the limit |"
        yield "| --- | ---: | ---: | ---: |"
        times = ours(
            "esrrf_3d",
            lambda name, image=image: nx.esrrf_3d(image, implementation=name),
        )
        for name, seconds in sorted(times.items(), key=lambda item: item[1]):
            rate = operations / seconds / 1e9
            share = f"{2 * rate / limit:.0%}" if limit else ""
            yield f"| {name} | {1e3 * seconds:.1f} | {rate:.0f} | {share} |"
        theirs = others(python, "volumes_peer", {"image": image})
        for name, seconds in sorted(theirs.items(), key=lambda item: item[1]):
            yield f"| {name} | {1e3 * seconds:.1f} | | |"
        if theirs:
            ratio = min(theirs.values()) / min(times.values())
            yield ""
            yield f"{ratio:.0f} times as fast as the fastest of the peer."
        yield ""


if __name__ == "__main__":
    sys.exit(main())
