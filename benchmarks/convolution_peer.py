"""Child process: times the convolution of NanoPyx and of OpenCV."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cases import best_time
from benchmarks.child import answer, opencv_threads, run_types


def measured(inputs: dict[str, Any]) -> dict[str, float]:
    """Return seconds."""
    import cv2
    from nanopyx.core.transform import Convolution2D

    image, kernel = inputs["image"], inputs["kernel"]
    times = {}
    for label, threads in opencv_threads(cv2).items():
        cv2.setNumThreads(threads)
        times[label] = best_time(lambda: filtered(image, kernel), 15)
    task = Convolution2D(verbose=False)
    for way in run_types(task):
        times[f"NanoPyx: {way}"] = best_time(
            lambda way=way: task.run(image[np.newaxis], kernel, run_type=way), 3
        )
    return times


def filtered(image: Any, kernel: Any) -> Any:
    """Convolve by OpenCV, borders as ours."""
    import cv2

    return cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REPLICATE)


if __name__ == "__main__":
    answer(measured)
