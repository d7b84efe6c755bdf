"""Resolution over the blocks of an image, as numbers, as a line and as a plot."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx.methods._axes import given_or_new
from napari_nanopyx.methods.decorrelation_result import Decorrelation
from napari_nanopyx.methods.frc_result import FRC

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Measured = TypeVar("Measured", FRC, Decorrelation)
"""What is found in a block."""


@dataclass(frozen=True, slots=True, eq=False)
class ResolutionMap(Generic[Measured]):
    """What was measured in each block of an image. Print it for one line."""

    method: str
    """Of the measurement."""
    blocks: tuple[tuple[Measured, ...], ...] = field(repr=False)
    """What was found in each block, row by row: with its curve and its ``reason``."""
    row_edges: NDArray[np.intp]
    """First row of each row of blocks, and the image's number of rows."""
    column_edges: NDArray[np.intp]
    """First column of each column of blocks, and the image's number of columns."""
    units: str
    """Unit of length of the resolution."""

    @property
    def resolution(self) -> NDArray[np.float64]:
        """Of each block, shape (rows of blocks, columns of blocks); NaN if none."""
        return self.of("resolution")

    @property
    def reasons(self) -> tuple[tuple[str, ...], ...]:
        """Why there is no resolution in each block; empty if there is one."""
        return tuple(tuple(each.reason for each in row) for row in self.blocks)

    def of(self, name: str) -> NDArray[np.float64]:
        """Return one number of each block, such as ``"k_c"``, by its name."""
        return np.array([[getattr(each, name) for each in row] for row in self.blocks])

    def image(self) -> NDArray[np.float32]:
        """Return the resolution at each pixel, shape (Y, X).

        It changes linearly from the middle of one block to the next one's. Blocks
        without a resolution are NaN, and count for nothing in their neighbours.
        """
        resolution = self.resolution
        resolved = np.isfinite(resolution)
        rows, columns = (_between(each) for each in (self.row_edges, self.column_edges))
        total = rows @ np.where(resolved, resolution, 0.0) @ columns.T
        weight = rows @ resolved @ columns.T
        sizes = np.diff(self.row_edges), np.diff(self.column_edges)
        inside = resolved.repeat(sizes[0], axis=0).repeat(sizes[1], axis=1)
        pixels = np.full(inside.shape, np.nan, np.float32)
        return np.divide(total, weight, out=pixels, where=inside, casting="same_kind")

    def __str__(self) -> str:
        resolution = self.resolution
        found = resolution[np.isfinite(resolution)]
        name = f"{self.method} resolution of {resolution.size} blocks"
        if not found.size:
            every = Counter(reason for row in self.reasons for reason in row)
            return f"{name}: none: {every.most_common(1)[0][0]}"
        line = (
            f"{name}: median {np.median(found):.4g} {self.units}, from "
            f"{found.min():.4g} to {found.max():.4g} {self.units}"
        )
        missing = resolution.size - found.size
        return f"{line} ({missing} without a resolution)" if missing else line

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the resolution at each pixel with a scale of lengths.

        Parameters
        ----------
        ax
            Matplotlib axes to draw into; by default new ones.

        Raises
        ------
        MissingPackage
            If Matplotlib is not installed.
        """
        ax = given_or_new(ax)
        image = ax.imshow(self.image(), cmap="viridis_r", interpolation="nearest")
        ax.figure.colorbar(image, ax=ax, label=f"resolution ({self.units})")
        ax.set_xlabel("column (px)")
        ax.set_ylabel("row (px)")
        ax.set_title(str(self), wrap=True)
        return ax


def _between(edges: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return how much each block counts at each pixel, shape (pixels, blocks)."""
    middles = (edges[:-1] + edges[1:]) / 2
    centres = np.arange(edges[-1]) + 0.5
    shares = [np.interp(centres, middles, one) for one in np.eye(len(middles))]
    return np.stack(shares, axis=1)
