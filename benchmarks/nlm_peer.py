"""Child process: times the non-local means of scikit-image, OpenCV and NanoPyx.

OpenCV and NanoPyx are left out where they are not installed.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.cases import best_time
from benchmarks.child import answer, opencv_threads, run_types


def measured(inputs: dict[str, Any], mode: str, **given: Any) -> dict[str, Any]:
    """Return seconds, and scikit-image's result."""
    from skimage.restoration import denoise_nl_means

    image, fast = inputs["image"], mode == "fast"
    floats = image.astype(np.float32)

    def scikit_image() -> Any:
        return denoise_nl_means(floats, **given, fast_mode=fast, preserve_range=True)

    times = {"scikit-image": best_time(scikit_image, 2)}
    if fast and find_spec("cv2"):
        times |= opencv(image, given)
    if find_spec("nanopyx"):
        times |= peer(floats, given, fast)
    return {"times": times, "result": scikit_image().tolist()}


def opencv(image: Any, given: dict[str, Any]) -> dict[str, float]:
    """Time OpenCV: bytes, no allowance for noise, weights from a table."""
    import cv2

    size, side = given["patch_size"], 2 * given["patch_distance"] + 1

    def call() -> Any:
        return cv2.fastNlMeansDenoising(image, None, given["h"], size, side)

    times = {}
    for label, threads in opencv_threads(cv2).items():
        cv2.setNumThreads(threads)
        times[label] = best_time(call, 3)
    return times


def peer(image: Any, given: dict[str, Any], fast: bool) -> dict[str, float]:
    """Time the peer's implementations of the same mode."""
    if fast:
        from nanopyx.core.transform._le_patch_nlm_denoising import NLMDenoising
    else:
        from nanopyx.core.transform._le_pixel_nlm_denoising import NLMDenoising

    task = NLMDenoising(verbose=False)
    return {
        f"NanoPyx: {way}": best_time(
            lambda way=way: task.run(image[np.newaxis], **given, run_type=way), 1
        )
        for way in run_types(task)
    }


if __name__ == "__main__":
    answer(measured)
