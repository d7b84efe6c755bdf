"""What correlating frames with a reference takes: tables, the cost, the output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from math import log2, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.correlate import reference
from napari_nanopyx._kernels.correlate.interpolation import interpolated
from napari_nanopyx._kernels.declaration import Cost, Partial
from napari_nanopyx._kernels.frame_by_frame import FrameByFrame
from napari_nanopyx._kernels.layout import padded

ROWS = 9
"""Rows of displacements that kernel.c sums at once."""

FRAMES = 3
"""Frames that kernel.c sums at once, as they meet the same reference."""

FLOPS_PER_SAMPLE = 40.0
"""Operations for a sample of an interpolated reference, for each doubling of them."""


@dataclass(frozen=True)
class CorrelatePlan(FrameByFrame):
    """Correlation of frames, (T, Y, X) or (T, Z, Y, X), with a reference, or one each.

    Parameters
    ----------
    shape : tuple of int
        Shape of the frames, T first.
    scene : ndarray of float32, shape (1, *lengths) or (T, *lengths)
        The reference, which goes on without end; it may be larger than a frame.
    reach : tuple of int
        Displacements to each side along each axis, in steps.
    finer : int
        Steps in a pixel.
    lags : ndarray of int, shape (1, axes) or (T, axes)
        Whole pixels by which each frame is moved back first.
    weights : tuple of ndarray of float32, shape (1, side) or (T, side)
        For each axis, how much the pixels of a frame that was moved back count; by
        default all the same. What comes from outside the frame never does.
    """

    output = "sums"

    shape: tuple[int, ...]
    scene: NDArray[np.float32]
    reach: tuple[int, ...]
    finer: int = 1
    lags: NDArray[np.intp] | None = None
    weights: tuple[NDArray[np.float32], ...] | None = None

    @property
    def parameters(self) -> Mapping[str, float | str | bool]:
        """How many displacements there are, how many in a pixel, and of what."""
        sizes = {"displacements": prod(self.places), "finer": self.finer}
        return sizes | {"references": "many"} if self.has_many else sizes

    @property
    def places(self) -> tuple[int, ...]:
        """Displacements along each axis."""
        return tuple(2 * each + 1 for each in self.reach)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """One sum for each displacement."""
        return self.places

    @property
    def has_many(self) -> bool:
        """Whether each frame has a reference of its own."""
        return len(self.scene) > 1

    @property
    def cost(self) -> Cost:
        """One multiply-add for each pixel and displacement, by whole vectors."""
        *rows, columns = self.places
        flops = 2.0 * prod(self.shape[1:]) * prod(rows) * padded(columns)
        if self.has_many:
            samples = prod(self.finer * each for each in self.scene.shape[1:])
            flops += FLOPS_PER_SAMPLE * samples * log2(samples + 1)
        return Cost(flops, 4.0 * (prod(self.shape[1:]) + prod(self.places)))

    @property
    def block_bytes_per_frame(self) -> int:
        """The frame, its sums, and its reference if it has one of its own."""
        samples = prod(self.finer * each for each in self.scene.shape[1:])
        return int(self.cost.bytes) + (4 * samples if self.has_many else 0)

    @property
    def tables_vary(self) -> bool:
        """Frames have lags and weights of their own."""
        return True

    def part_rows(self, threads: int) -> int:  # noqa: ARG002
        """Return the rows of displacements that a thread takes at a time."""
        return ROWS

    def parts(self, count: int, part_rows: int) -> int:  # noqa: ARG002
        """Return the number of groups of rows in all groups of frames of a block."""
        return -(-count // FRAMES) * -(-self.places[0] // ROWS)

    def scratch_floats(self, part_rows: int) -> int:  # noqa: ARG002
        """Return room for a row of pixels of each frame, and one more."""
        return padded((FRAMES + 1) * self.shape[-1]) + 64

    @property
    def _table_shape(self) -> tuple[int, int]:
        (rows, columns), (_, height, width) = self.places, self.shape
        groups = -(-rows // ROWS)
        return (
            (height - 1) * self.finer + groups * ROWS,
            padded((width - 1) * self.finer + padded(columns)),
        )

    def scalars(self, part_rows: int) -> dict[str, int | float]:  # noqa: ARG002
        """Return sizes."""
        table_rows, pitch = self._table_shape
        return {
            "height": self.shape[1],
            "width": self.shape[2],
            "finer": self.finer,
            "rows": self.places[0],
            "columns": self.places[1],
            "single": int(not self.has_many),
            "table_rows": table_rows,
            "pitch": pitch,
        }

    def tables(self, frames: range, part_rows: int) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        """Return the interpolated reference, turned round, and what each frame has."""
        lags, (down, across) = self.lags_of(frames), self.weights_of(frames)
        table = self._turned(frames) if self.has_many else self._only
        return {
            "reference": table,
            "down": down,
            "across": across,
            "lags": lags.astype(np.int32),
        }

    @cached_property
    def _only(self) -> NDArray[np.float32]:
        return self._turned(range(1))

    def _turned(self, frames: range) -> NDArray[np.float32]:
        fine = interpolated(self.scene[frames.start : frames.stop], self.finer, 1)
        for axis, length in enumerate(self._table_shape):
            last = (self.shape[axis + 1] - 1) * self.finer + self.reach[axis]
            samples = last - np.arange(length)
            fine = np.take(fine, samples, axis=axis + 1, mode="wrap")
        return np.ascontiguousarray(fine, np.float32)

    def lags_of(self, frames: range) -> NDArray[np.intp]:
        """Return the lag of each frame, (n, axes)."""
        if self.lags is None:
            return np.zeros((len(frames), len(self.reach)), np.intp)
        every = np.broadcast_to(self.lags, (self.shape[0], len(self.reach)))
        return every[frames.start : frames.stop]

    def weights_of(self, frames: range) -> list[NDArray[np.float32]]:
        """Return the weights along each axis, (n, side), 0 for what lies outside."""
        result = []
        for axis, lags in enumerate(self.lags_of(frames).T):
            side = self.shape[axis + 1]
            pixels = np.arange(side) + lags[:, np.newaxis]
            inside = ((pixels >= 0) & (pixels < side)).astype(np.float32)
            if self.weights is not None:
                every = np.broadcast_to(self.weights[axis], (self.shape[0], side))
                inside *= every[frames.start : frames.stop]
            result.append(inside)
        return result

    def templates(self, block: NDArray[Any], frames: range) -> NDArray[np.float32]:
        """Return the weighted pixels of frames, each moved back by its lag."""
        if self.lags is None and self.weights is None:
            return block.astype(np.float32, copy=False)
        result = np.zeros(block.shape, np.float32)
        weights = self.weights_of(frames)
        for index, lags in enumerate(self.lags_of(frames).tolist()):
            pairs = list(zip(lags, block.shape[1:], strict=True))
            if any(abs(lag) >= side for lag, side in pairs):
                continue
            to = tuple(slice(max(0, -lag), side - max(0, lag)) for lag, side in pairs)
            of = tuple(slice(max(0, lag), side + min(0, lag)) for lag, side in pairs)
            lines = [line[index, span] for line, span in zip(weights, to, strict=True)]
            each = reduce(np.multiply.outer, lines)
            np.multiply(block[index][of], each, out=result[index][to])
        return result

    def of(
        self, lags: NDArray[np.intp], weights: tuple[NDArray[np.float32], ...]
    ) -> CorrelatePlan:
        """Return the same for other frames; the reference is not interpolated anew."""
        shape = (len(lags), *self.shape[1:])
        result = replace(self, shape=shape, lags=lags, weights=weights)
        if "_only" in self.__dict__:
            result.__dict__["_only"] = self._only
        return result

    def reference(self, block: NDArray[Any], frames: range) -> Partial:
        """Sum in float64, straight from the definition."""
        templates = self.templates(block, frames)
        images = np.broadcast_to(self.scene, (self.shape[0], *self.scene.shape[1:]))
        found = [
            reference.sums(template, image, self.reach, self.finer)
            for template, image in zip(
                templates, images[frames.start : frames.stop], strict=True
            )
        ]
        return {"sums": np.stack(found)}

    def resized(self, shape: tuple[int, ...]) -> CorrelatePlan:
        """Return the same for frames of this shape; values are repeated or left out."""
        count, *sides = shape
        sides = sides[-2:] if len(self.reach) == 2 else [3, *sides[-2:]]
        references = count if self.has_many else 1
        lags = None if self.lags is None else np.resize(self.lags, (count, len(sides)))
        return replace(
            self,
            shape=(count, *sides),
            scene=np.resize(self.scene, (references, *(side + 2 for side in sides))),
            reach=tuple(min(each, 2 * self.finer) for each in self.reach),
            lags=None if lags is None else np.clip(lags, -2, 2),
            weights=None
            if self.weights is None
            else tuple(
                np.resize(line, (count, side))
                for line, side in zip(self.weights, sides, strict=True)
            ),
        )
