"""Turns the measured times into a table, JSON and a picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.peak import FLOPS_PER_SAMPLE, rgc_flops, samples_per_pixel

TASKS = ("esrrf", "magnify", "srrf")


def write(folder: Path, results: dict[str, Any]) -> None:
    """Write ``results.md``, ``results.json`` and ``results.png`` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    (folder / "results.md").write_text("\n".join(markdown(results)) + "\n")
    draw(folder / "results.png", results)


def markdown(results: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the report."""
    sizes = results["sizes"]
    yield "# Benchmark"
    yield ""
    yield f"Made by `make bench` on {results['date']}. Times are the best of several"
    yield "warm calls, in milliseconds, through each program's public function."
    yield ""
    yield "| Machine | |"
    yield "| --- | --- |"
    for fact, value in results["machine"].items():
        yield f"| {fact} | {value} |"
    frames, height, width = sizes["esrrf_shape"]
    yield ""
    yield f"## eSRRF, {frames} frames of {height} x {width}"
    yield ""
    yield (
        f"Magnification {sizes['magnification']}, radius {sizes['radius']}, "
        f"sensitivity {sizes['sensitivity']:g}, AVG."
    )
    yield ""
    yield from _table(results, "esrrf")
    yield ""
    yield from _limit(results)
    frames, height, width = sizes["magnify_shape"]
    yield ""
    yield (
        f"## Magnify {sizes['magnification']} times, {frames} frames of "
        f"{height} x {width}"
    )
    yield ""
    yield from _table(results, "magnify")
    frames, height, width = sizes["srrf_shape"]
    yield ""
    yield f"## SRRF, {frames} frames of {height} x {width}"
    yield ""
    yield (
        f"Magnification {sizes['magnification']}, ring radius {sizes['ring_radius']}, "
        "6 axes, weighted, TRA."
    )
    yield ""
    yield from _table(results, "srrf")
    yield ""
    yield "Counted are the operations of interpolation, ring sums and weights; inverse"
    yield f"roots are not: {results['srrf_flops'] / 1e9:.2f} Gflop."
    yield ""
    yield from _shares(results, "srrf", "SRRF", results["srrf_flops"])
    if results["long_movie"]:
        yield ""
        yield f"## eSRRF of {sizes['movie_frames']} frames of 283 x 283 from disk"
        yield ""
        yield "The bundled movie, tiled and repeated; a fresh process, imports and a"
        yield "new history included; the file had just been written, so the system may"
        yield "have it in its cache."
        yield ""
        yield "| File | seconds | peak resident memory | frames by implementation |"
        yield "| --- | ---: | ---: | --- |"
        for kind, found in results["long_movie"].items():
            if "problem" in found:
                yield f"| {kind} | failed: {found['problem']} | | |"
                continue
            blocks = ", ".join(f"{name} {n}" for name, n in found["blocks"].items())
            yield (
                f"| {kind} | {found['seconds']:.1f} | "
                f"{found['peak_bytes'] / 1e6:.0f} MB | {blocks} |"
            )
    if results["problems"]:
        yield ""
        yield "## Not measured"
        yield ""
        for what, problem in results["problems"].items():
            yield f"- {what}: {problem}"


def rows(results: dict[str, Any], task: str) -> list[tuple[str, float]]:
    """Return (who, seconds) of one task, slowest first."""
    found = []
    for threads, times in results["ours"].items():
        label = "1 thread" if threads == "1" else f"{threads} threads"
        for name, seconds in times[task].items():
            if threads == "1" and name not in ("serial", "numba"):
                continue
            if threads != "1" and name == "serial":
                continue
            found.append((f"ours: {name}, {label}", seconds))
    for name, seconds in results["peer"][task].items():
        found.append((name if "OpenCV" in name else f"NanoPyx 2.1.5: {name}", seconds))
    return sorted(found, key=lambda row: -row[1])


def _best(times: list[tuple[str, float]], word: str) -> float | None:
    return min((s for name, s in times if name.startswith(word)), default=None)


def _table(results: dict[str, Any], task: str) -> Iterator[str]:
    times = rows(results, task)
    peer, opencv = _best(times, "NanoPyx"), _best(times, "OpenCV")
    heads = ["", "ms"]
    if peer:
        heads.append("NanoPyx's best / this")
    if opencv:
        heads.append("OpenCV's best / this")
    yield f"| {' | '.join(heads)} |"
    yield f"| --- |{' ---: |' * (len(heads) - 1)}"
    for name, seconds in times:
        cells = [name, f"{seconds * 1e3:.2f}"]
        cells += [f"{other / seconds:.2f}" for other in (peer, opencv) if other]
        yield f"| {' | '.join(cells)} |"


def _limit(results: dict[str, Any]) -> Iterator[str]:
    sizes = results["sizes"]
    shape = tuple(sizes["esrrf_shape"])
    window = samples_per_pixel(sizes["magnification"], sizes["radius"])
    summed = results["summed_samples"]
    flops = rgc_flops(shape, sizes["magnification"], summed)
    yield f"The RGC sum alone: the window rule accepts {window:.2f} samples per output"
    yield f"pixel (exact count); our kernel sums {summed:.2f} of them, because the"
    yield "others weigh nothing in float32. Counted are"
    yield f"{FLOPS_PER_SAMPLE} operations for each summed sample (2 products, 2 fused"
    yield "multiply-adds, 1 difference, 1 addition; absolute value and sign test not"
    yield f"counted): {flops / 1e9:.2f} Gflop. The share divides that by the time of"
    yield "the whole call, so everything else counts as loss. The limit is measured by"
    yield "`peak.c`: fused multiply-adds in registers."
    yield ""
    yield from _shares(results, "esrrf", "RGC sum", flops)


def _shares(
    results: dict[str, Any], task: str, what: str, flops: float
) -> Iterator[str]:
    """Yield which share of the processor's limit our best calls reach."""
    yield f"| Threads | limit, GFLOP/s | {what} in our best call, GFLOP/s | share |"
    yield "| ---: | ---: | ---: | ---: |"
    for threads, peak in results["peak_gflops"].items():
        times = results["ours"].get(threads, {}).get(task, {})
        cpu = [s for name, s in times.items() if not name.startswith("opencl")]
        if peak is None or not cpu:
            continue
        reached = flops / min(cpu) / 1e9
        yield f"| {threads} | {peak:.0f} | {reached:.0f} | {reached / peak:.0%} |"


def draw(path: Path, results: dict[str, Any]) -> None:
    """Draw the times of all tasks as bars on a logarithmic scale."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 12), layout="constrained")
    sizes = results["sizes"]
    for panel, task in zip(figure.subplots(3, 1), TASKS, strict=True):
        times = rows(results, task)
        colours = [
            "#1b7f5c" if name.startswith("ours") else "#9aa0a6" for name, _ in times
        ]
        names = [name for name, _ in times]
        bars = panel.barh(names, [seconds * 1e3 for _, seconds in times], color=colours)
        panel.bar_label(bars, fmt=lambda value: f"{value:,.3g} ms", padding=4)
        panel.set_xscale("log")
        panel.margins(x=0.15)
        panel.set_xlabel("milliseconds, best of several warm calls")
        frames, height, width = sizes[f"{task}_shape"]
        panel.set_title(
            f"{task}, {frames} x {height} x {width}, x{sizes['magnification']}"
        )
        panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
