"""``python -m benchmarks.delays``: what policies do while other processes come and go.

The same call again and again; other processes load the processor, or with ``--gpu``
the GPU, from one third of the calls to two thirds. Each policy starts from a copy of
one history, in which all implementations were measured without load.
"""

from __future__ import annotations

import argparse
import datetime
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import delays_report
from benchmarks.home import history_in
from benchmarks.jobs import GPU_JOBS, JOBS, Job
from benchmarks.load import Load
from benchmarks.recording import described
from napari_nanopyx import engine
from napari_nanopyx._engine import context
from napari_nanopyx._engine.measurements import history
from napari_nanopyx._engine.measurements.delays import persistence
from napari_nanopyx._engine.policy import paper

RESULTS = Path(__file__).parent / "results"
HISTORY = 12
"""Calls of each implementation before the first run."""

MULTIPLES = (1, 4, 16)
"""Of the job's frames: the number is taken at which the load matters most."""

_BOTH_STATES = (False, True, True, False, False)
_WITHOUT = partial(paper.choose, deviations=inf)
POLICIES: Mapping[str, Callable[[int], AbstractContextManager[None]]] = {
    "default": lambda seed: engine.policy("default", seed=seed),
    "paper": lambda seed: engine.policy("paper", seed=seed),
    "paper without delays": lambda seed: context.choose_by(_WITHOUT, seed),
}


def main() -> None:
    """Run the command line."""
    usual = ["convolve", "esrrf"]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.delays", description=__doc__
    )
    parser.add_argument("--task", nargs="*", choices=JOBS, default=usual)
    parser.add_argument("--runs", type=int, default=90, help="calls of each sequence")
    parser.add_argument("--repeats", type=int, default=3, help="sequences of a policy")
    parser.add_argument("--frames", type=int, help="of a call; by default tried out")
    parser.add_argument("--gpu", action="store_true", help="load the GPU instead")
    parser.add_argument("--load-processes", type=int, help="how many make the load")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--plot-only", type=Path, help="draw a JSON file made before")
    options = parser.parse_args()
    if options.plot_only is not None:
        results = json.loads(options.plot_only.read_text())
        delays_report.write(options.output, results, options.plot_only.stem)
        return
    results = {
        "date": datetime.date.today().isoformat(),
        "machine": described(),
        "load": "",
        "tasks": {},
    }
    name = f"delays-{'gpu' if options.gpu else 'cpu'}"
    with Load(options.gpu, options.load_processes) as load:
        results["load"] = load.summary
        for task in options.task:
            job = (GPU_JOBS if options.gpu else JOBS)[task]
            found = experiment(job, load, options)
            results["tasks"][task] = found
            delays_report.write(options.output, results, name)


def experiment(job: Job, load: Load, options: argparse.Namespace) -> dict[str, Any]:
    """Run one job under all policies."""
    names = [
        each.name
        for each in engine.implementations(job.task_name)
        if each.available and each.kind != "reference"
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trials = {"home": folder / "trials", "known": folder / "known"}
        for each in trials.values():
            each.mkdir()
        with history_in(trials["home"]):
            names = _working(job, names)
            tried = {
                multiple * job.frames: _tried(_longer(job, multiple), names, load)
                for multiple in MULTIPLES
                if options.frames is None
            }
        persistence(_BOTH_STATES)  # loads scikit-learn, which must not count as a run
        frames = options.frames or max(tried, key=lambda n: gain(tried[n]))
        chosen = replace(job, frames=frames)
        image = chosen.movie()
        with history_in(trials["known"]):
            for _ in range(HISTORY):
                _each(chosen, image, names)
        sequences = []
        for repeat in range(options.repeats):
            order = list(POLICIES)[repeat % 3 :] + list(POLICIES)[: repeat % 3]
            for policy in order:
                home = folder / f"{repeat}-{policy}"
                shutil.copytree(trials["known"], home)
                with history_in(home):
                    # In this process, and in this history, all are prepared.
                    _each(chosen, image, names)
                    runs = sequence(
                        chosen, image, POLICIES[policy](repeat), load, options.runs
                    )
                sequences.append({"policy": policy, "repeat": repeat, "runs": runs})
                print(f"{job.task_name}, {policy}: {repeat + 1}", file=sys.stderr)
    return {
        "frames": frames,
        "side": job.side,
        "tried": tried,
        "sequences": sequences,
    }


def sequence(
    job: Job,
    image: NDArray[np.uint16],
    policy: AbstractContextManager[None],
    load: Load,
    count: int,
) -> list[dict[str, Any]]:
    """Make so many calls; tell of each what it took, and who computed it and why."""
    runs = []
    with policy:
        for number in range(count):
            load.switch(count <= 3 * number < 2 * count)
            with engine.record() as recorded:
                seconds = _seconds(partial(job.call, image))
            (run,) = recorded
            runs.append(
                {
                    "seconds": float(f"{seconds:.4g}"),
                    "loaded": load.is_on,
                    "frames": run.blocks,
                    "reason": run.reason,
                }
            )
    load.switch(on=False)
    return runs


def gain(tried: Mapping[str, tuple[float, float]]) -> float:
    """Return what changing from the usual best would save under load, as a factor."""
    usual = min(tried, key=lambda name: tried[name][0])
    return tried[usual][1] / min(loaded for _, loaded in tried.values())


def _tried(job: Job, names: list[str], load: Load) -> dict[str, tuple[float, float]]:
    """Return the seconds of each implementation without and under load."""
    image, found = job.movie(), {}
    for name in names:
        medians = []
        for is_loaded in (False, True):
            load.switch(is_loaded)
            with engine.use(name):
                times = [_seconds(partial(job.call, image)) for _ in range(5)]
            medians.append(float(f"{np.median(times):.4g}"))
        found[name] = (medians[0], medians[1])
    load.switch(on=False)
    return found


def _working(job: Job, names: list[str]) -> list[str]:
    """Return those that can compute the job; all are prepared then."""
    image, working = job.movie(), []
    for name in names:
        try:
            with engine.use(name):
                job.call(image)
        except engine.NanoPyxError as problem:
            print(f"{name} is left out: {problem}", file=sys.stderr)
        else:
            working.append(name)
    return working


def _each(job: Job, image: NDArray[np.uint16], names: list[str]) -> None:
    for name in names:
        with engine.use(name):
            job.call(image)
    history.current().flush()


def _longer(job: Job, multiple: int) -> Job:
    return replace(job, frames=multiple * job.frames)


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
