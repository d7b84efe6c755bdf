"""Makes traces of which everything is drawn by lot, to judge what others shaped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.made_traces import FIXED_SECONDS, NANOSECONDS, PREPARE_SECONDS, Maker
from benchmarks.trace import Trace

GPU = "opencl:GPU"
STEPS = 400
CORES = (2, 4, 16)


def varied(seed: int) -> list[Trace]:
    """Return one trace of each sort; speeds, delays, runs and cores are drawn."""
    rng = np.random.default_rng([seed, 1])
    processor = [name for name in NANOSECONDS if name != GPU]
    return [
        _drawn(rng, "varied cold start", {}, known=()),
        _drawn(rng, "varied steady", {}),
        _drawn(rng, "varied GPU delay", {GPU: _delayed(rng, 1)}),
        _drawn(rng, "varied GPU bursts", {GPU: _delayed(rng, int(rng.integers(2, 7)))}),
        _drawn(
            rng, "varied CPU load", dict.fromkeys(processor, _delayed(rng, 1, most=4.0))
        ),
    ]


def _drawn(
    rng: np.random.Generator,
    name: str,
    change: dict[str, NDArray[np.float64]],
    known: tuple[int, ...] | None = None,
) -> Trace:
    """Return a trace of one image size on a machine that is drawn by lot."""
    pixels = rng.uniform(200, 1200) ** 2
    seconds = {
        each: (FIXED_SECONDS.get(each, 1e-5) + 1e-9 * nanoseconds * pixels)
        * float(np.exp(rng.normal(0, 0.4)))
        for each, nanoseconds in NANOSECONDS.items()
    }
    made = Maker(rng, [round(pixels**0.5)], seconds).trace(
        name,
        "drawn by lot",
        _runs(rng),
        list(seconds),
        change=change,
        known=known,
    )
    prepare = {
        each: PREPARE_SECONDS.get(each, 0.0) * float(np.exp(rng.normal(0, 0.7)))
        for each in seconds
    }
    return replace(made, prepare_seconds=prepare, cores=int(rng.choice(CORES)))


def _delayed(
    rng: np.random.Generator, times: int, most: float = 40.0
) -> NDArray[np.float64]:
    """Return factors of the seconds: so many delays of one strength."""
    change, part = np.ones(STEPS), STEPS // times
    factor = float(np.exp(rng.uniform(np.log(2), np.log(most))))
    for start in range(0, part * times, part):
        begin = start + int(rng.uniform(0.1, 0.5) * part)
        change[begin : begin + int(rng.uniform(0.1, 0.5) * part)] = factor
    return change


def _runs(rng: np.random.Generator) -> list[tuple[int, int]]:
    """Return runs of 4 to 100 steps."""
    runs: list[tuple[int, int]] = []
    while left := STEPS - sum(steps for _, steps in runs):
        runs.append((0, min(left, int(np.exp(rng.uniform(np.log(4), np.log(100)))))))
    return runs
