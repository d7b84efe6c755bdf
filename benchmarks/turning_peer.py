"""Child process: times how NanoPyx, OpenCV and scikit-image turn images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.cases import best_time
from benchmarks.child import answer, opencv_threads, run_types

SHIFT, SCALE = (1.5, -2.0), (1.2, 0.8)
REPEATS = 5


def measured(inputs: dict[str, Any], angle: float, kernel: str) -> dict[str, float]:
    """Return seconds."""
    import cv2
    from nanopyx.core import transform
    from skimage.transform import AffineTransform, warp

    image = inputs["image"]
    times = {}
    for label, threads in opencv_threads(cv2).items():
        cv2.setNumThreads(threads)
        times[label] = warm(lambda: opencv(image, angle, kernel))
    order = 3 if kernel == "catmull_rom" else 1
    turn = AffineTransform(inverse(image.shape[1:], angle))
    times["scikit-image"] = warm(
        lambda: [warp(frame, turn, order=order) for frame in image]
    )
    names = {"catmull_rom": "CRShiftScaleRotate", "nearest": "NNShiftScaleRotate"}
    if kernel in names:
        task: Any = getattr(transform, names[kernel])(verbose=False)
        for way in run_types(task):
            times[f"NanoPyx: {way}"] = warm(
                lambda way=way: task.run(image, *SHIFT, *SCALE, angle, run_type=way)
            )
    return times


def opencv(image: Any, angle: float, kernel: str) -> list[Any]:
    """Turn by OpenCV."""
    import cv2

    mode = cv2.INTER_CUBIC if kernel == "catmull_rom" else cv2.INTER_LINEAR
    matrix, flags = inverse(image.shape[1:], angle)[:2], mode | cv2.WARP_INVERSE_MAP
    return [
        cv2.warpAffine(frame, matrix, frame.shape[::-1], flags=flags) for frame in image
    ]


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


def warm(call: Callable[[], Any]) -> float:
    """Return the shortest of several times, in seconds."""
    call()
    return best_time(call, REPEATS)


if __name__ == "__main__":
    answer(measured)
