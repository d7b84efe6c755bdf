"""Removes the grid that magnification leaves within each camera pixel."""

from __future__ import annotations

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
    means = phase_means(planes, margin)
    scale = means.mean() if keep_scale else 1.0
    for plane, mean in zip(planes, means, strict=True):
        if mean != 0.0 and (mean * scale > 0.0 or not keep_scale):
            plane *= scale / mean


def phase_means(planes: NDArray[np.float64], margin: int) -> NDArray[np.float64]:
    """Return the mean of each phase away from the border; 0 where nothing is left."""
    phases, height, width = planes.shape
    magnification = round(phases**0.5)
    means = np.zeros(phases)
    for phase in range(phases):
        rows = _inner(height, magnification, phase // magnification, margin)
        columns = _inner(width, magnification, phase % magnification, margin)
        inner = planes[phase, rows, columns]
        if inner.size:
            means[phase] = inner.mean()
    return means


def _inner(length: int, magnification: int, phase: int, margin: int) -> slice:
    """Select the camera pixels whose output pixel of this phase is off the margin."""
    start = -((phase - margin) // magnification)
    stop = -((phase + margin - magnification * length) // magnification)
    return slice(min(max(start, 0), length), max(min(stop, length), 0))
