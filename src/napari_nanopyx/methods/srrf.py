"""Super-resolved images from the fluctuations of a movie, by SRRF."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.running.runner import Cancel
from napari_nanopyx._engine.running.source import as_source
from napari_nanopyx._kernels.srrf.merging import LEAST_FRAMES, Temporal, Weight
from napari_nanopyx._kernels.srrf.plan import SrrfPlan
from napari_nanopyx.methods import _checks as check
from napari_nanopyx.methods._row_bands import reconstruct
from napari_nanopyx.methods._time_points import check_frames

LEAST_RADIUS, MOST_RADIUS = 0.1, 3.0


def srrf(
    image: ArrayLike,
    magnification: Annotated[int, {"min": 1, "max": 10}] = 5,
    ring_radius: Annotated[float, {"min": 0.1, "max": 3.0, "step": 0.1}] = 0.5,
    *,
    axes: Annotated[int, {"min": 2, "max": 8}] = 6,
    border: Annotated[int, {"min": 0, "max": 1000}] = 0,
    temporal: Temporal = "TRA",
    frames_per_timepoint: Annotated[int, {"min": 0, "max": 1_000_000}] = 0,
    intensity_weighting: bool = True,
    positivity: bool = True,
    renormalise: bool = False,
    gradient_smoothing: bool = False,
    weight: Weight = "after",
    integrate_lag_times: bool = True,
    drift: ArrayLike | check.DriftCorrection | None = None,
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> NDArray[np.float32]:
    """Reconstruct super-resolved images by radial fluctuations (SRRF).

    In each frame, every point of a finer grid is valued by how closely the intensity
    gradients on a ring around it aim at it: its radiality, 1 at the centre of a spot.
    The values are then analysed over time.

    Parameters
    ----------
    image : array_like, shape (T, Y, X) or (Y, X)
        Movie of real, finite numbers: NumPy, Dask, Zarr, or anything with ``shape``,
        ``dtype`` and slicing. It is read block by block. One image is one frame.
    magnification : int
        Output pixels M per input pixel and axis, 1 to 10.
    ring_radius : float
        Radius of the ring in input pixels, 0.1 to 3 and at most the smaller side of
        the image. Small rings resolve more, large ones withstand more noise.
    axes : int
        Diameters of the ring, 2 to 8; the gradient is taken at both ends of each. With
        an even number rows and columns are treated exactly alike.
    border : int
        Input pixels along each side that are left 0, besides the outermost one, which
        always is.
    temporal : {"TRM", "TRA", "TRPPM", "TRAC2", "TRAC3", "TRAC4", "STD", "VAR"}
        Maximum, mean, mean of the products of all pairs of frames, autocumulant of
        second, third or fourth order, standard deviation or variance over the frames
        of a time point. They need at least 1, 1, 2, 3, 4, 5, 2 and 2 frames.
    frames_per_timepoint : int
        Frames that give one output image. 0, or more than there are, takes all. An
        incomplete last time point is kept if it has enough frames.
    intensity_weighting : bool
        Multiply radiality by the magnified intensity, where that is positive.
    positivity : bool
        Count negative radiality, of gradients that aim away, as 0.
    renormalise : bool
        Map radiality from between -1 and 1 to between 0 and 1 first.
    gradient_smoothing : bool
        Sum gradients over five pixels along their direction and three across.
    weight : {"after", "before"}
        When TRPPM and the autocumulants are weighted: afterwards, TRPPM by the mean
        intensity and the others by the mean of radiality times intensity, or in each
        frame before. The other reductions are always weighted in each frame.
    integrate_lag_times : bool
        Add to an autocumulant of order n those of the movie averaged over n frames,
        over n times n frames, and so on, to which slower fluctuations contribute.
    drift : array_like, shape (T, 2), or object with such ``shifts``, optional
        Correction of each frame in input pixels, (row, column): how far to move the
        content towards larger indices. Where nothing moves in, the frame counts as 0.
    implementation : str, optional
        Compute with this one, see `napari_nanopyx.engine.implementations`. By default
        the fastest is chosen.
    progress : callable, optional
        Called after each block with the frames done and the frames in all.
    cancel : object with ``is_set()``, optional
        Asked between blocks whether to stop, for example a `threading.Event`.

    Returns
    -------
    ndarray of float32, shape (n, M * Y, M * X)
        One image for each of n time points. Output pixel ``q`` is centred at
        ``(q + 0.5) / M`` input pixels.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range, or if there are
        fewer frames than ``temporal`` needs.
    napari_nanopyx.engine.Cancelled
        If ``cancel`` is set.

    Warns
    -----
    UserWarning
        If an incomplete last time point has too few frames and is left out.

    Notes
    -----
    Memory does not grow with the number of frames. Autocumulants keep many sums, a set
    for each lag time: beyond 256 MB of them, or what 256 frames need, the movie is gone
    through several times, for one band of rows after the other, and progress counts all
    passes.

    Radiality that is analysed alone, by STD, VAR or an autocumulant, is found in
    float64: in a spot without noise it varies by less than a hundredth of its value.

    References
    ----------
    .. [1] Gustafsson et al., Fast live-cell conventional fluorophore nanoscopy with
       ImageJ through super-resolution radial fluctuations, Nature Communications
       (2016), doi:10.1038/ncomms12471

    Examples
    --------
    >>> import numpy as np
    >>> import napari_nanopyx as nx
    >>> movie = np.random.default_rng(0).poisson(100, (10, 12, 14))
    >>> nx.srrf(movie, magnification=4, temporal="TRAC2", frames_per_timepoint=5).shape
    (2, 48, 56)
    """
    check.steering(implementation, progress, cancel)
    source = as_source(image)
    reduction = check.one_of("temporal", temporal, get_args(Temporal))
    frames = check.whole("frames_per_timepoint", frames_per_timepoint, 0)
    count, height, width = source.shape
    plan = SrrfPlan(
        (count, height, width),
        magnification=check.whole("magnification", magnification, 1, 10),
        ring_radius=_ring_radius(ring_radius, source.shape),
        axes=check.whole("axes", axes, 2, 8),
        border=_border(border, source.shape),
        temporal=reduction,
        frames_per_timepoint=frames,
        intensity_weighting=check.flag("intensity_weighting", intensity_weighting),
        weight=check.one_of("weight", weight, get_args(Weight)),
        integrate_lag_times=check.flag("integrate_lag_times", integrate_lag_times),
        positivity=check.flag("positivity", positivity),
        renormalise=check.flag("renormalise", renormalise),
        gradient_smoothing=check.flag("gradient_smoothing", gradient_smoothing),
        drift=check.drift(drift, source.shape),
    )
    check_frames(reduction, LEAST_FRAMES[reduction], count, frames)
    return reconstruct(
        source,
        plan,
        implementation=implementation,
        progress=progress,
        cancel=cancel,
    )


def _ring_radius(value: Any, shape: tuple[int, ...]) -> float:
    most, reason = MOST_RADIUS, ""
    if min(shape[1:]) < most:
        most, reason = min(shape[1:]), " (the image's smaller side)"
    allowed = f"a number from {LEAST_RADIUS:g} to {most:g}{reason}"
    given = check.number("ring_radius", value, allowed)
    if not LEAST_RADIUS <= given <= most:
        raise ValueError(f"ring_radius is {value!r}, but must be {allowed}")
    return given


def _border(value: Any, shape: tuple[int, ...]) -> int:
    """Return the border; one that is asked for must leave a pixel."""
    given = check.whole("border", value, 0)
    most = max((min(shape[1:]) - 1) // 2 - 1, 0)
    if given > most:
        raise ValueError(
            f"border is {value!r}, but must be at most {most}: more leaves no pixel of "
            f"frames of shape {shape[1:]}"
        )
    return given
