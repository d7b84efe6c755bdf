"""``python -m benchmarks.record_trace``: records traces for the replay of policies.

Every implementation computes the same few frames at every step, while other processes
load the processor, or with ``--gpu`` the GPU, at times.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import trace as traces
from benchmarks.jobs import GPU_JOBS, JOBS
from benchmarks.load import ROOT, Load
from benchmarks.recording import SCHEDULES, Recorder

CACHES = ("CUDA_CACHE_PATH", "NUMBA_CACHE_DIR", "POCL_CACHE_DIR", "XDG_CACHE_HOME")
"""Where compilers keep what they have made: empty for each task."""


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.record_trace", description=__doc__
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the traces")
    parser.add_argument("--gpu", action="store_true", help="load the GPU instead")
    parser.add_argument("--minutes", type=float, default=5.0, help="time in all")
    parser.add_argument("--tasks", nargs="*", choices=JOBS, help="by default all")
    names = [each.name for each in SCHEDULES]
    parser.add_argument("--schedules", nargs="*", choices=names, default=names)
    parser.add_argument("--load-processes", type=int, help="how many make the load")
    parser.add_argument("--tag", help="how names begin; by default cpu or gpu")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    options.tasks = options.tasks or list(GPU_JOBS if options.gpu else JOBS)
    options.tag = options.tag or ("gpu" if options.gpu else "cpu")
    if options.here:
        record(options)
        return
    # Each task in a process of its own, in which nothing has been compiled yet.
    until = time.monotonic() + 60 * options.minutes
    for number, task in enumerate(options.tasks):
        left = max(0.0, until - time.monotonic()) / (len(options.tasks) - number)
        command = [sys.executable, "-m", "benchmarks.record_trace", "--here"]
        command += ["--out", str(options.out.absolute()), "--tag", options.tag]
        command += ["--minutes", str(left / 60), "--tasks", task]
        command += ["--schedules", *options.schedules]
        command += ["--gpu"] * options.gpu
        if options.load_processes:
            command += ["--load-processes", str(options.load_processes)]
        with tempfile.TemporaryDirectory() as folder:
            empty = {name: str(Path(folder) / name) for name in CACHES}
            for path in empty.values():
                Path(path).mkdir()
            home = {"NAPARI_NANOPYX_HOME": folder}
            environment = {**os.environ, **empty, **home}
            subprocess.run(command, check=True, env=environment, cwd=ROOT)


def record(options: argparse.Namespace) -> None:
    """Record all schedules of the given tasks in this process."""
    until = time.monotonic() + 60 * options.minutes
    with Load(options.gpu, options.load_processes) as load:
        for task in options.tasks:
            recorder = Recorder((GPU_JOBS if options.gpu else JOBS)[task], load)
            wanted = [each for each in SCHEDULES if each.name in options.schedules]
            for number, schedule in enumerate(wanted):
                left = max(0.0, until - time.monotonic()) / (len(wanted) - number)
                trace = recorder.record(schedule, left, options.tag)
                path = options.out / f"{trace.name.replace(', ', ' ')}.json"
                traces.write(trace, path.with_name(path.name.replace(" ", "-")))
                steps = sum(steps for _, steps in trace.runs)
                print(f"{trace.name}: {steps} steps")
            recorder.close()


if __name__ == "__main__":
    main()
