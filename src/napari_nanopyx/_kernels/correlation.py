"""Correlates images with others of the same scene, to tell how far it has moved.

First to the pixel, by the transforms of whole images; then between pixels, by
`correlation_peak`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import correlation_peak
from napari_nanopyx._kernels.correlation_peak import Peaks, argmax

Window = Literal["none", "hann"]

COARSE_SIDE = 64
"""Pixels along an axis from which the first search takes two as one."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Images without their background, and their transforms."""

    values: NDArray[np.float32]
    """Shape (images, *shape)."""
    spectra: NDArray[np.complex64]
    """For the first search: padded with zeros, half of each."""

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, chosen: Any) -> Prepared:
        return Prepared(self.values[chosen], self.spectra[chosen])


@dataclass(frozen=True, slots=True)
class Correlator:
    """Finds how far the content of images has moved, between pixels.

    A displacement is judged by the Pearson correlation of what both images show. So
    content that leaves the field of view does not pull the result to zero, as it does
    where images are taken to continue at the opposite edge.

    Parameters
    ----------
    shape : tuple of int
        Shape of an image, two or three axes.
    reach : tuple of int
        Farthest displacement along each axis, in whole pixels; below the length less 2.
    background : float
        Standard deviation of the Gaussian blur that is taken off; 0 takes off the mean.
    window : {"none", "hann"}
        Whether pixels count less towards the edges of what both images show.
    padding : bool
        Whether images end at their edges. Otherwise they are taken to continue at the
        opposite edge, which is right for images that do.
    workers : int
        Threads.
    """

    shape: tuple[int, ...]
    reach: tuple[int, ...]
    background: float = 0.0
    window: Window = "none"
    padding: bool = True
    workers: int = 1

    def prepare(self, images: NDArray[Any]) -> Prepared:
        """Take the background off images, (images, *shape), and transform them."""
        from scipy import fft

        values = self._values(images)
        coarse = values
        for axis, step in enumerate(self._steps, start=1):
            if step == 2:
                coarse = _in_pairs(coarse, axis)
        spectra = fft.rfft(coarse, self._padded[-1], axis=-1, workers=self.workers)
        for axis, length in enumerate(self._padded[:-1], start=1):
            spectra = fft.fft(
                spectra, length, axis=axis, workers=self.workers, overwrite_x=True
            )
        return Prepared(values, spectra)

    def compare(self, reference: Prepared, moved: Prepared) -> Peaks:
        """Return how far each image has moved from its reference.

        Parameters
        ----------
        reference
            One for all, or as many as there are moved images.
        moved
            The images.
        """
        return correlation_peak.find(
            reference.values,
            moved.values,
            self._first_search(reference, moved),
            self.reach,
            share=1.0 if self.window == "hann" else 0.0,
            edges=self.padding,
            workers=self.workers,
        )

    @property
    def _steps(self) -> tuple[int, ...]:
        """Pixels along each axis that the first search takes as one."""
        return tuple(
            2 if side >= COARSE_SIDE and (self.padding or side % 2 == 0) else 1
            for side in self.shape
        )

    @property
    def _lags(self) -> tuple[int, ...]:
        """Displacements along each axis that the first search tells apart."""
        pairs = zip(self.reach, self._steps, strict=True)
        return tuple(-(-reach // step) for reach, step in pairs)

    @property
    def _padded(self) -> tuple[int, ...]:
        """Lengths of the transforms."""
        from scipy.fft import next_fast_len

        sides = [
            -(-side // step) for side, step in zip(self.shape, self._steps, strict=True)
        ]
        if not self.padding:
            return tuple(sides)
        lengths = [side + lag for side, lag in zip(sides, self._lags, strict=True)]
        last = len(lengths) - 1
        return tuple(
            int(next_fast_len(length, axis == last))
            for axis, length in enumerate(lengths)
        )

    def _first_search(self, reference: Prepared, moved: Prepared) -> NDArray[np.intp]:
        """Return the displacements to the pixel, or to two pixels."""
        from scipy import fft

        products = np.conj(reference.spectra) * moved.spectra
        for axis, lag in enumerate(self._lags[:-1], start=1):
            lines = fft.ifft(
                products, axis=axis, workers=self.workers, overwrite_x=True
            )
            products = _around_zero(lines, lag, axis)
        lines = fft.irfft(
            products, self._padded[-1], axis=-1, workers=self.workers, overwrite_x=True
        )
        sums = _around_zero(lines, self._lags[-1], len(self.shape))
        if self.padding:
            self._weigh(sums)
        result: NDArray[np.intp] = (argmax(sums) - self._lags) * self._steps
        return result

    def _weigh(self, sums: NDArray[np.float32]) -> None:
        """Make the noise of sums over few and over many pixels the same."""
        every = zip(self.shape, self._lags, self._steps, strict=True)
        for axis, (side, lag, step) in enumerate(every, start=1):
            shown = np.maximum(side - step * np.abs(np.arange(-lag, lag + 1)), 1)
            weight = (1 / np.sqrt(shown)).astype(np.float32)
            sums *= weight.reshape(-1, *(1,) * (sums.ndim - 1 - axis))

    def _values(self, images: NDArray[Any]) -> NDArray[np.float32]:
        axes = tuple(range(1, images.ndim))
        first = images[(slice(None), *(slice(1),) * len(axes))]
        values: NDArray[np.float32] = np.subtract(
            images, first, dtype=np.float32, casting="unsafe"
        )
        if self.background > 0:
            from scipy import ndimage

            sigma = (0.0, *(self.background for _ in axes))
            values -= ndimage.gaussian_filter(values, sigma)
        values -= values.mean(axis=axes, dtype=np.float64, keepdims=True)
        return values


def _in_pairs(values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Return the sums of neighbours along an axis; a last one without keeps its own."""
    lines = np.moveaxis(values, axis, 0)
    sums = lines[::2].copy()
    sums[: len(lines) // 2] += lines[1::2]
    return np.moveaxis(sums, 0, axis)


def _around_zero(lines: NDArray[Any], lag: int, axis: int) -> NDArray[Any]:
    """Return the samples from -lag to lag of lines that continue periodically."""
    return np.take(lines, np.arange(-lag, lag + 1), axis=axis, mode="wrap")
