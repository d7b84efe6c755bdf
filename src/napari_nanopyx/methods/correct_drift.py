"""Movies whose scene stands still."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.errors import Cancelled
from napari_nanopyx._engine.running.runner import Cancel, run
from napari_nanopyx._kernels import catmull_rom, tasks
from napari_nanopyx.methods import _checks as check
from napari_nanopyx.methods.frames import Frames

DriftKernel = Literal["catmull_rom", "bilinear", "fourier"]

BLOCK_BYTES = 64 * 2**20
"""Memory of the frames that are corrected at a time, as float32."""


def correct_drift(
    image: ArrayLike,
    table: ArrayLike | check.DriftCorrection,
    *,
    kernel: DriftKernel = "catmull_rom",
    fill: float | Literal["edge"] = 0.0,
    out: Any = None,
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> NDArray[np.float32]:
    """Move each frame of a movie so that its scene stands still.

    Parameters
    ----------
    image : array_like, shape (T, Y, X) or (T, Z, Y, X)
        Real, finite numbers: NumPy, Dask, Zarr, or anything with ``shape``, ``dtype``
        and slicing. Channels may take the place of planes, (T, C, Y, X); of a movie
        (C, T, Y, X), correct one channel after the other.
    table : DriftTable or array_like of shape (T, 2) or (T, 3)
        How far to move the content of each frame towards larger indices, in pixels:
        (row, column), or (plane, row, column) for volumes.
    kernel : {"catmull_rom", "bilinear", "fourier"}
        The interpolation, see `magnify`.
    fill : float or "edge"
        What comes in from outside the frame: a number, NaN, or the nearest row and
        column that is not from outside.
    out : array-like of shape of the image, optional
        Where to write the result block by block, such as a `numpy.memmap` or a Zarr
        array of float32: for movies larger than the memory.
    implementation : str, optional
        Compute with this implementation of ``magnify``, see
        `napari_nanopyx.engine.implementations`. By default the fastest is chosen.
    progress : callable, optional
        Called after each block with the frames done and the frames in all.
    cancel : object with ``is_set()``, optional
        Asked between blocks whether to stop, for example a `threading.Event`.

    Returns
    -------
    ndarray of float32, shape of the image
        Or `out`, if that is given. Frames without a shift are copied.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range, such as a table
        for another number of frames, or for frames of another size.
    napari_nanopyx.engine.ImplementationUnavailable
        If the implementation asked for cannot run here, or not with this kernel.
    napari_nanopyx.engine.Cancelled
        If ``cancel`` is set.

    See Also
    --------
    estimate_drift : makes the table.
    esrrf, srrf : take it as ``drift``, and interpolate only once.

    References
    ----------
    .. [1] Saraiva et al., Efficiently accelerated bioimage analysis with NanoPyx, a
       Liquid Engine-powered Python framework, Nature Methods (2025),
       doi:10.1038/s41592-024-02562-6

    Examples
    --------
    >>> import numpy as np
    >>> import napari_nanopyx as nx
    >>> nx.correct_drift(np.arange(8.0).reshape(2, 2, 2), [[0, 0], [0, 1]], fill=-1)
    array([[[ 0.,  1.],
            [ 2.,  3.]],
    <BLANKLINE>
           [[-1.,  4.],
            [-1.,  6.]]], dtype=float32)
    """
    check.steering(implementation, progress, cancel)
    frames = Frames(image)
    shifts = _shifts(table, frames)
    check.one_of("kernel", kernel, get_args(DriftKernel))
    outside = _fill(fill)
    result = np.empty(frames.shape, np.float32) if out is None else out
    if tuple(getattr(result, "shape", ())) != frames.shape:
        raise ValueError(
            f"out has shape {getattr(result, 'shape', None)}, but must have the "
            f"image's, {frames.shape}"
        )
    step = max(1, BLOCK_BYTES // (4 * math.prod(frames.frame_shape)))
    for start in range(0, len(frames), step):
        part = range(start, min(start + step, len(frames)))
        if cancel is not None and cancel.is_set():
            raise Cancelled("the computation was cancelled")
        block = frames.read(part)
        moves = shifts[part.start : part.stop]
        corrected = block.astype(np.float32)
        moving = np.flatnonzero(moves.any(axis=1))
        if len(moving):

            def moved(image: NDArray[Any], shift: NDArray[np.float64]) -> Any:
                return _moved(image, shift, kernel, implementation, cancel)

            if block.ndim == 3:
                corrected[moving] = moved(block[moving], moves[moving])
            else:
                for index in moving.tolist():
                    corrected[index] = _moved_volume(block[index], moves[index], moved)
            for index in moving.tolist():
                _fill_outside(corrected[index], moves[index], outside)
        result[part.start : part.stop] = corrected
        if progress is not None:
            progress(part.stop, len(frames))
    if frames.is_single and out is None:
        return cast("NDArray[np.float32]", result[0])
    return cast("NDArray[np.float32]", result)


def _moved(
    images: NDArray[Any],
    shifts: NDArray[np.float64],
    kernel: DriftKernel,
    implementation: str | None,
    cancel: Cancel | None,
) -> NDArray[np.float32]:
    """Move images by a shift for all or each."""
    task = tasks()["magnify"]
    plan = task.plan(images.shape, factor=(1.0, 1.0), shift=shifts, kernel=kernel)
    return run(task, images, plan, implementation=implementation, cancel=cancel)


def _moved_volume(
    volume: NDArray[Any], shift: NDArray[np.float64], moved: Callable[..., Any]
) -> NDArray[np.float32]:
    """Move a volume: its planes, and then its columns of pixels along the planes."""
    *along, row, column = shift.tolist()
    result = volume.astype(np.float32)
    if row or column:
        result = moved(result, np.array([[row, column]]))
    if along and along[0]:
        ahead = np.ascontiguousarray(result.swapaxes(0, 1))
        result = moved(ahead, np.array([[along[0], 0.0]])).swapaxes(0, 1)
    return result


def _shown(side: int, shift: float) -> slice:
    """Return the samples along an axis that come from inside the frame."""
    points = catmull_rom.coordinates(side, 1.0, shift)
    found = np.flatnonzero(catmull_rom.inside(points, side))
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)


def _fill_outside(
    frame: NDArray[np.float32], shift: NDArray[np.float64], fill: float | None
) -> None:
    """Fill what comes from outside a frame; None repeats what is next to it."""
    for axis, move in zip(range(-len(shift), 0), shift.tolist(), strict=True):
        lines = np.moveaxis(frame, axis, 0)
        span = _shown(len(lines), move)
        lines[: span.start] = lines[span.start] if fill is None else fill
        lines[span.stop :] = lines[span.stop - 1] if fill is None else fill


def _shifts(table: Any, frames: Frames) -> NDArray[np.float64]:
    """Return the shift of each frame, if the table is one for this movie."""
    if table is None or isinstance(table, str | os.PathLike):
        raise TypeError(
            f"table is {table!r}, but must be a drift table: estimate_drift makes one, "
            "DriftTable.load reads its file"
        )
    count, axes = len(frames), len(frames.frame_shape)
    shape = getattr(table, "frame_shape", None)
    of_each = frames.frame_shape[1:] if axes == 3 else frames.frame_shape
    if shape is not None and tuple(shape) not in (frames.frame_shape, of_each):
        raise ValueError(
            f"table is for frames of shape {tuple(shape)}, but image has frames of "
            f"shape {frames.frame_shape}"
        )
    allowed = f"({count}, 2)" if axes == 2 else f"({count}, 3) or ({count}, 2)"
    try:
        shifts = np.asarray(getattr(table, "shifts", table))
    except ValueError as error:
        raise ValueError(
            f"table is {table!r}, but must have shape {allowed}"
        ) from error
    if shifts.dtype.kind not in "uif":
        raise TypeError(f"table has dtype {shifts.dtype}, but must hold real numbers")
    if shifts.ndim != 2 or not 2 <= shifts.shape[1] <= axes:
        raise ValueError(f"table has shape {shifts.shape}, but must have {allowed}")
    if len(shifts) != count:
        raise ValueError(
            f"table is for {len(shifts)} frames, but image has {count}: take the table "
            "of this movie, or the same frames of both"
        )
    if not np.isfinite(shifts).all():
        raise ValueError("table holds NaN or infinity, but must be finite")
    sides = frames.frame_shape[-shifts.shape[1] :]
    far = np.flatnonzero((np.abs(shifts) >= sides).any(axis=1))
    if len(far):
        raise ValueError(
            f"table moves frame {far[0]} by {shifts[far[0]].tolist()}, but must stay "
            f"below the size of a frame, {sides}: give it in pixels"
        )
    return shifts.astype(np.float64)


def _fill(fill: Any) -> float | None:
    """Return the number outside; None for the edge."""
    if isinstance(fill, str):
        check.one_of("fill", fill, ("edge",))
        return None
    if isinstance(fill, float | np.floating) and not math.isfinite(fill):
        if math.isnan(fill):
            return math.nan
        raise ValueError(f"fill is {fill!r}, but must be a number, NaN or 'edge'")
    return check.number("fill", fill, "a number, NaN or 'edge'")
