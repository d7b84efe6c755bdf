"""Child process: times what NanoPyx, OpenCV and scikit-image do of `quality`."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cases import best_time
from benchmarks.child import answer, run_types
from benchmarks.convolution_peer import filtered
from benchmarks.turning_peer import opencv as turned

Times = dict[str, dict[str, float]]


def measured(inputs: dict[str, Any], angle: float) -> Times:
    """Return the seconds of each program for each task."""
    import cv2

    cv2.setNumThreads(cv2.getNumberOfCPUs())
    image = inputs["image"]
    return {
        **measures(inputs),
        **denoising(inputs),
        "convolution, random": convolution(image, inputs["random"]),
        "convolution, ones": convolution(image, inputs["ones"]),
        "transform": {
            "OpenCV": best_time(
                lambda: turned(image[np.newaxis], angle, "catmull_rom"), 15
            )
        },
    }


def measures(inputs: dict[str, Any]) -> Times:
    """Time the peer's FRC, decorrelation and error map."""
    from nanopyx import calculate_error_map
    from nanopyx.core.analysis.decorr import DecorrAnalysis
    from nanopyx.core.analysis.frc import FIRECalculator

    def frc() -> Any:
        return FIRECalculator().calculate_fire_number(inputs["a"], inputs["b"])

    def decorrelation() -> Any:
        return DecorrAnalysis().run_analysis(inputs["a"])

    def error_map() -> Any:
        return calculate_error_map(inputs["reference"], inputs["super_resolved"])

    return {
        "FRC": {"NanoPyx": best_time(frc, 2)},
        "decorrelation": {"NanoPyx": best_time(decorrelation, 2)},
        "error map": {"NanoPyx": best_time(error_map, 2)},
    }


def denoising(inputs: dict[str, Any]) -> Times:
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

    fast = best_time(lambda: call(inputs["noisy"], 0.8, True), 3)
    slow = best_time(lambda: call(inputs["noisy_small"], 0.6, False), 1)
    return {
        "NLM, fast": {"scikit-image": fast},
        "NLM, gaussian": {"scikit-image": slow},
    }


def convolution(image: Any, kernel: Any) -> dict[str, float]:
    """Time OpenCV on all threads, borders as ours, and the peer's best way."""
    from nanopyx.core.transform import Convolution2D

    task = Convolution2D(verbose=False)
    opencv = best_time(lambda: filtered(image, kernel), 15)
    peer = min(
        best_time(lambda way=way: task.run(image[np.newaxis], kernel, run_type=way), 2)
        for way in run_types(task)
    )
    return {"OpenCV": opencv, "NanoPyx": peer}


if __name__ == "__main__":
    answer(measured)
