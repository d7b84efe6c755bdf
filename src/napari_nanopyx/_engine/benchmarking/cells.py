"""What a benchmark computes: inputs of some sizes, with checked parameters."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.checks.agreement import Problem, camera_frames
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.running import runner
from napari_nanopyx._engine.running.source import Source, as_source
from napari_nanopyx._kernels.declaration import Parameter, Plan, Task

SIZES = (64, 128, 256, 512)
"""Sides of the generated images, unless others are asked for."""

VOLUME_SIZES = (32, 64, 128)
"""The same of generated volumes."""

PLANES_PER_SIDE = 1 / 4
"""Planes of a volume for each pixel of its side: planes are farther apart."""

MOST_FRAMES = 256
"""Frames of an input: enough for the largest useful block."""

CHECKED_FLOPS = 1e8
"""Work that is left to the reference, which takes about half a second for it."""

_CHECKED_FRAMES = 2
_SMALLEST_CHECKED_SIDE = 8
_DIFFERENT_FRAMES = 8


@dataclass(frozen=True)
class Cell:
    """One input with one set of parameters: a row or a square of the plots."""

    task: Task
    plan: Plan
    dtype: str
    varied: Mapping[str, Any]
    """The parameters that were given, with the values they have here."""
    source: Source | None
    """Where the frames are read; None if they are generated."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one frame."""
        return tuple(self.plan.shape[1:])

    def frames(self) -> NDArray[Any]:
        """Return the frames that are computed."""
        count = self.plan.shape[0]
        if self.source is not None:
            return self.source.read(range(count))
        few = camera_frames((min(count, _DIFFERENT_FRAMES), *self.shape), self.dtype)
        return np.resize(few, self.plan.shape)

    def problem(self, frames: NDArray[Any]) -> Problem:
        """Return what answers are checked on: the input, or a crop from its middle."""
        plan = self.plan
        if self.task.resized is None:
            return Problem(plan, frames, self.task.tolerance)
        count = min(len(frames), _CHECKED_FRAMES)
        *whole_depth, height, width = self.shape
        depth = [min(planes, _SMALLEST_CHECKED_SIDE) for planes in whole_depth]
        work = plan.cost.flops * count * prod(depth) / prod(whole_depth)
        share = min(1.0, (CHECKED_FLOPS / work) ** 0.5) if work > 0 else 1.0
        sides = (
            *depth,
            *(
                max(min(side, _SMALLEST_CHECKED_SIDE), int(side * share))
                for side in (height, width)
            ),
        )
        small = self.task.resized(plan, (count, *sides))
        middle = (
            slice((whole - part) // 2, (whole - part) // 2 + part)
            for whole, part in zip(frames.shape[1:], small.shape[1:], strict=True)
        )
        crop = np.ascontiguousarray(frames[(slice(small.shape[0]), *middle)])
        return Problem(small, crop, self.task.tolerance)


def cells(
    task: Task,
    data: ArrayLike | None,
    sizes: Any,
    parameters: Mapping[str, Any],
) -> list[Cell]:
    """Return every combination of size and parameters, checked.

    A parameter that is a list stands for each of its values in turn.

    Raises
    ------
    TypeError, ValueError
        If anything is not of the right kind, not in its range, or too large.
    """
    if data is not None and sizes is not None:
        raise ValueError(
            "data and sizes are both given: give data to measure your own, or sizes "
            "to measure generated images"
        )
    _check_names(task, parameters)
    source = None if data is None else as_source(data, "data", task.axes)
    shapes = [source.shape] if source is not None else _shapes(sizes, task.axes - 1)
    dtype = "uint16" if source is None else source.dtype.name
    return [
        Cell(task, _plan(task, shape, each), dtype, each, source)
        for each in _combinations(task, parameters)
        for shape in shapes
    ]


def _shapes(sizes: Any, axes: int) -> list[tuple[int, ...]]:
    listed = sizes
    if sizes is None:
        listed = SIZES if axes == 2 else VOLUME_SIZES
    if isinstance(listed, Integral) or not isinstance(listed, Sequence | np.ndarray):
        listed = [listed]
    if not len(listed):
        raise ValueError("sizes is empty: give at least one, such as 128 or (128, 256)")
    return [(MOST_FRAMES, *_sides(size, axes)) for size in listed]


def _sides(size: Any, axes: int) -> tuple[int, ...]:
    """Return the sides of a frame; of a volume with so many columns, fewer planes."""
    allowed = f"sizes holds {size!r}, but must hold {_SIZES_ALLOWED[axes]}"
    sides = size
    if isinstance(size, Integral):
        sides = (size, size)
        if axes == 3:
            sides = (max(min(size, 1), int(int(size) * PLANES_PER_SIDE)), *sides)
    is_fitting = isinstance(sides, Sequence | np.ndarray) and len(sides) == axes
    if isinstance(size, str | bool) or not is_fitting:
        kind = ValueError if is_fitting or isinstance(size, Sequence) else TypeError
        raise kind(allowed)
    for side in sides:
        if isinstance(side, bool) or not isinstance(side, Integral):
            raise TypeError(allowed)
        if side < 1:
            raise ValueError(allowed)
    return tuple(int(side) for side in sides)


_SIZES_ALLOWED = {
    2: "whole numbers from 1 up, or pairs of them (rows, columns)",
    3: "whole numbers from 1 up, or triples of them (planes, rows, columns)",
}


def _check_names(task: Task, parameters: Mapping[str, Any]) -> None:
    takes = inspect.signature(task.arguments or task.plan).parameters
    allowed = dict(takes)
    if any(each.kind is each.VAR_KEYWORD for each in takes.values()):
        allowed |= inspect.signature(task.plan).parameters
    names = [
        name
        for name, each in allowed.items()
        if name not in ("shape", "profile", "margins")
        and each.kind is not each.VAR_KEYWORD
    ]
    for name in parameters:
        if name not in names:
            raise ValueError(
                f"{name} is no parameter of {task.name}, which has {', '.join(names)}"
            )


def _combinations(
    task: Task, parameters: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    lists = {
        name: value if isinstance(value, list) else [value]
        for name, value in parameters.items()
    }
    declared = {parameter.name: parameter for parameter in task.parameters}
    for name, values in lists.items():
        if not values:
            raise ValueError(f"{name} is an empty list: give at least one value")
        for value in values:
            if name in declared:
                _check_value(declared[name], value)
    for combination in itertools.product(*lists.values()):
        yield dict(zip(lists, combination, strict=True))


def _check_value(parameter: Parameter, value: Any) -> None:
    """Raise if a value is not what a parameter is declared to be."""
    name, default = parameter.name, parameter.default
    if parameter.choices:
        is_kind, is_allowed = isinstance(value, str), value in parameter.choices
        allowed = f"one of {', '.join(map(repr, parameter.choices))}"
    elif isinstance(default, bool):
        is_kind, is_allowed = isinstance(value, bool | np.bool_), True
        allowed = "True or False"
    else:
        kind = Integral if isinstance(default, int) else Real
        is_kind = isinstance(value, kind) and not isinstance(value, bool)
        low = -np.inf if parameter.minimum is None else parameter.minimum
        high = np.inf if parameter.maximum is None else parameter.maximum
        is_allowed = is_kind and bool(low <= value <= high)
        whole = "a whole number" if kind is Integral else "a number"
        allowed = f"{whole} from {low:g} to {high:g}"
    if not is_kind:
        raise TypeError(f"{name} is {value!r}, but must be {allowed}")
    if not is_allowed:
        raise ValueError(f"{name} is {value!r}, but must be {allowed}")


def _plan(task: Task, shape: tuple[int, ...], parameters: Mapping[str, Any]) -> Plan:
    """Bind the task to as many frames of this shape as a block can have."""
    plan = _bound(task, shape, parameters)
    _check_memory(plan)
    fitting = max(1, runner.BLOCK_BYTES // max(1, plan.block_bytes_per_frame))
    count = min(shape[0], MOST_FRAMES, fitting)
    if count == shape[0]:
        return plan
    fewer = (count, *shape[1:])
    if task.resized is None:
        return _bound(task, fewer, parameters)
    return task.resized(plan, fewer)


def _bound(task: Task, shape: tuple[int, ...], parameters: Mapping[str, Any]) -> Plan:
    given = dict(parameters)
    if task.arguments is not None:
        given = task.arguments(shape, **parameters)
    return task.plan(shape, **given)


def _check_memory(plan: Plan) -> None:
    sides = plan.shape[1:]
    pixels = prod(sides)
    outputs = sum(output.nbytes for output in plan.outputs(range(1)).values())
    needed = 2 * outputs + plan.block_bytes_per_frame + 8 * pixels
    present = devices.cpu().memory_bytes
    if present and needed > present // 2:
        side = int(
            (plan.shape[-1] ** len(sides) * (present / 2) / needed) ** (1 / len(sides))
        )
        raise ValueError(
            f"one frame of {' × '.join(map(str, sides))} pixels needs "
            f"{needed / 2**30:.3g} GiB "
            f"with these parameters, but this computer has {present / 2**30:.3g} GiB, "
            f"of which half is used: give sizes up to about {side}"
        )
