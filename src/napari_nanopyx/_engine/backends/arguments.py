"""From a plan to the arrays and numbers that every backend hands its kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.declaration import Partial, Plan, Preparing

PIXELS = {"uint8": 0, "uint16": 1, "float32": 2}
"""Codes of the pixel types kernels read, as in frame.h."""

LARGEST = 100
"""The power of two of the largest pixel where pairs of floats stand in for doubles."""


class Arguments:
    """A plan's scalars and tables for parts of one height."""

    def __init__(self, plan: Plan, part_rows: int) -> None:
        self._plan = plan
        self.part_rows = part_rows
        self.scalars = plan.scalars(part_rows)
        self._tables: dict[str, NDArray[Any]] | None = None

    def tables(self, frames: range) -> dict[str, NDArray[Any]]:
        """Return flat tables for these frames."""
        if self._tables is not None and not self._plan.tables_vary:
            return self._tables
        tables = self._plan.tables(frames, self.part_rows)
        self._tables = {
            name: np.ascontiguousarray(table).reshape(-1)
            for name, table in tables.items()
        }
        return self._tables

    def prepared(
        self, block: NDArray[Any], frames: range, threads: int
    ) -> dict[str, NDArray[Any]]:
        """Return flat arrays that the plan makes of a block; most plans make none."""
        if not isinstance(self._plan, Preparing):
            return {}
        found = self._plan.prepared(block, frames, threads)
        return {name: array.reshape(-1) for name, array in found.items()}

    def table_sets(self, frames: range) -> int:
        """Return how many sets of tables there are for a block: one, or one a frame."""
        return len(frames) if self._plan.tables_vary else 1

    def block_scalars(
        self, block: NDArray[Any], frames: range
    ) -> dict[str, int | float]:
        """Return the numbers that belong to one block of frames."""
        return {
            **self.scalars,
            "pixel": PIXELS[block.dtype.name],
            "count": len(frames),
            "fresh": 1,
            "tables": self.table_sets(frames),
            "pixel_scale": 1.0,
        }


def allocated(plan: Plan, frames: range, places: Partial | None) -> Partial:
    """Return the arrays for a block's outputs: those given, or new ones."""
    given = places or {}
    return {
        name: given[name] if name in given else np.empty(output.shape, output.dtype)
        for name, output in plan.outputs(frames).items()
    }


def pixel_scale(block: NDArray[Any]) -> float:
    """Return the power of two that brings the largest pixel to 2 to `LARGEST`."""
    largest = float(max(abs(float(block.max())), abs(float(block.min()))))
    if largest == 0:
        return 1.0
    return float(2.0 ** np.clip(LARGEST - np.ceil(np.log2(largest)), -120, 120))
