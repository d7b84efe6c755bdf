"""Child process in the peer's environment: times NanoPyx and OpenCV.

It imports nothing of this project, so it runs wherever the peer is installed.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import best_time


def main(folder: Path) -> None:
    """Write the times beside the inputs as ``peer.json``."""
    sizes = json.loads((folder / "sizes.json").read_text())
    results: dict[str, Any] = {"esrrf": {}, "magnify": {}, "srrf": {}, "problems": {}}
    with silence():
        measure_nanopyx(folder, sizes, results)
        measure_opencv(folder, sizes, results)
    (folder / "peer.json").write_text(json.dumps(results))


def measure_nanopyx(
    folder: Path, sizes: dict[str, Any], results: dict[str, Any]
) -> None:
    """Time every run type once, then repeat the best one; pinned, warm, silenced."""
    from nanopyx.core.transform import CRShiftAndMagnify, Radiality, eSRRF_ST
    from nanopyx.core.transform.sr_temporal_correlations import (
        calculate_SRRF_temporal_correlations,
    )
    from nanopyx.methods import SRRF, eSRRF

    factor, repeats = sizes["magnification"], sizes["repeats"]
    magnifier = CRShiftAndMagnify(verbose=False)

    def esrrf(image: Any, run_type: str) -> Any:
        return eSRRF(
            image,
            magnification=factor,
            radius=sizes["radius"],
            sensitivity=sizes["sensitivity"],
            _force_run_type=run_type,
        )

    def magnify(image: Any, run_type: str) -> Any:
        return magnifier.run(image, 0, 0, factor, factor, run_type=run_type)

    def srrf(image: Any, run_type: str) -> Any:
        frames = SRRF(
            image,
            magnification=factor,
            ringRadius=sizes["ring_radius"],
            macro_pixel_correction=False,
            _force_run_type=run_type,
        )
        return calculate_SRRF_temporal_correlations(np.asarray(frames), 1, 0)

    tasks: list[tuple[str, Callable[[Any, str], Any], list[str], bool]] = [
        ("esrrf", esrrf, list(eSRRF_ST(verbose=False)._run_types), True),
        ("magnify", magnify, list(magnifier._run_types), False),
        ("srrf", srrf, list(Radiality(verbose=False)._run_types), True),
    ]
    for task, call, run_types, is_slow in tasks:
        image = np.load(folder / f"{task}.npy")
        times = results[task]
        for run_type in run_types:
            if is_slow and run_type == "unthreaded":
                continue
            try:
                call(image[:2, :64, :64] if is_slow else image, run_type)
                times[run_type] = best(call, image, run_type, 1)
            except Exception as problem:  # noqa: BLE001 - the others are still measured
                results["problems"][f"{task} {run_type}"] = str(problem)
        if times:
            fastest = min(times, key=times.__getitem__)
            again = best(call, image, fastest, max(repeats - 1, 1))
            times[fastest] = min(times[fastest], again)


def measure_opencv(
    folder: Path, sizes: dict[str, Any], results: dict[str, Any]
) -> None:
    """Time OpenCV's cubic resize, frame by frame into one new array per call."""
    import cv2

    image, factor = np.load(folder / "magnify.npy"), sizes["magnification"]
    frames, height, width = image.shape

    def resize(stack: Any, _: str) -> Any:
        out = np.empty((frames, height * factor, width * factor), np.float32)
        for source, target in zip(stack, out, strict=True):
            cv2.resize(
                source,
                (width * factor, height * factor),
                dst=target,
                interpolation=cv2.INTER_CUBIC,
            )
        return out

    for label, threads in (("one thread", 1), ("all threads", cv2.getNumberOfCPUs())):
        cv2.setNumThreads(threads)
        resize(image, "")
        repeats = 3 * sizes["repeats"]
        results["magnify"][f"OpenCV, {label}"] = best(resize, image, "", repeats)


def best(
    call: Callable[[Any, str], Any], image: Any, run_type: str, repeats: int
) -> float:
    """Return the shortest of several times, in seconds."""
    return best_time(lambda: call(image, run_type), repeats)


@contextlib.contextmanager
def silence() -> Any:
    """Send what Python and C print to nowhere."""
    kept = os.dup(1), os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            yield
        finally:
            sys.stdout.flush()
            os.dup2(kept[0], 1)
            os.dup2(kept[1], 2)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
