"""Channels moved to where their registration says."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.running.runner import Cancel, run
from napari_nanopyx._engine.running.source import as_source
from napari_nanopyx._kernels import tasks
from napari_nanopyx._kernels.warp.plan import Kernel
from napari_nanopyx.methods import _checks as check
from napari_nanopyx.methods.channel_registration import ChannelRegistration


def register_channels(
    image: ArrayLike,
    registration: ChannelRegistration,
    *,
    kernel: Kernel = "catmull_rom",
    fill: float = 0.0,
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> NDArray[np.float32]:
    """Move each channel onto the reference.

    Parameters
    ----------
    image : array_like, shape (C, Y, X)
        Real, finite numbers; as many channels, rows and columns as the image that the
        registration was estimated from.
    registration : ChannelRegistration
        From `napari_nanopyx.estimate_channel_shifts`, or loaded.
    kernel : {"catmull_rom", "bilinear", "nearest"}
        The interpolation, as in `napari_nanopyx.transform`.
    fill : float
        What lies outside the image.
    implementation : str, optional
        Compute with this one, see `napari_nanopyx.engine.implementations`. By default
        the fastest is chosen.
    progress : callable, optional
        Called after each block with the channels done and the channels in all.
    cancel : object with ``is_set()``, optional
        Asked between blocks whether to stop, for example a `threading.Event`.

    Returns
    -------
    ndarray of float32, same shape as the image
        The reference, and channels that could not be registered, as they were.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or the registration is for images of
        another size or number of channels.
    napari_nanopyx.engine.ImplementationUnavailable
        If the implementation asked for cannot run here.
    napari_nanopyx.engine.Cancelled
        If ``cancel`` is set.

    References
    ----------
    .. [1] Laine et al., NanoJ: a high-performance open-source super-resolution
       microscopy toolbox, Journal of Physics D (2019), doi:10.1088/1361-6463/ab0261

    Examples
    --------
    >>> import numpy as np
    >>> import napari_nanopyx as nx
    >>> noise = np.random.default_rng(1).normal(size=(64, 64))
    >>> scene = nx.convolve(noise, np.ones((5, 5)))
    >>> image = np.stack([scene, np.roll(scene, (2, -3), (0, 1))])
    >>> registration = nx.estimate_channel_shifts(image, max_shift=5)
    >>> registered = nx.register_channels(image, registration)
    >>> inner = registered[:, 8:-8, 8:-8]
    >>> bool(np.abs(inner[1] - inner[0]).max() < 0.05 * np.ptp(scene))
    True
    """
    check.steering(implementation, progress, cancel)
    if not isinstance(registration, ChannelRegistration):
        raise TypeError(
            f"registration is a {type(registration).__name__}, but must be a "
            "ChannelRegistration, from estimate_channel_shifts"
        )
    source = as_source(image)
    check.one_of("kernel", kernel, get_args(Kernel))
    if source.shape != registration.shape:
        channels, rows, columns = registration.shape
        raise ValueError(
            f"image has shape {source.shape}, but the registration is for {channels} "
            f"channels of {rows} × {columns} pixels: estimate one for this image"
        )
    plan = tasks()["warp"].plan(
        source.shape,
        affine=np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]),
        field=-registration.shifts,
        kernel=kernel,
        fill=check.filling(fill),
    )
    return run(
        tasks()["warp"],
        source,
        plan,
        implementation=implementation,
        progress=progress,
        cancel=cancel,
    )
