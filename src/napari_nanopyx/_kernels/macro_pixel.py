"""Removes the grid that magnification leaves within each camera pixel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def correct(
    planes: NDArray[np.float64], *, margin: int = 0, keep_scale: bool = True
) -> None:
    """Give every sub-pixel phase the same mean, in place.

    Each phase is divided by its mean and multiplied by the mean over all phases. A
    phase whose mean is zero, or of the other sign than the mean over all phases (it
    would be inverted), is left as it is.

    Parameters
    ----------
    planes : ndarray of float64, shape (M * M, H, W)
        One image, phase by phase: plane ``a * M + b`` holds the output pixels
        ``(M * r + a, M * c + b)``.
    margin : int
        Output pixels along each border that hold no values and so do not count.
    keep_scale : bool
        False leaves out the multiplication: each phase then has mean one.
    """
    means = [
        phase_mean(plane, phase, len(planes), margin)
        for phase, plane in enumerate(planes)
    ]
    for plane, gain in zip(planes, gains(means, keep_scale=keep_scale), strict=True):
        plane *= gain


def gains(means: Sequence[float], *, keep_scale: bool = True) -> list[float]:
    """Return what each phase is multiplied by, given the means of all phases."""
    scale = sum(means) / len(means) if keep_scale else 1.0
    return [
        scale / mean if mean != 0.0 and (mean * scale > 0.0 or not keep_scale) else 1.0
        for mean in means
    ]


def phase_mean(
    plane: NDArray[np.float64], phase: int, phases: int, margin: int
) -> float:
    """Return the mean of a phase away from the border; 0 where nothing is left."""
    if margin == 0:
        return float(plane.mean())
    height, width = plane.shape
    magnification = round(phases**0.5)
    rows = _inner(height, magnification, phase // magnification, margin)
    columns = _inner(width, magnification, phase % magnification, margin)
    inner = plane[rows, columns]
    return float(inner.mean()) if inner.size else 0.0


def _inner(length: int, magnification: int, phase: int, margin: int) -> slice:
    """Select the camera pixels whose output pixel of this phase is off the margin."""
    start = -((phase - margin) // magnification)
    stop = -((phase + margin - magnification * length) // magnification)
    return slice(min(max(start, 0), length), max(min(stop, length), 0))
