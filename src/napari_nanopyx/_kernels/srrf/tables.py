"""What the SRRF kernel looks up: where a phase's ring lies among its camera pixels.

An output pixel's phase is its place within its camera pixel. The tables of rows and of
columns are apart, because a ring sample's row does not depend on the phase's column.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import catmull_rom
from napari_nanopyx._kernels.layout import Lines
from napari_nanopyx._kernels.srrf.gradients import SMOOTHED_ALONG
from napari_nanopyx._kernels.srrf.reference import ring

SHARE_BITS = 30
"""Bits of a weight as an integer, for samples that are taken in exact numbers."""


@dataclass(frozen=True, slots=True)
class Geometry(Lines):
    """How a part of a frame, and its gradients, lie in memory."""

    width: int
    part_rows: int
    ring_radius: float
    smoothing: bool

    @property
    def before(self) -> int:
        """Rows and columns that are read ahead of the part's first ones."""
        return math.ceil(self.ring_radius + 0.5) + 1 + self._halo

    @property
    def after(self) -> int:
        """Rows and columns that are read past the part's last ones."""
        return math.floor(self.ring_radius + 1.5) + 2 + self._halo

    @property
    def _halo(self) -> int:
        return SMOOTHED_ALONG if self.smoothing else 0


def taps(name: str, points: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """Return each point's first tap, from its camera pixel on, and its four weights.

    Parameters
    ----------
    name : str
        What the tables' names begin with.
    points : ndarray of float64, shape (...)
        Continuous coordinates relative to the camera pixel's edge.

    Returns
    -------
    dict of ndarray
        ``NAME_tap`` (...), and ``NAME_weights`` and ``NAME_shares``, (..., 4): the
        weights as float32, and as integers whose sum stands for one.
    """
    first = np.floor(points - 0.5) - 1
    centres = first[..., np.newaxis] + np.arange(4) + 0.5
    weights = catmull_rom.kernel(points[..., np.newaxis] - centres)
    return {
        f"{name}_tap": first.astype(np.int32),
        f"{name}_weights": weights.astype(np.float32),
        f"{name}_shares": np.rint(np.ldexp(weights, SHARE_BITS)).astype(np.int32),
    }


def mask(
    length: int, whole: int, phases: NDArray[np.float64], margin: float
) -> NDArray[np.float32]:
    """Return 1 where a pixel's source lies inside the margins, shape (M, length)."""
    source = np.arange(length) + whole + phases[:, np.newaxis]
    return catmull_rom.inside(source, length, margin).astype(np.float32)


def of_shift(
    geometry: Geometry,
    height: int,
    magnification: int,
    axes: int,
    border: int,
    shift: Sequence[float],
) -> dict[str, NDArray[Any]]:
    """Return all tables of a frame that is moved by (row, column) pixels."""
    row, row_phases = catmull_rom.phases(magnification, shift[0])
    column, column_phases = catmull_rom.phases(magnification, shift[1])
    directions = ring(axes)
    column_offsets, row_offsets = geometry.ring_radius * directions.T
    margin, width = 1.0 + border, geometry.width
    column_mask = mask(width, column, column_phases, margin)
    found = {
        **taps("row", row_phases[:, np.newaxis] + row_offsets),
        **taps("column", column_phases[:, np.newaxis] + column_offsets),
        **taps("light_row", row_phases),
        **taps("light_column", column_phases),
        "shift": np.array([row, column], np.int32),
        "direction": directions.astype(np.float32),
        "row_mask": mask(height, row, row_phases, margin),
        "column_mask": np.pad(column_mask, ((0, 0), (0, geometry.pitch - width))),
    }
    del found["light_row_shares"], found["light_column_shares"]
    return found
