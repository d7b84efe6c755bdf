"""Child process: times calls one after another, with a history that knows nothing.

What a user finds, other than the best of many calls: the engine has to try its
implementations, and may choose another one each time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

import napari_nanopyx as nx
from benchmarks.beside import ROOT

CALLS, UNSETTLED = 40, 20
"""Calls in all, and those of them before the median is taken."""


def settled(
    images: NDArray[Any], histories: int, calls: int = CALLS, unsettled: int = UNSETTLED
) -> list[dict[str, float]]:
    """Return milliseconds in so many new processes, each with a new history.

    Of the first call and the second, and the median of those after the unsettled ones.
    """
    found = []
    for _ in range(histories):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "movie.npy"
            np.save(file, images)
            command = [sys.executable, "-m", "benchmarks.drift_settled"]
            ended = subprocess.run(
                [*command, str(file), str(calls)],
                check=True,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env={**os.environ, "NAPARI_NANOPYX_HOME": folder},
            )
        times = json.loads(ended.stdout.splitlines()[-1])
        found.append(
            {
                "first": times[0],
                "second": times[1],
                "settled": median(times[unsettled:]),
            }
        )
    return found


def main() -> None:
    """Print the milliseconds of each call, as JSON."""
    images, calls = np.load(sys.argv[1]), int(sys.argv[2])
    times = []
    for _ in range(calls):
        started = time.perf_counter()
        nx.estimate_drift(images)
        times.append(1e3 * (time.perf_counter() - started))
    print(json.dumps(times))


if __name__ == "__main__":
    main()
