"""What denoising a stack by non-local means takes: sizes, limits, cost, output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.declaration import Cost, Partial
from napari_nanopyx._kernels.frame_by_frame import FrameByFrame
from napari_nanopyx._kernels.layout import padded
from napari_nanopyx._kernels.nlm import reference
from napari_nanopyx._kernels.nlm.patches import LOWERED, Exponential, Mode, Patches

ROWS = 8
"""Rows of pixels that kernel.c computes at once in OpenCL."""

TILE = 256 + 16
"""Room for the columns that it computes at once in C."""

FAR = 1e38
"""Stands for a limit that no sum passes."""

POWER = {
    "exact": (
        *(0.0, 0.0),
        *(0.6931472, 0.24022648, 0.055503324),
        *(0.009618437, 0.0013398875, 0.00015353362),
    ),
    "linear": (LOWERED, 0.5, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0),
}
"""How 2^x is made: what is taken from x, what is taken from it before it is rounded,
and the coefficients of f to f^6 in 2^f, whose largest relative error is 2e-8."""

SMALLEST = 1e-30
"""Keeps exponents finite where h is nothing beside the noise."""

LOG2_E = 1.4426950408889634


@dataclass(frozen=True)
class NlmPlan(FrameByFrame):
    """Non-local means of (T, Y, X) frames.

    Parameters
    ----------
    shape : tuple of int
        Shape of the input stack, (T, D * Y, X): each frame below those before it and
        above those after it, see `surroundings`.
    h, sigma : ndarray of float64, shape (T,) or (1,)
        Of each frame, or of all: how different alike patches are, and the standard
        deviation of the noise. Where h is 0, the frame stays as it is.
    streamed : bool
        Whether the noise of a frame is put into these arrays when the frame is read.
    patch_size : int
        Side of a patch, odd.
    patch_distance : int
        How many rows and columns away a pixel may lie that is averaged.
    mode : str
        ``"fast"`` or ``"gaussian"``.
    exponential : str
        ``"exact"``, or ``"linear"`` between powers of two.
    """

    output = "denoised"

    shape: tuple[int, int, int]
    h: NDArray[np.float64]
    sigma: NDArray[np.float64]
    patch_size: int = 7
    patch_distance: int = 11
    mode: Mode = "fast"
    exponential: Exponential = "exact"
    frame_distance: int = 0
    streamed: bool = False

    @property
    def depth(self) -> int:
        """Pictures that make up a frame of the input."""
        return 2 * self.frame_distance + 1

    @property
    def output_shape(self) -> tuple[int, int]:
        """Rows and columns of the output, and of each picture."""
        return self.shape[1] // self.depth, self.shape[2]

    @cached_property
    def patches(self) -> Patches:
        """The pixels that are compared, and how much they count."""
        return Patches(self.patch_size, self.mode)

    @property
    def parameters(self) -> Mapping[str, float | str | bool]:
        """Each parameter that changes how much there is to compute."""
        return {
            "patch_size": self.patch_size,
            "patch_distance": self.patch_distance,
            "frame_distance": self.frame_distance,
            "mode": self.mode,
        }

    @property
    def cost(self) -> Cost:
        """Of each pixel and shift: a difference, two sums over a window, a weight."""
        pixels = self.output_shape[0] * self.output_shape[1]
        shifts = self.depth * (2 * self.patch_distance + 1) ** 2
        each = (4 if self.mode == "gaussian" else 2) * self.patches.window + 20
        return Cost(float(pixels * shifts * each), 4.0 * (self.depth + 1) * pixels)

    @cached_property
    def tables_vary(self) -> bool:
        """Whether frames have noise of their own, or others around them."""
        noise = set(self._noise(range(self.shape[0])))
        return self.streamed or self.frame_distance > 0 or len(noise) > 1

    def _noise(self, frames: range) -> list[tuple[float, float]]:
        """Return h and sigma of some frames."""
        each = (
            np.broadcast_to(values, self.shape[0]) for values in (self.h, self.sigma)
        )
        return list(zip(*(values[frames].tolist() for values in each), strict=True))

    def part_rows(self, threads: int) -> int:
        """Return how many rows a thread takes at a time."""
        return min(32, max(8, -(-self.output_shape[0] // (4 * threads))))

    def work_floats(self, part_rows: int) -> dict[str, int]:  # noqa: ARG002
        """Return room for the mirrored pictures of a frame."""
        return {"image": self.depth * self._framed_rows * self._stride}

    def scratch_floats(self, part_rows: int) -> int:
        """Return room for mirrored bands of rows, and for the sums of a tile."""
        rows = self.depth * (part_rows + 2 * self._border) + 1
        lines = 2 * part_rows + self.patches.window + 3
        return rows * self._stride + lines * TILE + 2 * self.patches.window + 64

    @property
    def _border(self) -> int:
        return self.patch_size // 2 + self.patch_distance

    @property
    def _stride(self) -> int:
        return padded(
            padded(self.output_shape[1]) + 2 * self._border + self.patch_size + 16
        )

    @property
    def _framed_rows(self) -> int:
        return ROWS * -(-self.output_shape[0] // ROWS) + 2 * self._border

    def scalars(self, part_rows: int) -> dict[str, int | float]:
        """Return sizes."""
        return {
            "height": self.output_shape[0],
            "width": self.output_shape[1],
            "part_rows": part_rows,
            "depth": self.depth,
            "gaussian": int(self.mode == "gaussian"),
            "window": self.patches.window,
            "before": self.patches.before,
            "distance": self.patch_distance,
            "border": self._border,
            "framed_rows": self._framed_rows,
            "stride": self._stride,
        }

    def tables(self, frames: range, part_rows: int) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        """Return where mirrored pixels come from, weights, and limits of each frame."""
        which = frames if self.tables_vary else range(1)
        noise = self._noise(which)
        each = [self._limits(h, sigma) for h, sigma in noise]
        unused = (ROWS - 1, ROWS - 1)
        columns = np.zeros(self._stride, np.float32)
        columns[self._border : self._border + self.output_shape[1]] = 1
        return {
            "row_index": _mirrored(
                self.output_shape[0], self._border, self._framed_rows
            ),
            "column_index": _mirrored(self.output_shape[1], self._border, self._stride),
            "inside": columns if self.mode == "gaussian" else np.ones_like(columns),
            "power": np.array(POWER[self.exponential], np.float32),
            "weights": np.pad(self.patches.weights, unused),
            "times": np.array([self._times(frame) for frame in which], np.float32),
            **{name: np.stack([tables[name] for tables in each]) for name in each[0]},
        }

    def _times(self, frame: int) -> list[bool]:
        """Return which of the pictures around a frame are in the movie."""
        reach = range(-self.frame_distance, self.frame_distance + 1)
        return [0 <= frame + apart < self.shape[0] for apart in reach]

    def _limits(self, h: float, sigma: float) -> dict[str, NDArray[np.float32]]:
        """Return what depends on the noise of a frame, in the kernel's units."""
        window = self.patches.window
        limits, margins = np.full((2, window + 2 * (ROWS - 1)), FAR)
        margins[:] = -1.0
        if h == 0:  # all values become 0, and nothing is added to any
            settings = np.zeros(4, np.float32)
        else:
            scale = 2.0 ** -min(max(round(log2(max(h, sigma))), -120), 120)
            unit = max(self.patches.unit(h * scale) / LOG2_E, SMALLEST)
            noise = self.patches.noise(sigma * scale)[-1]
            settings = np.array([scale, 1 / scale, 1 / unit, noise / unit], np.float32)
            found = self.patches.limits(h * scale, sigma * scale)
            looked_at = np.flatnonzero(np.isfinite(found))
            places = looked_at + ROWS - 1
            limits[places] = np.minimum(found[looked_at], FAR)
            # Rounding of a square, and of a sum over a window twice, each 2^-24.
            margins[places] = limits[places] * (2 * window + 8) * 2.0**-24
        rests = limits - limits.astype(np.float32)
        return {
            "settings": settings,
            "limits": limits.astype(np.float32),
            "rests": rests.astype(np.float32),
            "margins": margins.astype(np.float32),
        }

    def reference(self, block: NDArray[Any], frames: range) -> Partial:
        """Denoise in float64, straight from the definition."""
        pictures = block.reshape(len(frames), self.depth, *self.output_shape)
        settings = self.patches, self.patch_distance
        denoised = [
            reference.frame(
                each, self._times(frame), *settings, h, sigma, self.exponential
            )
            for each, frame, (h, sigma) in zip(
                pictures, frames, self._noise(frames), strict=True
            )
        ]
        return {"denoised": np.array(denoised)}

    def resized(self, shape: tuple[int, ...]) -> NlmPlan:
        """Return the same for frames of this shape."""
        count, height, width = shape
        h, sigma = (
            np.resize(values, 1 if len(values) == 1 else count)
            for values in (self.h, self.sigma)
        )
        height = self.depth * max(2, height // self.depth)
        return replace(
            self, shape=(count, height, width), h=h, sigma=sigma, streamed=False
        )


def _mirrored(length: int, border: int, count: int) -> NDArray[np.int32]:
    """Return which pixel each of a mirrored row is; a few unused ones at the end."""
    mirrored = np.pad(np.arange(length), border, mode="reflect")
    beyond = count - len(mirrored)
    return np.pad(mirrored, (0, beyond), mode="edge").astype(np.int32)
