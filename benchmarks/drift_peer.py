"""Child process: times the drift estimation of NanoPyx and of others."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.child import answer


def measured(inputs: dict[str, Any], repeats: int) -> list[dict[str, Any]]:
    """Return seconds and (row, column) shifts of each program for each movie."""
    movies = [inputs[str(number)] for number in range(len(inputs))]
    return [programs(movie.astype(np.float32), repeats) for movie in movies]


def programs(movie: Any, repeats: int) -> dict[str, Any]:
    """Return seconds and shifts of each program for one movie."""
    from nanopyx.methods.drift_alignment.estimator import DriftEstimator
    from pystackreg import StackReg
    from skimage.registration import phase_cross_correlation

    def peer(most: int) -> Any:
        estimator = DriftEstimator(verbose=False)
        estimator.estimate(
            movie,
            ref_option=0,
            time_averaging=1,
            max_expected_drift=most,
            shift_calc_method="Max",
            use_roi=False,
            roi=None,
            apply=False,
        )
        return np.asarray(estimator.estimator_table.drift_table)[:, [2, 1]]

    def scikit_image(finer: int) -> Any:
        return np.array(
            [
                phase_cross_correlation(movie[0], image, upsample_factor=finer)[0]
                for image in movie
            ]
        )

    def stackreg() -> Any:
        found = StackReg(StackReg.TRANSLATION).register_stack(movie, reference="first")
        return -found[:, [1, 0], 2]

    calls: dict[str, Callable[[], Any]] = {
        "NanoPyx": lambda: peer(0),
        "NanoPyx, max_expected_drift 10": lambda: peer(10),
        "scikit-image, phase": lambda: scikit_image(100),
        "scikit-image, upsample_factor 10": lambda: scikit_image(10),
        "pystackreg": stackreg,
    }
    return {label: timed(call, repeats) for label, call in calls.items()}


def timed(call: Callable[[], Any], repeats: int) -> tuple[float, list[list[float]]]:
    """Return the shortest of several times, and the shifts."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        shifts = call()
        seconds.append(time.perf_counter() - start)
    return min(seconds), np.asarray(shifts).tolist()


if __name__ == "__main__":
    answer(measured)
