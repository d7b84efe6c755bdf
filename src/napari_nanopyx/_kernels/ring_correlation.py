"""Correlates two images on each ring of their Fourier transforms."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Window = Literal["tukey", "hann", "none"]

TAPERED: dict[Window, float] = {"tukey": 0.25, "hann": 1.0, "none": 0.0}
"""Share of an axis, half of it at each end, along which a window falls to zero."""

_ROWS = 32
"""Rows of a transform that are summed at a time: they stay in a processor's cache."""


def ring_correlation(
    first: NDArray[Any],
    second: NDArray[Any],
    window: Window = "tukey",
    workers: int = 1,
) -> NDArray[np.float64]:
    """Return the correlation on the rings from frequency 0 to the Nyquist frequency.

    Ring r holds the frequencies that are r / side cycles per pixel, rounded to whole r.
    On ring 0 the correlation is 1 by definition; where an image holds nothing, 0.
    """
    return _correlation(
        spectrum(windowed(first, window), workers),
        spectrum(windowed(second, window), workers),
    )


def halves_correlation(
    image: NDArray[Any], window: Window = "tukey", workers: int = 1
) -> NDArray[np.float64]:
    """Return the correlation of the white and the black squares of one image.

    On the rings that `rings_of_halves` counts. The squares that are not of a half are
    zero in it, so both halves lie where the image does. What they lack turns up as a
    mirrored copy of the spectrum, further out than these rings.
    """
    values = windowed(image, window)
    white = np.add.outer(*(np.arange(length) for length in image.shape)) % 2 == 0
    halves = (np.where(white, values, 0.0), np.where(white, 0.0, values))
    correlation = _correlation(*(spectrum(half, workers) for half in halves))
    return correlation[: rings_of_halves(padded_side(image.shape))]


def rings_of_halves(side: int) -> int:
    """Return how many rings lie nearer to zero than to the corner of a spectrum."""
    return int(side / 8**0.5) + 1


def _correlation(
    first: NDArray[np.complex128], second: NDArray[np.complex128]
) -> NDArray[np.float64]:
    cross, first_power, second_power = ring_sums(first, second)
    norm = np.sqrt(first_power) * np.sqrt(second_power)
    correlation = np.zeros(norm.shape)
    np.divide(cross, norm, out=correlation, where=norm > 0)
    correlation[0] = 1.0
    np.clip(correlation, -1.0, 1.0, out=correlation)
    return correlation


def padded_side(shape: tuple[int, ...]) -> int:
    """Return the side of the even square that images of a shape are padded to."""
    longest = max(shape)
    return longest + longest % 2


def windowed(image: NDArray[Any], window: Window = "tukey") -> NDArray[np.float64]:
    """Return an image that fades towards its edges.

    The mean under the window is taken away before, so that a bright background does not
    leak into other frequencies.
    """
    rows, columns = (taper(length, TAPERED[window]) for length in image.shape)
    values = image.astype(np.float64)
    values -= values[0, 0]  # what is constant becomes exactly zero
    values -= (rows @ values @ columns) / (rows.sum() * columns.sum())
    values *= rows[:, np.newaxis]
    values *= columns
    return values


def spectrum(values: NDArray[np.float64], workers: int = 1) -> NDArray[np.complex128]:
    """Return the transform of an image padded with zeros: half of the columns."""
    from scipy import fft

    side = padded_side(values.shape)
    result: NDArray[np.complex128] = fft.rfft2(
        values, (side, side), workers=workers, overwrite_x=True
    )
    return result


def taper(length: int, share: float) -> NDArray[np.float64]:
    """Return a Tukey window: flat, with a cosine's slope at both ends."""
    if share == 0:
        return np.ones(length)
    place = np.arange(length)
    from_end = np.minimum(place, place[::-1])
    slope = np.minimum(from_end / (share * (length - 1) / 2), 1.0)
    window: NDArray[np.float64] = 0.5 - 0.5 * np.cos(np.pi * slope)
    return window


def ring_sums(
    first: NDArray[np.complex128], second: NDArray[np.complex128]
) -> NDArray[np.float64]:
    """Return the sums over rings of the cross product and of both powers.

    Shape (3, rings): rings 0 to side / 2.
    """
    side = len(first)
    last = side // 2
    across = np.arange(last + 1) ** 2
    down = np.minimum(np.arange(side), side - np.arange(side)) ** 2
    sums = np.zeros((3, last + 2))
    for start in range(0, side, _ROWS):
        rows = slice(start, start + _ROWS)
        a, b = first[rows], second[rows]
        radius = np.sqrt(down[rows, np.newaxis] + across)
        ring = np.minimum(np.rint(radius).astype(np.intp), last + 1).ravel()
        for total, (left, right) in zip(sums, ((a, b), (a, a), (b, b)), strict=True):
            products = left.real * right.real
            products += left.imag * right.imag
            products[:, 1:last] *= 2.0  # the columns left out are like these
            total += np.bincount(ring, products.ravel(), last + 2)
    return sums[:, : last + 1]
