"""How far the scene of a movie drifts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine import devices
from napari_nanopyx._engine.errors import Cancelled
from napari_nanopyx._engine.runner import Cancel
from napari_nanopyx._kernels import drift_path, registering
from napari_nanopyx._kernels.correlation import Correlator, Window
from napari_nanopyx.methods import _checks as check
from napari_nanopyx.methods._correlations import correlations
from napari_nanopyx.methods.drift_table import AXES, DriftTable
from napari_nanopyx.methods.frames import Frames

Reference = Literal["first", "previous"]
Method = Literal["ccm", "rcc"]

LEAST_SIDE = 12
"""Pixels along an axis of what is registered."""

BATCH_BYTES = 32 * 2**20
"""Memory of the images that are compared at a time, as float32."""

MEMORY_SHARE = 4
"""Part of the computer's memory, one in so many, that RCC may take."""


def estimate_drift(
    image: ArrayLike,
    *,
    reference: Reference = "first",
    time_averaging: int = 1,
    max_drift: float | None = None,
    roi: Sequence[int] | None = None,
    method: Method = "ccm",
    max_lag: int = 0,
    background: float = 0.0,
    window: Window = "none",
    pixel_size: float | None = None,
    units: str = "px",
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> DriftTable:
    """Estimate how to move each frame of a movie so that its scene stands still.

    Parameters
    ----------
    image : array_like, shape (T, Y, X) or (T, Z, Y, X)
        Real, finite numbers: NumPy, Dask, Zarr, or anything with ``shape``, ``dtype``
        and slicing. It is read block by block, so it may be larger than the memory.
    reference : {"first", "previous"}
        What each frame is compared with. ``"previous"`` follows a scene that changes,
        but its errors add up. RCC compares all with all.
    time_averaging : int
        Frames that are averaged before they are compared, 1 to T. Where molecules
        blink, take as many as show the structure.
    max_drift : float, optional
        Farthest displacement along an axis in pixels, from what a frame is compared
        with. By default about half of each axis.
    roi : (row, column, end row, end column), optional
        Part of the image to look at; the ends are not part of it. For volumes
        (plane, row, column, end plane, end row, end column).
    method : {"ccm", "rcc"}
        The maximum of the cross-correlation map with the reference, or redundant
        cross-correlation: the displacements of all pairs, reconciled by least squares
        without those that the others contradict [1]_.
    max_lag : int
        RCC compares frames (or averages) at most so far apart; 0 compares all.
    background : float
        Standard deviation in pixels of the Gaussian blur that is taken off as
        background. 0 takes off the mean.
    window : {"none", "hann"}
        Whether pixels count less towards the edges of what both images show.
    pixel_size : float, optional
        Length of a pixel's side, kept in the table.
    units : str
        Unit of `pixel_size`.
    implementation : str, optional
        Which implementation of the task ``correlate`` to use; by default the engine
        chooses.
    progress : callable, optional
        Called after each batch with the frames read and the frames in all.
    cancel : object with ``is_set()``, optional
        Asked between batches whether to stop, for example a `threading.Event`.

    Returns
    -------
    DriftTable
        The correction of each frame, relative to the first (average of) frames, its
        uncertainty, how similar each was to what it was compared with, and which
        frames could not be registered. These get a correction from those around them.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range, or if no frame
        can be registered.
    napari_nanopyx.engine.UnknownImplementation
        If there is no such implementation.
    napari_nanopyx.engine.Cancelled
        If ``cancel`` is set.

    Notes
    -----
    A displacement is that with the highest Pearson correlation of what both images
    show, found between pixels by Fourier interpolation. It counts if it is within
    `max_drift`, if the correlation is more than noise alone would give by chance, and
    if no other displacement fits as well, as in periodic patterns. The table's
    ``uncertainty`` is what the noise of two images does to it; in a live movie, what
    moves by itself is not part of it. It is smaller with `time_averaging`.
    Averages are placed at the middle of their frames; between these drift follows
    cubic polynomials that do not overshoot. RCC keeps all averages in memory.

    References
    ----------
    .. [1] Wang et al., Localization events-based sample drift correction for
       localization microscopy with redundant cross-correlation algorithm, Optics
       Express (2014), doi:10.1364/OE.22.015982

    Examples
    --------
    >>> import numpy as np
    >>> import napari_nanopyx as nx
    >>> frame = np.random.default_rng(0).poisson(100, (40, 40))
    >>> table = nx.estimate_drift([frame, np.roll(frame, (1, 2), (0, 1))])
    >>> np.abs(table.shifts.round(1))
    array([[0., 0.],
           [1., 2.]])
    """
    frames = Frames(image)
    check.one_of("reference", reference, get_args(Reference))
    check.one_of("method", method, get_args(Method))
    check.one_of("window", window, get_args(Window))
    averaged = check.whole("time_averaging", time_averaging, 1, len(frames))
    part = _part(roi, frames.frame_shape)
    shape = tuple(each.stop - each.start for each in part)
    correlator = Correlator(
        shape,
        _reach(max_drift, shape),
        background=_background(background),
        window=window,
        workers=devices.thread_count(),
        sums=correlations(implementation, cancel),
    )
    farthest = check.whole("max_lag", max_lag, 0)
    size = None if pixel_size is None else check.positive("pixel_size", pixel_size)
    if not isinstance(units, str):
        raise TypeError(f"units is {units!r}, but must be text, such as 'nm'")
    batches = _batches(frames, part, averaged, progress, cancel)
    if method == "rcc":
        _check_memory(shape, -(-len(frames) // averaged))
        path = registering.all_pairs(correlator, batches, farthest)
    elif reference == "first":
        path = registering.against_first(correlator, batches)
    else:
        path = registering.step_by_step(correlator, batches)
    if len(path.found) > 1 and path.found.sum() < 2:
        raise ValueError(_NOTHING)
    if not path.found.any():
        raise ValueError(_NOTHING)
    block = np.arange(len(frames)) // averaged
    starts = np.arange(len(path.found)) * averaged
    centres = (starts + np.minimum(starts + averaged, len(frames)) - 1) / 2
    known = path.found
    moved = path.positions[known] - path.positions[known][0]
    positions = drift_path.at_frames(centres[known], moved, len(frames), averaged / 2)
    uncertainty = np.where(known[:, np.newaxis], path.uncertainty, np.nan)
    return DriftTable(
        0.0 - positions,
        path.similarity[block],
        ~known[block],
        size,
        units,
        frames.frame_shape,
        frames.digest(),
        {
            "method": method,
            "reference": reference,
            "time_averaging": averaged,
            "max_drift": max_drift,
            "roi": None if roi is None else [int(each) for each in roi],
            "max_lag": farthest,
            "background": float(background),
            "window": window,
        },
        uncertainty[block],
    )


_NOTHING = (
    "image shows no frame that could be registered with another: every frame is "
    "constant or dark, moves farther than max_drift, or repeats itself within it; "
    "average more frames (time_averaging), allow more drift (max_drift) or less, or "
    "look at another part (roi)"
)


def _part(roi: Any, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Return the part of a frame that is looked at."""
    names = AXES[-len(shape) :]
    if roi is None:
        values = [0] * len(shape) + list(shape)
    else:
        allowed = ", ".join(names) + ", " + ", ".join(f"end {name}" for name in names)
        if isinstance(roi, str) or not hasattr(roi, "__len__"):
            raise TypeError(f"roi is {roi!r}, but must be ({allowed})")
        if len(roi) != 2 * len(shape):
            raise ValueError(f"roi is {roi!r}, but must be ({allowed})")
        values = []
        for index, value in enumerate(roi):
            axis = index % len(shape)
            values.append(
                check.whole(
                    f"roi's {allowed.split(', ')[index]}", value, 0, shape[axis]
                )
            )
    part = tuple(map(slice, values[: len(shape)], values[len(shape) :]))
    for name, span in zip(names, part, strict=True):
        if span.stop - span.start < LEAST_SIDE:
            what = "roi" if roi is not None else "image"
            advice = "; project the volumes first" if name == "plane" else ""
            raise ValueError(
                f"{what} has {max(0, span.stop - span.start)} {name}s to register, but "
                f"must have at least {LEAST_SIDE}{advice}"
            )
    return part


def _reach(max_drift: float | None, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the farthest displacement along each axis, in whole pixels."""
    if max_drift is None:
        return tuple(max(1, min(side // 2, side - 18)) for side in shape)
    most = min(shape) - 1
    given = check.positive("max_drift", max_drift, most, "smallest side less 1")
    return (math.ceil(given),) * len(shape)


def _background(value: Any) -> float:
    allowed = "a number from 0 up"
    given = check.number("background", value, allowed)
    if given < 0:
        raise ValueError(f"background is {value!r}, but must be {allowed}")
    return given


def _batches(
    frames: Frames,
    part: tuple[slice, ...],
    averaged: int,
    progress: Callable[[int, int], object] | None,
    cancel: Cancel | None,
) -> Iterator[NDArray[Any]]:
    """Yield images to compare, as many as fit: frames, or averages of some."""
    most = max(
        1, BATCH_BYTES // (4 * math.prod(each.stop - each.start for each in part))
    )
    most_read = max(1, BATCH_BYTES // (4 * math.prod(frames.frame_shape)))
    step = most if averaged == 1 else averaged
    step = min(step, most_read) if averaged == 1 else step
    averages: list[NDArray[np.float32]] = []
    for start in range(0, len(frames), step):
        stop = min(start + step, len(frames))
        if cancel is not None and cancel.is_set():
            raise Cancelled("the computation was cancelled")
        if averaged == 1:
            yield frames.read(range(start, stop))[(slice(None), *part)]
        else:
            total = np.zeros([each.stop - each.start for each in part])
            for first in range(start, stop, most_read):
                block = frames.read(range(first, min(first + most_read, stop)))
                total += block[(slice(None), *part)].sum(axis=0, dtype=np.float64)
            averages.append((total / (stop - start)).astype(np.float32))
            if len(averages) == most or stop == len(frames):
                yield np.stack(averages)
                averages = []
        if progress is not None:
            progress(stop, len(frames))


def _check_memory(shape: tuple[int, ...], count: int) -> None:
    """Raise if all images, prepared, would take too much memory."""
    memory = devices.memory_bytes()
    needed = count * math.prod(shape) * 24
    if memory and needed > memory // MEMORY_SHARE:
        raise ValueError(
            f"method is 'rcc', which would keep {count} images in "
            f"{needed / 2**30:.1f} GiB of memory: average more frames (time_averaging) "
            "or choose a part (roi)"
        )
