"""Images unrolled about their middle: angles down the rows, radii along them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.running.runner import Cancel, run
from napari_nanopyx._engine.running.source import as_source
from napari_nanopyx._kernels import tasks
from napari_nanopyx._kernels.warp import maps
from napari_nanopyx._kernels.warp.maps import Scale
from napari_nanopyx._kernels.warp.plan import Kernel
from napari_nanopyx.methods import _checks as check

LARGEST_SIDE = 65536


def polar(
    image: ArrayLike,
    shape: tuple[int, int],
    *,
    scale: Scale = "linear",
    kernel: Kernel = "nearest",
    fill: float = 0.0,
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> NDArray[np.float32]:
    """Sample each frame along circles about its middle.

    Parameters
    ----------
    image : array_like, shape (T, Y, X) or (Y, X)
        Real, finite numbers: NumPy, Dask, Zarr, or anything with ``shape``, ``dtype``
        and slicing.
    shape : (int, int)
        How many angles (rows) and radii (columns) the result has; from 1 to 65536 each.
    scale : {"linear", "log"}
        Whether radii grow by equal steps from 0, or by equal factors from 1 pixel; in
        both cases to the corner of the image, half its diagonal.
    kernel : {"nearest", "bilinear", "catmull_rom"}
        The interpolation, as in `napari_nanopyx.transform`.
    fill : float
        What lies outside the image.
    implementation : str, optional
        Compute with this one, see `napari_nanopyx.engine.implementations`. By default
        the fastest is chosen.
    progress : callable, optional
        Called after each block with the frames done and the frames in all.
    cancel : object with ``is_set()``, optional
        Asked between blocks whether to stop, for example a `threading.Event`.

    Returns
    -------
    ndarray of float32, shape (T, rows, columns)
        Two-dimensional for a two-dimensional image. Row i is the angle
        2π i / (rows - 1), so that the first row and the last are the same; angle 0
        points to the right, and angles grow towards larger row indices.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.
    napari_nanopyx.engine.ImplementationUnavailable
        If the implementation asked for cannot run here.
    napari_nanopyx.engine.Cancelled
        If ``cancel`` is set.

    Notes
    -----
    The middle of an image of H rows is H / 2, where pixel 0 covers 0 to 1. Points are
    rounded to float32, relative to the middle.

    References
    ----------
    .. [1] Saraiva et al., Efficiently accelerated bioimage analysis with NanoPyx, a
       Liquid Engine-powered Python framework, Nature Methods (2025),
       doi:10.1038/s41592-024-02562-6

    Examples
    --------
    >>> import numpy as np
    >>> import napari_nanopyx as nx
    >>> nx.polar(np.arange(25).reshape(5, 5), (5, 3))
    array([[12., 14.,  0.],
           [12., 22.,  0.],
           [12., 10.,  0.],
           [12.,  2.,  0.],
           [12., 14.,  0.]], dtype=float32)
    """
    check.steering(implementation, progress, cancel)
    source = as_source(image)
    check.one_of("scale", scale, get_args(Scale))
    check.one_of("kernel", kernel, get_args(Kernel))
    rows, columns = _sides(shape)
    height, width = source.shape[1:]
    middle = np.array([[[0.0, 0.0, height / 2], [0.0, 0.0, width / 2]]])
    field = maps.unrolled((height, width), (rows, columns), scale)
    plan = tasks()["warp"].plan(
        source.shape,
        affine=middle,
        field=field[np.newaxis],
        kernel=kernel,
        fill=check.filling(fill),
        output_shape=(rows, columns),
    )
    result = run(
        tasks()["warp"],
        source,
        plan,
        implementation=implementation,
        progress=progress,
        cancel=cancel,
    )
    return result[0] if source.is_single else result


def _sides(shape: Any) -> tuple[int, int]:
    """Return the rows and columns of the result."""
    if np.shape(shape) != (2,):
        raise ValueError(f"shape is {shape!r}, but must be (angles, radii)")
    angles, radii = shape
    return (
        check.whole("shape's first number", angles, 1, LARGEST_SIDE),
        check.whole("shape's second number", radii, 1, LARGEST_SIDE),
    )
