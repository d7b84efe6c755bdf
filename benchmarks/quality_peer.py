"""Child process: times what NanoPyx, OpenCV and scikit-image do of `quality`.

It imports nothing of this project, so it runs wherever they are installed.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def main(folder: Path) -> None:
    """Write the seconds of each program for each task beside the inputs."""
    given = dict(np.load(folder / "inputs.npz"))
    with contextlib.redirect_stdout(io.StringIO()):
        times = {
            **measures(given),
            **denoising(given),
            **{name: convolution(given["image"], given[k]) for name, k in KERNELS},
        }
    (folder / "times.json").write_text(json.dumps(times))


KERNELS = (("convolution, random", "random"), ("convolution, ones", "ones"))


def measures(given: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Time the peer's FRC, decorrelation and error map."""
    from nanopyx import calculate_error_map
    from nanopyx.core.analysis.decorr import DecorrAnalysis
    from nanopyx.core.analysis.frc import FIRECalculator

    def frc() -> Any:
        return FIRECalculator().calculate_fire_number(given["a"], given["b"])

    def decorrelation() -> Any:
        return DecorrAnalysis().run_analysis(given["a"])

    def error_map() -> Any:
        return calculate_error_map(given["reference"], given["super_resolved"])

    return {
        "FRC": {"NanoPyx": best(frc, 2)},
        "decorrelation": {"NanoPyx": best(decorrelation, 2)},
        "error map": {"NanoPyx": best(error_map, 2)},
    }


def denoising(given: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Time both modes of scikit-image."""
    from skimage.restoration import denoise_nl_means

    def call(image: Any, share: float, fast: bool) -> Any:
        return denoise_nl_means(
            image,
            patch_size=7,
            patch_distance=11,
            h=share * 8.0,
            sigma=8.0,
            fast_mode=fast,
            preserve_range=True,
        )

    fast = best(lambda: call(given["noisy"], 0.8, True), 3)
    slow = best(lambda: call(given["noisy_small"], 0.6, False), 1)
    return {
        "NLM, fast": {"scikit-image": fast},
        "NLM, gaussian": {"scikit-image": slow},
    }


def convolution(image: Any, kernel: Any) -> dict[str, float]:
    """Time OpenCV on all threads, borders as ours, and the peer's best way."""
    import cv2
    from nanopyx.core.transform import Convolution2D

    task = Convolution2D(verbose=False)
    peer = min(
        best(lambda way=way: task.run(image[np.newaxis], kernel, run_type=way), 2)
        for way in task._run_types
        if way.startswith(("threaded", "unthreaded"))
    )
    cv2.setNumThreads(cv2.getNumberOfCPUs())
    opencv = best(
        lambda: cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REPLICATE), 15
    )
    return {"OpenCV": opencv, "NanoPyx": peer}


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
