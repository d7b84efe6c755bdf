"""Bands of rows of an SRRF reconstruction that need a bounded amount of memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from napari_nanopyx._kernels.srrf.plan import AFTER, SrrfPlan

FEW_FRAMES = 256
"""Longer movies are gone through several times rather than take more memory."""

FLOAT32, FLOAT64 = 4, 8


@dataclass(frozen=True, slots=True)
class Band:
    """Rows of camera pixels that are reconstructed by themselves."""

    rows: range
    """Those whose result is kept."""
    read: range
    """Those it depends on."""


def bands(plan: SrrfPlan, least_bytes: int, most_bytes: int) -> list[Band]:
    """Return bands whose sums over frames take a limited number of bytes each.

    The limit is what `FEW_FRAMES` leave behind of whole frames, but not below
    ``least_bytes`` and not above ``most_bytes``: so it is the same for any number of
    frames. All bands but the last are as high as it allows, and at least as high as
    what they read to one side, so that no row is computed more than three times.
    """
    height = plan.shape[1]
    row_bytes = kept_bytes(plan) / height
    limit = max(least_bytes, kept_bytes(plan, FEW_FRAMES))
    limit = min(limit, most_bytes)
    if row_bytes * height <= limit:
        return [Band(range(height), range(height))]
    reach = _reach(plan)
    rows = max(int(limit / row_bytes) - 2 * reach, reach)
    found = []
    start = 0
    while start < height:
        ahead = max(0, start - reach)
        stop = min(height, max(ahead + rows + reach, start + reach))
        found.append(Band(range(start, stop), range(ahead, min(height, stop + reach))))
        start = stop
    return found


def of_rows(plan: SrrfPlan, rows: range) -> SrrfPlan:
    """Return the same reconstruction of some rows of each frame."""
    frames, _, width = plan.shape
    return replace(plan, shape=(frames, len(rows), width))


def kept_bytes(plan: SrrfPlan, most_frames: int | None = None) -> int:
    """Return about how much an autocumulant keeps of a time point, between blocks.

    What other reductions keep is a few images, whatever the number of frames. If
    ``most_frames`` are given, it is that of time points with no more of them.
    """
    if not plan.temporal.startswith("TRAC"):
        return 0
    order = int(plan.temporal[-1])
    frames = max((len(window) for window in plan.windows), default=0)
    if most_frames is not None:
        frames = min(frames, most_frames)
    pixel = 2 * FLOAT32 + FLOAT64 * (2 if plan.weighting == AFTER else 1)
    while frames:
        pixel += FLOAT32 * (min(frames, order) + min(frames, order - 1))
        pixel += FLOAT64 * 2 ** (order - 1) if frames > order else 0
        frames = frames // order if plan.integrate_lag_times else 0
    _, height, width = plan.shape
    return pixel * plan.magnification**2 * height * width


def _reach(plan: SrrfPlan) -> int:
    """Return how many rows away a pixel may be that a pixel's result depends on.

    Rows next to the edge of what is read are blank, as those of a whole frame are.
    """
    drift = 0.0 if plan.drift is None else float(np.abs(plan.drift[:, 0]).max())
    return plan.reach + 2 + plan.border + math.ceil(drift)
