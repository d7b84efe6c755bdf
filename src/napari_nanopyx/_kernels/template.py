"""Cuts templates out of moved images, and correlates them with their references."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.ring_correlation import taper

LEAST_SIDE = 4
"""Pixels along each axis that a template needs."""

LEAST_VARIANCE = 1e-6
"""Share of the sum of squares below which a variance is rounding."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Templates:
    """Pixels of moved images, put where their references show the same.

    A template that would be too small is empty.
    """

    values: NDArray[np.float32]
    """Weighted, with mean zero, and zero around: (pairs, *shape)."""
    weights: list[NDArray[np.float32]]
    """Along each axis, at each displacement nearby: (pairs, displacements, side)."""
    pixels: Values
    """How many, by pair."""
    weight: Values
    """Sum of the weights."""
    square: Values
    """Weighted sum of the squared deviations from the mean."""


def cut(
    moved: NDArray[np.float32],
    lags: NDArray[np.intp],
    *,
    margin: int,
    near: int,
    share: float,
    edges: bool,
) -> Templates:
    """Return the pixels that both images show at displacements around those given.

    Parameters
    ----------
    moved : ndarray of float32, shape (pairs, *shape)
        The images.
    lags : ndarray of int, shape (pairs, axes)
        About how far each has moved.
    margin : int
        How much farther the reference has to reach, to all sides.
    near : int
        Displacements to each side for which weights are given.
    share : float
        Share of the template along which its weight falls off.
    edges : bool
        Whether images end at their edges, or continue at the opposite one.
    """
    shape = moved.shape[1:]
    pairs = len(moved)
    result = Templates(
        np.zeros(moved.shape, np.float32),
        [np.zeros((pairs, 2 * near + 1, side), np.float32) for side in shape],
        *np.zeros((3, pairs)),
    )
    rows = np.arange(2 * near + 1)[:, np.newaxis]
    steps = rows - near
    for pair, lag in enumerate(lags.tolist()):
        image = moved[pair]
        if not edges:
            image = np.roll(image, np.negative(lag), range(image.ndim))
            lag = [0] * image.ndim
            margin = 0
        spans = [
            slice(max(0, -each) + margin, side - max(0, each) - margin)
            for each, side in zip(lag, shape, strict=True)
        ]
        if any(span.stop - span.start < LEAST_SIDE for span in spans):
            continue
        lines = [taper(span.stop - span.start, share) for span in spans]
        for marks, line, span in zip(result.weights, lines, spans, strict=True):
            places = np.arange(span.start, span.stop) - steps
            marks[pair][rows, places % marks.shape[2]] = line
        source = tuple(
            slice(span.start + each, span.stop + each)
            for span, each in zip(spans, lag, strict=True)
        )
        _put(result, pair, tuple(spans), image[source], lines)
    return result


def _put(
    into: Templates,
    pair: int,
    place: tuple[slice, ...],
    pixels: NDArray[np.float32],
    lines: list[Values],
) -> None:
    weight = float(np.prod([line.sum() for line in lines]))
    mean = float(_weighted(pixels, lines).sum(dtype=np.float64)) / weight
    centred = pixels - np.float32(mean)
    weighted = _weighted(centred, lines)
    square = float(np.vdot(weighted, centred))
    into.pixels[pair], into.weight[pair] = pixels.size, weight
    if square > LEAST_VARIANCE * mean**2 * weight:
        into.square[pair] = square
        into.values[pair][place] = weighted


def _weighted(pixels: NDArray[np.float32], lines: list[Values]) -> NDArray[np.float32]:
    for axis, line in enumerate(lines):
        if line.min() < 1:
            scale = line.astype(np.float32)
            pixels = pixels * scale.reshape(-1, *(1,) * (pixels.ndim - 1 - axis))
    return pixels


class References:
    """Images that templates are looked for in.

    Parameters
    ----------
    values : ndarray of float32, shape (1, *shape) or (pairs, *shape)
        With mean zero. One counts for all templates.
    places : ndarray
        Displacements along each axis at which products are summed.
    workers : int
        Threads.
    """

    def __init__(
        self, values: NDArray[np.float32], places: Values, workers: int
    ) -> None:
        from scipy import fft

        self._values = values
        self._squares = np.square(values)
        self._workers = workers
        self._axes = tuple(range(1, values.ndim))
        self._spectra = np.conj(fft.rfftn(values, axes=self._axes, workers=workers))
        self._waves = [_waves(side, places) for side in values.shape[1:-1]]
        self._last = _half_waves(values.shape[-1], places).T

    def products(self, templates: Templates, chosen: NDArray[np.intp]) -> Values:
        """Return the sums of products with the chosen references, around zero."""
        from scipy import fft

        spectra = fft.rfftn(templates.values, axes=self._axes, workers=self._workers)
        spectra *= self._of(self._spectra, chosen)
        for axis, waves in zip(self._axes, self._waves, strict=False):
            spectra = np.moveaxis(waves @ np.moveaxis(spectra, axis, -2), -2, axis)
        result: Values = (spectra @ self._last).real.astype(np.float64)
        return result

    def deviations(self, templates: Templates, chosen: NDArray[np.intp]) -> Values:
        """Return what the products are divided by for Pearson correlations."""
        total = _contracted(self._of(self._values, chosen), templates.weights)
        square = _contracted(self._of(self._squares, chosen), templates.weights)
        shape = (-1, *(1,) * len(self._axes))
        weight = np.maximum(templates.weight, 1e-30).reshape(shape)
        variance = square - total**2 / weight
        variance[variance < LEAST_VARIANCE * square] = 0.0
        return np.sqrt(variance * templates.square.reshape(shape))

    def _of(self, each: NDArray[Any], chosen: NDArray[np.intp]) -> NDArray[Any]:
        return each if len(each) == 1 else each[chosen]


def _waves(side: int, places: Values) -> NDArray[np.complex64]:
    """Return the inverse transform of a line, to some places: (places, side)."""
    frequencies = np.fft.fftfreq(side)
    waves = np.exp(2j * np.pi * places[:, np.newaxis] * frequencies) / side
    if side % 2 == 0:
        waves[:, side // 2].imag = 0  # the highest frequency has no direction
    result: NDArray[np.complex64] = waves.astype(np.complex64)
    return result


def _half_waves(side: int, places: Values) -> NDArray[np.complex64]:
    """Return the same for half of a line's transform, whose other half is like it."""
    waves = _waves(side, places)[:, : side // 2 + 1]
    waves[:, 1 : (side + 1) // 2] *= 2
    return waves


def _contracted(images: NDArray[Any], weights: list[NDArray[np.float32]]) -> Values:
    """Return weighted sums of images for each combination of the axes' weights."""
    result = images
    for axis, lines in enumerate(weights, start=1):
        moved = np.moveaxis(result, axis, -2)
        lines = lines.reshape(len(lines), *(1,) * (moved.ndim - 3), *lines.shape[1:])
        result = np.moveaxis(lines @ moved, -2, axis)
    return result.astype(np.float64)
