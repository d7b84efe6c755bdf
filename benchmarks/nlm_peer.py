"""Child process: times the non-local means of scikit-image, OpenCV and NanoPyx.

It imports nothing of this project, so it runs wherever they are installed; OpenCV and
NanoPyx are left out where they are not.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np


def main(folder: Path) -> None:
    """Write the seconds and scikit-image's result beside the inputs."""
    from skimage.restoration import denoise_nl_means

    image = np.load(folder / "image.npy")
    given = json.loads((folder / "settings.json").read_text())
    fast = given.pop("mode") == "fast"
    floats = image.astype(np.float32)

    def scikit_image() -> Any:
        return denoise_nl_means(floats, **given, fast_mode=fast, preserve_range=True)

    times = {"scikit-image": best(scikit_image, 2)}
    np.save(folder / "result.npy", scikit_image())
    if fast and find_spec("cv2"):
        times |= opencv(image, given)
    if find_spec("nanopyx"):
        times |= peer(floats, given, fast)
    (folder / "times.json").write_text(json.dumps(times))


def opencv(image: Any, given: dict[str, Any]) -> dict[str, float]:
    """Time OpenCV: bytes, no allowance for noise, weights from a table."""
    import cv2

    times = {}
    for label, threads in (("one thread", 1), ("all threads", cv2.getNumberOfCPUs())):
        cv2.setNumThreads(threads)
        times[f"OpenCV, {label}"] = best(
            lambda: cv2.fastNlMeansDenoising(
                image,
                None,
                given["h"],
                given["patch_size"],
                2 * given["patch_distance"] + 1,
            ),
            3,
        )
    return times


def peer(image: Any, given: dict[str, Any], fast: bool) -> dict[str, float]:
    """Time the peer's implementations of the same mode."""
    if fast:
        from nanopyx.core.transform._le_patch_nlm_denoising import NLMDenoising
    else:
        from nanopyx.core.transform._le_pixel_nlm_denoising import NLMDenoising

    task = NLMDenoising(verbose=False)
    times = {}
    for run_type in task._run_types:
        if not run_type.startswith(("threaded", "unthreaded")):
            continue

        def call(run_type: str = run_type) -> Any:
            with contextlib.redirect_stdout(io.StringIO()):
                return task.run(image[np.newaxis], **given, run_type=run_type)

        times[f"NanoPyx: {run_type}"] = best(call, 1)
    return times


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
