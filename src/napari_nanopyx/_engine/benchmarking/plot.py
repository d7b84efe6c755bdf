"""Draws a benchmark: times over the size, or who wins where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from math import prod
from typing import TYPE_CHECKING, Any

from napari_nanopyx._engine.errors import MissingPackage

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from napari_nanopyx._engine.benchmarking.result import (
        Benchmark,
        BenchmarkRow,
        Winner,
    )

SIZE = "side of the image (pixels)"


def draw(benchmark: Benchmark, ax: Axes | None) -> Axes:
    """Draw into the axes given, or into new ones."""
    if find_spec("matplotlib") is None:
        raise MissingPackage("Matplotlib", "a plot", "pip install napari-nanopyx[demo]")
    winners = benchmark.winners()
    if not winners:
        raise ValueError("nothing was measured, so there is nothing to plot")
    varying = _varying(benchmark.rows)
    if len(varying) > 2:
        raise ValueError(
            f"{len(varying)} things vary ({', '.join(varying)}), but a plot can show "
            "two: measure fewer lists of values at a time"
        )
    if ax is None:
        from matplotlib import pyplot

        _, ax = pyplot.subplots(layout="constrained")
    if len(varying) == 2:
        _draw_map(ax, winners, varying)
    else:
        name = varying[0] if varying else SIZE
        _draw_lines(ax, benchmark.rows, name)
    ax.set_title(f"{benchmark.task}{_constant(benchmark.rows, varying)}")
    return ax


def _varying(rows: Sequence[BenchmarkRow]) -> list[str]:
    """Return what differs between cells: the size, or names of parameters."""
    names = [SIZE, *dict.fromkeys(name for row in rows for name in row.parameters)]
    return [name for name in names if len({_value(row, name) for row in rows}) > 1]


def _value(row: BenchmarkRow | Winner, name: str) -> Any:
    """Return the side of a square of as many pixels, or a parameter."""
    if name == SIZE:
        return round(prod(row.shape) ** (1 / len(row.shape)))
    value = row.parameters.get(name)
    return value if isinstance(value, int | float | str | bool) else str(value)


def _constant(rows: Sequence[BenchmarkRow], varying: Sequence[str]) -> str:
    first: Mapping[str, Any] = rows[0].parameters
    fixed = [f"{name} {value}" for name, value in first.items() if name not in varying]
    if SIZE not in varying:
        fixed.insert(0, " × ".join(map(str, rows[0].shape)))
    return f": {', '.join(fixed)}" if fixed else ""


def _draw_lines(ax: Axes, rows: Sequence[BenchmarkRow], name: str) -> None:
    """Draw median seconds of each implementation; numbers on logarithmic axes."""
    for implementation in dict.fromkeys(row.implementation for row in rows):
        points = sorted(
            (_value(row, name), row.median)
            for row in rows
            if row.implementation == implementation and row.median is not None
        )
        if points:
            ax.plot(*zip(*points, strict=True), marker="o", label=implementation)
    values = [_value(row, name) for row in rows]
    if all(isinstance(value, int | float) and value > 0 for value in values):
        ax.set_xscale("log")
        _label_ticks(ax.set_xticks, sorted(set(values)))
    ax.set_yscale("log")
    ax.set_xlabel(name)
    ax.set_ylabel("seconds per frame (median)")
    ax.legend()


def _label_ticks(set_ticks: Callable[..., object], values: Sequence[Any]) -> None:
    set_ticks(values, [f"{value:g}" for value in values], rotation=45)
    set_ticks([], minor=True)


def _draw_map(ax: Axes, winners: Sequence[Winner], varying: Sequence[str]) -> None:
    """Colour each cell by the fastest implementation; mark where the agent differs."""
    import matplotlib
    import numpy as np
    from matplotlib.patches import Patch

    columns, rows = (
        sorted({_value(winner, name) for winner in winners}) for name in varying
    )
    names = list(dict.fromkeys(winner.implementation for winner in winners))
    colours = matplotlib.colormaps["tab10"](np.arange(len(names)) % 10)
    picture = np.ones((len(rows), len(columns), 4))
    for winner in winners:
        column = columns.index(_value(winner, varying[0]))
        row = rows.index(_value(winner, varying[1]))
        picture[row, column] = colours[names.index(winner.implementation)]
        if winner.choice and not winner.choice_is_good:
            ax.plot(column, row, "x", color="black", markersize=10)
    ax.imshow(picture, origin="lower", aspect="auto")
    ax.set_xticks(range(len(columns)), [str(value) for value in columns])
    ax.set_yticks(range(len(rows)), [str(value) for value in rows])
    ax.set_xlabel(varying[0])
    ax.set_ylabel(varying[1])
    handles: list[Any] = [
        Patch(color=colour, label=name)
        for name, colour in zip(names, colours, strict=True)
    ]
    if any(winner.choice and not winner.choice_is_good for winner in winners):
        (mark,) = ax.plot([], [], "x", color="black", label="the agent differs")
        handles.append(mark)
    ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1, 1))
