"""Fourier ring correlation: the resolution that images of one scene agree on."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.machine.devices import thread_count
from napari_nanopyx._engine.running.runner import Cancel
from napari_nanopyx._kernels import ring_threshold
from napari_nanopyx._kernels.ring_correlation import (
    TAPERED,
    Window,
    halves_correlation,
    padded_side,
    ring_correlation,
    rings_of_halves,
)
from napari_nanopyx.methods import _checks as check
from napari_nanopyx.methods._single_images import (
    length_unit,
    only_reference,
    single_image,
    stop_if,
)
from napari_nanopyx.methods.frc_result import FRC

LEAST_SIDE = 8
"""Pixels along an axis; smaller images have too few rings to speak of."""

IDENTICAL = 1 - 1e-6
"""Correlation on every ring from which two images count as one."""

_BITS = {"half-bit": 0.5, "one-bit": 1.0}
_SIGMAS = re.compile(r"(\d+(?:\.\d+)?)-sigma")


def frc(
    image_a: ArrayLike,
    image_b: ArrayLike | None = None,
    *,
    pixel_size: float = 1.0,
    units: str = "px",
    threshold: str | float = "1/7",
    window: Window = "tukey",
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> FRC:
    """Measure the resolution of two images that differ in their noise only, or of one.

    The images are compared on rings of equal spatial frequency. Where the correlation
    first falls below the threshold, structure ends and noise begins. A single image is
    cut into two like the squares of a chessboard.

    Parameters
    ----------
    image_a : array_like, shape (Y, X) or (1, Y, X)
        Real, finite numbers, at least 8 pixels along each axis.
    image_b : array_like, of the same shape, optional
        The same scene with independent noise: such as reconstructions of the odd and of
        the even frames of a movie. Without it, the noise of neighbouring pixels of
        `image_a` must be independent: as a camera gives it, not magnified or smoothed.
    pixel_size : float
        Length of a pixel's side.
    units : str
        Unit of `pixel_size`, as it is to be printed.
    threshold : str or float
        ``"1/7"``, ``"half-bit"``, ``"one-bit"``, any number of standard deviations of
        noise such as ``"3-sigma"``, or a constant between 0 and 1.
    window : {"tukey", "hann", "none"}
        How the images fade towards their edges, which would otherwise count as
        structure: along an eighth of an axis at each end, from the middle on, or not
        at all (for images that continue at the opposite edge).
    implementation : {"reference"}, optional
        There is one, float64 throughout.
    progress : callable, optional
        Called at the end with 1 and 1.
    cancel : object with ``is_set()``, optional
        Asked at the beginning whether to stop, for example a `threading.Event`.

    Returns
    -------
    FRC
        With ``resolution`` in `units`, ``frequency``, ``correlation``, ``threshold``
        and ``reason``. The resolution is NaN, with a reason, if the images are
        identical, or have nothing in common, or if the correlation stays above the
        threshold up to the Nyquist frequency; of a single image, up to 1 / √2 of it. A
        constant image correlates with nothing.

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
    Images that are not square are padded with zeros after the window. Ring r holds the
    frequencies within half a step of r / (n · `pixel_size`), where n is the even side
    of the padded square. The bit and sigma thresholds take 2πr samples on it, less the
    share of the square that is padding. Nothing is smoothed. A window spreads each
    frequency: a strong signal that ends abruptly seems to end up to five rings later
    with ``"tukey"``, three with ``"hann"``.

    Where images end inside their frame, as after padding with zeros, both end alike:
    that counts as structure as fine as the pixels. Crop them first.

    The halves of a single image are white and black squares, where they are and zero
    elsewhere: each has half of the light, as the odd and the even frames of a movie
    have. Much structure finer than 2√2 pixels counts as noise of the outer rings: the
    resolution is then better than it seems. Counted photons can be shared out instead,
    for all rings: ``random.binomial(counts, 0.5)`` and the rest of the counts have
    independent noise.

    References
    ----------
    .. [1] Nieuwenhuizen et al., Measuring image resolution in optical nanoscopy, Nature
       Methods (2013), doi:10.1038/nmeth.2448
    .. [2] van Heel and Schatz, Fourier shell correlation threshold criteria, Journal of
       Structural Biology (2005), doi:10.1016/j.jsb.2005.05.009
    .. [3] Koho et al., Fourier ring correlation simplifies image restoration in
       fluorescence microscopy, Nature Communications (2019),
       doi:10.1038/s41467-019-11024-z

    Examples
    --------
    >>> import numpy as np
    >>> import napari_nanopyx as nx
    >>> random = np.random.default_rng(1)
    >>> scene = nx.convolve(random.normal(size=(128, 128)), np.ones((5, 5)) / 5)
    >>> odd, even = (scene + random.normal(size=scene.shape) for _ in range(2))
    >>> print(nx.frc(odd, even, pixel_size=0.1, units="µm"))
    FRC resolution: 0.4938 µm (1/7 threshold)
    """
    check.steering(implementation, progress, cancel)
    first, second = images(image_a, image_b)
    step = check.positive("pixel_size", pixel_size)
    length_unit(units)
    check.one_of("window", window, tuple(TAPERED))
    side = padded_side(first.shape)
    rings = np.arange(side // 2 + 1 if second is not None else rings_of_halves(side))
    samples = ring_threshold.sample_counts(len(rings), first.size / side**2)
    criterion, curve = _threshold(threshold, samples)
    only_reference("frc", implementation)
    stop_if(cancel)
    if second is None:
        correlation = halves_correlation(first, window, thread_count())
        limit = (step * 8**0.5, "the highest frequency that one image can tell")
    else:
        correlation = ring_correlation(first, second, window, thread_count())
        limit = (2 * step, "the Nyquist frequency")
    ring = ring_threshold.crossing(correlation, curve)
    reason = _no_pair(first, second, correlation) or _no_crossing(
        ring, bool(correlation[-1] >= curve[-1]), f"{limit[0]:.4g} {units}", limit[1]
    )
    resolution = math.nan if reason or ring is None else side * step / ring
    if progress is not None:
        progress(1, 1)
    frequency = rings / (side * step)
    return FRC(resolution, frequency, correlation, curve, reason, criterion, units)


def images(
    image_a: ArrayLike, image_b: ArrayLike | None
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return the pixels of both images, or of the one that is given."""
    first = single_image("image_a", image_a, LEAST_SIDE)
    if image_b is None:
        return first, None
    second = single_image("image_b", image_b, LEAST_SIDE)
    if second.shape != first.shape:
        raise ValueError(
            f"image_b has shape {second.shape}, but must have image_a's, {first.shape}"
        )
    return first, second


def _threshold(
    value: Any, samples: NDArray[np.float64]
) -> tuple[str, NDArray[np.float64]]:
    """Return a threshold's name, and its value on each ring."""
    allowed = (
        "'1/7', 'half-bit', 'one-bit', a number of standard deviations such as "
        "'3-sigma', or a number between 0 and 1"
    )
    if not isinstance(value, str):
        given = check.number("threshold", value, allowed)
        if not 0 < given < 1:
            raise ValueError(f"threshold is {value!r}, but must be {allowed}")
        return f"{given:g}", np.full(len(samples), given)
    if value == "1/7":
        return value, np.full(len(samples), 1 / 7)
    if value in _BITS:
        return value, ring_threshold.bit_curve(_BITS[value], samples)
    match = _SIGMAS.fullmatch(value)
    if match is None or float(match[1]) == 0:
        raise ValueError(f"threshold is {value!r}, but must be {allowed}")
    return value, ring_threshold.sigma_curve(float(match[1]), samples)


def _no_pair(
    first: NDArray[Any], second: NDArray[Any] | None, correlation: NDArray[np.float64]
) -> str:
    """Return what is wrong with the images; nothing if they can be compared."""
    for name, image in (("image_a", first), ("image_b", second)):
        if image is not None and image.min() == image.max():
            return f"{name} is constant"
    if second is not None and (
        np.array_equal(first, second) or correlation.min() >= IDENTICAL
    ):
        return "the images are identical; give two with independent noise"
    return ""


def _no_crossing(ring: float | None, stays_above: bool, limit: str, last: str) -> str:
    """Return why no ring is the last one resolved; nothing if there is one."""
    if ring is None and stays_above:
        return (
            f"the correlation stays above the threshold up to {last}, so it is {limit} "
            "or finer"
        )
    if ring is None or ring < 1:
        return "the images have too little in common, even at low frequencies"
    return ""
