"""Fourier ring correlation in each block of an image."""

from __future__ import annotations

from collections.abc import Callable

from numpy.typing import ArrayLike

from napari_nanopyx._engine.running.runner import Cancel
from napari_nanopyx._kernels.ring_correlation import Window
from napari_nanopyx.methods import _checks as check
from napari_nanopyx.methods._blocks import Part, measured_in_blocks
from napari_nanopyx.methods.frc import frc, images
from napari_nanopyx.methods.frc_result import FRC
from napari_nanopyx.methods.resolution_map import ResolutionMap

LEAST_BLOCK = 16
"""Pixels along each axis of a block; smaller ones have too few rings."""


def frc_map(
    image_a: ArrayLike,
    image_b: ArrayLike | None = None,
    *,
    blocks: int = 10,
    pixel_size: float = 1.0,
    units: str = "px",
    threshold: str | float = "1/7",
    window: Window = "tukey",
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> ResolutionMap[FRC]:
    """Measure by Fourier ring correlation how the resolution varies over an image.

    Parameters
    ----------
    image_a : array_like, shape (Y, X) or (1, Y, X)
        Real, finite numbers.
    image_b : array_like, of the same shape, optional
        The same scene with independent noise. Without it, each block of `image_a` is
        cut into two halves, as by `frc`.
    blocks : int
        Blocks along each axis, which share out its pixels; at least 16 pixels each.
    pixel_size : float
        Length of a pixel's side.
    units : str
        Unit of `pixel_size`, as it is to be printed.
    threshold : str or float
        The correlation that counts as resolved, as in `frc`.
    window : {"tukey", "hann", "none"}
        How each block fades towards its edges, as in `frc`.
    implementation : {"reference"}, optional
        There is one, float64 throughout.
    progress : callable, optional
        Called after each block with the blocks done and the blocks in all.
    cancel : object with ``is_set()``, optional
        Asked before each block whether to stop, for example a `threading.Event`.

    Returns
    -------
    ResolutionMap
        With ``resolution`` and ``reasons`` of each block, ``blocks`` (an `FRC` each),
        ``image()`` at each pixel, and ``plot``. A block without a resolution, such as
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
    A small block has few rings: of a block of n pixels they are 1 / n cycles per pixel
    apart, and its correlation on ring r is uncertain by about 1 / √(πr). The window
    spreads structure over neighbouring rings, see `frc`, so that resolution comes out
    somewhat finer than that of the whole.

    References
    ----------
    .. [1] Culley et al., Quantitative mapping and minimization of super-resolution
       optical imaging artifacts, Nature Methods (2018), doi:10.1038/nmeth.4605
    .. [2] Nieuwenhuizen et al., Measuring image resolution in optical nanoscopy, Nature
       Methods (2013), doi:10.1038/nmeth.2448

    Examples
    --------
    >>> import numpy as np
    >>> import napari_nanopyx as nx
    >>> random = np.random.default_rng(1)
    >>> scene = nx.convolve(random.normal(size=(128, 128)), np.ones((5, 5)) / 5)
    >>> odd, even = (scene + random.normal(size=scene.shape) for _ in range(2))
    >>> nx.frc_map(odd, even, blocks=2).resolution.round(1)
    array([[4.6, 4.8],
           [4.7, 4.5]])
    """
    check.steering(implementation, progress, cancel)
    first, second = images(image_a, image_b)
    most = min(first.shape) // LEAST_BLOCK
    if most < 1:
        raise ValueError(
            f"image_a has shape {first.shape}, but must have at least {LEAST_BLOCK} "
            "pixels along each axis"
        )
    count = check.whole("blocks", blocks, 1, most)

    def measure(part: Part) -> FRC:
        return frc(
            first[part],
            None if second is None else second[part],
            pixel_size=pixel_size,
            units=units,
            threshold=threshold,
            window=window,
            implementation=implementation,
        )

    return measured_in_blocks(
        "FRC", measure, first.shape, (count, count), progress, cancel
    )
