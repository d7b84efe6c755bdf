"""Child process in the peer's environment: times its convolution and OpenCV's.

It imports nothing of this project, so it runs wherever the peer is installed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def main(folder: Path) -> None:
    """Write the seconds beside the inputs as ``times.json``."""
    import cv2
    from nanopyx.core.transform import Convolution2D

    image, kernel = np.load(folder / "image.npy"), np.load(folder / "kernel.npy")
    times = {}
    for label, threads in (("one thread", 1), ("all threads", cv2.getNumberOfCPUs())):
        cv2.setNumThreads(threads)
        times[f"OpenCV, {label}"] = best(lambda: filtered(cv2, image, kernel), 15)
    task = Convolution2D(verbose=False)
    for run_type in task._run_types:
        if run_type.startswith(("threaded", "unthreaded")):
            times[f"NanoPyx: {run_type}"] = best(
                lambda: task.run(image[np.newaxis], kernel, run_type=run_type),  # noqa: B023
                3,
            )
    (folder / "times.json").write_text(json.dumps(times))


def filtered(cv2: Any, image: Any, kernel: Any) -> Any:
    """Convolve by OpenCV, borders as ours."""
    return cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REPLICATE)


def best(call: Callable[[], Any], repeats: int) -> float:
    """Return the shortest of several times, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
