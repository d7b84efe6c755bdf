"""Tries eSRRF parameters and scores what they give."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.running.runner import Cancel
from napari_nanopyx._engine.running.source import Source, as_source
from napari_nanopyx._kernels import scores
from napari_nanopyx._kernels.totals import LEAST_FRAMES, Statistic
from napari_nanopyx._kernels.windows import windows
from napari_nanopyx.methods import _checks as check
from napari_nanopyx.methods._single_images import stop_if
from napari_nanopyx.methods._sweep_passes import Passes
from napari_nanopyx.methods.decorrelation import decorrelation
from napari_nanopyx.methods.error_map import best_fit, fit_options
from napari_nanopyx.methods.frc import frc
from napari_nanopyx.methods.sweep_result import Best, Sweep

Resolution = Literal["frc", "decorrelation"]

_LEAST_SIDE = 16


def sweep_esrrf(
    image: ArrayLike,
    radii: Sequence[float],
    sensitivities: Sequence[float],
    *,
    magnification: int = 2,
    temporal: Statistic = "AVG",
    resolution: Resolution = "frc",
    n_frames: int | None = None,
    intensity_weighting: bool = True,
    macro_pixel_correction: bool = True,
    sigma: float | None = None,
    crop_border: int = 3,
    resolution_range: tuple[float, float] | None = None,
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> Sweep:
    """Find the eSRRF radius and sensitivity that suit a movie.

    Each pair is scored by how well the reconstruction agrees with the data (RSP) and by
    its resolution; the score (QnR) is their harmonic mean.

    Parameters
    ----------
    image : array_like, shape (T, Y, X)
        Real, finite numbers: NumPy, Dask, Zarr, or anything with ``shape``, ``dtype``
        and slicing. At least 1 frame, or 2 if ``temporal`` is not the mean; twice as
        many for FRC.
    radii : sequence of float
        Radii to try, in input pixels.
    sensitivities : sequence of float
        Sensitivities to try, from 0.4 to 20.
    magnification : int
        Output pixels per input pixel, from 1 to 10.
    temporal : {"AVG", "VAR", "TAC2", "STD"}
        How the frames become one image.
    resolution : {"frc", "decorrelation"}
        By the Fourier ring correlation of the even and the odd frames' reconstructions
        (threshold 1/7), or by decorrelation analysis of all frames' reconstruction.
    n_frames : int, optional
        Reconstruct consecutive chunks of so many frames, and take the means of what
        they give. By default all frames are one chunk.
    intensity_weighting : bool
        As in `esrrf`.
    macro_pixel_correction : bool
        As in `esrrf`.
    sigma : float, optional
        Blur for the RSP in input pixels; by default the best is found for each pair.
    crop_border : int
        Input pixels along each border that do not count for the RSP.
    resolution_range : (float, float), optional
        Resolutions in output pixels that count 0.925 and 0.075, so that the scores of
        several sweeps can be compared. By default the finest and coarsest found.
    implementation : str, optional
        Reconstruct with this one, see `napari_nanopyx.engine.implementations`.
    progress : callable, optional
        Called after each block with the frames done and the frames in all, over the
        whole sweep.
    cancel : object with ``is_set()``, optional
        Asked between blocks whether to stop, for example a `threading.Event`.

    Returns
    -------
    Sweep
        With ``qnr``, ``rsp`` and ``resolution``, of shape (sensitivities, radii), and
        ``best``, the pair with the highest score. A pair without a resolution scores 0,
        and a negative RSP counts 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.
    napari_nanopyx.engine.Cancelled
        If ``cancel`` is set.

    Notes
    -----
    Frames are read block by block and never held. For each radius, one pass gives the
    images at all sensitivities, of all, of the even and of the odd frames; TAC2, which
    needs neighbours, takes two.

    References
    ----------
    .. [1] Laine et al., High-fidelity 3D live-cell nanoscopy through data-driven
       enhanced super-resolution radial fluctuation, Nature Methods (2023),
       doi:10.1038/s41592-023-02057-w

    Examples
    --------
    >>> import numpy as np
    >>> import napari_nanopyx as nx
    >>> random = np.random.default_rng(0)
    >>> scene = nx.convolve(random.random((40, 40)) > 0.98, np.ones((3, 3)))
    >>> movie = random.poisson(200 * scene * random.random((20, 1, 1)))
    >>> sweep = nx.sweep_esrrf(movie, radii=[1.5, 2.5], sensitivities=[1, 2, 4])
    >>> sweep.qnr.shape
    (3, 2)
    """
    check.steering(implementation, progress, cancel)
    source = as_source(image)
    check.one_of("resolution", resolution, get_args(Resolution))
    statistic = check.one_of("temporal", temporal, get_args(Statistic))
    chunks = _chunks(source, n_frames, resolution, statistic)
    widest = min(source.shape[1:])
    columns = _numbers(
        "radii", radii, lambda name, value: check.positive(name, value, widest)
    )
    rows = _numbers("sensitivities", sensitivities, check.sensitivity)
    limits = None if resolution_range is None else _limits(resolution_range)
    plan: dict[str, Any] = {
        "magnification": check.whole("magnification", magnification, 1, 10),
        "temporal": statistic,
        "intensity_weighting": check.flag("intensity_weighting", intensity_weighting),
        "macro_pixel_correction": check.flag(
            "macro_pixel_correction", macro_pixel_correction
        ),
    }
    fixed, border = fit_options(source.shape[1:], sigma, crop_border)
    passes = Passes(
        source,
        chunks,
        resolution == "frc",
        len(columns),
        implementation,
        progress,
        cancel,
    )
    references = passes.references()
    rsp, found = np.full((2, len(rows), len(columns)), np.nan)
    for column, radius in enumerate(columns):
        every = passes.images(plan | {"radius": radius}, rows)
        for row, chunk_images in enumerate(every):
            faithful, resolved = [], []
            for reference, images in zip(references, chunk_images, strict=True):
                _, line, _ = best_fit(
                    reference, images[0], fixed, border, lambda: stop_if(cancel)
                )
                faithful.append(line.correlation)
                resolved.append(_resolution(images, resolution))
            rsp[row, column], found[row, column] = _mean(faithful), _mean(resolved)
    qnr = scores.qnr(rsp, scores.fineness(found, limits))
    best = None
    if qnr.max() > 0:
        row, column = divmod(int(np.argmax(qnr)), len(columns))
        best = Best(rows[row], columns[column])
    if limits is None and np.isfinite(found).any():
        limits = float(np.nanmin(found)), float(np.nanmax(found))
    return Sweep(qnr, rsp, found, best, columns, rows, limits)


def _resolution(images: list[NDArray[np.float32]], method: Resolution) -> float:
    """Return a chunk's resolution in output pixels; NaN if there is none."""
    if method == "decorrelation":
        return decorrelation(images[0]).resolution
    return frc(*images[1:]).resolution if len(images) == 3 else math.nan


def _mean(values: list[float]) -> float:
    """Return the mean of those that are numbers; NaN if none is."""
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan


def _chunks(
    source: Source, n_frames: Any, method: Resolution, temporal: Statistic
) -> tuple[range, ...]:
    """Return the frames of each chunk, checked to be enough for a resolution."""
    each = LEAST_FRAMES[temporal]
    least = 2 * each if method == "frc" else each
    count = len(source)
    if count < least:
        halves = f": {each} in each half for resolution='frc'" if least > each else ""
        raise ValueError(
            f"image has {count} frame(s), but must have at least {least} for temporal "
            f"{temporal!r}{halves}"
        )
    if n_frames is not None:
        count = min(count, check.whole("n_frames", n_frames, least))
    smallest = source.shape[1:]
    if min(smallest) < _LEAST_SIDE:
        raise ValueError(
            f"image has frames of shape {smallest}, but must have at least "
            f"{_LEAST_SIDE} pixels along each axis"
        )
    return tuple(windows(len(source), count))


def _numbers(
    name: str, values: Any, checked: Callable[[str, Any], float]
) -> tuple[float, ...]:
    """Return a list of numbers, at least one, each once."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"{name} is {values!r}, but must be a list of numbers")
    found = tuple(checked(name, each) for each in values)
    if not found or len(set(found)) < len(found):
        raise ValueError(
            f"{name} is {values!r}, but must hold at least one number, each only once"
        )
    return found


def _limits(values: Any) -> tuple[float, float]:
    allowed = "(finest, coarsest), two numbers above 0 in output pixels, ascending"
    if isinstance(values, str) or not isinstance(values, Sequence) or len(values) != 2:
        raise TypeError(f"resolution_range is {values!r}, but must be {allowed}")
    low, high = (check.positive("resolution_range", each) for each in values)
    if not low < high:
        raise ValueError(f"resolution_range is {values!r}, but must be {allowed}")
    return low, high
