"""Measures how far one channel is away from another, or says why it cannot."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine.machine.devices import thread_count
from napari_nanopyx._kernels import arrows, shift_field
from napari_nanopyx._kernels.arrows import Arrows
from napari_nanopyx._kernels.correlation import Sums
from napari_nanopyx.methods.channel_registration import ChannelQuality

LEAST_LANDMARKS = 4
"""Landmarks that have to agree; a map through three fits whatever they say."""

Result = tuple[NDArray[np.float64], NDArray[np.float64] | None, ChannelQuality]


class _LeftOutError(ValueError):
    """Why one channel cannot be registered."""


def fitted(
    reference: NDArray[np.float32],
    moved: NDArray[np.float32],
    settings: dict[str, Any],
    sums: Sums,
) -> Result:
    """Return a channel's displacement everywhere, the map it comes from, if any."""
    shape = (reference.shape[0], reference.shape[1])
    compared = 0
    try:
        if np.ptp(moved) == 0:
            raise _LeftOutError("it is constant")
        found, compared = _found(reference, moved, settings, sums)
        if settings["model"] == "field":
            fit = None
            field = shift_field.smooth(found, shape, settings["blocks_per_axis"])
        else:
            fit, agrees = shift_field.fitted(found, settings["model"])
            found = found[agrees]
            if not shift_field.determines(found, settings["model"]):
                raise _LeftOutError("all landmarks that agree lie in one line")
            field = shift_field.mapped(fit, shape)
    except _LeftOutError as left_out:
        reason = str(left_out)
        quality = ChannelQuality(math.nan, math.nan, 0, compared, reason)
        return np.zeros((2, *shape)), None, quality
    rows, columns = found.places.astype(int).T
    off = found.displacements - field[:, rows, columns].T
    residual = math.sqrt((off**2).sum(axis=1).mean())
    similarity = float(np.median(found.similarity))
    return field, fit, ChannelQuality(similarity, residual, len(found), compared)


def _found(
    reference: NDArray[np.float32],
    moved: NDArray[np.float32],
    settings: dict[str, Any],
    sums: Sums,
) -> tuple[Arrows, int]:
    """Return the displacements that can be trusted, and how many were compared."""
    reach, workers = settings["max_shift"], thread_count()
    parts, needed = "landmark", LEAST_LANDMARKS
    if settings["model"] != "field":
        found, inside = arrows.of_landmarks(reference, moved, reach, workers, sums)
    if settings["model"] == "field" or len(found) < LEAST_LANDMARKS:
        parts, blocks = "block", settings["blocks_per_axis"]
        needed = 1 if settings["model"] != "affine" else LEAST_LANDMARKS
        if reach >= min(reference.shape) // blocks - 2:
            raise _LeftOutError(
                f"it shows {len(found)} bright spots, and a max_shift of {reach} is "
                "too large for blocks"
            )
        found, inside = arrows.of_blocks(reference, moved, blocks, reach, workers, sums)
    alike = found.similarity >= settings["min_similarity"]
    good = found[inside & alike]
    if len(good) >= needed:
        return good, len(found)
    if not inside.any():
        raise _LeftOutError(
            f"no {parts} of it looks like the reference's within a max_shift of {reach}"
        )
    raise _LeftOutError(
        f"{len(good)} of its {len(found)} {parts}s are as similar to the reference's "
        f"as a min_similarity of {settings['min_similarity']:g}, of {needed} needed "
        f"(the best has {found.similarity[inside].max():.2f})"
    )
