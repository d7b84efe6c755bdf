"""``python -m benchmarks.overhead``: what the engine adds to one call, by history size.

A task that computes nothing goes through the runner as a user's call does: choice,
blocks, merging, and the measurement to the history. The history holds measurements of
this task at many workloads, as many of each as the store keeps.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.empty_task import IMPLEMENTATIONS, EmptyPlan, installed
from benchmarks.home import history_in
from napari_nanopyx import engine
from napari_nanopyx._engine.measurements import history, store
from napari_nanopyx._engine.measurements.delays import persistence
from napari_nanopyx._engine.measurements.measuring import workload_of
from napari_nanopyx._engine.running import runner
from napari_nanopyx._engine.types import Measurement, Timing

RESULTS = Path(__file__).parent / "results"
STORED = (0, 1_000, 10_000, 100_000, 300_000)
ALLOWED_MICROSECONDS = 200.0
POLICIES = ("default", "paper")
_WARM_UP = 200


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.overhead", description=__doc__
    )
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--stored", type=int, nargs="*", default=STORED)
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--plot-only", type=Path, help="draw a JSON file made before")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    if options.plot_only is not None:
        results = json.loads(options.plot_only.read_text())
    else:
        results = measure(options.stored, options.calls)
        path = options.output / "overhead.json"
        path.write_text(json.dumps(results, indent=2) + "\n")
    text = "\n".join(markdown(results)) + "\n"
    (options.output / "overhead.md").write_text(text)
    print(text)
    try:
        draw(options.output / "overhead.png", results)
    except ImportError as missing:
        print(f"no picture: {missing}; draw it later with --plot-only")


def measure(stored: tuple[int, ...], calls: int) -> dict[str, Any]:
    """Return microseconds of calls, by policy and number of stored measurements."""
    has_paper = find_spec("sklearn") is not None
    if has_paper:
        persistence((False, True, True, False, False))  # loads scikit-learn beforehand
    points = [
        {"stored": count, "policy": policy, **_point(count, policy, calls)}
        for count in stored
        for policy in POLICIES
        if policy == "default" or has_paper
    ]
    return {
        "date": datetime.date.today().isoformat(),
        "machine": machine.describe(),
        "load": f"{os.getloadavg()[0]:.2f}",
        "calls": calls,
        "points": points,
    }


def markdown(results: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the report."""
    yield "# What the engine adds to one call"
    yield ""
    yield f"`python -m benchmarks.overhead` on {results['date']}:"
    yield f"{results['machine']['Processor']}, {results['machine']['Cores available']}"
    yield f"cores, load average {results['load']} before. Microseconds of"
    yield f"{results['calls']} warm calls on one frame of a task that computes nothing,"
    yield f"with {len(IMPLEMENTATIONS)} implementations to choose from. At most"
    yield f"{ALLOWED_MICROSECONDS:g} are allowed with 100 000 measurements stored."
    yield ""
    yield "| stored | policy | median | 99th percentile | first call, ms |"
    yield "| ---: | --- | ---: | ---: | ---: |"
    for point in results["points"]:
        yield (
            f"| {point['stored']:,} | {point['policy']} | {point['median']:.0f} | "
            f"{point['p99']:.0f} | {point['first_milliseconds']:.0f} |"
        )
    yield ""
    yield "The first call of a process opens the file, checks it and reads from it."


def draw(path: Path, results: dict[str, Any]) -> None:
    """Draw median and 99th percentile over the number of stored measurements."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for policy, colour in zip(POLICIES, ("#1b7f5c", "#b5651d"), strict=True):
        points = [p for p in results["points"] if p["policy"] == policy]
        if not points:
            continue
        stored = [max(1, point["stored"]) for point in points]
        for what, style in (("median", "o-"), ("p99", "o:")):
            label = f"{policy}, {'median' if what == 'median' else '99th percentile'}"
            times = [point[what] for point in points]
            axes.plot(stored, times, style, color=colour, label=label)
    axes.axhline(ALLOWED_MICROSECONDS, color="#9aa0a6", linewidth=1)
    axes.text(1, ALLOWED_MICROSECONDS, " allowed", va="bottom", color="#5f6368")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("measurements in the history (none is drawn at 1)")
    axes.set_ylabel("microseconds a call")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def _point(count: int, policy: str, calls: int) -> dict[str, float]:
    """Return what calls take in a history of its own."""
    image = np.zeros((1, 4, 4), np.uint8)
    plan = EmptyPlan(image.shape)
    with (
        tempfile.TemporaryDirectory() as folder,
        history_in(Path(folder)),
        installed() as task,
    ):
        fill(count)
        with engine.policy(policy):

            def call() -> None:
                runner.run(task, image, plan)

            first = _seconds(call)
            for _ in range(_WARM_UP):
                call()
            times = 1e6 * np.array([_seconds(call) for _ in range(calls)])
    return {
        "median": float(np.median(times)),
        "p99": float(np.percentile(times, 99)),
        "first_milliseconds": 1e3 * first,
    }


def fill(count: int) -> None:
    """Store so many measurements: all implementations at one workload after another."""
    path = history.folder() / history.FILE_NAME
    store.prepare(path)
    with installed() as task, store.connect(path) as connection:
        usual = workload_of(task, EmptyPlan((1, 4, 4)), "uint8")
        each = store.NEWEST_PER_KEY * len(IMPLEMENTATIONS)
        made = []
        for number in range(count):
            side = 4 + number // each  # first the workload that is measured later
            at = replace(usual, shape=(side, side), flops=float(side * side))
            name = IMPLEMENTATIONS[number % len(IMPLEMENTATIONS)]
            timing = Timing(0.0, 0.0, 1e-6 * (1 + number % 7))
            made.append(Measurement(at, name, "nowhere", 1, timing, "ok", number))
        if made:
            store.insert(connection, made)


def _seconds(call: Callable[[], None]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
