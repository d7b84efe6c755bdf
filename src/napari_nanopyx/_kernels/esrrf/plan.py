"""What an eSRRF reconstruction takes: tables, running sums, time windows, cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import windows
from napari_nanopyx._kernels.declaration import Cost, Merger, Output, Partial
from napari_nanopyx._kernels.esrrf import reference, spectral, tables
from napari_nanopyx._kernels.esrrf.gradients import Interpolation, Operator
from napari_nanopyx._kernels.esrrf.sums import STATISTIC, sums_for
from napari_nanopyx._kernels.esrrf.tables import Geometry
from napari_nanopyx._kernels.layout import padded
from napari_nanopyx._kernels.magnify import fourier
from napari_nanopyx._kernels.magnify.plan import MagnifyPlan
from napari_nanopyx._kernels.moments import Mergers, MomentsMerger
from napari_nanopyx._kernels.totals import LEAST_FRAMES, Statistic

LATTICE_FLOPS = 160
"""Per camera pixel: differences, half-way sums, norms of four lattice points."""
HALVES_FLOPS = 600
"""The same with Fourier interpolation: transforms to half pixels, in float64."""
SHARPENED_FLOPS = 16
"""Per output pixel and further sensitivity: a power, and running sums."""
PART_FLOATS = 150_000
"""What one part's image and lattice may take to stay in a core's cache."""


@dataclass(frozen=True)
class EsrrfPlan:
    """eSRRF of (T, Y, X) frames; the parameters are those of `napari_nanopyx.esrrf`.

    `drift` holds each frame's (row, column) correction in pixels, shape (T, 2). Images
    at `more_sensitivities` follow those at the first one; they cost little more.
    """

    shape: tuple[int, int, int]
    magnification: int = 5
    radius: float = 1.5
    sensitivity: float = 1.0
    temporal: Statistic = "AVG"
    frames_per_timepoint: int = 0
    frame_gap: int = 0
    intensity_weighting: bool = True
    macro_pixel_correction: bool = True
    interpolation: Interpolation = "catmull_rom"
    gradient: Operator = "roberts"
    border: Literal["extend", "zero"] = "extend"
    drift: NDArray[np.float64] | None = None
    more_sensitivities: tuple[float, ...] = ()

    @property
    def exponents(self) -> tuple[float, ...]:
        """Every sensitivity that images are made for."""
        return (self.sensitivity, *self.more_sensitivities)

    @property
    def parameters(self) -> Mapping[str, float | str | bool]:
        """What the run time depends on."""
        more = len(self.more_sensitivities)
        return ({"more_sensitivities": more} if more else {}) | {
            "magnification": self.magnification,
            "radius": self.radius,
            "sensitivity": self.sensitivity,
            "temporal": self.temporal,
            "intensity_weighting": self.intensity_weighting,
            "interpolation": self.interpolation,
            "gradient": self.gradient,
            "drift": self.drift is not None,
        }

    @cached_property
    def windows(self) -> list[range]:
        """The frames of each time point that has enough of them."""
        least = LEAST_FRAMES[self.temporal]
        return windows.windows(
            self.shape[0], self.frames_per_timepoint, self.frame_gap, least
        )

    @cached_property
    def segments(self) -> Sequence[range]:
        """Runs of frames between the edges of time points."""
        return windows.segments(self.windows)

    @cached_property
    def cost(self) -> Cost:
        """Eight operations a sample, as `tables.samples` counts them."""
        _, height, width = self.shape
        counts = self.tables(range(1), height)["counts"]
        each = 8.0 * counts.mean() + (38 if self.intensity_weighting else 4)
        each += SHARPENED_FLOPS * len(self.more_sensitivities)
        pixels = height * width
        output = pixels * self.magnification**2
        before = float(LATTICE_FLOPS * pixels)
        if self._is_fourier:
            before = HALVES_FLOPS * pixels
            if self.intensity_weighting:
                before += fourier.transform_flops(self._magnify)
        return Cost(output * each + before, 4.0 * pixels)

    @property
    def block_bytes_per_frame(self) -> int:
        """The frame as it is read, and what is prepared of it."""
        _, height, width = self.shape
        floats = height * width
        if self._is_fourier:
            geometry = self._geometry(height)
            floats += 8 * geometry.rows * geometry.stride
            if self.intensity_weighting:
                floats += 2 * self.magnification**2 * height * geometry.pitch
        return 4 * floats

    @property
    def tables_vary(self) -> bool:
        """Whether frames are shifted one by one."""
        return self.drift is not None

    def part_rows(self, threads: int) -> int:
        """Return a band that fits a core's cache and leaves each thread several."""
        height = self.shape[1]
        fits = PART_FLOATS // (9 * self._geometry(1).stride)
        return int(np.clip(min(fits, -(-height // (4 * threads))), 4, max(height, 4)))

    def parts(self, count: int, part_rows: int) -> int:  # noqa: ARG002
        """Return the number of bands; each takes all frames of a block."""
        return -(-self.shape[1] // part_rows)

    def work_floats(self, part_rows: int) -> dict[str, int]:
        """Return the sizes of the continued image and its lattice of eight planes."""
        geometry = self._geometry(part_rows)
        plane = geometry.rows * geometry.stride
        return {"image": plane, "lattice": 8 * plane}

    def scratch_floats(self, part_rows: int) -> int:
        """Return room for a band of the image and its lattice."""
        return sum(self.work_floats(part_rows).values()) + 64

    def _geometry(self, part_rows: int) -> Geometry:
        return Geometry(self.shape[2], part_rows, self.radius)

    @property
    def _is_fourier(self) -> bool:
        return self.interpolation == "fourier"

    @cached_property
    def _shifts(self) -> NDArray[np.float64]:
        """The drift correction of each frame, or the one of all."""
        return np.zeros((1, 2)) if self.drift is None else self.drift

    @cached_property
    def _magnify(self) -> MagnifyPlan:
        factor = float(self.magnification)
        return MagnifyPlan(self.shape, (factor, factor), self._shifts, "fourier")

    @property
    def _margin(self) -> int:
        """Output pixels along each border that are zero in an unshifted frame."""
        return int(self.radius * self.magnification) if self.border == "zero" else 0

    @property
    def _drift_margin(self) -> int:
        """Output pixels along each border that some frame may leave without values."""
        if self.drift is None:
            return self._margin
        farthest = float(np.abs(self.drift).max(initial=0.0))
        return self._margin + int(np.ceil(self.magnification * farthest))

    def scalars(self, part_rows: int) -> dict[str, int | float]:
        """Return sizes and switches."""
        geometry = self._geometry(part_rows)
        return {
            "height": self.shape[1],
            "width": self.shape[2],
            "magnification": self.magnification,
            "statistic": STATISTIC[self.temporal],
            "prepared": int(self._is_fourier),
            "two_point": int(self.gradient == "two_point"),
            "weighting": int(self.intensity_weighting),
            "sensitivities": len(self.exponents),
            "compensated": int("sum_error" in self._sums),
            "faint": int(min(self.exponents) < 1),
            "before": geometry.before,
            "part_rows": part_rows,
            "framed_rows": geometry.rows,
            "stride": geometry.stride,
            "pitch": geometry.pitch,
            "most_samples": (2 * tables.window_half_width(self.radius) + 1) ** 2,
        }

    def tables(self, frames: range, part_rows: int) -> dict[str, NDArray[Any]]:
        """Return what the kernel looks up, one set a frame if frames are shifted."""
        geometry = self._geometry(part_rows)
        sizes = self.shape[1], self.magnification, self._margin / self.magnification
        share = tables.negligible_share(self.exponents)
        each = [
            tables.of_shift(geometry, *sizes, share, (row, column))
            for row, column in self._shifts_of(frames)
        ]
        found = {name: np.stack([table[name] for table in each]) for name in each[0]}
        return found | tables.powers(self.exponents)

    def prepared(
        self, block: NDArray[Any], frames: range, threads: int
    ) -> dict[str, NDArray[np.float32]]:
        """Return what the kernel cannot find by itself of these frames."""
        if not self._is_fourier:
            return {}
        geometry = self._geometry(self.shape[1])
        shifts = self._shifts_of(frames)
        whole = np.floor(-np.asarray(shifts)).astype(np.intp)
        found = {
            "given_lattice": spectral.lattices(
                block, whole, self.gradient, geometry, threads
            )
        }
        if self.intensity_weighting:
            found["given_light"] = spectral.magnified(
                block, frames, self._magnify, geometry.pitch, threads
            )
        return found

    @property
    def _sums(self) -> tuple[str, ...]:
        return sums_for(self.temporal, self.segments)

    def _shifts_of(self, frames: range) -> list[list[float]]:
        """Return the (row, column) shift of each frame, or the one of all."""
        own = slice(None) if self.drift is None else slice(frames.start, frames.stop)
        shifts: list[list[float]] = self._shifts[own].tolist()
        return shifts

    def outputs(self, frames: range) -> dict[str, Output]:  # noqa: ARG002
        """Return the running sums, one plane a phase of each sensitivity."""
        _, height, width = self.shape
        phases = self.magnification**2 * len(self.exponents)
        planes = Output((phases, height, padded(width)))
        return dict.fromkeys(self._sums, planes)

    def reference(self, block: NDArray[Any], frames: range) -> Partial:
        """Reconstruct the frames in float64, straight from the formulas, and sum up."""
        each = []
        for exponent in self.exponents:
            stack = reference.frames(
                block,
                magnification=self.magnification,
                radius=self.radius,
                sensitivity=exponent,
                interpolation=self.interpolation,
                gradient=self.gradient,
                border=self.border,
                intensity_weighting=self.intensity_weighting,
                shifts=np.asarray(self._shifts_of(frames)),
            )
            each.append(reference.partial(stack, self.magnification, self.temporal))
        return {name: np.concatenate([one[name] for one in each]) for name in each[0]}

    def resized(self, shape: tuple[int, ...]) -> EsrrfPlan:
        """Return the same for about this shape: with enough frames.

        Drift is kept to a quarter of a frame.
        """
        count, height, width = shape
        count = max(count, LEAST_FRAMES[self.temporal])
        drift = self.drift
        if drift is not None:
            farthest = (height / 4, width / 4)
            drift = np.clip(
                np.resize(drift, (count, 2)), np.negative(farthest), farthest
            )
        return replace(self, shape=(count, height, width), drift=drift)

    def merger(self) -> Merger:
        """Return empty sums for every time point, at one sensitivity after another."""
        mergers = [
            MomentsMerger(
                self.windows,
                self.temporal,
                (self.magnification, self.magnification),
                self.shape[1:],
                self.macro_pixel_correction,
                self._drift_margin,
            )
            for _ in self.exponents
        ]
        return mergers[0] if len(mergers) == 1 else Mergers(mergers)
