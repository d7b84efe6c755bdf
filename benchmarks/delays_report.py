"""Turns the delay experiment into JSON, a table and a picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

PARTS = ("before", "during", "after")
COLOURS = ("#1b7f5c", "#2563a8", "#b5651d", "#8e44ad", "#c0392b", "#7f8c8d", "#d4a017")


def write(folder: Path, results: dict[str, Any], name: str) -> None:
    """Write ``NAME.json``, ``NAME.md`` and, if matplotlib is there, ``NAME.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, separators=(",", ":"))
    (folder / f"{name}.json").write_text(text + "\n")
    (folder / f"{name}.md").write_text("\n".join(markdown(results)) + "\n")
    try:
        draw(folder / f"{name}.png", results)
    except ImportError as missing:
        print(f"no picture: {missing}; draw it later with --plot-only")


def means(found: dict[str, Any], policy: str) -> dict[str, float]:
    """Return the mean seconds of a run before, during, after the load, and in all."""
    runs = [
        sequence["runs"]
        for sequence in found["sequences"]
        if sequence["policy"] == policy
    ]
    seconds = np.array([[run["seconds"] for run in each] for each in runs])
    loaded = np.array([run["loaded"] for run in runs[0]])
    first, last = np.flatnonzero(loaded)[[0, -1]]
    parts = (seconds[:, :first], seconds[:, loaded], seconds[:, last + 1 :])
    found_means = {
        name: float(part.mean()) for name, part in zip(PARTS, parts, strict=True)
    }
    return found_means | {"in all": float(seconds.mean())}


def policies(found: dict[str, Any]) -> list[str]:
    """Return the policies of a task, in a fixed order."""
    return sorted({sequence["policy"] for sequence in found["sequences"]})


def markdown(results: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the report."""
    yield "# Policies while other processes load the machine"
    yield ""
    yield f"`python -m benchmarks.delays` on {results['date']}; the load:"
    yield f"{results['load']}, in the middle third of the runs. Each policy starts from"
    yield "the same history, with everything prepared."
    yield ""
    yield "| Machine | |"
    yield "| --- | --- |"
    for fact, value in results["machine"].items():
        yield f"| {fact} | {value} |"
    for task, found in results["tasks"].items():
        yield ""
        yield from _task(task, found)


def _task(task: str, found: dict[str, Any]) -> Iterator[str]:
    runs = len(found["sequences"][0]["runs"])
    repeats = len({sequence["repeat"] for sequence in found["sequences"]})
    size = f"{found['side']} x {found['side']}"
    yield f"## {task}, {found['frames']} frames of {size} a run"
    yield ""
    yield f"Mean milliseconds of a run; {repeats} times {runs} runs of each policy."
    yield ""
    heads = ["policy", *PARTS, "in all"]
    yield f"| {' | '.join(heads)} | implementations during the load |"
    yield f"| --- |{' ---: |' * (len(heads) - 1)} --- |"
    by_policy = {policy: means(found, policy) for policy in policies(found)}
    for policy, taken in by_policy.items():
        cells = [f"{1e3 * taken[part]:.2f}" for part in (*PARTS, "in all")]
        yield f"| {policy} | {' | '.join(cells)} | {_chosen(found, policy)} |"
    without, with_ = by_policy.get("paper without delays"), by_policy.get("paper")
    if without and with_:
        yield ""
        yield (
            "Handling delays makes the mean run of the published policy "
            f"{without['during'] / with_['during']:.2f} times shorter during the load, "
            f"{without['in all'] / with_['in all']:.2f} times in all."
        )
    tried = found["tried"].get(
        str(found["frames"]), found["tried"].get(found["frames"])
    )
    if tried:
        yield ""
        yield "Median milliseconds of five calls of each implementation beforehand:"
        yield ""
        yield "| implementation | without load | under load |"
        yield "| --- | ---: | ---: |"
        for name, (free, loaded) in tried.items():
            yield f"| {name} | {1e3 * free:.2f} | {1e3 * loaded:.2f} |"


def _chosen(found: dict[str, Any], policy: str) -> str:
    """Return the share of frames of each implementation while the load ran."""
    frames: dict[str, int] = {}
    for sequence in found["sequences"]:
        if sequence["policy"] == policy:
            for run in sequence["runs"]:
                for name, count in run["frames"].items() if run["loaded"] else ():
                    frames[name] = frames.get(name, 0) + count
    ranked = sorted(frames.items(), key=lambda item: -item[1])
    total = sum(frames.values())
    return ", ".join(f"{name} {count / total:.0%}" for name, count in ranked)


def draw(path: Path, results: dict[str, Any]) -> None:
    """Draw the runs of the first sequence of each policy, one row for each task."""
    from matplotlib.figure import Figure

    tasks = results["tasks"]
    columns = max(len(policies(found)) for found in tasks.values())
    figure = Figure(figsize=(4.2 * columns, 3.4 * len(tasks)), layout="constrained")
    panels = figure.subplots(len(tasks), columns, sharey="row", squeeze=False)
    used = {
        name
        for found in tasks.values()
        for sequence in found["sequences"]
        for run in sequence["runs"]
        for name in run["frames"]
    }
    colour = dict(zip(sorted(used), COLOURS * 9, strict=False))
    for row, (task, found) in zip(panels, tasks.items(), strict=True):
        for axes, policy in zip(row, policies(found), strict=False):
            first = next(s for s in found["sequences"] if s["policy"] == policy)
            _runs(axes, first["runs"], colour)
            axes.set_title(f"{task}: {policy}", fontsize=10)
            axes.set_xlabel("run")
        row[0].set_ylabel("milliseconds")
    handles = [_handle(name, colour[name]) for name in sorted(used)]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(path, dpi=110)


def _runs(axes: Any, runs: list[dict[str, Any]], colour: dict[str, str]) -> None:
    loaded = [number for number, run in enumerate(runs) if run["loaded"]]
    axes.axvspan(loaded[0] - 0.5, loaded[-1] + 0.5, color="#e8eaed", zorder=0)
    names = [max(run["frames"], key=lambda n: run["frames"][n]) for run in runs]
    axes.scatter(
        range(len(runs)),
        [1e3 * run["seconds"] for run in runs],
        c=[colour[name] for name in names],
        s=14,
        zorder=2,
    )
    axes.set_yscale("log")
    axes.spines[["top", "right"]].set_visible(False)


def _handle(name: str, colour: str) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, marker="o", linestyle="", label=name)
