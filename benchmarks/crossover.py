"""``python -m benchmarks.crossover``: who wins where, and what the agent would take.

Convolution over image and kernel size, and 5x Catmull-Rom magnification over image
size, as in Figure 2 and Figures S1 to S4 of the publication. Each cell is written when
it has been measured, and the next call goes on with those that are missing; on another
device it begins another map.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks import crossover_report, machine
from benchmarks.crossover_cells import MapCell, Timed, as_data, from_data
from benchmarks.home import history_in
from napari_nanopyx import engine
from napari_nanopyx._engine import catalogue
from napari_nanopyx._engine.benchmarking import cells as benchmark_cells
from napari_nanopyx._engine.types import Measurement
from napari_nanopyx._kernels import tasks

RESULTS = Path(__file__).parent / "results"
SIDES = (64, 128, 256, 512, 1024)
KERNELS = (3, 5, 9, 17, 33)


@dataclass(frozen=True)
class Map:
    """The cells of one task."""

    task: str
    sides: tuple[int, ...]
    kernels: tuple[int | None, ...]
    arguments: Mapping[str, Any]

    def places(self) -> Iterator[tuple[int, int | None]]:
        """Yield sides and kernel sizes."""
        yield from product(self.sides, self.kernels)

    def parameters(self, kernel_size: int | None) -> dict[str, Any]:
        """Return what the benchmark is asked for."""
        given = dict(self.arguments)
        return given if kernel_size is None else {**given, "kernel_size": kernel_size}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.crossover", description=__doc__
    )
    parser.add_argument("--seconds", type=float, help="begin no cell after this time")
    parser.add_argument("--sides", type=int, nargs="+", default=SIDES)
    parser.add_argument("--kernels", type=int, nargs="+", default=KERNELS)
    parser.add_argument("--repeats", type=int, default=3, help="timed blocks of each")
    parser.add_argument("--passes", type=int, default=3, help="how often each cell")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    until = time.monotonic() + (options.seconds or float("inf"))
    maps = (
        Map("convolve", tuple(options.sides), tuple(options.kernels), {}),
        Map("magnify", tuple(options.sides), (None,), {"factor": 5.0}),
    )
    options.results.mkdir(parents=True, exist_ok=True)
    path = options.results / f"crossover-{device_name()}.json"
    kept = _read(path)
    home = Path(tempfile.gettempdir()) / "napari-nanopyx-crossover"
    home.mkdir(exist_ok=True)
    with history_in(home):
        for this, side, kernel_size in missing(maps, kept, options.passes):
            if time.monotonic() > until:
                break
            cell = measured(this, side, kernel_size, options.repeats)
            print(f"{this.task} {side} {kernel_size or ''}: {cell.winner}")
            keep(kept["cells"], cell)
            path.write_text(json.dumps(kept) + "\n", encoding="utf-8")
    if left := len(list(missing(maps, kept, options.passes))):
        print(f"{left} cells are missing: call again")
    cells = {task: list(map(from_data, found)) for task, found in kept["cells"].items()}
    print("\n".join(crossover_report.write(path, kept["machine"], cells)))


def measured(this: Map, side: int, kernel_size: int | None, repeats: int) -> MapCell:
    """Measure all implementations in one cell."""
    before = len(engine.history(this.task))
    result = engine.benchmark(
        this.task,
        sizes=[side],
        repeats=repeats,
        parameters=this.parameters(kernel_size),
    )
    blocks = engine.history(this.task)[before:]
    measured = {row.implementation for row in result.rows if row.median is not None}
    timed = []
    for found in _implementations(this, side, kernel_size):
        if found.name in measured:
            warm = _warm(blocks, found.name)
            seconds = [seconds / frames for frames, seconds in warm[-repeats:]]
            timed.append(Timed(found, seconds, warm))
    return MapCell(side, kernel_size, blocks[-1].workload, timed)


def missing(
    maps: Iterable[Map], kept: Mapping[str, Any], passes: int
) -> Iterator[tuple[Map, int, int | None]]:
    """Yield what is to be measured, pass by pass."""
    for number in range(passes):
        for this in maps:
            done = {
                (cell["side"], cell["kernel_size"]): cell["passes"]
                for cell in kept["cells"].get(this.task, [])
            }
            for place in this.places():
                if done.get(place, 0) <= number:
                    yield this, *place


def keep(cells: dict[str, list[dict[str, Any]]], cell: MapCell) -> None:
    """Put a cell in its place, together with earlier passes."""
    found = cells.setdefault(cell.workload.task, [])
    for number, data in enumerate(found):
        if (data["side"], data["kernel_size"]) == cell.place:
            found[number] = as_data(from_data(data).with_(cell))
            return
    found.append(as_data(cell))
    found.sort(key=lambda data: (data["side"], data["kernel_size"] or 0))


def device_name() -> str:
    """Return the GPU, or else the processor, as a part of a file name."""
    gpus = [each.name for each in engine.devices() if each.is_gpu]
    name = gpus[0].removeprefix("opencl:") if gpus else machine.describe()["Processor"]
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _implementations(
    this: Map, side: int, kernel_size: int | None
) -> list[engine.Implementation]:
    given = this.parameters(kernel_size)
    (cell,) = benchmark_cells.cells(tasks()[this.task], None, [side], given)
    return catalogue.candidates(this.task, wait=True, plan=cell.plan)


def _warm(blocks: list[Measurement], name: str) -> list[tuple[int, float]]:
    return [
        (block.frames, block.timing.warm)
        for block in blocks
        if block.implementation == name and block.outcome == "ok"
    ]


def _read(path: Path) -> dict[str, Any]:
    """Return what an earlier call has measured; a new map tells the machine."""
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    devices = [each.identity for each in engine.devices() if each.kind == "opencl"]
    facts = {"Date": date, **machine.describe(), "OpenCL": "; ".join(devices) or "none"}
    return {"machine": facts, "cells": {}}


if __name__ == "__main__":
    main()
