"""``python -m benchmarks.reconstructions``: SRRF and the sweep of eSRRF.

Beside them NanoPyx, if a Python that has it is given. Best of several warm calls
through the public function of each; of the sweep also the first call in a process. The
peer is called once, after it has compiled. The limit is that of the processor's
multiply-add units in float32, as measured, for the operations that the plans declare;
those in float64 count twice.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

import napari_nanopyx as nx
from benchmarks import peak
from benchmarks.beside import command, others
from benchmarks.cases import best_time, movie
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._kernels.esrrf.plan import EsrrfPlan

SRRF_SHAPE, SWEEP_SHAPE = (4, 300, 300), (50, 64, 64)
RADII, SENSITIVITIES = (1.0, 1.5, 2.0), (1.0, 2.0, 3.0, 4.0)
REPEATS = 5
TEMPORAL = ("TRA", "TRM", "TRPPM", "VAR", "TRAC2", "TRAC3")
"""Those of which four frames are enough."""


def main() -> None:
    """Run the command line."""
    options = command("reconstructions", __doc__).parse_args()
    shapes = ((4, 31, 31), (6, 20, 20)) if options.small else (SRRF_SHAPE, SWEEP_SHAPE)
    for line in tables(*shapes, options.peer_python):
        print(line, flush=True)


def tables(
    srrf_shape: tuple[int, int, int],
    sweep_shape: tuple[int, int, int],
    python: Path | None,
) -> Iterator[str]:
    """Yield a table of each."""
    frames, scanned = movie(srrf_shape), movie(sweep_shape)
    first = time.perf_counter()
    sweep(scanned)
    first = time.perf_counter() - first
    times = {f"SRRF {temporal}": ours(frames, temporal) for temporal in TEMPORAL}
    warm = best_time(lambda: sweep(scanned), REPEATS)
    given = {"radii": RADII, "sensitivities": SENSITIVITIES}
    inputs = {"srrf": frames, "sweep": scanned}
    theirs = others(python, "reconstructions_peer", inputs, **given)
    threads = devices.thread_count()
    limit = peak.measured_peak(threads)
    flops = {
        f"SRRF {each}": peak.srrf_flops(srrf_shape, 5, 0.5, each) for each in TEMPORAL
    }
    yield f"## SRRF, {' x '.join(map(str, srrf_shape))}, 5 times, {threads} threads"
    yield from table(times, theirs.get("srrf"), flops, limit)
    pairs = len(RADII) * len(SENSITIVITIES)
    size = " x ".join(map(str, sweep_shape))
    yield f"## Sweep over {pairs} pairs, {size}, 2 times, {threads} threads"
    both = {"warm": warm, "first call": first}
    work = dict.fromkeys(both, sweep_flops(sweep_shape))
    yield from table(both, theirs.get("sweep"), work, limit)


def table(
    times: dict[str, float],
    peer: float | None,
    flops: dict[str, float],
    limit: float | None,
) -> Iterator[str]:
    """Yield times, how many of them the peer takes, and shares of the limit."""
    yield ""
    yield f"The limit is {limit:.0f} GFLOP/s." if limit else "The limit is not known."
    yield ""
    yield "|  | ms | the peer's time | GFLOP | share of the limit |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for name, seconds in times.items():
        ratio = f"{peer / seconds:.0f} times" if peer else ""
        work = 1e-9 * flops[name]
        share = f"{work / seconds / limit:.0%}" if limit else ""
        yield f"| {name} | {1e3 * seconds:.0f} | {ratio} | {work:.2f} | {share} |"
    if peer:
        yield f"| NanoPyx | {1e3 * peer:.0f} | | | |"
    yield ""


def sweep_flops(shape: tuple[int, int, int]) -> float:
    """Return the operations of the passes of a sweep, without its scores."""
    first, *more = SENSITIVITIES
    plans = (
        EsrrfPlan(
            shape,
            magnification=2,
            radius=radius,
            sensitivity=first,
            more_sensitivities=tuple(more),
        )
        for radius in RADII
    )
    return sum(shape[0] * plan.cost.flops for plan in plans)


def ours(image: NDArray[Any], temporal: Any) -> float:
    """Return the seconds of SRRF, warm, by what the engine chooses."""

    def call() -> Any:
        return nx.srrf(image, 5, 0.5, temporal=temporal)

    call()
    return best_time(call, REPEATS)


def sweep(image: NDArray[Any]) -> nx.Sweep:
    """Score every pair."""
    return nx.sweep_esrrf(image, RADII, SENSITIVITIES)


if __name__ == "__main__":
    sys.exit(main())
