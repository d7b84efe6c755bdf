"""Images on a finer grid, shifted if wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.running.runner import Cancel, run
from napari_nanopyx._engine.running.source import as_source
from napari_nanopyx._kernels import catmull_rom, tasks
from napari_nanopyx._kernels.magnify.kernels import Kernel
from napari_nanopyx.methods import _checks as check

LARGEST_FACTOR = 100.0


def magnify(
    image: ArrayLike,
    factor: Annotated[
        float | tuple[float, float], {"min": 0.1, "max": LARGEST_FACTOR, "step": 0.5}
    ],
    *,
    kernel: Kernel = "catmull_rom",
    shift: ArrayLike = (0.0, 0.0),
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> NDArray[np.float32]:
    """Interpolate each frame on a finer (or coarser) grid.

    Parameters
    ----------
    image : array_like, shape (T, Y, X) or (Y, X)
        Real, finite numbers: NumPy, Dask, Zarr, or anything with ``shape``, ``dtype``
        and slicing.
    factor : float or (float, float)
        Output pixels per input pixel, for both axes or for (row, column); above 0, at
        most 100.
    kernel : {"catmull_rom", "bilinear", "nearest", "lanczos", "fourier"}
        The interpolation. ``"catmull_rom"``: cubic, from 4 × 4 pixels, exact for
        parabolas. ``"bilinear"``: from 2 × 2 pixels. ``"nearest"``: the pixel that the
        point lies in. ``"lanczos"``: the windowed sinc of 8 × 8 pixels.
        ``"fourier"``: the band-limited image through all pixels, mirrored at its edges.
    shift : (float, float) or array_like of shape (T, 2)
        How far to move the content towards larger indices, as (row, column) in input
        pixels; one for all frames, or one for each.
    implementation : str, optional
        Compute with this one, see `napari_nanopyx.engine.implementations`. By default
        the fastest is chosen.
    progress : callable, optional
        Called after each block with the frames done and the frames in all.
    cancel : object with ``is_set()``, optional
        Asked between blocks whether to stop, for example a `threading.Event`.

    Returns
    -------
    ndarray of float32, shape (T, floor(Y * factor), floor(X * factor))
        Two-dimensional for a two-dimensional image. Output pixel ``q`` is centred at
        ``(q + 0.5) / factor`` input pixels, less the shift. Edge pixels are continued
        for the interpolation; points that lie outside the image are 0. Every kernel
        goes through the pixels: factor 1 without a shift gives the image back.

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
    Nothing is blurred before a factor below 1: fine structures alias. Lanczos and
    Fourier interpolation overshoot at steep edges, Catmull-Rom a little.

    References
    ----------
    .. [1] Saraiva et al., Efficiently accelerated bioimage analysis with NanoPyx, a
       Liquid Engine-powered Python framework, Nature Methods (2025),
       doi:10.1038/s41592-024-02562-6

    Examples
    --------
    >>> import napari_nanopyx as nx
    >>> nx.magnify([[5, 6, 7, 8]], 1, shift=(0, 1))
    array([[0., 5., 6., 7.]], dtype=float32)
    """
    check.steering(implementation, progress, cancel)
    source = as_source(image)
    check.one_of("kernel", kernel, get_args(Kernel))
    factors = check.both_axes("factor", factor, _factor)
    for each, length, axis in zip(factors, source.shape[1:], "YX", strict=True):
        if catmull_rom.magnified_length(length, each) < 1:
            raise ValueError(
                f"factor is {factor!r}, which leaves no pixel along {axis}, but must "
                f"be at least {1 / length:g} there, as the image has {length}"
            )
    plan = tasks()["magnify"].plan(
        source.shape,
        factor=factors,
        shift=check.shifts("shift", shift, source.shape[0], pair=True),
        kernel=kernel,
    )
    result = run(
        tasks()["magnify"],
        source,
        plan,
        implementation=implementation,
        progress=progress,
        cancel=cancel,
    )
    return result[0] if source.is_single else result


def _factor(name: str, value: Any) -> float:
    return check.positive(name, value, LARGEST_FACTOR)
