"""What magnifying a stack takes: the tables of taps, the cost, the output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import catmull_rom
from napari_nanopyx._kernels.declaration import Cost, Partial
from napari_nanopyx._kernels.frame_by_frame import FrameByFrame
from napari_nanopyx._kernels.layout import padded
from napari_nanopyx._kernels.magnify import reference
from napari_nanopyx._kernels.magnify.kernels import TAPS, Kernel, taps_at


@dataclass(frozen=True)
class MagnifyPlan(FrameByFrame):
    """Magnification of (T, Y, X) frames by interpolation.

    Parameters
    ----------
    shape : tuple of int
        Shape of the input stack, (T, Y, X).
    factor : tuple of float
        Output pixels per input pixel along rows and columns.
    shift : ndarray of float64, shape (T, 2) or (1, 2)
        Row and column shift of each frame, or of all, in input pixels.
    kernel : str
        The interpolation.
    """

    output = "magnified"

    shape: tuple[int, int, int]
    factor: tuple[float, float]
    shift: NDArray[np.float64] = field(default_factory=lambda: np.zeros((1, 2)))
    kernel: Kernel = "catmull_rom"

    @property
    def parameters(self) -> Mapping[str, float | str | bool]:
        """The factors and the interpolation, which set how much there is to compute."""
        rows, columns = self.factor
        return {
            "row_factor": float(rows),
            "column_factor": float(columns),
            "kernel": self.kernel,
        }

    @property
    def output_shape(self) -> tuple[int, int]:
        """Rows and columns of one magnified frame."""
        _, height, width = self.shape
        rows, columns = self.factor
        magnified = catmull_rom.magnified_length
        return magnified(height, rows), magnified(width, columns)

    @property
    def cost(self) -> Cost:
        """Two passes of so many taps, or a transform; every output is written once."""
        height, width = self.output_shape
        _, rows, columns = self.shape
        size = 4.0 * (rows * columns + height * width)
        if self.kernel == "fourier":
            return Cost(2.5 * height * width * log2(2 * height * width), size)
        return Cost((2.0 * self._taps - 1.0) * height * (columns + width), size)

    @property
    def tables_vary(self) -> bool:
        """Whether frames are shifted one by one."""
        return len(self.shift) > 1

    def scratch_floats(self, part_rows: int) -> int:  # noqa: ARG002
        """Return room for the input rows of an output row, and their weighted sum."""
        return (self._taps + 1) * self._stride + 64

    @property
    def _taps(self) -> int:
        return TAPS[self.kernel]

    @property
    def _before(self) -> int:
        """Columns a row is continued by on the left, so that no tap is outside it."""
        return self._taps // 2

    @property
    def _stride(self) -> int:
        return padded(self._before + self.shape[2] + 24)

    def scalars(self, part_rows: int) -> dict[str, int | float]:
        """Return sizes."""
        height, width = self.output_shape
        return {
            "height": self.shape[1],
            "width": self.shape[2],
            "before": self._before,
            "part_rows": part_rows,
            "stride": self._stride,
            "pitch": padded(width),
            "output_height": height,
            "output_width": width,
            "taps": self._taps,
        }

    def tables(self, frames: range, part_rows: int) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        """Return the taps and weights of every output row and column."""
        shifts = (
            self.shift[frames.start : frames.stop] if self.tables_vary else self.shift
        )
        each = [self._tables(float(row), float(column)) for row, column in shifts]
        return {name: np.stack([tables[name] for tables in each]) for name in each[0]}

    def _tables(self, row_shift: float, column_shift: float) -> dict[str, NDArray[Any]]:
        _, height, width = self.shape
        rows, columns = self.points(row_shift, column_shift)
        row, row_weights = taps_at(self.kernel, height, rows)
        column, column_weights = taps_at(self.kernel, width, columns)
        row_taps = np.clip(row[:, np.newaxis] + np.arange(self._taps), 0, height - 1)
        last = width - (self._taps + 1) // 2
        first = np.clip(column, -self._before, last) + self._before
        beyond = (0, padded(len(columns)) - len(columns))
        return {
            "row_taps": row_taps.astype(np.int32),
            "row_weights": row_weights.astype(np.float32),
            "column_tap": np.pad(first.astype(np.int32), beyond, mode="edge"),
            "column_weights": np.pad(
                column_weights.T.astype(np.float32), ((0, 0), beyond)
            ),
        }

    def points(
        self, row_shift: float, column_shift: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return where the rows and columns of a shifted frame are sampled."""
        (height, width), (rows, columns) = self.output_shape, self.factor
        coordinates = catmull_rom.coordinates
        return (
            coordinates(height, rows, row_shift),
            coordinates(width, columns, column_shift),
        )

    def reference(self, block: NDArray[Any], frames: range) -> Partial:
        """Magnify in float64, straight from the formula."""
        shifts = np.broadcast_to(self.shift, (self.shape[0], 2))
        magnified = reference.frames(
            block,
            *self.factor,
            shifts[frames.start : frames.stop],
            kernel=self.kernel,
        )
        return {"magnified": magnified}

    def resized(self, shape: tuple[int, ...]) -> MagnifyPlan:
        """Return the same for frames of this shape, or larger if nothing were left.

        Shifts are kept to a quarter of a frame.
        """
        count, *sides = shape
        height, width = (
            max(side, ceil(1 / factor))
            for side, factor in zip(sides, self.factor, strict=True)
        )
        frames = count if self.tables_vary else 1
        farthest = (height / 4, width / 4)
        shift = np.clip(
            np.resize(self.shift, (frames, 2)), np.negative(farthest), farthest
        )
        return replace(self, shape=(count, height, width), shift=shift)
