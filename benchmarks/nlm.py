"""``python -m benchmarks.nlm``: non-local means beside others, ratios and differences.

A Python that has scikit-image, and OpenCV and NanoPyx if they are to be timed,
computes theirs on the same image. Best of several warm calls through the public
function of each. Our results are compared with those of scikit-image.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

import napari_nanopyx as nx
from benchmarks import peak
from benchmarks.beside import command, others, ours
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._kernels import tasks

SIDE, PATCH, DISTANCE = 512, 7, 11
SIGMA = 8.0


def main() -> None:
    """Run the command line."""
    options = command("nlm", __doc__).parse_args()
    side, distance = (48, 2) if options.small else (SIDE, DISTANCE)
    for line in table(side, distance, options.peer_python):
        print(line, flush=True)


def noisy(side: int) -> NDArray[np.uint8]:
    """Return smooth structures with noise, as bytes, which OpenCV takes."""
    random = np.random.default_rng(20250103)
    shades = ndimage.gaussian_filter(random.normal(size=(side, side)), 4)
    truth = 120 + 60 * shades / shades.std()
    image = np.clip(truth + random.normal(0, SIGMA, truth.shape), 0, 255)
    return image.astype(np.uint8)


def our_times(image: NDArray[Any], settings: dict[str, Any]) -> dict[str, float]:
    """Return the seconds of every implementation."""
    return ours(
        "nlm", lambda name: nx.denoise_nlm(image, **settings, implementation=name)
    )


def table(side: int, distance: int, python: Path | None) -> Iterator[str]:
    """Yield a table for each mode, with the share of the processor's limit."""
    image = noisy(side)
    limit = peak.measured_peak(devices.thread_count())
    for mode, share in (("fast", 0.8), ("gaussian", 0.6)):
        settings = {
            "patch_size": PATCH,
            "patch_distance": distance,
            "h": share * SIGMA,
            "sigma": SIGMA,
            "mode": mode,
        }
        yield f"## {mode}, {side} x {side}, patch {PATCH}, distance {distance}"
        yield ""
        given = tasks()["nlm"].arguments
        assert given is not None
        shape = (1, side, side)
        flops = tasks()["nlm"].plan(shape, **given(shape, **settings)).cost.flops
        yield f"{flops / 1e9:.2f} Gflop."
        if limit is not None:
            yield f"At the processor's limit of {limit:.0f} GFLOP/s: "
            yield f"{flops / limit / 1e6:.0f} ms."
        times = our_times(image, settings)
        theirs = others(python, "nlm_peer", {"image": image}, **settings)
        if theirs:
            times |= theirs["times"]
            for exponential in ("exact", "linear"):
                found = nx.denoise_nlm(image, **settings, exponential=exponential)
                off = np.abs(found - np.array(theirs["result"])).max() / np.ptp(image)
                yield f"From scikit-image's, {exponential}: {off:.1e} of the range."
        yield ""
        yield "|  | ms | times scikit-image's speed | GFLOP/s |"
        yield "| --- | ---: | ---: | ---: |"
        compared = times.get("scikit-image", float("nan"))
        for name, seconds in sorted(times.items(), key=lambda item: item[1]):
            yield (
                f"| {name} | {1e3 * seconds:.1f} | {compared / seconds:.1f} | "
                f"{flops / seconds / 1e9:.0f} |"
            )
        yield ""


if __name__ == "__main__":
    sys.exit(main())
