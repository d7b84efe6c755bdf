"""``python -m benchmarks``: measures ours and the peer, and writes the results."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import long_movie, machine, peak, peer, report
from benchmarks.cases import SMALL, Sizes, movie

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--scratch", type=Path, help="where the long movies go (5 GB)")
    parser.add_argument("--small", action="store_true", help="try the benchmark itself")
    parser.add_argument("--no-peer", action="store_true", help="measure only ours")
    parser.add_argument("--no-movie", action="store_true", help="skip the long movie")
    parser.add_argument("--peer-python", type=Path, help="a Python that has the peer")
    options = parser.parse_args()
    sizes = SMALL if options.small else Sizes()
    with tempfile.TemporaryDirectory(dir=options.scratch) as name:
        results = run(sizes, Path(name), options)
    report.write(options.output, results)
    print("\n".join(report.markdown(results)))


def run(sizes: Sizes, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Measure everything on the same inputs, one program after the other."""
    np.save(folder / "esrrf.npy", movie(sizes.esrrf_shape))
    np.save(folder / "magnify.npy", movie(sizes.magnify_shape))
    np.save(folder / "srrf.npy", movie(sizes.srrf_shape))
    (folder / "sizes.json").write_text(json.dumps(sizes.as_dict()))
    every_core = len(os.sched_getaffinity(0))
    results: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "machine": machine.describe(),
        "sizes": sizes.as_dict(),
        "ours": {},
        "peer": {"esrrf": {}, "magnify": {}, "srrf": {}},
        "peak_gflops": {},
        "summed_samples": peak.summed_samples(sizes.magnification, sizes.radius),
        "srrf_flops": peak.srrf_flops(
            sizes.srrf_shape, sizes.magnification, sizes.ring_radius
        ),
        "long_movie": {},
        "problems": {},
    }
    for threads in sorted({1, every_core}):
        say(f"the processor's limit, {threads} thread(s)")
        results["peak_gflops"][str(threads)] = peak.measured_peak(threads)
        say(f"ours, {threads} thread(s)")
        times = ours(folder, threads)
        results["problems"].update(times.pop("problems"))
        results["ours"][str(threads)] = times
    if not options.no_peer:
        say("NanoPyx and OpenCV (some minutes)")
        times = peer.measure(folder, options.peer_python)
        results["problems"].update(times.pop("problems"))
        results["peer"] = times
    if not options.no_movie:
        say(f"{sizes.movie_frames} frames from disk")
        results["long_movie"] = long_movie.measure(folder, sizes.movie_frames)
    return results


def ours(folder: Path, threads: int) -> dict[str, Any]:
    """Return the times of our implementations on so many threads."""
    environment = {
        **os.environ,
        "NAPARI_NANOPYX_HOME": str(folder / f"home-{threads}"),
        "NAPARI_NANOPYX_THREADS": str(threads),
        "NUMBA_NUM_THREADS": str(threads),
    }
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.our_worker", str(folder), str(threads)],
        check=False,
        env=environment,
        cwd=ROOT,
    )
    times: dict[str, Any] = json.loads((folder / f"ours-{threads}.json").read_text())
    if ran.returncode != 0:
        problem = f"the process ended with exit code {ran.returncode}"
        times["problems"][f"{threads} thread(s)"] = problem
    return times


def say(what: str) -> None:
    """Tell on stderr what is being measured."""
    print(f"measuring {what}", file=sys.stderr)


if __name__ == "__main__":
    main()
