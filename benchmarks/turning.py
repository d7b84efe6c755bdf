"""``python -m benchmarks.turning``: images turned, scaled and shifted.

Beside each implementation NanoPyx, OpenCV and scikit-image, if a Python that has them
is given. Best of several warm calls through the public function of each.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import napari_nanopyx as nx
from benchmarks.beside import command, others, ours
from benchmarks.turning_peer import SCALE, SHIFT

Kernel = Literal["catmull_rom", "bilinear", "nearest"]
CASES: tuple[tuple[int, int, float, Kernel], ...] = (
    (1, 1000, 0.02, "catmull_rom"),
    (1, 1000, 0.35, "catmull_rom"),
    (20, 500, 0.35, "catmull_rom"),
    (20, 500, 0.35, "bilinear"),
)


def main() -> None:
    """Run the command line."""
    options = command("turning", __doc__).parse_args()
    for case in ((2, 40, 0.35, "bilinear"),) if options.small else CASES:
        for line in table(*case, options.peer_python):
            print(line, flush=True)


def table(
    frames: int, side: int, angle: float, kernel: Kernel, python: Path | None
) -> Iterator[str]:
    """Yield the times of all for one stack, as a table."""
    random = np.random.default_rng(20250102)
    image = random.poisson(300, (frames, side, side)).astype(np.float32)
    yield f"## {frames} x {side} x {side}, {angle:g} rad, {kernel}"
    yield ""
    yield "|  | ms | of ours |"
    yield "| --- | ---: | ---: |"
    mine, given = our_times(image, angle, kernel), {"angle": angle, "kernel": kernel}
    times = mine | others(python, "turning_peer", {"image": image}, **given)
    for name, seconds in sorted(times.items(), key=lambda item: item[1]):
        ratio = seconds / min(mine.values())
        yield f"| {name} | {1e3 * seconds:.2f} | {ratio:.2f} |"
    yield ""


def our_times(image: NDArray[Any], angle: float, kernel: Kernel) -> dict[str, float]:
    """Return the seconds of every implementation."""

    def call(name: str) -> Any:
        return nx.transform(
            image,
            shift=SHIFT,
            scale=SCALE,
            angle=angle,
            kernel=kernel,
            implementation=name,
        )

    return ours("warp", call)


if __name__ == "__main__":
    sys.exit(main())
