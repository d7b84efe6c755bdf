"""What a 3-D eSRRF reconstruction takes: tables, running sums, time windows, cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import catmull_rom, windows
from napari_nanopyx._kernels.declaration import Cost, Output, Partial
from napari_nanopyx._kernels.esrrf.sums import STATISTIC, sums_for
from napari_nanopyx._kernels.esrrf.tables import intensity_taps
from napari_nanopyx._kernels.esrrf_3d import mirrors, reference, tables
from napari_nanopyx._kernels.esrrf_3d.parts import Parts
from napari_nanopyx._kernels.esrrf_3d.tables import Geometry, Neighbourhood, Window
from napari_nanopyx._kernels.layout import padded
from napari_nanopyx._kernels.moments import MomentsMerger
from napari_nanopyx._kernels.totals import LEAST_FRAMES, Statistic

SAMPLE_FLOPS = 19
ROUGH_FLOPS = 10
LATTICE_FLOPS = 400
"""Per camera voxel: differences, half-way sums, norms of four lattice points."""


@dataclass(frozen=True)
class Esrrf3dPlan:
    """eSRRF of (T, Z, Y, X) volumes, parameters as for `napari_nanopyx.esrrf_3d`.

    Frames of one plane, (T, Y, X), have no neighbours along the axis.
    """

    shape: tuple[int, ...]
    magnification: int = 2
    magnification_z: int = 2
    radius: float = 1.5
    sensitivity: float = 1.0
    psf_ratio: float = 2.8
    voxel_ratio: float = 4.0
    temporal: Statistic = "AVG"
    frames_per_timepoint: int = 0
    intensity_weighting: bool = True
    macro_pixel_correction: bool = True
    margins: tuple[int, int] = (0, 0)
    """Planes at both ends that are only seen: no voxels of theirs are reconstructed."""

    @property
    def size(self) -> tuple[int, int, int]:
        """Planes, rows and columns of what is reconstructed of a volume."""
        *_, height, width = self.shape[1:]
        return (self._given_depth - sum(self.margins), height, width)

    @property
    def _given_depth(self) -> int:
        return self.shape[1] if len(self.shape) > 3 else 1

    @property
    def factors(self) -> tuple[int, int, int]:
        """Output voxels per camera voxel, along each axis."""
        return (self.magnification_z, self.magnification, self.magnification)

    @property
    def window(self) -> Window:
        """The neighbourhood of a voxel."""
        radius_z = self.radius * self.psf_ratio / self.voxel_ratio
        return Window(
            self.radius, radius_z if self._given_depth > 1 else 0.0, self.voxel_ratio
        )

    @property
    def reach(self) -> int:
        """How many planes a voxel sees, ahead of its own and past it."""
        return self.window.reach_z + 1

    @property
    def parameters(self) -> Mapping[str, float | str | bool]:
        """What the run time depends on."""
        return {
            "magnification": self.magnification,
            "magnification_z": self.magnification_z,
            "radius": self.radius,
            "sensitivity": self.sensitivity,
            "psf_ratio": self.psf_ratio,
            "voxel_ratio": self.voxel_ratio,
            "temporal": self.temporal,
            "intensity_weighting": self.intensity_weighting,
        }

    @cached_property
    def windows(self) -> list[range]:
        """The frames of each time point that has enough of them."""
        least = LEAST_FRAMES[self.temporal]
        return windows.windows(self.shape[0], self.frames_per_timepoint, least=least)

    @cached_property
    def segments(self) -> Sequence[range]:
        """Runs of frames between the edges of time points."""
        return windows.segments(self.windows)

    @cached_property
    def cost(self) -> Cost:
        """Operations on the samples, as `tables.neighbourhood` counts them."""
        points = self._neighbourhood
        each = ROUGH_FLOPS * float(points.rough.mean())
        each += SAMPLE_FLOPS * float((points.counts - points.rough).mean())
        each += 76 if self.intensity_weighting else 4
        voxels = int(np.prod(self.size))
        output = voxels * int(np.prod(self.factors))
        given = 4.0 * float(np.prod(self.shape[1:]))
        return Cost(output * each + LATTICE_FLOPS * voxels, given)

    @property
    def block_bytes_per_frame(self) -> int:
        """The volume as it is read, and its lattice, which may be held as a whole."""
        return 4 * sum(
            (int(np.prod(self.shape[1:])), *self.work_floats(self.size[1]).values())
        )

    @property
    def tables_vary(self) -> bool:
        """All frames have the same tables."""
        return False

    def part_rows(self, threads: int) -> int:
        """Return a band that leaves a part for each thread."""
        return self._parts.rows(threads)

    def parts(self, count: int, part_rows: int) -> int:  # noqa: ARG002
        """Return the number of blocks of voxels; each takes all frames."""
        return self._parts.count(part_rows)

    def work_floats(self, part_rows: int) -> dict[str, int]:
        """Return the sizes of the continued volume and its lattice."""
        geometry, depth = self._geometry(part_rows), self.size[0]
        return {
            "image": geometry.image_floats(depth),
            "lattice": geometry.lattice_floats(depth),
        }

    def scratch_floats(self, part_rows: int) -> int:
        """Return room for a part of the volume, its lattice and sums of its voxels."""
        return self._parts.scratch_floats(part_rows, self._mirrors.used)

    @property
    def _parts(self) -> Parts:
        return Parts(self.size, int(np.prod(self.factors)), self._neighbourhood)

    def _geometry(self, part_rows: int) -> Geometry:
        return Geometry.around(self.size[2], part_rows, self._neighbourhood)

    def scalars(self, part_rows: int) -> dict[str, int | float]:
        """Return sizes and switches."""
        geometry = self._geometry(part_rows)
        depth, height, width = self.size
        points = self._neighbourhood
        whole = self.sensitivity == int(self.sensitivity) and self.sensitivity <= 16
        return {
            "depth": depth,
            "given_depth": self._given_depth,
            "ahead": self.margins[0],
            "height": height,
            "width": width,
            "magnification": self.magnification,
            "magnification_z": self.magnification_z,
            "statistic": STATISTIC[self.temporal],
            "weighting": int(self.intensity_weighting),
            "whole_sensitivity": int(self.sensitivity) if whole else 0,
            "sensitivity": float(self.sensitivity),
            "axial_scale": 1.0 / self.voxel_ratio,
            "above": geometry.above,
            "before": geometry.before,
            "part_planes": self._parts.planes,
            "part_rows": part_rows,
            "framed_rows": geometry.rows,
            "stride": geometry.stride,
            "pitch": geometry.pitch,
            "most_samples": points.weight.shape[1],
            "part_columns": self._parts.columns,
            "part_stride": self._parts.geometry(part_rows).stride,
            "points": self._parts.geometry(part_rows).points,
            "mirror_count": self._mirrors.used,
            "compensated": int("sum_error" in self._sums),
        }

    def tables(self, frames: range, part_rows: int) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        """Return what the kernel looks up."""
        points, geometry = self._neighbourhood, self._geometry(part_rows)
        _, along = catmull_rom.phases(self.magnification_z, 0.0)
        _, across = catmull_rom.phases(self.magnification, 0.0)
        plane_tap, plane_weights = tables.between_planes(along)
        tap, weights = intensity_taps(across)
        return {
            "counts": points.counts,
            "rough": points.rough,
            "samples": tables.samples(points, geometry, self.sensitivity),
            "mirrors": self._mirrors.mirrors,
            "ends": self._mirrors.ends,
            "plane_tap": plane_tap,
            "plane_weights": plane_weights,
            "tap": tap,
            "weights": weights,
        }

    @property
    def _neighbourhood(self) -> Neighbourhood:
        return tables.neighbourhood(
            self.magnification_z, self.magnification, self.window, self.sensitivity
        )

    @property
    def _mirrors(self) -> mirrors.Mirrors:
        return mirrors.mirrors(
            self.magnification_z, self.magnification, self.window, self.sensitivity
        )

    @property
    def _sums(self) -> tuple[str, ...]:
        return sums_for(self.temporal, self.segments)

    def outputs(self, frames: range) -> dict[str, Output]:  # noqa: ARG002
        """Return the running sums, one volume a phase."""
        depth, height, width = self.size
        phases = int(np.prod(self.factors))
        volumes = Output((phases, depth, height, padded(width)))
        return dict.fromkeys(self._sums, volumes)

    def reference(self, block: NDArray[Any], frames: range) -> Partial:  # noqa: ARG002
        """Reconstruct the volumes in float64, straight from the formulas."""
        stack = reference.volumes(
            block.reshape(len(block), self._given_depth, *self.size[1:]),
            magnification=self.magnification,
            magnification_z=self.magnification_z,
            window=self.window,
            sensitivity=self.sensitivity,
            intensity_weighting=self.intensity_weighting,
        )
        first = self.magnification_z * self.margins[0]
        stack = stack[:, first : first + self.magnification_z * self.size[0]]
        return reference.partial(stack, self.factors, self.temporal)

    def resized(self, shape: tuple[int, ...]) -> Esrrf3dPlan:
        """Return the same for about this shape: with enough frames.

        Of images, it is that of a few planes this large.
        """
        if len(shape) < len(self.shape):
            count, *sides = shape
            shape = (count, min(self._given_depth, 3), *sides)
        shape = (max(shape[0], LEAST_FRAMES[self.temporal]), *shape[1:])
        return replace(self, shape=shape, margins=(0, 0))

    def merger(self) -> MomentsMerger:
        """Return empty sums for every time point."""
        return MomentsMerger(
            self.windows,
            self.temporal,
            self.factors,
            self.size,
            self.macro_pixel_correction,
        )
