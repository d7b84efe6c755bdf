"""Decorrelation analysis in each block of an image."""

from __future__ import annotations

from collections.abc import Callable

from numpy.typing import ArrayLike

from napari_nanopyx._engine.running.runner import Cancel
from napari_nanopyx.methods import _checks as check
from napari_nanopyx.methods._blocks import Part, measured_in_blocks
from napari_nanopyx.methods._single_images import single_image
from napari_nanopyx.methods.decorrelation import decorrelation
from napari_nanopyx.methods.decorrelation_result import Decorrelation
from napari_nanopyx.methods.resolution_map import ResolutionMap

LEAST_TILE = 64
"""Pixels along an axis; of smaller tiles too little is left between faded edges."""


def decorrelation_map(
    image: ArrayLike,
    *,
    tile: int = 200,
    rmin: float = 0.0,
    rmax: float = 1.0,
    n_r: int = 50,
    n_g: int = 10,
    pixel_size: float = 1.0,
    units: str = "px",
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> ResolutionMap[Decorrelation]:
    """Measure by decorrelation analysis how the resolution varies over an image.

    Parameters
    ----------
    image : array_like, shape (Y, X) or (1, Y, X)
        Real, finite numbers, at least 64 pixels along each axis.
    tile : int
        About how many pixels a side of a block has, at least 64: as many blocks of
        equal size as come nearest to it share out each axis.
    rmin : float
        The lowest frequency to look at, as a fraction of the Nyquist frequency; this
        and what follows is as in `decorrelation`.
    rmax : float
        The highest frequency to look at, as a fraction of the Nyquist frequency.
    n_r : int
        Points of a curve, from 10 to 100.
    n_g : int
        High-pass filters in each of two rounds, from 5 to 40.
    pixel_size : float
        Length of a pixel's side.
    units : str
        Unit of `pixel_size`, as it is to be printed.
    implementation : {"reference"}, optional
        There is one, float64 throughout.
    progress : callable, optional
        Called after each block with the blocks done and the blocks in all.
    cancel : object with ``is_set()``, optional
        Asked before each block whether to stop, for example a `threading.Event`.

    Returns
    -------
    ResolutionMap
        With ``resolution`` and ``reasons`` of each block, ``blocks`` (a `Decorrelation`
        each), ``image()`` at each pixel, and ``plot``; ``of("k_c")`` and
        ``of("amplitude")`` are the maps of these. A block without a resolution, such as
        one of background, is NaN and has a reason.

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
    Each block fades into its mean over 20 pixels at each of its edges.

    References
    ----------
    .. [1] Descloux, Grußmayer and Radenovic, Parameter-free image resolution estimation
       based on decorrelation analysis, Nature Methods (2019),
       doi:10.1038/s41592-019-0515-7

    Examples
    --------
    >>> import numpy as np
    >>> import napari_nanopyx as nx
    >>> scene = np.random.default_rng(0).random((200, 400))
    >>> gaussian = np.exp(-np.arange(-8, 9) ** 2 / (2 * 2.0**2))
    >>> scene[:, 200:] = nx.convolve(scene, np.outer(gaussian, gaussian))[:, 200:]
    >>> nx.decorrelation_map(scene).resolution.shape
    (1, 2)
    """
    check.steering(implementation, progress, cancel)
    pixels = single_image("image", image, LEAST_TILE)
    side = check.whole("tile", tile, LEAST_TILE)

    def measure(part: Part) -> Decorrelation:
        return decorrelation(
            pixels[part],
            rmin=rmin,
            rmax=rmax,
            n_r=n_r,
            n_g=n_g,
            pixel_size=pixel_size,
            units=units,
            implementation=implementation,
        )

    height, width = (max(1, round(length / side)) for length in pixels.shape)
    return measured_in_blocks(
        "Decorrelation", measure, pixels.shape, (height, width), progress, cancel
    )
