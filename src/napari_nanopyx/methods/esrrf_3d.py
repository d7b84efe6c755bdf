"""Super-resolved volumes from the fluctuations of a series of them, by 3-D eSRRF."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.running.runner import Cancel
from napari_nanopyx._engine.running.source import as_source
from napari_nanopyx._kernels import tasks
from napari_nanopyx._kernels.esrrf_3d.plan import Esrrf3dPlan
from napari_nanopyx._kernels.totals import LEAST_FRAMES
from napari_nanopyx.methods import _checks as check
from napari_nanopyx.methods._slabs import reconstruct
from napari_nanopyx.methods._time_points import check_frames
from napari_nanopyx.methods.esrrf import Temporal


def esrrf_3d(
    image: ArrayLike,
    magnification: Annotated[int, {"min": 1, "max": 10}] = 2,
    magnification_z: Annotated[int, {"min": 1, "max": 10}] = 2,
    radius: Annotated[float, {"min": 0.1, "max": 10.0, "step": 0.1}] = 1.5,
    sensitivity: Annotated[float, {"min": 0.4, "max": 10.0, "step": 0.1}] = 1.0,
    *,
    psf_ratio: Annotated[float, {"min": 0.1, "max": 20.0, "step": 0.1}] = 2.8,
    voxel_ratio: Annotated[float, {"min": 0.1, "max": 20.0, "step": 0.1}] = 4.0,
    temporal: Temporal = "AVG",
    frames_per_timepoint: Annotated[int, {"min": 0, "max": 1_000_000}] = 0,
    intensity_weighting: bool = True,
    macro_pixel_correction: bool = True,
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> NDArray[np.float32]:
    """Reconstruct super-resolved volumes by enhanced radial fluctuations (3-D eSRRF).

    In each volume, every point of a finer grid is valued by how well the intensity
    gradients around it, in space, aim at it; the values are then analysed over time.

    Parameters
    ----------
    image : array_like, shape (T, Z, Y, X) or (Z, Y, X)
        Series of volumes of real, finite numbers: NumPy, Dask, Zarr, or anything with
        ``shape``, ``dtype`` and slicing. It is read block by block. One volume is one
        frame.
    magnification : int
        Output pixels M per input pixel along Y and along X, 1 to 10.
    magnification_z : int
        Output planes Mz per input plane, 1 to 10.
    radius : float
        Full width at half maximum of the weighted neighbourhood, in input pixels;
        above 0, at most the smaller side of a plane. Along Z it is ``radius *
        psf_ratio / voxel_ratio`` planes, which may be at most as many as there are.
    sensitivity : float
        Exponent of the convergence, from 0.4 to 20. Larger values sharpen, and suppress
        weak structures; typically 1 to 5. Smaller ones would show what float32 rounds
        off where nothing converges.
    psf_ratio : float
        How many times as long as wide the image of a point is, above 0.
    voxel_ratio : float
        Distance of two planes in pixels (of a plane), above 0.
    temporal : {"AVG", "VAR", "TAC2", "STD"}
        Mean, variance, second-order autocorrelation at a lag of one frame, or standard
        deviation over the frames of a time point. All but the mean need 2 frames.
    frames_per_timepoint : int
        Frames F that give one output volume. 0, or more than there are, takes all. An
        incomplete last time point is kept if it has enough frames.
    intensity_weighting : bool
        Multiply each frame's result by its magnified intensity.
    macro_pixel_correction : bool
        Even out the grid that the camera's voxels leave in the output, along all axes.
    implementation : str, optional
        Compute with this one, see `napari_nanopyx.engine.implementations`. By default
        the fastest is chosen.
    progress : callable, optional
        Called after each block with the frames done and the frames in all.
    cancel : object with ``is_set()``, optional
        Asked between blocks whether to stop, for example a `threading.Event`.

    Returns
    -------
    ndarray of float32, shape (n, Mz * Z, M * Y, M * X)
        One volume for each of n time points. Output pixel ``q`` is centred at
        ``(q + 0.5) / M`` input pixels, and planes likewise.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range, or if there are
        fewer frames than ``temporal`` needs.
    MemoryError
        If memory does not hold the result, or not what a single plane takes and the
        threads that compute it.
    napari_nanopyx.engine.Cancelled
        If ``cancel`` is set.

    Warns
    -----
    UserWarning
        If an incomplete last time point has too few frames and is left out.

    Notes
    -----
    Gradients are differences of the next voxels, in units of length, so that the
    distance of the planes counts. Edge voxels are continued along all axes. A single
    plane has no neighbours along Z: each of its ``Mz`` output planes is what the plane
    gives by itself.

    The volumes of single frames are never held; memory grows with the size of the
    output, not with the number of frames. If the sums of whole volumes take more memory
    than there is, the planes are reconstructed some at a time, in all frames, and the
    frames are read several times.

    References
    ----------
    .. [1] Laine et al., High-fidelity 3D live-cell nanoscopy through data-driven
       enhanced super-resolution radial fluctuation, Nature Methods (2023),
       doi:10.1038/s41592-023-02057-w

    Examples
    --------
    >>> import numpy as np
    >>> import napari_nanopyx as nx
    >>> series = np.random.default_rng(0).poisson(100, (4, 5, 12, 14))
    >>> nx.esrrf_3d(series, magnification=2, magnification_z=3).shape
    (1, 15, 24, 28)
    """
    check.steering(implementation, progress, cancel)
    source = as_source(image, axes=4)
    frames = check.whole("frames_per_timepoint", frames_per_timepoint, 0)
    statistic = check.one_of("temporal", temporal, get_args(Temporal))
    ratios = (
        check.positive("psf_ratio", psf_ratio),
        check.positive("voxel_ratio", voxel_ratio),
    )
    plan = Esrrf3dPlan(
        source.shape,
        magnification=check.whole("magnification", magnification, 1, 10),
        magnification_z=check.whole("magnification_z", magnification_z, 1, 10),
        radius=_radius(radius, source.shape, *ratios),
        sensitivity=check.sensitivity("sensitivity", sensitivity),
        temporal=statistic,
        frames_per_timepoint=frames,
        intensity_weighting=check.flag("intensity_weighting", intensity_weighting),
        macro_pixel_correction=check.flag(
            "macro_pixel_correction", macro_pixel_correction
        ),
        psf_ratio=ratios[0],
        voxel_ratio=ratios[1],
    )
    check_frames(statistic, LEAST_FRAMES[statistic], source.shape[0], frames)
    return reconstruct(
        tasks()["esrrf_3d"],
        source,
        plan,
        implementation=implementation,
        progress=progress,
        cancel=cancel,
    )


def _radius(
    radius: Any, shape: tuple[int, ...], psf_ratio: float, voxel_ratio: float
) -> float:
    _, depth, height, width = shape
    given = check.positive(
        "radius", radius, min(height, width), "the smaller side of a plane"
    )
    planes = given * psf_ratio / voxel_ratio
    if 1 < depth < planes:
        raise ValueError(
            f"radius is {radius!r}, which is {planes:.3g} planes along Z (radius * "
            f"psf_ratio / voxel_ratio), but the image has {depth}: radius must be at "
            f"most {depth * voxel_ratio / psf_ratio:.3g}"
        )
    return given
