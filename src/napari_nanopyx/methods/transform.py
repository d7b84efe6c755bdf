"""Images shifted, scaled and turned about their middle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.running.runner import Cancel, run
from napari_nanopyx._engine.running.source import as_source
from napari_nanopyx._kernels import tasks
from napari_nanopyx._kernels.warp import maps
from napari_nanopyx._kernels.warp.plan import Kernel
from napari_nanopyx.methods import _checks as check

LEAST_SCALE, LARGEST_SCALE = 0.01, 100.0


def transform(
    image: ArrayLike,
    *,
    shift: ArrayLike = (0.0, 0.0),
    scale: float | tuple[float, float] = (1.0, 1.0),
    angle: Annotated[float, {"min": -6.3, "max": 6.3, "step": 0.01}] = 0.0,
    kernel: Kernel = "catmull_rom",
    fill: float = 0.0,
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> NDArray[np.float32]:
    """Scale and turn each frame about its middle, then shift it.

    Parameters
    ----------
    image : array_like, shape (T, Y, X) or (Y, X)
        Real, finite numbers: NumPy, Dask, Zarr, or anything with ``shape``, ``dtype``
        and slicing.
    shift : (float, float) or array_like of shape (T, 2)
        How far to move the content towards larger indices, as (row, column) in pixels;
        one for all frames, or one for each. At most 100 000.
    scale : float or (float, float)
        How many times larger the content becomes, along both axes or along (row,
        column) of the original; from 0.01 to 100.
    angle : float
        How far to turn the content, in radians; positive is counter-clockwise on a
        screen, where rows go down.
    kernel : {"catmull_rom", "bilinear", "nearest"}
        The interpolation. ``"catmull_rom"``: cubic, from 4 × 4 pixels, exact for
        parabolas. ``"bilinear"``: from 2 × 2 pixels. ``"nearest"``: the pixel that the
        point lies in.
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
    ndarray of float32, same shape as the image
        Without shift, scale and angle, the image itself. Edge pixels are continued for
        the interpolation; points that lie outside the image are `fill`.

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
    rounded to about a millionth of a pixel, so that every implementation finds the
    same. Nothing is blurred before a scale below 1: fine structures alias.

    References
    ----------
    .. [1] Saraiva et al., Efficiently accelerated bioimage analysis with NanoPyx, a
       Liquid Engine-powered Python framework, Nature Methods (2025),
       doi:10.1038/s41592-024-02562-6

    Examples
    --------
    >>> import numpy as np
    >>> import napari_nanopyx as nx
    >>> nx.transform([[1, 2], [3, 4]], angle=np.pi / 2)
    array([[2., 4.],
           [1., 3.]], dtype=float32)
    """
    check.steering(implementation, progress, cancel)
    source = as_source(image)
    check.one_of("kernel", kernel, get_args(Kernel))
    height, width = source.shape[1:]
    shifts = check.shifts("shift", shift, source.shape[0], pair=True)
    if np.abs(shifts).max() > 100_000:
        raise ValueError(
            f"shift holds {np.abs(shifts).max():g}, but must be at most 100000 pixels"
        )
    affine = maps.turned(
        (height, width),
        shifts,
        check.both_axes("scale", scale, _scale),
        check.number("angle", angle, "a number of radians"),
    )
    plan = tasks()["warp"].plan(
        source.shape, affine=affine, kernel=kernel, fill=check.filling(fill)
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


def _scale(name: str, value: Any) -> float:
    allowed = f"a number from {LEAST_SCALE:g} to {LARGEST_SCALE:g}"
    given = check.number(name, value, allowed)
    if not LEAST_SCALE <= given <= LARGEST_SCALE:
        raise ValueError(f"{name} is {value!r}, but must be {allowed}")
    return given
