"""Decorrelation analysis: the resolution of a single image."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.machine.devices import thread_count
from napari_nanopyx._engine.running.runner import Cancel
from napari_nanopyx._kernels import decorrelation_curves
from napari_nanopyx._kernels.decorrelation_curves import Curve
from napari_nanopyx.methods import _checks as check
from napari_nanopyx.methods._single_images import (
    length_unit,
    only_reference,
    single_image,
    stop_if,
)
from napari_nanopyx.methods.decorrelation_result import Decorrelation

LEAST_SIDE = 16
"""Pixels along an axis; smaller images have too few frequencies to speak of."""

MOST_SECTORS = 64


def decorrelation(
    image: ArrayLike,
    *,
    rmin: float = 0.0,
    rmax: float = 1.0,
    n_r: int = 50,
    n_g: int = 10,
    pixel_size: float = 1.0,
    units: str = "px",
    roi: Sequence[int] | None = None,
    sectors: int = 1,
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> Decorrelation:
    """Measure the resolution of a single image.

    The image is compared with itself when only the phases of its frequencies are kept,
    within circles that grow. Beyond the highest frequency that holds structure the
    correlation falls; high-pass filters bring weak high frequencies to light.

    Parameters
    ----------
    image : array_like, shape (Y, X) or (1, Y, X)
        Real, finite numbers, at least 16 pixels along each axis.
    rmin : float
        Lowest frequency to look at, as a fraction of the Nyquist frequency.
    rmax : float
        The highest one.
    n_r : int
        Points of a curve, from 10 to 100.
    n_g : int
        High-pass filters in each of two rounds, from 5 to 40.
    pixel_size : float
        Length of a pixel's side.
    units : str
        Unit of `pixel_size`, as it is to be printed.
    roi : sequence of 4 int, optional
        First row, first column, end row and end column of the part to look at; the ends
        are not part of it. By default the whole image.
    sectors : int
        With more than 1, also analyse so many sectors of directions.
    implementation : {"reference"}, optional
        There is one, float64 throughout.
    progress : callable, optional
        Called after each analysis with how many are done and how many there are: one,
        and one for each sector.
    cancel : object with ``is_set()``, optional
        Asked before each curve, for example a `threading.Event`.

    Returns
    -------
    Decorrelation
        With ``resolution`` in `units`, ``k_c``, ``amplitude``, ``curves``, ``reason``
        and ``sectors``. The resolution is NaN, with a reason, if no curve has a maximum
        of at least 0.05: of noise, or of a constant image.

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
    The image fades into its mean over 20 pixels at each edge, and the mean is left out,
    so that a background changes nothing. The cut-off frequency is the highest maximum's
    of all curves. Of an image blurred by a Gaussian it is about that of a period of the
    Gaussian's full width at half maximum.

    References
    ----------
    .. [1] Descloux, Grußmayer and Radenovic, Parameter-free image resolution estimation
       based on decorrelation analysis, Nature Methods (2019),
       doi:10.1038/s41592-019-0515-7

    Examples
    --------
    >>> import numpy as np
    >>> import napari_nanopyx as nx
    >>> scene = np.random.default_rng(0).random((200, 200))
    >>> gaussian = np.exp(-np.arange(-8, 9) ** 2 / (2 * 2.0**2))
    >>> blurred = nx.convolve(scene, np.outer(gaussian, gaussian))
    >>> print(nx.decorrelation(blurred, pixel_size=0.1, units="µm"))
    Decorrelation resolution: 0.49 µm (k_c 0.4082 of Nyquist, A0 0.797)
    """
    check.steering(implementation, progress, cancel)
    pixels = single_image("image", image, LEAST_SIDE)
    low, high = _range(rmin, rmax)
    radii = np.linspace(low, high, check.whole("n_r", n_r, 10, 100))
    filters = check.whole("n_g", n_g, 5, 40)
    step = check.positive("pixel_size", pixel_size)
    length_unit(units)
    if roi is not None:
        pixels = _part(pixels, roi)
    directions = check.whole("sectors", sectors, 1, MOST_SECTORS)
    only_reference("decorrelation", implementation)
    stop_if(cancel)
    reason = "the image is constant" if pixels.min() == pixels.max() else ""
    spectra = decorrelation_curves.spectra(pixels, directions, thread_count())
    found: list[Decorrelation] = []
    for number, spectrum in enumerate(spectra):
        curves = decorrelation_curves.curves(
            spectrum, max(pixels.shape), radii, filters, lambda: stop_if(cancel)
        )
        angle = math.pi * (number - 1) / directions if number else None
        found.append(_result(curves, step, units, angle, reason))
        if progress is not None:
            progress(number + 1, len(spectra))
    whole, *parts = found
    return Decorrelation(
        whole.resolution,
        whole.k_c,
        whole.amplitude,
        whole.curves,
        whole.reason,
        units,
        sectors=tuple(parts),
    )


def _range(rmin: Any, rmax: Any) -> tuple[float, float]:
    low = check.number("rmin", rmin, "a number from 0, below rmax")
    high = check.number("rmax", rmax, "a number above rmin, at most 1")
    if not 0 < high <= 1:
        raise ValueError(f"rmax is {rmax!r}, but must be above rmin and at most 1")
    if not 0 <= low < high:
        raise ValueError(f"rmin is {rmin!r}, but must be from 0, below rmax ({high:g})")
    return low, high


def _part(image: NDArray[Any], roi: Any) -> NDArray[Any]:
    """Return a rectangle of an image."""
    height, width = image.shape
    allowed = (
        "(first row, first column, end row, end column), whole numbers within the "
        f"image's {height} rows and {width} columns, at least {LEAST_SIDE} pixels apart"
    )
    try:
        corners = [check.whole("roi", each, 0) for each in roi]
    except (TypeError, ValueError) as error:
        raise type(error)(f"roi is {roi!r}, but must be {allowed}") from error
    if len(corners) != 4:
        raise ValueError(f"roi is {roi!r}, but must be {allowed}")
    top, left, bottom, right = corners
    fits = bottom <= height and right <= width
    if not fits or min(bottom - top, right - left) < LEAST_SIDE:
        raise ValueError(f"roi is {roi!r}, but must be {allowed}")
    return image[top:bottom, left:right]


def _result(
    curves: list[Curve], step: float, units: str, angle: float | None, reason: str
) -> Decorrelation:
    cut_off = max((curve.peak for curve in curves if curve.counts), default=math.nan)
    if not reason and math.isnan(cut_off):
        reason = "no curve has a maximum that counts; there is no structure, only noise"
    return Decorrelation(
        2 * step / cut_off,
        cut_off,
        curves[0].amplitude,
        tuple(curves),
        reason,
        units,
        angle,
    )
