"""Draws who wins where, with the agent's choices over it, and writes the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.crossover_cells import SEEN, Judged, MapCell, judged, share

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DRAWN = "all others"
"""What the agent had seen before the choices that are drawn."""

HEADING = """# Who wins where, and what the agent would take

`python -m benchmarks.crossover` on {machine}.

Seconds for a frame are the mean of the faster half of the timed blocks, each of up to a
quarter of a second, in {passes} passes over all cells; copies are included. The agent's
choices are those for a long run with all implementations ready, after it has seen part
of the cells: *all others* is each cell predicted from the rest, *every other cell* from
the other colour of a chessboard, and *corners* from the smallest and largest sizes. A
choice is good if it is the fastest or within 5 % of it.
"""


def write(
    path: Path, facts: Mapping[str, str], cells: Mapping[str, Sequence[MapCell]]
) -> list[str]:
    """Write picture and text beside the data; return the lines of the summary."""
    measured = {task: found for task, found in cells.items() if found}
    if not measured:
        return []
    summary = _summary(measured)
    device = facts.get("OpenCL", "none")
    known = f"{facts['Processor']}, {facts['Cores available']} cores, OpenCL: {device}"
    passes = min(cell.passes for found in measured.values() for cell in found)
    heading = HEADING.format(machine=f"{facts['Date']}, {known}", passes=passes)
    lines = [heading, *summary, ""]
    lines += [f"![Who wins where]({path.stem}.png)", ""]
    for task, found in measured.items():
        lines += [*_table(task, found), ""]
    path.with_suffix(".md").write_text("\n".join(lines), encoding="utf-8")
    _draw(path.with_suffix(".png"), measured)
    return summary


def _summary(cells: Mapping[str, Sequence[MapCell]]) -> list[str]:
    rows = [
        "| task | cells | " + " | ".join(SEEN) + " |",
        "|---" * (2 + len(SEEN)) + "|",
    ]
    for task, found in cells.items():
        parts = [f"{share(judged(found, seen)):.0%}" for seen in SEEN.values()]
        rows.append("| " + " | ".join([task, str(len(found)), *parts]) + " |")
    return rows


def _table(task: str, cells: Sequence[MapCell]) -> list[str]:
    rows = [
        f"| {task}: image | kernel | fastest | ms a frame | the agent, from all others "
        "| times the fastest | the agent, from every other cell | times the fastest |",
        "|---" * 8 + "|",
    ]
    others, half = (judged(cells, SEEN[n]) for n in ("all others", "every other cell"))
    for one, two in zip(others, half, strict=True):
        cell = one.cell
        kernel = "" if cell.kernel_size is None else f"{cell.kernel_size}"
        time = f"{1e3 * cell.seconds[cell.winner]:.3g}"
        words = [str(cell.side), kernel, cell.winner, time]
        words += [one.choice, f"{one.ratio:.2f}", two.choice, f"{two.ratio:.2f}"]
        rows.append("| " + " | ".join(words) + " |")
    return rows


def _draw(path: Path, cells: Mapping[str, Sequence[MapCell]]) -> None:
    from matplotlib.figure import Figure

    names = sorted(
        {n for found in cells.values() for cell in found for n in cell.seconds}
    )
    figure = Figure(figsize=(6.5 * len(cells), 4.8), layout="constrained")
    panels = figure.subplots(1, len(cells), squeeze=False)[0]
    for axes, (task, found) in zip(panels, cells.items(), strict=True):
        choices = judged(found, SEEN[DRAWN])
        if found[0].kernel_size is None:
            _draw_lines(axes, choices, names)
            axes.set_title(f"{task}, 5 times")
        else:
            _draw_map(axes, choices, names)
            axes.set_title(f"{task}: {share(choices):.0%} of the choices are good")
    figure.savefig(path, dpi=110)


def _colour(name: str, names: Sequence[str]) -> Any:
    import matplotlib

    return matplotlib.colormaps["tab10"](names.index(name) % 10)


def _draw_map(axes: Axes, choices: Sequence[Judged], names: Sequence[str]) -> None:
    """Colour each cell by the winner, with a dot in the colour of the choice."""
    sides = sorted({each.cell.side for each in choices})
    kernels = sorted({each.cell.kernel_size or 0 for each in choices})
    for each in choices:
        cell = each.cell
        place = sides.index(cell.side), kernels.index(cell.kernel_size or 0)
        corner = (place[0] - 0.5, place[1] - 0.5)
        _square(axes, corner, _colour(cell.winner, names))
        colour = _colour(each.choice, names)
        axes.plot(*place, "o", color=colour, markersize=13, markeredgecolor="white")
        if not each.is_good:
            text = f"{each.ratio:.2f}×"
            axes.annotate(
                text, place, (0, -17), textcoords="offset points", ha="center"
            )
    axes.set_xlim(-0.5, len(sides) - 0.5)
    axes.set_ylim(-0.5, len(kernels) - 0.5)
    axes.set_xticks(range(len(sides)), [str(side) for side in sides])
    axes.set_yticks(range(len(kernels)), [str(size) for size in kernels])
    axes.set_xlabel("side of the image (pixels)")
    axes.set_ylabel("side of the kernel (pixels)")
    _legend(axes, choices, names)


def _square(axes: Axes, corner: tuple[float, float], colour: Any) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle(corner, 1, 1, facecolor=colour, edgecolor="white"))


def _legend(axes: Axes, choices: Sequence[Judged], names: Sequence[str]) -> None:
    from matplotlib.patches import Patch

    shown = {each.cell.winner for each in choices} | {each.choice for each in choices}
    handles: list[Any] = [
        Patch(color=_colour(name, names), label=name) for name in sorted(shown)
    ]
    (dot,) = axes.plot([], [], "o", color="grey", label=f"the agent, from {DRAWN}")
    axes.legend(handles=[*handles, dot], loc="upper left", bbox_to_anchor=(1, 1))


def _draw_lines(axes: Axes, choices: Sequence[Judged], names: Sequence[str]) -> None:
    """Draw the times of all, with a ring around that of the choice."""
    for name in names:
        points = [
            (each.cell.side, 1e3 * each.cell.seconds[name])
            for each in choices
            if name in each.cell.seconds
        ]
        if points:
            colour = _colour(name, names)
            axes.plot(*zip(*points, strict=True), "o-", color=colour, label=name)
    rings = [(e.cell.side, 1e3 * e.cell.seconds[e.choice]) for e in choices]
    label = f"the agent, from {DRAWN}: {share(choices):.0%} good"
    style = {"markerfacecolor": "none", "markersize": 14, "color": "black"}
    axes.plot(*zip(*rings, strict=True), "o", linestyle="", label=label, **style)
    axes.set_xscale("log")
    axes.set_yscale("log")
    sides = [each.cell.side for each in choices]
    axes.set_xticks(sides, [str(side) for side in sides])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("side of the image (pixels)")
    axes.set_ylabel("milliseconds a frame")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
