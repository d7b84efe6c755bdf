"""Bands of rows of an SRRF reconstruction that need a bounded amount of memory."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np

from napari_nanopyx._kernels.srrf.plan import AFTER, SrrfPlan


@dataclass(frozen=True, slots=True)
class Band:
    """Rows of camera pixels that are reconstructed by themselves."""

    rows: range
    """Those whose result is kept."""
    read: range
    """Those it depends on."""


def bands(plan: SrrfPlan, most_bytes: int) -> list[Band]:
    """Return bands whose sums over frames take about so many bytes each.

    A band is at least as high as what it reads to one side, so that no row is computed
    more than three times.
    """
    height = plan.shape[1]
    row_bytes = kept_bytes(plan) / height
    if row_bytes * height <= most_bytes:
        return [Band(range(height), range(height))]
    reach = _reach(plan)
    rows = max(int(most_bytes / row_bytes) - 2 * reach, reach)
    count = -(-height // rows)
    edges = [height * each // count for each in range(count + 1)]
    return [
        Band(
            range(start, stop), range(max(0, start - reach), min(height, stop + reach))
        )
        for start, stop in itertools.pairwise(edges)
    ]


def of_rows(plan: SrrfPlan, rows: range) -> SrrfPlan:
    """Return the same reconstruction of some rows of each frame."""
    frames, _, width = plan.shape
    return replace(plan, shape=(frames, len(rows), width))


def kept_bytes(plan: SrrfPlan) -> int:
    """Return about how much an autocumulant keeps of a time point, between blocks.

    What other reductions keep is a few images, whatever the number of frames.
    """
    if not plan.temporal.startswith("TRAC"):
        return 0
    order = int(plan.temporal[-1])
    frames = max((len(window) for window in plan.windows), default=0)
    images = 3 if plan.weighting == AFTER else 2
    while frames:
        images += min(frames, order) + min(frames, order - 1)
        images += 2 ** (order - 1) if frames > order else 0
        frames = frames // order if plan.integrate_lag_times else 0
    _, height, width = plan.shape
    itemsize = np.dtype(np.float64).itemsize
    return images * itemsize * plan.magnification**2 * height * width


def _reach(plan: SrrfPlan) -> int:
    """Return how many rows away a pixel may be that a pixel's result depends on.

    Rows next to the edge of what is read are blank, as those of a whole frame are.
    """
    drift = 0.0 if plan.drift is None else float(np.abs(plan.drift[:, 0]).max())
    return plan.reach + 2 + plan.border + math.ceil(drift)
