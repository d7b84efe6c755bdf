"""``python -m benchmarks.turning``: images turned, scaled and shifted.

Beside each implementation NanoPyx, OpenCV and scikit-image, if a Python that has them
is given. Best of several warm calls through the public function of each.
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
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import napari_nanopyx as nx
from benchmarks.cases import best_time
from napari_nanopyx import engine

Kernel = Literal["catmull_rom", "bilinear", "nearest"]
CASES: tuple[tuple[int, int, float, Kernel], ...] = (
    (1, 1000, 0.02, "catmull_rom"),
    (1, 1000, 0.35, "catmull_rom"),
    (20, 500, 0.35, "catmull_rom"),
    (20, 500, 0.35, "bilinear"),
)
REPEATS = 7


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.turning", description=__doc__
    )
    parser.add_argument("--peer-python", type=Path, help="a Python that has the peer")
    parser.add_argument("--small", action="store_true", help="try the benchmark itself")
    options = parser.parse_args()
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
    mine = ours(image, angle, kernel)
    times = mine | others(python, image, angle, kernel)
    for name, seconds in sorted(times.items(), key=lambda item: item[1]):
        ratio = seconds / min(mine.values())
        yield f"| {name} | {1e3 * seconds:.2f} | {ratio:.2f} |"
    yield ""


def ours(image: NDArray[Any], angle: float, kernel: Kernel) -> dict[str, float]:
    """Return the seconds that each implementation takes."""
    times = {}
    for each in engine.implementations("warp"):
        if not each.available or each.kind == "reference":
            continue

        def call(name: str = each.name) -> Any:
            return nx.transform(
                image,
                shift=(1.5, -2.0),
                scale=(1.2, 0.8),
                angle=angle,
                kernel=kernel,
                implementation=name,
            )

        call()
        times[each.name] = best_time(call, REPEATS)
    return times


def others(
    python: Path | None, image: NDArray[Any], angle: float, kernel: Kernel
) -> dict[str, float]:
    """Return the seconds that the others take, in a process of their own."""
    if python is None:
        return {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "image.npy", image)
        worker = Path(__file__).with_name("turning_peer.py")
        subprocess.run(
            [str(python), str(worker), name, str(angle), kernel],
            check=True,
            capture_output=True,
            env={**os.environ, "HOME": name},
        )
        times: dict[str, float] = json.loads((folder / "times.json").read_text())
    return times


if __name__ == "__main__":
    sys.exit(main())
