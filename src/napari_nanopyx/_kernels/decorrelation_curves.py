"""Decorrelation curves of an image, from a table over the frequencies' lengths.

Image and phase-only image differ in the size of each frequency only, and the filters
depend on its length only. So the transform is summed up once, by length; every curve is
then a running sum of that table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

RAMP = 20
"""Pixels over which an image fades into its mean at each edge."""

RESOLUTION_OF_CURVES = 1000
"""Curves are cut off after so many parts of one, so that rounding makes no maximum."""

LEAST_FALL = 0.0005
"""A maximum counts if the curve falls by at least as much after it."""

LEAST_AMPLITUDE = 0.05
"""A maximum counts if it is at least as high."""

NARROWEST = 0.15
"""Width of the last high-pass filter."""

REFINED_SPAN = 0.4
"""How far above the best radius so far the second round looks."""

CORE = 0.01
"""Every sector holds the frequencies below this radius."""


FINER = 3
"""Of images that are not square, lengths are rounded to so many parts of a step."""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The frequencies of an image that have the same length, taken together."""

    radius: Values
    """As a fraction of the highest frequency along an axis, ascending, below 1."""
    magnitude: Values
    """Sum of |F| over the frequencies of each length."""
    power: Values
    """Sum of |F|² over them."""
    count: Values
    """How many there are, up to each length."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A decorrelation curve and its local maximum."""

    radius: Values
    value: Values
    width: float
    """Of the high-pass filter, in pixels; infinite for the image as it is."""
    peak: float
    """Radius of the local maximum; 0 if there is none."""
    amplitude: float
    """Height of the local maximum; 0 if there is none."""

    @property
    def counts(self) -> bool:
        """Whether there is a maximum that is high enough."""
        return self.peak > 0 and self.amplitude >= LEAST_AMPLITUDE


def spectra(image: NDArray[Any], sectors: int, workers: int) -> list[Spectrum]:
    """Return the spectrum of an image, then that of each sector if there are several.

    Sector s is centred at s / sectors of half a turn, from the column axis towards the
    row axis, and as wide as its distance to the next.
    """
    from scipy import fft

    values = faded(image)
    height, width = (length - 1 + length % 2 for length in values.shape)
    waves = fft.rfft2(values[:height, :width], workers=workers)
    magnitude = np.sqrt(waves.real**2 + waves.imag**2)
    across = np.arange(waves.shape[1])
    down = np.rint(np.fft.fftfreq(height, 1 / height)).astype(np.intp)
    longest = max(height, width) // 2
    if height != width:
        longest *= FINER
    scale = [longest / (length // 2) for length in (height, width)]
    squared = np.add.outer((scale[0] * down) ** 2, (scale[1] * across) ** 2)
    place = np.minimum(np.rint(squared), longest**2).astype(np.intp)
    weights = np.full(waves.shape, 2.0)  # for the columns that are left out
    weights[:, 0] = 1.0
    columns = weights, weights * magnitude, weights * magnitude**2
    found = [_table(place, columns, longest, np.s_[:])]
    if sectors > 1:
        angle = np.arctan2(scale[0] * down[:, np.newaxis], scale[1] * across)
        nearest = np.rint(angle * (sectors / np.pi)).astype(np.intp) % sectors
        core = place < (CORE * longest) ** 2
        found += [
            _table(place, columns, longest, core | (nearest == sector))
            for sector in range(sectors)
        ]
    return found


def _table(
    place: NDArray[np.intp], columns: tuple[Values, ...], longest: int, chosen: Any
) -> Spectrum:
    """Return the sums over chosen frequencies of equal length, those below 1."""
    where = place[chosen].ravel()
    sums = [
        np.bincount(where, each[chosen].ravel(), longest**2 + 1)[:-1]
        for each in columns
    ]
    held = np.flatnonzero(sums[0])
    count, magnitude, power = (each[held].astype(np.float64) for each in sums)
    return Spectrum(np.sqrt(held) / longest, magnitude, power, np.cumsum(count))


def faded(image: NDArray[Any]) -> Values:
    """Return an image less its mean, falling to zero at the edges."""
    values = image.astype(np.float64)
    values -= values[0, 0]  # what is constant becomes exactly zero
    values -= values.mean()
    for axis, length in enumerate(image.shape):
        place = np.arange(length)
        from_edge = np.minimum(place, place[::-1])
        share = np.minimum(from_edge / (RAMP - 1), 1.0)
        ramp = 0.5 - 0.5 * np.cos(np.pi * share)
        values *= ramp[:, np.newaxis] if axis == 0 else ramp
    return values


def curves(
    spectrum: Spectrum,
    size: int,
    radii: Values,
    filters: int,
    stop_if_asked: Callable[[], None],
) -> list[Curve]:
    """Return all curves: of the image as it is, of two rounds of high-pass filters.

    Parameters
    ----------
    spectrum : Spectrum
    size : int
        Pixels along the image's longer axis.
    radii : ndarray
        Where curves are evaluated, ascending, as fractions of the Nyquist frequency.
    filters : int
        How many high-pass filters a round has.
    stop_if_asked : callable
        Called before each curve.
    """

    def curve(width: float, radii: Values) -> Curve:
        stop_if_asked()
        return filtered(spectrum, width, radii)

    plain = curve(np.inf, radii)
    widest = 2.0 / plain.peak if plain.peak else size / 2
    widths = [size / 4, *np.geomspace(widest, NARROWEST, filters)]
    first = [plain, *(curve(width, radii) for width in widths)]
    peaks = [each.peak for each in first]
    best = max(range(len(peaks)), key=lambda index: (peaks[index], index))
    if best == 0:
        limits = size, widths[0]
    elif best == len(widths):
        limits = widths[-2], widths[-1]
    else:
        limits = widths[best - 1], widths[best]
    low = max(peaks[best] - (radii[1] - radii[0]), radii[0])
    high = min(peaks[best] + REFINED_SPAN, radii[-1])
    finer = np.linspace(low, high, len(radii))
    return [*first, *(curve(width, finer) for width in np.geomspace(*limits, filters))]


def filtered(spectrum: Spectrum, width: float, radii: Values) -> Curve:
    """Return the curve of an image after a high-pass filter of a width in pixels."""
    gain = -np.expm1(-2.0 * (width * spectrum.radius) ** 2) if width < np.inf else 1.0
    total = np.cumsum(spectrum.magnitude * gain)
    power = float((spectrum.power * gain**2).sum())
    within = np.searchsorted(spectrum.radius, radii)
    value = np.zeros(len(radii))
    if power > 0:
        last = np.maximum(within - 1, 0)
        value = total[last] / np.sqrt(power * spectrum.count[last])
        value[within == 0] = 0.0
    value = np.floor(value * RESOLUTION_OF_CURVES) / RESOLUTION_OF_CURVES
    at = local_maximum(value)
    if at == 0:
        return Curve(radii, value, width, 0.0, 0.0)
    return Curve(radii, value, width, float(radii[at]), float(value[at]))


def local_maximum(values: Values) -> int:
    """Return where a curve is highest before it falls; 0 if it does not fall.

    Points are taken off the end until the highest one is followed by a fall.
    """
    stop = len(values)
    while stop > 1:
        at = int(np.argmax(values[:stop]))
        if at == 0:
            return 0
        if at < stop - 1 and values[at] - values[at:stop].min() >= LEAST_FALL:
            return at
        stop -= 1
    return 0
