"""What benchmarks beside other programs share: options, their times and our own."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cases import best_time
from napari_nanopyx import engine

ROOT = Path(__file__).parents[1]
MOST_REPEATS = 15
SECONDS = 0.5
"""How long calls are repeated, at least once and at most so many times."""


def command(name: str, about: str | None) -> argparse.ArgumentParser:
    """Return the command line of a benchmark, with the options that all have."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}", description=about
    )
    parser.add_argument(
        "--peer-python", type=Path, help="a Python that has the other programs"
    )
    parser.add_argument("--small", action="store_true", help="try the benchmark itself")
    return parser


def others(
    python: Path | None,
    child: str,
    inputs: Mapping[str, NDArray[Any]],
    **settings: Any,
) -> Any:
    """Return what a child process found of these inputs; nothing without a Python.

    Parameters
    ----------
    python
        A Python that has the other programs.
    child
        A module beside this one that ends with `child.answer`.
    inputs
        Arrays by name.
    settings
        What JSON holds.
    """
    if python is None:
        return {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for key, array in inputs.items():
            np.save(folder / f"{key}.npy", array)
        (folder / "settings.json").write_text(json.dumps(settings))
        subprocess.run(
            [str(python), "-m", f"benchmarks.{child}", name],
            check=True,
            capture_output=True,
            cwd=ROOT,
            env={**os.environ, "HOME": name},
        )
        return json.loads((folder / "found.json").read_text())


def ours(task: str, call: Callable[[str], Any]) -> dict[str, float]:
    """Return the seconds of a task's implementations, the reference left out.

    So are those that are not available, or cannot compute this. `call` computes with
    the implementation of the name that it is given; the best of several warm calls
    counts.
    """
    times = {}
    for each in engine.implementations(task):
        if not each.available or each.kind == "reference":
            continue

        def named(name: str = each.name) -> Any:
            return call(name)

        try:
            named()
        except engine.ImplementationUnavailable:
            continue
        once = best_time(named, 1)
        repeats = min(MOST_REPEATS, int(SECONDS / once) + 1)
        times[each.name] = min(once, best_time(named, repeats))
    return times
