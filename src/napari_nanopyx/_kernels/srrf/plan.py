"""What an SRRF reconstruction takes: tables, running values, time points, cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import windows
from napari_nanopyx._kernels.declaration import Cost, Merger, Output, Partial
from napari_nanopyx._kernels.layout import padded
from napari_nanopyx._kernels.srrf import merging, reference, tables
from napari_nanopyx._kernels.srrf.merging import Temporal, Weight
from napari_nanopyx._kernels.srrf.tables import Geometry

STATISTIC = {"TRA": 0, "VAR": 1, "STD": 1, "TRPPM": 2, "TRM": 3}
FRAMES = 4
"""What the kernel keeps: any other reduction needs every frame's image, beside that."""

UNWEIGHTED, BEFORE, AFTER = range(3)
SAMPLE_FLOPS = 24
"""Per ring sample: four taps of two components along the row (16), the square of the
gradient (3), closeness (4) and sum (1); the inverse root is not counted."""
TURN_FLOPS = 34
"""Per ring sample and row of phases: four taps of two components down, and a turn."""
LIGHT_FLOPS = 36
GRADIENT_FLOPS = 40
PART_FLOATS = 150_000
"""What one part's image and gradients may take to stay in a core's cache."""

PLANES = 5
"""Of a gradient: two components, what each lacks, and where they are doubtful."""


@dataclass(frozen=True)
class SrrfPlan:
    """SRRF of (T, Y, X) frames; the parameters are those of `napari_nanopyx.srrf`.

    `drift` holds each frame's (row, column) correction in pixels, shape (T, 2).
    """

    shape: tuple[int, int, int]
    magnification: int = 5
    ring_radius: float = 0.5
    axes: int = 6
    border: int = 0
    temporal: Temporal = "TRA"
    frames_per_timepoint: int = 0
    intensity_weighting: bool = True
    weight: Weight = "after"
    integrate_lag_times: bool = True
    positivity: bool = True
    renormalise: bool = False
    gradient_smoothing: bool = False
    drift: NDArray[np.float64] | None = None

    @property
    def parameters(self) -> Mapping[str, float | str | bool]:
        """What the run time depends on."""
        return {
            "magnification": self.magnification,
            "ring_radius": self.ring_radius,
            "axes": self.axes,
            "temporal": self.temporal,
            "intensity_weighting": self.intensity_weighting,
            "weight": "after" if self.weighting == AFTER else "before",
            "gradient_smoothing": self.gradient_smoothing,
            "drift": self.drift is not None,
        }

    @property
    def weighting(self) -> int:
        """Whether radiality is weighted in each frame, after the reduction, or not."""
        if not self.intensity_weighting:
            return UNWEIGHTED
        is_after = self.weight == "after" and self.temporal in merging.WEIGHTED_AFTER
        return AFTER if is_after else BEFORE

    @property
    def precise(self) -> bool:
        """Whether what a reduction makes of radiality needs more digits than float32.

        Light fluctuates more than radiality does, so that products with it do not.
        """
        fluctuates = self.temporal in ("VAR", "STD", "TRAC2", "TRAC3", "TRAC4")
        return fluctuates and self.weighting != BEFORE

    @cached_property
    def windows(self) -> list[range]:
        """The frames of each time point that has enough of them."""
        least = merging.LEAST_FRAMES[self.temporal]
        return windows.windows(self.shape[0], self.frames_per_timepoint, least=least)

    @cached_property
    def segments(self) -> Sequence[range]:
        """Time points: they lie side by side."""
        return windows.segments(self.windows)

    @property
    def ring(self) -> int:
        """Samples on a ring."""
        return 2 * self.axes

    @property
    def cost(self) -> Cost:
        """Operations of the ring sums, and of what they need."""
        _, height, width = self.shape
        m, pixels = self.magnification, height * width
        light = LIGHT_FLOPS if self.intensity_weighting else 0
        each = m * m * (self.ring * SAMPLE_FLOPS + light) + m * self.ring * TURN_FLOPS
        return Cost(pixels * (each + GRADIENT_FLOPS), 4.0 * pixels)

    @property
    def block_bytes_per_frame(self) -> int:
        """The frame as it is read, and its image if that is kept."""
        _, height, width = self.shape
        outputs = self.outputs(range(1)).values()
        images = sum(output.nbytes for output in outputs if output.each_frame)
        return 4 * height * width + images

    @property
    def tables_vary(self) -> bool:
        """Whether frames are shifted one by one."""
        return self.drift is not None

    def part_rows(self, threads: int) -> int:
        """Return a band that fits a core's cache and leaves each thread several."""
        height = self.shape[1]
        fits = PART_FLOATS // (self._planes * self._geometry(1).stride)
        return int(np.clip(min(fits, -(-height // (4 * threads))), 4, max(height, 4)))

    def parts(self, count: int, part_rows: int) -> int:  # noqa: ARG002
        """Return the number of bands; each takes all frames of a block."""
        return -(-self.shape[1] // part_rows)

    def work_floats(self, part_rows: int) -> dict[str, int]:
        """Return the sizes of the continued image and of its gradients."""
        geometry = self._geometry(part_rows)
        plane = geometry.rows * geometry.stride
        return {"image": plane, "gradient": PLANES * plane}

    def scratch_floats(self, part_rows: int) -> int:
        """Return room for a band's planes, rows of ring samples, and some lines."""
        geometry = self._geometry(part_rows)
        turned = (4 if self.precise else 2) * self.ring
        lines = max(3, 2 * self.magnification)
        rows = self._planes * geometry.rows + turned + lines
        doubles = self.magnification * (4 * self.ring + 8) if self.precise else 0
        return rows * geometry.stride + 2 * doubles + 256

    @property
    def _planes(self) -> int:
        """Planes of a band: the image, its gradients, others smoothed or in float64."""
        more = int(self.gradient_smoothing) + int(self.precise)
        return 1 + PLANES + more * (PLANES - 1)

    @property
    def reach(self) -> int:
        """Rows around a pixel's that its radiality depends on, to each side."""
        geometry = self._geometry(1)
        return 1 + max(geometry.before, geometry.after)

    def _geometry(self, part_rows: int) -> Geometry:
        return Geometry(
            self.shape[2], part_rows, self.ring_radius, self.gradient_smoothing
        )

    def scalars(self, part_rows: int) -> dict[str, int | float]:
        """Return sizes and switches."""
        geometry = self._geometry(part_rows)
        return {
            "height": self.shape[1],
            "width": self.shape[2],
            "magnification": self.magnification,
            "ring": self.ring,
            "statistic": STATISTIC.get(self.temporal, FRAMES),
            "weighting": self.weighting,
            "positivity": int(self.positivity),
            "renormalise": int(self.renormalise),
            "smoothing": int(self.gradient_smoothing),
            "precise": int(self.precise),
            "before": geometry.before,
            "part_rows": part_rows,
            "framed_rows": geometry.rows,
            "stride": geometry.stride,
            "pitch": geometry.pitch,
        }

    def tables(self, frames: range, part_rows: int) -> dict[str, NDArray[Any]]:
        """Return what the kernel looks up, one set a frame if frames are shifted."""
        shifts = np.zeros((1, 2))
        if self.drift is not None:
            shifts = self.drift[frames.start : frames.stop]
        sizes = self.shape[1], self.magnification, self.axes, self.border
        geometry = self._geometry(part_rows)
        each = [tables.of_shift(geometry, *sizes, pair) for pair in shifts.tolist()]
        return {name: np.stack([table[name] for table in each]) for name in each[0]}

    def outputs(self, frames: range) -> dict[str, Output]:
        """Return values over frames, one plane a phase; perhaps those of each, too."""
        _, height, width = self.shape
        shape = (self.magnification**2, height, padded(width))
        names = merging.outputs(
            self.temporal, after=self.weighting == AFTER, precise=self.precise
        )
        found = dict.fromkeys(names, Output(shape))
        if "away" in found:
            found["away"] = Output((len(frames), *shape), each_frame=True)
        return found

    def reference(self, block: NDArray[Any], frames: range) -> Partial:
        """Reconstruct the frames in float64, straight from the formulas."""
        shifts = None
        if self.drift is not None:
            shifts = self.drift[frames.start : frames.stop]
        radiality, light = reference.frames(
            block,
            magnification=self.magnification,
            ring_radius=self.ring_radius,
            axes=self.axes,
            border=self.border,
            positivity=self.positivity,
            renormalise=self.renormalise,
            gradient_smoothing=self.gradient_smoothing,
            shifts=shifts,
        )
        radiality, light = (
            merging.phases(each, self.magnification) for each in (radiality, light)
        )
        if self.weighting == BEFORE:
            radiality = radiality * light
        after = light if self.weighting == AFTER else None
        return merging.partial(radiality, after, self.temporal)

    def resized(self, shape: tuple[int, ...]) -> SrrfPlan:
        """Return the same for about this shape: enough frames, and a pixel inside.

        Drift is kept to a quarter of a frame.
        """
        count, height, width = shape
        count = max(count, merging.LEAST_FRAMES[self.temporal])
        drift = self.drift
        if drift is not None:
            farthest = (height / 4, width / 4)
            drift = np.clip(
                np.resize(drift, (count, 2)), np.negative(farthest), farthest
            )
        border = max(0, min(self.border, (min(height, width) - 1) // 2 - 1))
        size = (count, height, width)
        return replace(self, shape=size, border=border, drift=drift)

    def merger(self) -> Merger:
        """Return an empty collector for every time point."""
        _, height, width = self.shape
        return merging.merger(
            self.temporal,
            self.windows,
            (self.magnification, height, width),
            integrate_lag_times=self.integrate_lag_times,
        )
