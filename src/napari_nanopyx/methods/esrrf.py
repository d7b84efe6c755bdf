"""Super-resolved images from the fluctuations of a movie, by eSRRF."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.running.runner import Cancel, run
from napari_nanopyx._engine.running.source import as_source
from napari_nanopyx._kernels import tasks
from napari_nanopyx._kernels.totals import LEAST_FRAMES
from napari_nanopyx.methods import _checks as check
from napari_nanopyx.methods._time_points import check_frames

Temporal = Literal["AVG", "VAR", "TAC2", "STD"]
Interpolation = Literal["catmull_rom", "fourier"]
Gradient = Literal["roberts", "two_point"]
Border = Literal["extend", "zero"]


def esrrf(
    image: ArrayLike,
    magnification: Annotated[int, {"min": 1, "max": 10}] = 5,
    radius: Annotated[float, {"min": 0.1, "max": 10.0, "step": 0.1}] = 1.5,
    sensitivity: Annotated[float, {"min": 0.4, "max": 10.0, "step": 0.1}] = 1.0,
    *,
    temporal: Temporal = "AVG",
    frames_per_timepoint: Annotated[int, {"min": 0, "max": 1_000_000}] = 0,
    frame_gap: Annotated[int, {"min": 0, "max": 1_000_000}] = 0,
    intensity_weighting: bool = True,
    macro_pixel_correction: bool | None = None,
    interpolation: Interpolation = "catmull_rom",
    gradient: Gradient = "roberts",
    border: Border = "extend",
    drift: ArrayLike | check.DriftCorrection | None = None,
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> NDArray[np.float32]:
    """Reconstruct super-resolved images by enhanced radial fluctuations (eSRRF).

    In each frame, every point of a finer grid is valued by how well the intensity
    gradients around it aim at it; the values are then analysed over time.

    Parameters
    ----------
    image : array_like, shape (T, Y, X) or (Y, X)
        Movie of real, finite numbers: NumPy, Dask, Zarr, or anything with ``shape``,
        ``dtype`` and slicing. It is read block by block. One image is one frame.
    magnification : int
        Output pixels M per input pixel and axis, 1 to 10.
    radius : float
        Full width at half maximum of the weighted neighbourhood, in input pixels;
        above 0, at most the smaller side of the image. Near the width of the smallest
        structures, typically 0.5 to 3.
    sensitivity : float
        Exponent of the convergence, from 0.4 to 20. Larger values sharpen, and suppress
        weak structures; typically 1 to 5. Smaller ones would show what float32 rounds
        off where nothing converges.
    temporal : {"AVG", "VAR", "TAC2", "STD"}
        Mean, variance, second-order autocorrelation at a lag of one frame, or standard
        deviation over the frames of a time point. All but the mean need 2 frames.
    frames_per_timepoint : int
        Frames F that give one output image. 0, or more than there are, takes all.
    frame_gap : int
        Frames between the starts of two time points. 0 sets them side by side and keeps
        an incomplete last one; otherwise they may overlap, and an incomplete one is
        left out.
    intensity_weighting : bool
        Multiply each frame's result by its magnified intensity.
    macro_pixel_correction : bool, optional
        Even out the grid that the camera pixels leave in the output. By default it is
        done with Catmull-Rom interpolation, and not with Fourier interpolation, which
        leaves less of a grid.
    interpolation : {"catmull_rom", "fourier"}
        How the image is interpolated for its gradients and its intensity: from four
        neighbours along each axis, or as a sum of cosine waves through all pixels,
        mirrored at the borders, which keeps all that a well sampled image holds.
    gradient : {"roberts", "two_point"}
        Differences across the diagonals, or along the axes.
    border : {"extend", "zero"}
        Continue the image by its edge pixels (with Fourier interpolation: mirrored), or
        leave ``radius`` pixels along each border 0.
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
    The per-frame images are never held; memory grows with the number of output images
    and of time points that overlap, not with the number of frames.

    References
    ----------
    .. [1] Laine et al., High-fidelity 3D live-cell nanoscopy through data-driven
       enhanced super-resolution radial fluctuation, Nature Methods (2023),
       doi:10.1038/s41592-023-02057-w
    .. [2] Saraiva et al., Efficiently accelerated bioimage analysis with NanoPyx, a
       Liquid Engine-powered Python framework, Nature Methods (2025),
       doi:10.1038/s41592-024-02562-6

    Examples
    --------
    >>> import numpy as np
    >>> import napari_nanopyx as nx
    >>> movie = np.random.default_rng(0).poisson(100, (10, 12, 14))
    >>> nx.esrrf(movie, magnification=4, frames_per_timepoint=5).shape
    (2, 48, 56)
    """
    check.steering(implementation, progress, cancel)
    source = as_source(image)
    frames = check.whole("frames_per_timepoint", frames_per_timepoint, 0)
    gap = check.whole("frame_gap", frame_gap, 0)
    statistic = check.one_of("temporal", temporal, get_args(Temporal))
    way = check.one_of("interpolation", interpolation, get_args(Interpolation))
    if macro_pixel_correction is None:
        macro_pixel_correction = way != "fourier"
    plan = tasks()["esrrf"].plan(
        source.shape,
        magnification=check.whole("magnification", magnification, 1, 10),
        radius=_radius(radius, source.shape),
        sensitivity=check.sensitivity("sensitivity", sensitivity),
        temporal=statistic,
        frames_per_timepoint=frames,
        frame_gap=gap,
        intensity_weighting=check.flag("intensity_weighting", intensity_weighting),
        macro_pixel_correction=check.flag(
            "macro_pixel_correction", macro_pixel_correction
        ),
        interpolation=way,
        gradient=check.one_of("gradient", gradient, get_args(Gradient)),
        border=check.one_of("border", border, get_args(Border)),
        drift=check.drift(drift, source.shape),
    )
    check_frames(statistic, LEAST_FRAMES[statistic], source.shape[0], frames, gap)
    return run(
        tasks()["esrrf"],
        source,
        plan,
        implementation=implementation,
        progress=progress,
        cancel=cancel,
    )


def _radius(radius: Any, shape: tuple[int, ...]) -> float:
    smaller_side = min(shape[1:])
    return check.positive("radius", radius, smaller_side, "the image's smaller side")
