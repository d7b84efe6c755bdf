"""What convolving a stack takes: the weights, the cost, the output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.convolve import reference, separable
from napari_nanopyx._kernels.declaration import Cost, Partial
from napari_nanopyx._kernels.frame_by_frame import FrameByFrame
from napari_nanopyx._kernels.layout import padded

ROWS = 4
"""Output rows that kernel.c computes at once."""

BLOCK = 128
"""The most columns that it computes at once."""


@dataclass(frozen=True)
class ConvolvePlan(FrameByFrame):
    """Correlation of (T, Y, X) frames with a kernel, edge pixels continued.

    Parameters
    ----------
    shape : tuple of int
        Shape of the input stack, (T, Y, X).
    kernel : ndarray of float32, shape (h, w)
        The weights.
    is_separated : bool
        Whether the kernel's factors are applied one after the other.
    """

    output = "convolved"

    shape: tuple[int, int, int]
    kernel: NDArray[np.float32]
    is_separated: bool = False

    @property
    def parameters(self) -> Mapping[str, float | str | bool]:
        """The size of the kernel, which sets how much there is to compute."""
        height, width = self.kernel.shape
        return {"kernel_height": height, "kernel_width": width}

    @cached_property
    def factors(self) -> separable.Factors | None:
        """A column and a row whose outer product is the kernel, if there are any."""
        return separable.factors(self.kernel)

    def separated(self) -> ConvolvePlan:
        """Return the plan that applies the factors one after the other."""
        return replace(self, is_separated=True)

    @property
    def output_shape(self) -> tuple[int, int]:
        """Rows and columns, as of the input."""
        return self.shape[1:]

    @property
    def cost(self) -> Cost:
        """One multiply-add for each weight and pixel; pixels are read and written."""
        pixels = self.shape[1] * self.shape[2]
        return Cost(2.0 * self.kernel.size * pixels, 8.0 * pixels)

    @property
    def tables_vary(self) -> bool:
        """All frames have the same kernel."""
        return False

    def part_rows(self, threads: int) -> int:
        """Return how many rows a thread takes at a time, in whole groups of ROWS."""
        shared = -(-self.shape[1] // (4 * threads))
        return ROWS * -(-min(64, max(16, shared)) // ROWS)

    def work_floats(self, part_rows: int) -> dict[str, int]:  # noqa: ARG002
        """Return room for a frame continued by its edges, and for its offset."""
        return {"offset": 1, "image": self._padded_rows * self._stride}

    def scratch_floats(self, part_rows: int) -> int:
        """Return room for a continued band of rows, and for rows summed downwards."""
        rows = part_rows + int(self.kernel.shape[0]) - 1
        return (rows + ROWS) * self._stride + BLOCK

    @property
    def _stride(self) -> int:
        whole_blocks = BLOCK * -(-self.shape[2] // BLOCK)
        return padded(whole_blocks + int(self.kernel.shape[1]) - 1)

    @property
    def _padded_rows(self) -> int:
        whole_groups = ROWS * -(-self.shape[1] // ROWS)
        return whole_groups + int(self.kernel.shape[0]) - 1

    def scalars(self, part_rows: int) -> dict[str, int | float]:
        """Return sizes, and what all weights add up to."""
        return {
            "height": self.shape[1],
            "width": self.shape[2],
            "part_rows": part_rows,
            "padded_rows": self._padded_rows,
            "stride": self._stride,
            "kernel_height": self.kernel.shape[0],
            "kernel_width": self.kernel.shape[1],
            "separable": int(self.is_separated),
            "kernel_sum": float(self.kernel.sum(dtype=np.float64)),
        }

    def tables(self, frames: range, part_rows: int) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        """Return the weights, or those of both factors."""
        if self.is_separated and self.factors is not None:
            return {"weights": np.concatenate(self.factors)}
        return {"weights": self.kernel}

    def reference(self, block: NDArray[Any], frames: range) -> Partial:  # noqa: ARG002
        """Convolve in float64, straight from the formula."""
        return {"convolved": reference.frames(block, self.kernel)}

    def resized(self, shape: tuple[int, ...]) -> ConvolvePlan:
        """Return the same for frames of this shape."""
        count, height, width = shape
        return replace(self, shape=(count, height, width))
