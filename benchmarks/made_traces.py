"""Makes traces in which one thing happens: a cold start, a delay, a drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.trace import Trace
from napari_nanopyx._engine.types import Workload

KINDS = {
    "serial": "compiled",
    "threads-static": "compiled",
    "threads-dynamic": "compiled",
    "threads-guided": "compiled",
    "numba": "numba",
    "opencl:GPU": "opencl",
}
PREPARE_SECONDS = {"numba": 8.0, "opencl:GPU": 0.5}

NANOSECONDS = {
    "serial": 400.0,
    "threads-static": 108.0,
    "threads-dynamic": 100.0,
    "threads-guided": 104.0,
    "numba": 140.0,
    "opencl:GPU": 10.0,
}
"""For each pixel."""

FIXED_SECONDS = {"opencl:GPU": 1e-3, "numba": 1e-4}
"""For each frame besides: transfer, starting threads."""

MILLISECONDS = {
    "convolution": {"serial": 9.3, "threads-dynamic": 3.0, "opencl:GPU": 2.3},
    "eSRRF": {"serial": 13.0, "threads-dynamic": 1.4, "opencl:GPU": 0.35},
}
"""For a frame, as on a machine with 16 cores and an NVIDIA H200: kernels of 51 x 51 on
1000 x 1000 pixels; magnification 5 of 283 x 283 pixels."""

GPU_DELAYS = {"convolution": 15.0, "eSRRF": 40.0}
"""How many times slower the GPU gets: five and ten times as slow as the processor."""

BLOCK_SECONDS = {"opencl:GPU": 1e-3}
"""For each block besides: launching kernels, starting threads, merging."""

COPIED = {"convolution": 1 / 3, "eSRRF": 0.0}
"""The part that copying takes: six megabytes a frame at 8.7 GB/s, or next to none."""

STEP_FRAMES = 5
_NOISE = 0.05
_OUTLIERS = 0.03
_HISTORY = 12


def made(seed: int) -> list[Trace]:
    """Return one trace of each sort; the seed decides the noise."""
    rng = np.random.default_rng(seed)
    side, steps = 316, 600
    gpu, best = "opencl:GPU", "threads-dynamic"
    no_gpu = [name for name in KINDS if name != gpu]
    half, third, end = steps // 2, steps // 3, steps
    sudden, ends, bursts = np.ones((3, steps))
    sudden[third:] = ends[third : 2 * third] = 20.0
    for start in range(40, end, 120):
        bursts[start : start + 40] = 8.0
    drift = np.geomspace(1.0, 2.0, steps)
    gone = np.where(np.arange(steps) < half, 1.0, np.nan)
    short, long = _runs(steps, 10), _runs(steps, 100)
    one = Maker(rng, [side])
    several = Maker(rng, [80, 160, 320, 640])
    return [
        one.trace("cold start", "nothing known, a GPU", long, known=()),
        one.trace("cold start, CPU", "nothing known", long, no_gpu, known=()),
        one.trace("cold start, short runs", "nothing known", short, no_gpu, known=()),
        one.trace("steady", "all known, a GPU", short),
        one.trace("steady, new process", "nothing prepared", short, restarted=True),
        one.trace("steady, CPU", "all known", short, no_gpu),
        one.trace("sudden delay", "GPU 20 times slower", short, change={gpu: sudden}),
        one.trace("delay that ends", "the same for a while", short, change={gpu: ends}),
        one.trace("delay within a run", "the same", long, change={gpu: ends}),
        one.trace("bursts", "GPU 8 times slower at times", short, change={gpu: bursts}),
        one.trace(
            "slow drift", "the best to half speed", short, no_gpu, change={best: drift}
        ),
        several.trace(
            "size never seen",
            "640 after 80 and 160",
            [(3, 20)] * 5 + [(2, 20)] * 5,
            known=(0, 1),
        ),
        several.trace("sizes in turn", "80 to 640", [(n % 4, 10) for n in range(60)]),
        one.trace("GPU that vanishes", "after half", short, change={gpu: gone}),
        *[_published(rng, task, steps) for task in MILLISECONDS],
    ]


def _published(rng: np.random.Generator, task: str, steps: int) -> Trace:
    """Return runs one after the other, with the GPU delayed in the middle third."""
    milliseconds, delay = MILLISECONDS[task], np.ones(steps)
    delay[steps // 3 : 2 * steps // 3] = GPU_DELAYS[task]
    seconds = {name: each * 1e-3 for name, each in milliseconds.items()}
    made = Maker(rng, [1000], seconds).trace(
        f"{task}, GPU delayed",
        "as published: in the middle third",
        _runs(steps, 4),
        list(milliseconds),
        change={"opencl:GPU": delay},
    )
    return replace(made, copied={"opencl:GPU": COPIED[task]})


class Maker:
    """Makes traces over some image sizes."""

    def __init__(
        self,
        rng: np.random.Generator,
        sides: Sequence[int],
        seconds: dict[str, float] | None = None,
    ) -> None:
        """Take the seconds of a frame for each implementation, or else the usual."""
        self._rng = rng
        self._seconds = seconds
        self._workloads = [_workload(side) for side in sides]

    def trace(
        self,
        name: str,
        summary: str,
        runs: Sequence[tuple[int, int]],
        names: Sequence[str] = tuple(KINDS),
        *,
        change: dict[str, NDArray[np.float64]] | None = None,
        known: Sequence[int] | None = None,
        restarted: bool = False,
    ) -> Trace:
        """Return a trace.

        `change` multiplies times, `known` says which workloads were measured before;
        if there are any, all is prepared unless the process has been `restarted`.
        """
        sizes = np.repeat([at for at, _ in runs], [steps for _, steps in runs])
        usual = {
            name: np.array([self._usual(name, at) for at in self._workloads])
            for name in names
        }
        measured = range(len(self._workloads)) if known is None else known
        return Trace(
            name,
            summary,
            STEP_FRAMES,
            {name: KINDS[name] for name in names},
            {name: PREPARE_SECONDS.get(name, 0.0) for name in names},
            self._workloads,
            runs,
            {
                name: usual[name][sizes]
                * (change or {}).get(name, 1.0)
                * self._noise(len(sizes))
                for name in names
            },
            [
                (name, at, usual[name][at] * noise)
                for at in measured
                for noise in self._noise(_HISTORY)
                for name in names
            ],
            () if restarted or not measured else names,
            {name: BLOCK_SECONDS.get(name, 3e-4) for name in names},
        )

    def _usual(self, name: str, at: Workload) -> float:
        if self._seconds is not None:
            return self._seconds[name]
        pixels = at.shape[0] * at.shape[1]
        return FIXED_SECONDS.get(name, 1e-5) + NANOSECONDS[name] * 1e-9 * pixels

    def _noise(self, count: int) -> NDArray[np.float64]:
        noise = np.exp(self._rng.normal(0, _NOISE, count))
        outliers = self._rng.random(count) < _OUTLIERS
        return noise * np.where(outliers, self._rng.uniform(1.5, 4, count), 1.0)


def _runs(steps: int, each: int) -> list[tuple[int, int]]:
    return [(0, each)] * (steps // each)


def _workload(side: int) -> Workload:
    settings = {"magnification": 5, "radius": 1.5}
    work = float(side * side)
    return Workload("toy", "1", (side, side), "uint16", settings, work * 1e3, work * 10)
