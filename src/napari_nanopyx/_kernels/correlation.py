"""Correlates images with others of the same scene, to tell how far it has moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import correlation_peak
from napari_nanopyx._kernels.correlation_peak import MARGIN, Peaks
from napari_nanopyx._kernels.ring_correlation import taper

Window = Literal["none", "hann"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Images without their background, and their transforms."""

    values: NDArray[np.float32]
    """Shape (images, *shape)."""
    spectra: NDArray[np.complex64]
    """Half of the transforms, padded with zeros."""

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, chosen: Any) -> Prepared:
        return Prepared(self.values[chosen], self.spectra[chosen])


@dataclass(frozen=True, slots=True)
class Correlator:
    """Finds how far the content of images has moved, between pixels.

    Each displacement is judged by the Pearson correlation of what both images show: the
    overlap. So content that leaves the field of view does not pull the result to zero,
    as it does where images are taken to continue at the opposite edge.

    Parameters
    ----------
    shape : tuple of int
        Shape of an image, two or three axes.
    reach : tuple of int
        Farthest displacement along each axis, in whole pixels; below the length less 2.
    background : float
        Standard deviation of the Gaussian blur that is taken off; 0 takes off the mean.
    window : {"none", "hann"}
        Whether images fade to zero towards their edges.
    padding : bool
        Pad with zeros. Otherwise images are taken to continue at the opposite edge,
        which is right for images that do.
    workers : int
        Threads.
    """

    shape: tuple[int, ...]
    reach: tuple[int, ...]
    background: float = 0.0
    window: Window = "none"
    padding: bool = True
    workers: int = 1

    @property
    def lags(self) -> tuple[int, ...]:
        """How far a map reaches to both sides along each axis."""
        return tuple(reach + MARGIN for reach in self.reach)

    @property
    def padded(self) -> tuple[int, ...]:
        """Return the lengths of the transforms."""
        if not self.padding:
            return self.shape
        from scipy.fft import next_fast_len

        pairs = zip(self.shape, self.lags, strict=True)
        lengths = [side + lag for side, lag in pairs]
        real = [False] * (len(lengths) - 1) + [True]
        return tuple(
            int(next_fast_len(*each)) for each in zip(lengths, real, strict=True)
        )

    def prepare(self, images: NDArray[Any]) -> Prepared:
        """Take the background off images, (images, *shape), and transform them."""
        from scipy import fft

        values = self._values(images)
        last = len(self.shape)
        lengths = self.padded
        spectra = fft.rfft(values, lengths[-1], axis=last, workers=self.workers)
        for axis in range(1, last):
            length = lengths[axis - 1]
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
        maps = self.maps(reference, moved)
        return correlation_peak.find(
            maps, reference.values, moved.values, self.reach, overlap=self.padding
        )

    def maps(self, reference: Prepared, moved: Prepared) -> NDArray[np.float32]:
        """Return the sums of products at each displacement.

        Zero displacement is in the middle; an image that has moved by d along an axis
        has its maximum d places further on.
        """
        from scipy import fft

        products = np.conj(reference.spectra) * moved.spectra
        lengths = self.padded
        for axis, (length, lag) in enumerate(
            zip(lengths[:-1], self.lags[:-1], strict=True), start=1
        ):
            lines = fft.ifft(
                products, length, axis=axis, workers=self.workers, overwrite_x=True
            )
            products = _around_zero(lines, lag, axis)
        last = len(lengths)
        sums = fft.irfft(
            products, lengths[-1], axis=last, workers=self.workers, overwrite_x=True
        )
        result: NDArray[np.float32] = _around_zero(sums, self.lags[-1], last)
        return result

    def _values(self, images: NDArray[Any]) -> NDArray[np.float32]:
        axes = tuple(range(1, images.ndim))
        if self.background > 0:
            from scipy import ndimage

            values = images.astype(np.float32)
            sigma = (0.0, *(self.background for _ in axes))
            values -= ndimage.gaussian_filter(values, sigma)
        else:
            mean = images.mean(axis=axes, dtype=np.float64, keepdims=True)
            values = np.subtract(images, mean, dtype=np.float32, casting="unsafe")
        if self.window == "hann":
            for axis, side in zip(axes, self.shape, strict=True):
                line = taper(side, 1.0).astype(np.float32)
                values *= line.reshape(-1, *(1,) * (images.ndim - 1 - axis))
            values -= values.mean(axis=axes, dtype=np.float64, keepdims=True)
        return values


def _around_zero(lines: NDArray[Any], lag: int, axis: int) -> NDArray[Any]:
    """Return the samples from -lag to lag of lines that continue periodically."""
    return np.take(lines, np.arange(-lag, lag + 1), axis=axis, mode="wrap")
