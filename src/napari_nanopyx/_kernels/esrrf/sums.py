"""The running sums over frames that eSRRF leaves behind, of images and of volumes."""

from __future__ import annotations

from collections.abc import Sequence

from napari_nanopyx._kernels.totals import Statistic

SUMS = {
    "AVG": ("sum", "sum_error"),
    "VAR": ("first", "sum", "sum_error", "squares", "squares_error"),
    "STD": ("first", "sum", "sum_error", "squares", "squares_error"),
    "TAC2": ("first", "sum", "sum_error", "lag", "lag_error", "last"),
}
"""What each statistic needs of a block; an error is to be taken off its sum."""

FEW_FRAMES = 16
"""So many values sum up without an error to be seen: it stays below 1e-6."""

STATISTIC = {"AVG": 0, "VAR": 1, "STD": 1, "TAC2": 2}


def sums_for(statistic: Statistic, segments: Sequence[range]) -> tuple[str, ...]:
    """Return what a block is asked for: the mean of few frames needs no error."""
    longest = max(map(len, segments), default=0)
    if statistic == "AVG" and longest <= FEW_FRAMES:
        return ("sum",)
    return SUMS[statistic]
