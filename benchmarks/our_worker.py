"""Child process: times our implementations on the inputs in a folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import napari_nanopyx as nx
from benchmarks.cases import best_time
from napari_nanopyx import engine

TOO_SLOW = ("reference",)


def main(folder: Path, thread_count: int) -> None:
    """Write the times beside the inputs as ``ours-THREADS.json``."""
    sizes = json.loads((folder / "sizes.json").read_text())
    esrrf_input = np.load(folder / "esrrf.npy")
    magnify_input = np.load(folder / "magnify.npy")
    srrf_input = np.load(folder / "srrf.npy")
    results: dict[str, Any] = {"esrrf": {}, "magnify": {}, "srrf": {}, "problems": {}}

    def esrrf(name: str | None) -> Any:
        return nx.esrrf(
            esrrf_input,
            magnification=sizes["magnification"],
            radius=sizes["radius"],
            sensitivity=sizes["sensitivity"],
            implementation=name,
        )

    def magnify(name: str | None) -> Any:
        return nx.magnify(magnify_input, sizes["magnification"], implementation=name)

    def srrf(name: str | None) -> Any:
        return nx.srrf(
            srrf_input,
            magnification=sizes["magnification"],
            ring_radius=sizes["ring_radius"],
            implementation=name,
        )

    for task, call in (("esrrf", esrrf), ("magnify", magnify), ("srrf", srrf)):
        names: list[str | None] = [
            each.name
            for each in engine.implementations(task)
            if each.available and each.kind not in TOO_SLOW
        ]
        for name in [*names, None]:
            label = name or "the engine's choice"
            try:
                for _ in range(1 if name else len(names) + 2):
                    call(name)
                seconds = best_time(lambda: call(name), 3 * sizes["repeats"])  # noqa: B023
            except engine.ImplementationUnavailable:
                continue  # it does not compute this, which is no failure
            except Exception as problem:  # noqa: BLE001 - the others are still measured
                results["problems"][f"{task} {label}"] = str(problem)
            else:
                results[task][label] = seconds
            # Kept at once: a driver that crashes must not take the other times along.
            (folder / f"ours-{thread_count}.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
