"""Gradients of images by finite differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.errors import Cancelled, UnknownImplementation
from napari_nanopyx._engine.running.runner import Cancel
from napari_nanopyx._engine.running.source import as_source
from napari_nanopyx._kernels import differences
from napari_nanopyx._kernels.esrrf.gradients import roberts, two_point
from napari_nanopyx._kernels.srrf.gradients import three_point
from napari_nanopyx.methods import _checks as check

Operator = Literal["roberts", "two_point", "three_point", "three_point_x", "five_point"]
Image = NDArray[np.float64]

_OPERATORS: Mapping[str, Callable[[Image], tuple[Image, Image]]] = {
    "roberts": roberts,
    "two_point": two_point,
    "three_point": three_point,
    "three_point_x": differences.three_point_x,
    "five_point": differences.five_point,
}


def gradient(
    image: ArrayLike,
    *,
    operator: Operator = "roberts",
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Measure how steeply each frame rises along its rows' and columns' axes.

    Parameters
    ----------
    image : array_like, shape (T, Y, X) or (Y, X)
        Real, finite numbers: NumPy, Dask, Zarr, or anything with ``shape``, ``dtype``
        and slicing.
    operator : {"roberts", "two_point", "three_point", "three_point_x", "five_point"}
        The differences, see the notes.
    implementation : {"reference"}, optional
        There is one, in float64.
    progress : callable, optional
        Called after each frame with the frames done and the frames in all.
    cancel : object with ``is_set()``, optional
        Asked before each frame whether to stop, for example a `threading.Event`.

    Returns
    -------
    row, column : ndarray of float32, same shape as the image
        How much the values grow towards larger row, and towards larger column indices.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.
    napari_nanopyx.engine.UnknownImplementation
        If another implementation is asked for.
    napari_nanopyx.engine.Cancelled
        If ``cancel`` is set.

    Notes
    -----
    Where a difference belongs, and what it makes of a slope of 1 for each pixel:

    ============= ===================================================== ====
    operator      place of entry (r, c)                                 gain
    ============= ===================================================== ====
    roberts       the upper left corner of the pixel                    2
    two_point     the middle of its upper (row) or left (column) edge   1
    three_point   its centre; the neighbours on both sides              2
    three_point_x its centre; the four neighbours across the corners    4
    five_point    its centre; two neighbours on both sides              1
    ============= ===================================================== ====

    The edge pixels are continued, so that gradients fade at the edge; but for
    ``"five_point"``, which takes one-sided differences there, exact for parabolas.

    References
    ----------
    .. [1] Saraiva et al., Efficiently accelerated bioimage analysis with NanoPyx, a
       Liquid Engine-powered Python framework, Nature Methods (2025),
       doi:10.1038/s41592-024-02562-6

    Examples
    --------
    >>> import numpy as np
    >>> import napari_nanopyx as nx
    >>> row, column = nx.gradient(np.arange(9).reshape(3, 3), operator="three_point")
    >>> row[1], column[1]
    (array([6., 6., 6.], dtype=float32), array([1., 2., 1.], dtype=float32))
    """
    check.steering(implementation, progress, cancel)
    source = as_source(image)
    differ = _OPERATORS[check.one_of("operator", operator, get_args(Operator))]
    least = differences.LEAST_PIXELS if operator == "five_point" else 1
    if min(source.shape[1:]) < least:
        raise ValueError(
            f"image has {source.shape[1]} × {source.shape[2]} pixels, but must have at "
            f"least {least} along each axis for operator {operator!r}"
        )
    if implementation not in (None, "reference"):
        raise UnknownImplementation(str(implementation), "gradient", ["reference"])
    count = len(source)
    row, column = (np.empty(source.shape, np.float32) for _ in range(2))
    for frame in range(count):
        if cancel is not None and cancel.is_set():
            raise Cancelled("the computation was cancelled")
        pixels = source.read(range(frame, frame + 1))[0].astype(np.float64)
        row[frame], column[frame] = differ(pixels)
        if progress is not None:
            progress(frame + 1, count)
    return (row[0], column[0]) if source.is_single else (row, column)
