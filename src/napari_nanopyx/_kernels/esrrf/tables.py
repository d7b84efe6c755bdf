"""What the eSRRF kernel looks up: all that depends only on a pixel's phase.

An output pixel's phase is its place within its camera pixel. A shift adds a whole
number of camera pixels, by which the frame is read displaced, and a fraction, which
moves the phases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import catmull_rom
from napari_nanopyx._kernels.layout import Lines

FWHM_PER_SIGMA = 2.355
NEGLIGIBLE = 2.0**-20
"""Share of a pixel's weight that its lightest samples have together: left out."""
ALIKE = 1e-9
"""Relative difference of weights that are equal but for rounding."""
LARGEST_WHOLE = 16
"""A power up to this one is a product."""

SAMPLE = np.dtype([("weight", "f4"), ("column", "f4"), ("row", "f4"), ("offset", "i4")])


def farthest(radius: float) -> float:
    """Return how far a sample may be from its output pixel, in input pixels."""
    return 2 * radius / FWHM_PER_SIGMA + 1


def window_half_width(radius: float) -> int:
    """Return how many half-pixel lattice steps hold all samples to each side."""
    return int(np.floor(2 * farthest(radius))) + 1


@dataclass(frozen=True, slots=True)
class Geometry(Lines):
    """How a part of a frame, and the lattice on it, lie in memory."""

    width: int
    part_rows: int
    radius: float

    @property
    def before(self) -> int:
        """Rows and columns that are read ahead of the part's first ones."""
        return -(-window_half_width(self.radius) // 2) + 2

    @property
    def after(self) -> int:
        """Rows and columns that are read past the part's last ones."""
        return (3 + window_half_width(self.radius)) // 2 + 2


def samples(
    row_phases: NDArray[np.float64],
    column_phases: NDArray[np.float64],
    radius: float,
    geometry: Geometry,
    share: float = NEGLIGIBLE,
) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """Return each phase's lattice points, with weights that sum to one.

    The lightest, which have this share of the weight together, are left out.

    Returns
    -------
    counts : ndarray of int32, shape (M * M,)
        How many points each phase has.
    samples : ndarray of `SAMPLE`, shape (M * M, (2 K + 1) ** 2)
        The points; those past the count weigh nothing.
    """
    sigma = radius / FWHM_PER_SIGMA
    reach = window_half_width(radius)
    steps = np.arange(-reach, reach + 1)
    rows = np.floor(2 * row_phases).astype(int)[:, None] + steps
    columns = np.floor(2 * column_phases).astype(int)[:, None] + steps
    dy, dx, row, column = np.broadcast_arrays(
        (rows / 2 - row_phases[:, None])[:, None, :, None],
        (columns / 2 - column_phases[:, None])[None, :, None, :],
        rows[:, None, :, None],
        columns[None, :, None, :],
    )
    phases = len(row_phases) * len(column_phases)
    dy, dx, row, column = (a.reshape(phases, -1) for a in (dy, dx, row, column))
    distance = np.hypot(dx, dy)
    weight = (distance * np.exp(-(distance**2) / (2 * sigma**2))) ** 4
    weight[distance > farthest(radius)] = 0.0
    total = weight.sum(axis=1, keepdims=True)
    weight = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)

    kept = ~negligible(weight, share)
    order = np.argsort(~kept, axis=1, kind="stable")
    counts = kept.sum(axis=1, dtype=np.int32)
    plane = geometry.rows * geometry.stride
    if 8 * plane > np.iinfo(np.int32).max:
        raise OverflowError(
            f"{geometry.part_rows} rows of {geometry.width} pixels are too many for "
            "one part: its lattice has more than 2^31 values"
        )
    table = np.zeros(weight.shape, SAMPLE)
    nearest = np.where(distance > 0, distance, 1.0)
    table["weight"] = weight
    table["column"] = weight * dx / nearest
    table["row"] = weight * dy / nearest
    table["offset"] = (
        (2 * (row & 1) + (column & 1)) * plane
        + (row >> 1) * geometry.stride
        + (column >> 1)
    )
    table[~kept] = 0
    return counts, np.take_along_axis(table, order, axis=1)


@lru_cache(maxsize=8)
def of_shift(
    geometry: Geometry,
    height: int,
    magnification: int,
    margin: float,
    share: float,
    shift: tuple[float, float],
) -> Mapping[str, NDArray[Any]]:
    """Return the tables of a frame that is moved by (row, column) pixels.

    ``margin`` is what is blank along each border, in input pixels, and ``share`` the
    weight that may be left out. Calls with the same parameters share their tables.
    """
    row, row_phases = catmull_rom.phases(magnification, shift[0])
    column, column_phases = catmull_rom.phases(magnification, shift[1])
    counts, points = samples(
        row_phases, column_phases, geometry.radius, geometry, share
    )
    row_tap, row_weights = intensity_taps(row_phases)
    column_tap, column_weights = intensity_taps(column_phases)
    width = geometry.width
    column_mask = mask(width, column, column_phases, margin)
    found = {
        "shift": np.array([row, column], np.int32),
        "counts": counts,
        "samples": points,
        "row_tap": row_tap,
        "row_weights": row_weights,
        "column_tap": column_tap,
        "column_weights": column_weights,
        "row_mask": mask(height, row, row_phases, margin),
        "column_mask": np.pad(column_mask, ((0, 0), (0, geometry.pitch - width))),
    }
    for table in found.values():
        table.flags.writeable = False
    return MappingProxyType(found)


def powers(exponents: Sequence[float]) -> dict[str, NDArray[Any]]:
    """Return the exponents, and as whole numbers those that are small ones, else 0."""
    whole = [
        int(each) if each == int(each) and each <= LARGEST_WHOLE else 0
        for each in exponents
    ]
    return {
        "exponents": np.array(exponents, np.float32),
        "whole_exponents": np.array(whole, np.int32),
    }


def negligible_share(exponents: Sequence[float]) -> float:
    """Return the share of the weight that an image to each of these powers hides.

    A root of a small share is a large one, and a power loses a share as often as it is
    multiplied. Float32 ends soon below the least share, which an exponent of 0.14 makes
    1e-5.
    """
    least = max(NEGLIGIBLE ** (1.0 / min(*exponents, 1.0)), 1e-36)
    return float(least / max(*exponents, 1.0))


def negligible(
    weight: NDArray[np.float64], share: float = NEGLIGIBLE
) -> NDArray[np.bool_]:
    """Tell which samples of each row have at most this share of its weight together.

    Of those that weigh the same, as mirrored ones do, it is all or none.
    """
    order = np.argsort(weight, axis=1)
    ascending = np.take_along_axis(weight, order, axis=1)
    together = ascending.cumsum(axis=1)
    heavier = ascending[:, 1:] > ascending[:, :-1] * (1 + ALIKE)
    together[:, :-1] = np.where(heavier, together[:, :-1], np.inf)
    together = np.minimum.accumulate(together[:, ::-1], axis=1)[:, ::-1]
    negligible = np.empty(weight.shape, bool)
    np.put_along_axis(negligible, order, together <= share, axis=1)
    return negligible


def intensity_taps(
    phases: NDArray[np.float64],
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return each phase's first tap, from its camera pixel on, and four weights."""
    first = np.floor(phases - 0.5) - 1
    weights = catmull_rom.kernel(
        phases[:, None] - (first[:, None] + np.arange(4) + 0.5)
    )
    return first.astype(np.int32), weights.astype(np.float32)


def mask(
    length: int, whole: int, phases: NDArray[np.float64], margin: float
) -> NDArray[np.float32]:
    """Return 1 where a pixel's source lies inside the margins, shape (M, length)."""
    source = np.arange(length) + whole + phases[:, None]
    return catmull_rom.inside(source, length, margin).astype(np.float32)
