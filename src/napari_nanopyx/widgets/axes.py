"""Which axes of a layer a method takes, and how to read along them frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAMES = {
    "T": ("t", "time", "frame", "frames"),
    "Z": ("z", "plane", "planes", "depth", "slice"),
    "C": ("c", "channel", "channels"),
}
"""What people call the axes before the rows and columns."""

_LATERAL = 2


@dataclass(frozen=True)
class Axes:
    """The axes that a method is given, in its order, and where the others stand."""

    taken: tuple[int, ...]
    """Axes of the layer, in the order of the method's."""
    fixed: Mapping[int, int] = field(default_factory=dict)
    """The pixel along each of the other axes."""

    @property
    def ndim(self) -> int:
        """How many axes the layer has."""
        return len(self.taken) + len(self.fixed)

    @property
    def are_all(self) -> bool:
        """Whether the layer is taken as it is."""
        return self.taken == tuple(range(self.ndim))

    @property
    def index(self) -> tuple[int | slice, ...]:
        """What the layer's array is indexed with before its axes are put in order."""
        return tuple(self.fixed.get(axis, slice(None)) for axis in range(self.ndim))

    @property
    def order(self) -> tuple[int, ...]:
        """How the axes that are left are then to be transposed."""
        left = sorted(self.taken)
        return tuple(left.index(axis) for axis in self.taken)

    def pick(self, data: Any) -> Any:
        """Return what the method is given, without reading what is not in memory."""
        if self.are_all:
            return data
        if isinstance(data, np.ndarray):
            return data[self.index].transpose(self.order)
        return Picked(data, self)


class Picked:
    """Some axes of an array that is read only where it is indexed.

    Parameters
    ----------
    data
        Anything with ``shape``, ``dtype`` and slicing.
    axes
        Which of its axes are the axes here.
    """

    def __init__(self, data: Any, axes: Axes) -> None:
        self._data = data
        self._axes = axes
        self.shape = tuple(int(data.shape[axis]) for axis in axes.taken)
        self.ndim = len(self.shape)
        self.dtype = data.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read what whole numbers and slices along the first axes say."""
        keys = key if isinstance(key, tuple) else (key,)
        index = list(self._axes.index)
        left = list(self._axes.taken)
        for axis, along in zip(self._axes.taken, keys, strict=False):
            index[axis] = along
            if not isinstance(along, slice):
                left.remove(axis)
        part = np.asarray(self._data[tuple(index)])
        in_layer = sorted(left)
        return part.transpose([in_layer.index(axis) for axis in left])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Read everything."""
        return np.array(self[:], dtype=dtype, copy=copy)


def letter(label: str, unit: Any = "") -> str:
    """Return T, Z or C if that is what a label or a unit says, or else nothing.

    Examples
    --------
    >>> letter("Channel"), letter("-3"), letter("-3", "second")
    ('C', '', 'T')
    """
    for name, words in NAMES.items():
        if label.strip().lower() in words:
            return name
    return "T" if str(unit) in ("s", "second", "millisecond", "minute", "hour") else ""


def wanted_axes(dimensions: Sequence[int], method: str, ndim: int) -> str:
    """Return which axes a method takes of a layer, such as ``"TYX"``.

    Parameters
    ----------
    dimensions
        How many axes the method may be given.
    method
        Its axes where it is given most.
    ndim
        How many the layer has, at least the least of `dimensions`.
    """
    return method[-max(each for each in dimensions if each <= ndim) :]


def guess(wanted: str, shape: Sequence[int], letters: Sequence[str]) -> tuple[int, ...]:
    """Return the axes of a layer that are most likely the ones a method wants.

    What is labelled so comes first. For the rest, axes of another label are avoided
    and longer ones preferred, because movies have more frames than planes and
    channels; the order of the layer is kept.

    Examples
    --------
    >>> guess("TYX", (2, 500, 64, 64), ("", "", "", ""))
    (1, 2, 3)
    >>> guess("TYX", (10, 20, 64, 64), ("T", "Z", "", ""))
    (0, 2, 3)
    """
    leading, lateral = range(len(shape) - _LATERAL), len(shape) - _LATERAL
    found: dict[str, int] = {}
    for role in wanted[:-_LATERAL]:
        labelled = [axis for axis in leading if letters[axis] == role]
        if labelled:
            found[role] = labelled[0]
    open_roles = [role for role in wanted[:-_LATERAL] if role not in found]
    free = [axis for axis in leading if axis not in found.values()]
    free.sort(key=lambda axis: (bool(letters[axis]), -shape[axis], axis))
    found |= zip(open_roles, sorted(free[: len(open_roles)]), strict=True)
    return (*(found[role] for role in wanted[:-_LATERAL]), lateral, lateral + 1)
