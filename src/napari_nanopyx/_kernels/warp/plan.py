"""What sampling a stack at any points takes: the points, the cost, the output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.declaration import Cost, Partial
from napari_nanopyx._kernels.frame_by_frame import FrameByFrame
from napari_nanopyx._kernels.layout import padded
from napari_nanopyx._kernels.magnify.kernels import TAPS
from napari_nanopyx._kernels.warp import maps, reference

Kernel = Literal["catmull_rom", "bilinear", "nearest"]


@dataclass(frozen=True)
class WarpPlan(FrameByFrame):
    """Sampling of (T, Y, X) frames at one point for each output pixel.

    Parameters
    ----------
    shape : tuple of int
        Shape of the input stack, (T, Y, X).
    affine : ndarray of float64, shape (1, 2, 3) or (T, 2, 3)
        Maps the centre of an output pixel, (row, column, 1), to the point.
    field : ndarray of float32, shape (1, 2, P, Q) or (T, 2, P, Q), optional
        Row and column shifts that are added to it.
    kernel : str
        The interpolation.
    fill : float
        What lies outside the frame.
    output_shape : (int, int), optional
        Rows and columns of an output frame; by default those of the input.
    """

    output = "warped"

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    field: NDArray[np.float32] | None = None
    kernel: Kernel = "catmull_rom"
    fill: float = 0.0
    output_shape: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        if self.output_shape == (0, 0):
            object.__setattr__(self, "output_shape", self.shape[1:])
        if self.field is not None:
            exact = maps.rounded(np.asarray(self.field, np.float64))
            object.__setattr__(self, "field", exact.astype(np.float32))

    @property
    def parameters(self) -> Mapping[str, float | str | bool]:
        """What sets how much there is to compute, and how far apart the samples lie."""
        (_, _), (down, across) = self.affine[0, :, :2]
        angle = float(np.arctan2(-down, across))
        return {
            "kernel": self.kernel,
            "angle": angle,
            "field": self.field is not None,
        }

    @property
    def cost(self) -> Cost:
        """A weighted sum of all taps, and the weights; frames are read and written."""
        outputs = self.output_shape[0] * self.output_shape[1]
        pixels = self.shape[1] * self.shape[2]
        return Cost(
            (2.0 * self._taps * (self._taps + 1) + 30.0) * outputs,
            4.0 * (pixels + outputs),
        )

    @property
    def block_bytes_per_frame(self) -> int:
        """The frame, the result, and the shifts if each frame has its own."""
        fields = 16 if self.tables_vary and self.field is not None else 0
        return int(self.cost.bytes) + fields * self.output_shape[0] * self._pitch

    @property
    def tables_vary(self) -> bool:
        """Whether each frame has points of its own."""
        return len(self.affine) > 1 or (self.field is not None and len(self.field) > 1)

    def scratch_floats(self, part_rows: int) -> int:
        """Return room for the samples that a band of rows is made of."""
        rows, columns = (
            min(length, ceil(extent)) + self._taps + 4
            for length, extent in zip(
                self.shape[1:], self._extents(part_rows), strict=True
            )
        )
        return int(rows * columns) + 64

    def _extents(self, part_rows: int) -> NDArray[np.float64]:
        """Return how many rows and columns the points of a band may lie apart."""
        sides = np.array([part_rows, self.output_shape[1]])
        most: NDArray[np.float64] = (np.abs(self.affine[:, :, :2]) @ sides).max(axis=0)
        if self.field is not None:
            most = most + np.ptp(self.field, axis=(2, 3)).max(axis=0)
        return most

    @property
    def _taps(self) -> int:
        return TAPS[self.kernel]

    @property
    def _pitch(self) -> int:
        return padded(self.output_shape[1])

    @property
    def _centre(self) -> float:
        """How far behind a point the sample is that the kernel looks for."""
        return 0.0 if self.kernel == "nearest" else 0.5

    def scalars(self, part_rows: int) -> dict[str, int | float]:
        """Return sizes, and what lies outside."""
        return {
            "height": self.shape[1],
            "width": self.shape[2],
            "part_rows": part_rows,
            "pitch": self._pitch,
            "output_height": self.output_shape[0],
            "output_width": self.output_shape[1],
            "taps": self._taps,
            "centre": self._centre,
            "fill": self.fill,
            "fields": int(self.field is not None),
        }

    @cached_property
    def _padded_field(self) -> NDArray[np.float32]:
        if self.field is None:
            return np.zeros((1, 1, 1), np.float32)
        beyond = self._pitch - self.output_shape[1]
        return np.pad(self.field, ((0, 0), (0, 0), (0, 0), (0, beyond)), mode="edge")

    def tables(self, frames: range, part_rows: int) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        """Return what rows, columns and the field contribute to each point."""
        down, across = self._contributions(_of(self.affine, frames))
        down, across = down - self._centre, np.moveaxis(across, 2, 1)
        beyond = self._pitch - self.output_shape[1]
        across = np.pad(across, ((0, 0), (0, 0), (0, beyond)), mode="edge")
        count = len(frames) if self.tables_vary else 1
        tables = {
            "down": _split(down, axis=2, count=count),
            "across": _split(across, axis=1, count=count),
        }
        field = _of(self._padded_field, frames)
        reach = np.stack([field.min(axis=-1), field.max(axis=-1)], axis=-1)
        for name, table in (("field", field), ("reach", np.floor(reach))):
            tables[name] = np.broadcast_to(table, (count, *table.shape[1:]))
        return tables

    def _contributions(
        self, affine: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the parts of (row, column) of each output row and column."""
        rows, columns = (np.arange(length) + 0.5 for length in self.output_shape)
        down = (
            rows[:, np.newaxis] * affine[:, np.newaxis, :, 0]
            + affine[:, np.newaxis, :, 2]
        )
        across = columns[:, np.newaxis] * affine[:, np.newaxis, :, 1]
        return maps.rounded(down), maps.rounded(across)

    def points(self, frames: range) -> NDArray[np.float64]:
        """Return the (row, column) of each output pixel, shape (n, 2, P, Q)."""
        down, across = self._contributions(_of(self.affine, frames))
        points = (
            np.moveaxis(down, 2, 1)[..., np.newaxis]
            + np.moveaxis(across, 2, 1)[:, :, np.newaxis]
        )
        if self.field is not None:
            points = points + _of(self.field, frames)
        return points

    def reference(self, block: NDArray[Any], frames: range) -> Partial:
        """Sample in float64, straight from the formula."""
        points = self.points(frames)
        return {"warped": reference.frames(block, points, self.kernel, self.fill)}

    def resized(self, shape: tuple[int, ...]) -> WarpPlan:
        """Return the same for frames of this shape, the middle in the middle.

        The field is thinned out, and what would leave the frame is kept within.
        """
        count, height, width = shape
        sides = np.array([height, width])
        number = count if len(self.affine) > 1 else 1
        affine = np.resize(self.affine, (number, 2, 3))
        middle = np.append(np.array(self.output_shape) / 2, 1.0)
        off = (affine @ middle) - np.array(self.shape[1:]) / 2
        off = np.clip(off, -sides / 4, sides / 4)
        affine[:, :, 2] = sides / 2 + off - affine[:, :, :2] @ (sides / 2)
        field = self.field
        if field is not None:
            rows, columns = (
                np.linspace(0, length - 1, side).astype(int)
                for length, side in zip(self.output_shape, sides, strict=True)
            )
            thinned = field[:, :, rows[:, np.newaxis], columns]
            number = count if len(field) > 1 else 1
            farthest = (sides / 2)[:, np.newaxis, np.newaxis]
            field = np.clip(
                np.resize(thinned, (number, 2, height, width)), -farthest, farthest
            )
        return replace(
            self,
            shape=(count, height, width),
            affine=affine,
            field=field,
            output_shape=(height, width),
        )


def _of(each: NDArray[Any], frames: range) -> NDArray[Any]:
    """Return what belongs to these frames, or to all if they have it in common."""
    return each[frames.start : frames.stop] if len(each) > 1 else each


def _split(parts: NDArray[np.float64], axis: int, count: int) -> NDArray[np.float32]:
    """Return whole pixels and fractions in turn along an axis, for so many frames."""
    whole = np.floor(parts)
    turns = np.stack([whole, parts - whole], axis=axis + 1)
    shape = list(parts.shape)
    shape[axis] *= 2
    turns = turns.reshape(shape).astype(np.float32)
    return np.broadcast_to(turns, (count, *turns.shape[1:]))
