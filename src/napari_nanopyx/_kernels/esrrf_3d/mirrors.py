"""What each lattice point adds to which voxels: the tables of the compiled kernel.

Samples that differ only in the signs of their distances make a mirror, see mirrors.h.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.esrrf_3d.tables import Window, neighbourhood

MIRROR = np.dtype(
    [
        *((name, "f4") for name in ("column", "row", "half_column", "half_row")),
        *((name, "f4") for name in ("in_plane", "plane", "weight", "squared")),
        *((name, "i4") for name in ("sublattice", "kind", "is_flat")),
    ]
)
END = np.dtype([(name, "i4") for name in ("phase", "plane", "row", "column")])

ROUGH, PRECISE, FAINT = range(3)
ENDS = 8
"""Of the lines through a lattice point: voxels whose distances differ in the signs."""


class Mirrors(NamedTuple):
    """What the kernel looks up."""

    mirrors: NDArray[Any]
    """One at least, shape (n,)."""
    ends: NDArray[Any]
    """Voxels, as steps from the lattice point's own, shape (n, 8): the far end of a
    line, then its near one; phase -1 where there is none."""
    used: int
    """How many there are; without any, there is one that says nothing."""


class Samples(NamedTuple):
    """The samples of all phases, one after another; arrays have the shape (n,)."""

    phase: NDArray[np.int64]
    kind: NDArray[np.int64]
    weight: NDArray[np.float64]
    direction: NDArray[np.float64]
    """Unit vectors from voxels to points, shape (3, n): columns, rows, planes."""
    distance: NDArray[np.int64]
    """The same distances in whole numbers, by which equal ones are found."""
    place: NDArray[np.int64]
    """Steps from voxels to lattice points, shape (3, n): half pixels and planes."""

    def taken(self, chosen: NDArray[np.int64]) -> Samples:
        """Return some of the samples, in this order."""
        phase, kind, weight, direction, distance, place = self
        return Samples(
            phase[chosen],
            kind[chosen],
            weight[chosen],
            direction[:, chosen],
            distance[:, chosen],
            place[:, chosen],
        )


@lru_cache(maxsize=4)
def mirrors(
    magnification_z: int, magnification: int, window: Window, sensitivity: float
) -> Mirrors:
    """Return the samples of all phases, ordered by lattice point and direction."""
    found = samples(magnification_z, magnification, window, sensitivity)
    column, row, _ = found.place
    size = np.abs(found.distance)
    end = _ends(found.distance)
    # Of a single plane all phases along the axis are alike: they have a mirror each.
    deep = found.phase // magnification**2 * (0 if window.reach_z else 1)
    keys = (row & 1, size[2], size[1], size[0], column & 1, found.kind, deep)
    order = np.lexsort(keys[::-1])
    number = _numbered(np.stack(keys)[:, order])
    count = int(number.max(initial=-1)) + 1
    first = np.searchsorted(number, np.arange(count))
    ends = np.full((max(1, count), ENDS), -1).astype(END)
    place = (number, end[order])
    ends["phase"][place] = found.phase[order]
    ends["column"][place] = -(column >> 1)[order]
    ends["row"][place] = -(row >> 1)[order]
    ends["plane"][place] = -found.place[2, order]
    return Mirrors(_described(found.taken(order[first])), ends, count)


def samples(
    magnification_z: int, magnification: int, window: Window, sensitivity: float
) -> Samples:
    """Return what `tables.neighbourhood` does, phase after phase."""
    points = neighbourhood(magnification_z, magnification, window, sensitivity)
    number = np.arange(points.weight.shape[1])
    phase, place = np.nonzero(number < points.counts[:, None])
    column, row, plane = (each[phase, place] for each in points.places)
    deep, down, across = np.unravel_index(
        phase, (magnification_z, magnification, magnification)
    )
    axial = magnification_z * (2 * plane + 1) - 2 * deep - 1
    kind = np.where(place < points.rough[phase], ROUGH, PRECISE)
    return Samples(
        phase,
        kind if sensitivity >= 1 else np.full_like(kind, FAINT),
        points.weight[phase, place],
        np.stack([each[phase, place] for each in points.directions]),
        np.stack(
            [
                magnification * column - 2 * across - 1,
                magnification * row - 2 * down - 1,
                axial if window.reach_z else np.zeros_like(axial),
            ]
        ),
        np.stack([column, row, plane]),
    )


def _ends(distance: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which end of which line through the lattice point each voxel is.

    A line leads from its odd end to the point and on. Along odd lines the distance in
    rows is of the other sign than that in columns, along the second two that in planes.
    """
    column, row, plane = np.sign(distance)
    side = np.where(column != 0, column, np.where(plane != 0, plane, row))
    line = (row * side < 0).astype(np.int64) + 2 * (plane * side < 0)
    end: NDArray[np.int64] = 2 * line + (side > 0)
    return end


def _described(found: Samples) -> NDArray[Any]:
    """Return the mirrors, given a sample of each, one at least."""
    column, row, plane = np.abs(found.direction)
    table = np.zeros(max(1, len(found.kind)), MIRROR)
    used = table[: len(found.kind)]
    rough = found.kind == ROUGH
    # Turned about the axis into the direction, which then has two parts.
    in_plane = np.hypot(column, row)
    away = np.where(in_plane > 0, in_plane, 1.0)
    cosine, sine = np.where(in_plane > 0, column / away, 1.0), row / away
    half = found.weight / 2
    used["column"] = np.where(rough, found.weight * column, cosine)
    used["row"] = np.where(rough, found.weight * row, sine)
    used["half_column"], used["half_row"] = half * cosine, half * sine
    used["in_plane"] = half * in_plane
    used["plane"] = np.where(rough, found.weight, half) * plane
    used["weight"] = found.weight
    used["squared"] = used["weight"] ** 2
    used["sublattice"] = 2 * (found.place[1] & 1) + (found.place[0] & 1)
    used["kind"] = found.kind
    used["is_flat"] = found.distance[2] == 0
    return table


def _numbered(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of each run of equal columns, shape (n,)."""
    changes = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
    return np.append(0, np.cumsum(changes))[: keys.shape[1]]
