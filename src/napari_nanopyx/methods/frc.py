"""Fourier ring correlation: the resolution that two images of one scene agree on."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.devices import thread_count
from napari_nanopyx._engine.runner import Cancel
from napari_nanopyx._kernels import ring_threshold
from napari_nanopyx._kernels.ring_correlation import (
    TAPERED,
    Window,
    padded_side,
    ring_correlation,
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
    image_b: ArrayLike,
    *,
    pixel_size: float = 1.0,
    units: str = "px",
    threshold: str | float = "1/7",
    window: Window = "tukey",
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> FRC:
    """Measure the resolution of two images that differ in their noise only.

    The images are compared on rings of equal spatial frequency. Where the correlation
    first falls below the threshold, structure ends and noise begins.

    Parameters
    ----------
    image_a : array_like, shape (Y, X) or (1, Y, X)
        Real, finite numbers, at least 8 pixels along each axis.
    image_b : array_like, of the same shape
        The same scene with independent noise: such as reconstructions of the odd and of
        the even frames of a movie.
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
        threshold up to the Nyquist frequency. A constant image correlates with nothing.

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

    References
    ----------
    .. [1] Nieuwenhuizen et al., Measuring image resolution in optical nanoscopy, Nature
       Methods (2013), doi:10.1038/nmeth.2448
    .. [2] van Heel and Schatz, Fourier shell correlation threshold criteria, Journal of
       Structural Biology (2005), doi:10.1016/j.jsb.2005.05.009

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
    first = single_image("image_a", image_a, LEAST_SIDE)
    second = single_image("image_b", image_b, LEAST_SIDE)
    if second.shape != first.shape:
        raise ValueError(
            f"image_b has shape {second.shape}, but must have image_a's, {first.shape}"
        )
    step = check.positive("pixel_size", pixel_size)
    length_unit(units)
    check.one_of("window", window, tuple(TAPERED))
    side = padded_side(first.shape)
    rings = np.arange(side // 2 + 1)
    samples = ring_threshold.sample_counts(len(rings), first.size / side**2)
    criterion, curve = _threshold(threshold, samples)
    only_reference("frc", implementation)
    stop_if(cancel)
    correlation = ring_correlation(first, second, window, thread_count())
    ring = ring_threshold.crossing(correlation, curve)
    limit = f"{2 * step:.4g} {units}"
    reason = _no_pair(first, second, correlation) or _no_crossing(
        ring, bool(correlation[-1] >= curve[-1]), limit
    )
    resolution = math.nan if reason or ring is None else side * step / ring
    if progress is not None:
        progress(1, 1)
    frequency = rings / (side * step)
    return FRC(resolution, frequency, correlation, curve, reason, criterion, units)


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
    first: NDArray[Any], second: NDArray[Any], correlation: NDArray[np.float64]
) -> str:
    """Return what is wrong with the images; nothing if they can be compared."""
    for name, image in (("image_a", first), ("image_b", second)):
        if image.min() == image.max():
            return f"{name} is constant"
    if np.array_equal(first, second) or correlation.min() >= IDENTICAL:
        return "the images are identical; give two with independent noise"
    return ""


def _no_crossing(ring: float | None, stays_above: bool, limit: str) -> str:
    """Return why no ring is the last one resolved; nothing if there is one."""
    if ring is None and stays_above:
        return (
            "the correlation stays above the threshold up to the Nyquist frequency, so "
            f"it is {limit} or finer"
        )
    if ring is None or ring < 1:
        return "the images have too little in common, even at low frequencies"
    return ""
