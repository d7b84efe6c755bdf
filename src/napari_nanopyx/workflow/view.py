"""A part of an image with named axes; nothing is read before it is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx.workflow.grid import ORDER


class View:
    """Frames, channels or planes of an array-like, with the axes in the order TCZYX.

    Parameters
    ----------
    data
        Anything with ``shape``, ``dtype`` and slicing; NumPy, Dask, Zarr, a stack on
        disk.
    axes
        A letter for each of its axes, ``Y`` and ``X`` last.
    """

    def __init__(self, data: Any, axes: str) -> None:
        shape = tuple(int(length) for length in data.shape)
        if len(axes) != len(shape) or not axes.endswith("YX") or set(axes) - set(ORDER):
            raise ValueError(f"axes are {axes!r}, but the shape is {shape}")
        self._data = data
        self._order = axes
        self._picked: dict[str, range | int] = {
            axis: range(length) for axis, length in zip(axes, shape, strict=True)
        }
        self.dtype = np.dtype(data.dtype)

    @property
    def axes(self) -> str:
        """A letter for each axis."""
        return "".join(
            axis for axis in ORDER if isinstance(self._picked.get(axis), range)
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of every axis."""
        return tuple(self.length(axis) for axis in self.axes)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.axes)

    def __len__(self) -> int:
        return self.shape[0]

    def length(self, axis: str) -> int:
        """Return the length of an axis, 1 if there is none of this name."""
        picked = self._picked.get(axis, 0)
        return 1 if isinstance(picked, int) else len(picked)

    def pick(self, axis: str, which: int | slice) -> View:
        """Return the part at one position of an axis, or at some; nothing is read."""
        picked = self._picked[axis]
        if isinstance(picked, int):
            raise ValueError(f"axis {axis} is gone")
        part = object.__new__(View)
        part.__dict__.update(self.__dict__)
        part._picked = {**self._picked, axis: picked[which]}
        return part

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read what a key of the first axis touches, and index inside it."""
        keys = key if isinstance(key, tuple) else (key,)
        first = self.axes[0]
        if first == "Y" or not keys or keys[0] is Ellipsis or keys[0] is None:
            return np.asarray(self._read(self._picked)[key])
        chosen = self._picked[first]
        if isinstance(chosen, int):
            raise TypeError("an axis with one position cannot come first")
        if isinstance(keys[0], slice | int | np.integer):
            which = keys[0] if isinstance(keys[0], slice) else int(keys[0])
            block = self._read({**self._picked, first: chosen[which]})
            rest = keys[1:] if isinstance(which, int) else (slice(None), *keys[1:])
            return np.asarray(block[rest])
        return np.asarray(self._read(self._picked)[key])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("a part of an image is not an array without a copy")
        return np.asarray(self[...], dtype=dtype)

    def _read(self, picked: dict[str, range | int]) -> NDArray[Any]:
        """Read a part, and put its axes in order."""
        key = tuple(_as_key(picked[axis]) for axis in self._order)
        block = np.asarray(self._data[key])
        kept = [axis for axis in self._order if isinstance(picked[axis], range)]
        inside = [axis for axis in ORDER if axis in kept]
        return block.transpose([kept.index(axis) for axis in inside])


def _as_key(picked: range | int) -> slice | int:
    if isinstance(picked, int):
        return picked
    return slice(picked.start, picked.stop, picked.step)
