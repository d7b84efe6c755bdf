"""What the 3-D eSRRF kernel looks up: all that depends only on a voxel's phase."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import catmull_rom
from napari_nanopyx._kernels.esrrf.tables import (
    FWHM_PER_SIGMA,
    NEGLIGIBLE,
    farthest,
    negligible,
    negligible_share,
    window_half_width,
)
from napari_nanopyx._kernels.layout import LANES, Lines, padded

SAMPLE = np.dtype(
    [
        ("column", "f4"),
        ("row", "f4"),
        ("plane", "f4"),
        ("weight", "f4"),
        ("squared", "f4"),
        ("quarter", "f4"),
        ("offset", "i4"),
    ]
)
COMPONENTS = 3
"""Of a gradient; each has four planes of lattice points a plane of voxels."""

TAPS = 3
"""Voxels to each side that the gradient of a lattice point takes in."""

SMALL = 2.0
"""How much more the samples left out may weigh than in two dimensions: many weigh the
same, being mirrored, and all of those count or none."""

ROUGH = 2.0**-7
"""Share of the weight whose sines need four digits only (near 0, three), of what can be
seen of a structure that does not change along Z, or of an eighth of all."""


class Window(NamedTuple):
    """The neighbourhood in which gradients count."""

    radius: float
    """Full width at half maximum in the plane, in pixels."""
    radius_z: float
    """The same along the axis, in planes; 0 is no farther than the plane itself."""
    voxel_ratio: float
    """Distance of two planes, in pixels."""

    @property
    def reach_z(self) -> int:
        """How many planes hold all samples to each side."""
        return int(np.floor(farthest(self.radius_z))) + 1 if self.radius_z else 0


class Neighbourhood(NamedTuple):
    """The lattice points that count for the voxels of each phase.

    Arrays have the shape (Mz * M * M, most points); points past a phase's count weigh
    nothing. The first ones of each phase, as many as are ``rough``, weigh so little
    together that their sines may be rough.
    """

    counts: NDArray[np.int32]
    rough: NDArray[np.int32]
    weight: NDArray[np.float64]
    directions: tuple[NDArray[np.float64], ...]
    """Unit vectors from the voxel to the points: along columns, rows and planes."""
    places: tuple[NDArray[np.int64], ...]
    """Steps from the voxel's first lattice point: half pixels, half pixels, planes."""
    before: int
    """How many voxels hold all points ahead of the voxel in a plane."""
    after: int
    """How many do past it."""
    above: int
    """How many planes do, ahead of it and past it."""


@dataclass(frozen=True, slots=True)
class Geometry(Lines):
    """How a part of a volume, and the lattice on it, lie in memory."""

    width: int
    part_rows: int
    before: int
    """Rows and columns that are read ahead of the part's first ones."""
    after: int
    """Rows and columns that are read past the part's last ones."""
    above: int
    """Planes that are read ahead of the part's first, and past its last."""

    @classmethod
    def around(cls, width: int, part_rows: int, points: Neighbourhood) -> Geometry:
        """Return that of parts in which all points lie."""
        before, after = points.before + TAPS, points.after + TAPS
        return cls(width, part_rows, before, after, points.above + 1)

    @property
    def plane(self) -> int:
        """Values of one plane of the image, or of one plane of lattice points."""
        return self.rows * self.stride

    @property
    def points(self) -> int:
        """Lattice points of a plane that the part sees, with room for whole vectors."""
        line = self.width + self.before + self.after - 2 * TAPS
        return padded((self.rows - 2 * TAPS) * line) + LANES * (LANES + 1)

    @property
    def sums(self) -> int:
        """Sums of a plane of voxels and one phase, as the compiled kernel has them.

        Each lane has a stretch, with voxels on both sides that its points reach.
        """
        reach = max(self.before, self.after) - TAPS
        line = self.width + self.before + self.after - 2 * TAPS
        return self.points + 2 * LANES * reach * (line + 1)

    def image_floats(self, planes: int) -> int:
        """Return the values of so many planes of a part, with what surrounds them."""
        return (planes + 2 * self.above) * self.plane

    def lattice_floats(self, planes: int) -> int:
        """Return the values of the lattice on so many planes of a part."""
        return (planes + 2 * self.above - 2) * 4 * COMPONENTS * self.plane


def weight(
    in_plane: NDArray[np.float64], dz: NDArray[np.float64], window: Window
) -> NDArray[np.float64]:
    """Return what samples weigh, given their distances in pixels and in planes."""
    sigma = window.radius / FWHM_PER_SIGMA
    falloff = in_plane**2 / (2 * sigma**2)
    if window.radius_z:
        falloff = falloff + dz**2 / (2 * (window.radius_z / FWHM_PER_SIGMA) ** 2)
    result = (np.hypot(in_plane, window.voxel_ratio * dz) * np.exp(-falloff)) ** 4
    near = (in_plane <= farthest(window.radius)) & (
        np.abs(dz) <= farthest(window.radius_z)
    )
    return np.where(near, result, 0.0)


@lru_cache(maxsize=4)
def neighbourhood(
    magnification_z: int, magnification: int, window: Window, sensitivity: float
) -> Neighbourhood:
    """Return the lattice points that count, with weights that sum to one.

    Left out are samples that weigh next to nothing together, both in the whole window
    and among what it can see of a structure that does not change along Z. An exponent
    below 1 makes small values larger, so fewer samples are negligible, and none rough;
    one above 1 makes what they lack larger, so fewer are either.
    """
    _, plane_phases = catmull_rom.phases(magnification_z, 0.0)
    _, phases = catmull_rom.phases(magnification, 0.0)
    reach = window_half_width(window.radius)
    steps = np.arange(-reach, reach + 1)
    at = np.floor(2 * phases).astype(int)[:, None] + steps
    distance = at / 2 - phases[:, None]
    planes = np.arange(-window.reach_z, window.reach_z + 1)
    distance_z = planes + 0.5 - plane_phases[:, None]
    if not window.reach_z:
        distance_z[:] = 0.0
    phase_count = len(plane_phases) * len(phases) ** 2
    dz, dy, dx, plane, row, column = (
        each.reshape(phase_count, -1)
        for each in np.broadcast_arrays(
            distance_z[:, None, None, :, None, None],
            distance[None, :, None, None, :, None],
            distance[None, None, :, None, None, :],
            planes[None, None, None, :, None, None],
            at[None, :, None, None, :, None],
            at[None, None, :, None, None, :],
        )
    )
    share = weight(np.hypot(dx, dy), dz, window)
    total = share.sum(axis=1, keepdims=True)
    share = np.divide(share, total, out=np.zeros_like(share), where=total > 0)
    axial = dz * window.voxel_ratio
    away = np.sqrt(dx**2 + dy**2 + axial**2)
    away[away == 0] = 1.0
    unchanging = share * (1.0 - np.abs(axial) / away)
    seen = np.maximum(unchanging.sum(axis=1, keepdims=True), NEGLIGIBLE)
    least = SMALL * negligible_share([sensitivity])
    left_out = negligible(share, least) & negligible(unchanging / seen, least)
    rough = (
        negligible(share / np.minimum(seen, 0.125), ROUGH / max(1.0, sensitivity))
        & ~left_out
        & (sensitivity >= 1)
    )
    kind = np.where(left_out, 2, np.where(rough, 0, 1))
    counts = (kind < 2).sum(axis=1, dtype=np.int32)
    order = np.argsort(kind, axis=1, kind="stable")
    order = order[:, : max(1, counts.max())]

    def ordered(values: NDArray[Any]) -> NDArray[Any]:
        return np.take_along_axis(np.where(left_out, 0, values), order, axis=1)

    return Neighbourhood(
        counts,
        rough.sum(axis=1, dtype=np.int32),
        ordered(share),
        tuple(ordered(each / away) for each in (dx, dy, axial)),
        tuple(ordered(each) for each in (column, row, plane)),
        before=max(0, -int((ordered(column) >> 1).min())),
        after=max(0, int((ordered(column) >> 1).max())),
        above=int(np.abs(ordered(plane)).max()),
    )


def samples(
    points: Neighbourhood, geometry: Geometry, sensitivity: float
) -> NDArray[Any]:
    """Return the points as the kernel takes them, shape (Mz * M * M, most points).

    Directions are multiplied by the weight of rough points, and of all if the exponent
    is below 1. ``squared`` is what the root is taken of, at a right angle: the weight
    squared, a quarter of it for precise points, whose roots come doubled.
    """
    scaled = np.arange(points.weight.shape[1]) < points.rough[:, None]
    scaled |= sensitivity < 1
    table = np.zeros(points.weight.shape, SAMPLE)
    for name, direction in zip(
        ("column", "row", "plane"), points.directions, strict=True
    ):
        table[name] = np.where(scaled, direction * points.weight, direction)
    table["weight"] = points.weight
    table["squared"] = np.where(scaled, 1.0, 0.25) * table["weight"] ** 2
    table["quarter"] = table["squared"] / 4
    column, row, plane = points.places
    lattice_plane = 2 * (row & 1) + (column & 1) + 4 * COMPONENTS * plane
    offset = lattice_plane * geometry.plane
    offset += (row >> 1) * geometry.stride + (column >> 1)
    if np.abs(offset).max() + 4 * COMPONENTS * geometry.plane > np.iinfo(np.int32).max:
        raise OverflowError(
            f"{geometry.part_rows} rows of {geometry.width} pixels are too many for "
            "one part: the lattice around a voxel has more than 2^31 values"
        )
    table["offset"] = offset
    return table


def between_planes(
    phases: NDArray[np.float64],
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return each phase's first plane, from its own on, and weights of two planes."""
    first = np.floor(phases - 0.5)
    share = phases - 0.5 - first
    weights = np.stack([1.0 - share, share], axis=1)
    return first.astype(np.int32), weights.astype(np.float32)
