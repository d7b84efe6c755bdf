"""Child process in the peer's environment: times its turning and that of others.

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

SHIFT, SCALE = (1.5, -2.0), (1.2, 0.8)
REPEATS = 5


def main(folder: Path, angle: float, kernel: str) -> None:
    """Write the seconds beside the input as ``times.json``."""
    import cv2
    from nanopyx.core import transform
    from skimage.transform import AffineTransform, warp

    image = np.load(folder / "image.npy")
    times: dict[str, float] = {}
    matrix = inverse(image.shape[1:], angle)
    mode = cv2.INTER_CUBIC if kernel == "catmull_rom" else cv2.INTER_LINEAR
    flags = mode | cv2.WARP_INVERSE_MAP
    for label, threads in (("one thread", 1), ("all threads", cv2.getNumberOfCPUs())):
        cv2.setNumThreads(threads)
        times[f"OpenCV, {label}"] = best(
            lambda: [
                cv2.warpAffine(frame, matrix[:2], frame.shape[::-1], flags=flags)
                for frame in image
            ]
        )
    order = 3 if kernel == "catmull_rom" else 1
    turn = AffineTransform(matrix)
    times["scikit-image"] = best(
        lambda: [warp(frame, turn, order=order) for frame in image]
    )
    names = {"catmull_rom": "CRShiftScaleRotate", "nearest": "NNShiftScaleRotate"}
    if kernel in names:
        task: Any = getattr(transform, names[kernel])(verbose=False)
        for run_type in task._run_types:
            if run_type.startswith(("threaded", "unthreaded")):
                times[f"NanoPyx: {run_type}"] = best(
                    lambda: task.run(image, *SHIFT, *SCALE, angle, run_type=run_type)  # noqa: B023
                )
    (folder / "times.json").write_text(json.dumps(times))


def inverse(shape: tuple[int, int], angle: float) -> Any:
    """Return where an output pixel, (column, row, 1), comes from."""
    row, column = ((length - 1) / 2 for length in shape)
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix = np.eye(3)
    matrix[0, :2] = np.array([cosine, -sine]) / SCALE[1]
    matrix[1, :2] = np.array([sine, cosine]) / SCALE[0]
    moved = np.array([column + SHIFT[1], row + SHIFT[0]])
    matrix[:2, 2] = np.array([column, row]) - matrix[:2, :2] @ moved
    return matrix


def best(call: Callable[[], Any]) -> float:
    """Return the shortest of several times, in seconds."""
    call()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
