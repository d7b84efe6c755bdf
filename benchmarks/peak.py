"""Measures the processor's float32 limit, and counts the work of the RGC sum."""

from __future__ import annotations

import itertools
import math
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_nanopyx._kernels.srrf.merging import Temporal

FLOPS_PER_SAMPLE = 8
"""2 products and 2 fused multiply-adds (2 flops each), 1 difference, 1 addition;
absolute value and sign test are not counted."""


def measured_peak(threads: int) -> float | None:
    """Return GFLOP/s of fused multiply-adds on so many threads; None if it fails."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        return None
    source = Path(__file__).with_name("peak.c")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "peak"
        build = [compiler, "-O3", "-march=native", "-fopenmp", str(source), "-o"]
        try:
            subprocess.run([*build, str(program)], check=True, capture_output=True)
            ran = subprocess.run(
                [str(program), str(threads)], check=True, capture_output=True, text=True
            )
        except (OSError, subprocess.CalledProcessError):
            return None
    return float(ran.stdout)


def samples_per_pixel(magnification: int, radius: float) -> float:
    """Return how many lattice samples the RGC window accepts, averaged over the phases.

    Half-pixel positions at a distance D from the output pixel count if 0 < D <= 2 sigma
    + 1, with sigma = radius / 2.355.

    Examples
    --------
    >>> round(samples_per_pixel(5, 1.5), 1)
    64.6
    """
    limit = 2 * radius / 2.355 + 1
    steps = math.floor(2 * limit) + 1
    accepted = 0
    for row_phase, column_phase in itertools.product(range(magnification), repeat=2):
        y = (row_phase + 0.5) / magnification
        x = (column_phase + 0.5) / magnification
        for i, j in itertools.product(range(-steps, steps + 1), repeat=2):
            distance = math.hypot(
                (math.floor(2 * y) + i) / 2 - y, (math.floor(2 * x) + j) / 2 - x
            )
            accepted += 0 < distance <= limit
    return accepted / magnification**2


def summed_samples(magnification: int, radius: float) -> float:
    """Return how many of them our kernel really sums, averaged over the phases.

    It leaves out those whose weights together vanish in float32 rounding.
    """
    from napari_nanopyx._kernels import catmull_rom
    from napari_nanopyx._kernels.esrrf import tables

    _, phases = catmull_rom.phases(magnification, 0.0)
    geometry = tables.Geometry(width=64, part_rows=1, radius=radius)
    counts, _ = tables.samples(phases, phases, radius, geometry)
    return float(counts.mean())


def rgc_flops(shape: tuple[int, int, int], magnification: int, samples: float) -> float:
    """Return the operations of the RGC sum over a movie."""
    frames, height, width = shape
    pixels = frames * height * width * magnification**2
    return FLOPS_PER_SAMPLE * samples * pixels


def srrf_flops(
    shape: tuple[int, int, int],
    magnification: int,
    ring_radius: float,
    temporal: Temporal = "TRA",
) -> float:
    """Return the operations of SRRF on a movie, as its plan declares them.

    What is found in float64 counts twice: it takes as long as two in float32.
    """
    from napari_nanopyx._kernels.srrf.plan import SrrfPlan

    plan = SrrfPlan(shape, magnification, ring_radius, temporal=temporal)
    return shape[0] * plan.cost.flops * (2 if plan.precise else 1)
