"""How far the scene of a movie drifts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.running.runner import Cancel
from napari_nanopyx._kernels import drift_path, registering
from napari_nanopyx._kernels.correlation import Correlator, Window
from napari_nanopyx._kernels.registering import Path
from napari_nanopyx.methods import _checks as check
from napari_nanopyx.methods._correlations import correlations
from napari_nanopyx.methods._drift_images import (
    OneChannel,
    batches,
    check_memory,
    part_of,
    reach_of,
)
from napari_nanopyx.methods.drift_table import DriftTable
from napari_nanopyx.methods.frames import Frames

Reference = Literal["first", "previous"]
Method = Literal["ccm", "rcc"]


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
    channel_index: int | None = None,
    projections: bool = False,
    pixel_size: float | None = None,
    units: str = "px",
    frame_interval: float | None = None,
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> DriftTable:
    """Estimate how to move each frame of a movie so that its scene stands still.

    Parameters
    ----------
    image : array_like, shape (T, Y, X), (T, Z, Y, X) or (T, C, Y, X)
        Real, finite numbers: NumPy, Dask, Zarr, or anything with ``shape``, ``dtype``
        and slicing. It is read block by block, so it may be larger than the memory.
        Of a movie (C, T, Y, X) give one channel, ``image[channel]``.
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
    channel_index : int, optional
        The channel to look at, counted from 0, if the second axis is that of channels.
        `correct_drift` moves all channels by the table.
    projections : bool
        Whether volumes are compared by their means along Z, and along Y for the drift
        in Z, rather than as they are. It is faster, and for thin volumes more robust.
    pixel_size : float, optional
        Length of a pixel's side, kept in the table.
    units : str
        Unit of `pixel_size`.
    frame_interval : float, optional
        Seconds from one frame to the next, kept in the table.
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
    show, found between pixels by Fourier interpolation. What the first
    frames show to be noise is taken off the first frame, if that is the reference
    [2]_. It counts if it is within
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
    .. [2] Knapp and Carter, The generalized correlation method for estimation of time
       delay, IEEE Transactions on Acoustics, Speech, and Signal Processing (1976),
       doi:10.1109/TASSP.1976.1162830

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
    check.steering(implementation, progress, cancel)
    movie: Any = image if channel_index is None else OneChannel(image, channel_index)
    frames = Frames(movie)
    check.one_of("reference", reference, get_args(Reference))
    check.one_of("method", method, get_args(Method))
    check.one_of("window", window, get_args(Window))
    averaged = check.whole("time_averaging", time_averaging, 1, len(frames))
    part = part_of(roi, frames.frame_shape)
    shape = tuple(each.stop - each.start for each in part)
    if projections and len(shape) != 3:
        raise ValueError(
            f"projections is {projections!r}, but image has frames of shape "
            f"{frames.frame_shape}: only volumes have projections"
        )
    reach = reach_of(max_drift, shape)
    blur = _background(background)
    farthest = check.whole("max_lag", max_lag, 0)
    size = None if pixel_size is None else check.positive("pixel_size", pixel_size)
    if not isinstance(units, str):
        raise TypeError(f"units is {units!r}, but must be text, such as 'nm'")
    interval = (
        None
        if frame_interval is None
        else check.positive("frame_interval", frame_interval)
    )
    sums = correlations(implementation, cancel)

    def path_of(
        axes: tuple[int, ...], along: int | None = None, passes: int = 1, done: int = 0
    ) -> Path:
        correlator = Correlator(
            tuple(shape[axis] for axis in axes),
            tuple(reach[axis] for axis in axes),
            blur,
            window,
            devices.thread_count(),
            sums,
        )

        def report(count: int, total: int) -> None:
            if progress is not None:
                progress(done * total + count, passes * total)

        images = batches(frames, part, averaged, report, cancel, along)
        if method == "rcc":
            check_memory(correlator.shape, -(-len(frames) // averaged))
            return registering.all_pairs(correlator, images, farthest)
        if reference == "first":
            return registering.against_first(correlator, images)
        return registering.step_by_step(correlator, images)

    if projections:
        path = registering.with_axial(
            path_of((1, 2), 0, 2, 0), path_of((0, 2), 1, 2, 1)
        )
    else:
        path = path_of(tuple(range(len(shape))))
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
            "channel_index": channel_index,
            "projections": bool(projections),
        },
        uncertainty[block],
        interval,
    )


_NOTHING = (
    "image shows no frame that could be registered with another: every frame is "
    "constant or dark, moves farther than max_drift, or repeats itself within it; "
    "average more frames (time_averaging), allow more drift (max_drift) or less, or "
    "look at another part (roi)"
)


def _background(value: Any) -> float:
    allowed = "a number from 0 up"
    given = check.number("background", value, allowed)
    if given < 0:
        raise ValueError(f"background is {value!r}, but must be {allowed}")
    return given
