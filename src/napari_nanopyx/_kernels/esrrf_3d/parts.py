"""How a volume is cut into parts, each for one thread of the compiled kernel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from napari_nanopyx._kernels.esrrf_3d import mirrors, tables
from napari_nanopyx._kernels.esrrf_3d.tables import Geometry, Neighbourhood
from napari_nanopyx._kernels.layout import padded

PLANES = 16
"""Of a part, at most: those around it are prepared for it alone."""
COLUMNS = (16, 64)
"""Of a part, at most: so many if it is small enough then, else fewer."""
ROWS = (8, 64)
FLOATS = 4_000_000
"""What the lattice on a plane, and the sums of the voxels that it reaches, should take.
Large parts are worth it: fewer lattice points are found twice."""
LINES = 12
"""Rows of float64 that the lattice of one row of voxels is made of, in float32."""


class Parts(NamedTuple):
    """Blocks of voxels, through all frames."""

    size: tuple[int, int, int]
    """Planes, rows and columns of all."""
    phases: int
    """Output voxels of each."""
    points: Neighbourhood

    @property
    def planes(self) -> int:
        """Planes of a part."""
        return min(PLANES, self.size[0])

    @property
    def columns(self) -> int:
        """Columns of a part, in whole vectors."""
        few, many = COLUMNS
        large = Geometry.around(many, ROWS[0], self.points)
        most = many if self._floats(large) <= FLOATS else few
        width = self.size[2]
        return padded(-(-width // -(-width // most)))

    def rows(self, threads: int) -> int:
        """Return as many rows as leave a part for each thread."""
        depth, height, width = self.size
        few, more = (self._floats(self.geometry(rows)) for rows in (8, 16))
        fits = 8 + 8 * (FLOATS - few) // (more - few)
        others = -(-depth // self.planes) * -(-width // self.columns)
        shared = -(-height // -(-threads // others))
        bands = -(-height // int(np.clip(min(fits, shared), *ROWS)))
        return -(-height // bands)

    def count(self, rows: int) -> int:
        """Return how many parts there are."""
        sizes = (self.planes, rows, self.columns)
        cut = zip(self.size, sizes, strict=True)
        return int(np.prod([-(-length // size) for length, size in cut]))

    def geometry(self, rows: int) -> Geometry:
        """Return how a part lies in memory."""
        return Geometry.around(self.columns, rows, self.points)

    def scratch_floats(self, rows: int, mirror_count: int) -> int:
        """Return room for all that a part takes; two more sums are for its own use."""
        geometry = self.geometry(rows)
        pointers = 2 * mirrors.ENDS * mirror_count
        lines = (LINES + rows) * geometry.stride
        floats = geometry.image_floats(self.planes) + self._floats(geometry)
        return floats + pointers + lines + 2 * geometry.sums + 64

    def _floats(self, geometry: Geometry) -> int:
        lattice = 2 * 4 * tables.COMPONENTS * geometry.points
        planes = 2 * geometry.above - 1
        return lattice + planes * self.phases * geometry.sums
