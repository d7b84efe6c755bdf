"""Weighted sums of neighbouring pixels: smoothing, sharpening, finding edges."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.running.runner import Cancel, run
from napari_nanopyx._engine.running.source import as_source
from napari_nanopyx._kernels import tasks
from napari_nanopyx.methods import _checks as check


def convolve(
    image: ArrayLike,
    kernel: ArrayLike,
    *,
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> NDArray[np.float32]:
    """Replace each pixel by a weighted sum of the pixels around it.

    Parameters
    ----------
    image : array_like, shape (T, Y, X) or (Y, X)
        Real, finite numbers: NumPy, Dask, Zarr, or anything with ``shape``, ``dtype``
        and slicing.
    kernel : array_like, shape (h, w)
        The weights, for all frames the same; used as float32. Any size: also even, and
        larger than the image.
    implementation : str, optional
        Compute with this one, see `napari_nanopyx.engine.implementations`. By default
        the fastest is chosen. ``"separable"`` computes only kernels that are a column
        times a row.
    progress : callable, optional
        Called after each block with the frames done and the frames in all.
    cancel : object with ``is_set()``, optional
        Asked between blocks whether to stop, for example a `threading.Event`.

    Returns
    -------
    ndarray of float32, of the image's shape
        Pixel (r, c) is the sum over a, b of ``kernel[a, b]`` times pixel
        (r + a - (h - 1) // 2, c + b - (w - 1) // 2). Outside the image its edge pixels
        are continued.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.
    napari_nanopyx.engine.ImplementationUnavailable
        If the implementation asked for cannot run here, or not with this kernel.
    napari_nanopyx.engine.Cancelled
        If ``cancel`` is set.

    Notes
    -----
    The kernel is not turned round, as in most imaging software; mathematics calls this
    a correlation. Give ``kernel[::-1, ::-1]`` for the other convention.

    References
    ----------
    .. [1] Saraiva et al., Efficiently accelerated bioimage analysis with NanoPyx, a
       Liquid Engine-powered Python framework, Nature Methods (2025),
       doi:10.1038/s41592-024-02562-6

    Examples
    --------
    >>> import napari_nanopyx as nx
    >>> nx.convolve([[1, 2, 4, 8]], [[-1, 0, 1]])
    array([[1., 3., 6., 4.]], dtype=float32)
    """
    check.steering(implementation, progress, cancel)
    source = as_source(image)
    task = tasks()["convolve"]
    plan = task.plan(source.shape, kernel=check.weights("kernel", kernel))
    result = run(
        task,
        source,
        plan,
        implementation=implementation,
        progress=progress,
        cancel=cancel,
    )
    return result[0] if source.is_single else result
