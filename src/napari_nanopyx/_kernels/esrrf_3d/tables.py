"""What the 3-D eSRRF kernel looks up: all that depends only on a voxel's phase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.esrrf.tables import (
    FWHM_PER_SIGMA,
    NEGLIGIBLE,
    farthest,
    negligible,
    window_half_width,
)
from napari_nanopyx._kernels.layout import padded

_WEIGHTS = ("weight", "column", "row", "plane")
SAMPLE = np.dtype([*((name, "f4") for name in _WEIGHTS), ("offset", "i4")])
COMPONENTS = 3
"""Of a gradient; each has four planes of lattice points a plane of voxels."""

TAPS = 3
"""Voxels to each side that the gradient of a lattice point takes in."""


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


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a part of a volume, and the lattice on it, lie in memory."""

    width: int
    part_rows: int
    window: Window

    @property
    def before(self) -> int:
        """Rows and columns that are read ahead of the part's first ones."""
        return -(-window_half_width(self.window.radius) // 2) + TAPS

    @property
    def after(self) -> int:
        """Rows and columns that are read past the part's last ones."""
        return (1 + window_half_width(self.window.radius)) // 2 + TAPS

    @property
    def above(self) -> int:
        """Planes that are read ahead of the part's first, and past its last."""
        return self.window.reach_z + 1

    @property
    def pitch(self) -> int:
        """Length of a row of outputs."""
        return padded(self.width)

    @property
    def rows(self) -> int:
        """Rows of the part with what surrounds it."""
        return self.before + self.part_rows + self.after

    @property
    def stride(self) -> int:
        """Length of a row of the part with what surrounds it."""
        return padded(self.before + self.pitch + self.after + 16)

    @property
    def plane(self) -> int:
        """Values of one plane of the image, or of one plane of lattice points."""
        return self.rows * self.stride

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


def samples(
    plane_phases: NDArray[np.float64],
    phases: NDArray[np.float64],
    geometry: Geometry,
    sensitivity: float,
) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """Return each phase's lattice points, with weights that sum to one.

    Left out are samples that weigh next to nothing together, both in the whole window
    and among what it can see of a structure that does not change along Z. An exponent
    below 1 makes small values larger, so fewer samples are negligible.

    Returns
    -------
    counts : ndarray of int32, shape (Mz * M * M,)
        How many points each phase has.
    samples : ndarray of `SAMPLE`, shape (Mz * M * M, most points)
        The points; those past the count weigh nothing.
    """
    window = geometry.window
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
    away = np.sqrt(dx**2 + dy**2 + (window.voxel_ratio * dz) ** 2)
    direction = share / np.where(away > 0, away, 1.0)
    unchanging = share - np.abs(direction * dz * window.voxel_ratio)
    unchanging /= np.maximum(unchanging.sum(axis=1, keepdims=True), NEGLIGIBLE)
    least = NEGLIGIBLE ** max(1.0, 1.0 / sensitivity)
    kept = ~(negligible(share, least) & negligible(unchanging, least))
    counts = kept.sum(axis=1, dtype=np.int32)
    order = np.argsort(~kept, axis=1, kind="stable")[:, : max(1, counts.max())]

    table = np.zeros(share.shape, SAMPLE)
    table["weight"] = share
    table["column"] = direction * dx
    table["row"] = direction * dy
    table["plane"] = direction * dz * window.voxel_ratio
    lattice_plane = 2 * (row & 1) + (column & 1) + 4 * COMPONENTS * plane
    offset = lattice_plane * geometry.plane
    offset += (row >> 1) * geometry.stride + (column >> 1)
    if np.abs(offset).max() + 4 * COMPONENTS * geometry.plane > np.iinfo(np.int32).max:
        raise OverflowError(
            f"{geometry.part_rows} rows of {geometry.width} pixels are too many for "
            "one part: the lattice around a voxel has more than 2^31 values"
        )
    table["offset"] = offset
    table[~kept] = 0
    return counts, np.take_along_axis(table, order, axis=1)


def between_planes(
    phases: NDArray[np.float64],
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return each phase's first plane, from its own on, and weights of two planes."""
    first = np.floor(phases - 0.5)
    share = phases - 0.5 - first
    weights = np.stack([1.0 - share, share], axis=1)
    return first.astype(np.int32), weights.astype(np.float32)
