"""Fits a blurred super-resolved image to a reference, all in cosine transforms.

A blur with reflecting borders is a product in the basis of cosine waves (DCT-II), an
image magnified by Fourier interpolation has the waves of the small one, and sums over
pixels are sums over waves. So each image is transformed once, however many blurs are
tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Space = Literal["sr", "reference"]
Waves = NDArray[np.float64]

TOLERANCE = 1e-3
"""Output pixels to which the width of the blur is found."""

WIDEST = 4 / 2.35482
"""Standard deviation of the widest blur, in reference pixels: 4 wide at half height."""

_TRIALS = 16
"""Widths tried at first, evenly spread: there may be more than one valley."""


@dataclass(frozen=True, slots=True)
class Line:
    """A least-squares line: reference = alpha · blurred + beta."""

    alpha: float
    beta: float
    residual: float
    """Root mean square."""
    correlation: float
    """Of the blurred image and the reference; 0 if one is constant."""


class Fit:
    """A super-resolved image and its reference, transformed.

    Parameters
    ----------
    reference : ndarray, shape (h, w)
    super_resolved : ndarray, shape (M * h, M * w)
    space : {"sr", "reference"}
        Compare with the magnified reference, or average the blurred image down.
    workers : int
        Threads of the transforms.
    """

    def __init__(
        self,
        reference: NDArray[Any],
        super_resolved: NDArray[Any],
        space: Space = "sr",
        workers: int = 1,
    ) -> None:
        self.magnification = len(super_resolved) // len(reference)
        self._space, self._workers = space, workers
        self.is_constant = [
            bool(image.min() == image.max()) for image in (reference, super_resolved)
        ]
        self._reference, self._mean = transform(reference, workers)
        self._waves, self._waves_mean = transform(super_resolved, workers)
        self._count = reference.size
        if space == "sr":
            self._count = super_resolved.size
            self._reference *= self.magnification  # more pixels hold the same waves
            height, width = reference.shape
            self._product = self._waves[:height, :width] * self._reference
            self._square = self._waves**2
        self._variance = float(np.vdot(self._reference, self._reference)) / self._count

    def line(self, sigma: float) -> Line:
        """Return the line through the image blurred by so many output pixels."""
        covariance, variance = self._moments(sigma)
        if any(self.is_constant) or variance <= 0.0:
            return Line(0.0, self._mean, self._variance**0.5, 0.0)
        alpha = covariance / variance
        residual = max(self._variance - covariance * alpha, 0.0) ** 0.5
        correlation = covariance / (variance * self._variance) ** 0.5
        beta = self._mean - alpha * self._waves_mean
        return Line(alpha, beta, residual, float(np.clip(correlation, -1, 1)))

    def best_sigma(self, stop_if_asked: Callable[[], None]) -> float:
        """Return the width of the blur that leaves the smallest residual."""
        from scipy import optimize

        def residual(sigma: float) -> float:
            stop_if_asked()
            return self.line(sigma).residual

        widths = np.linspace(0.0, WIDEST * self.magnification, _TRIALS)
        best = int(np.argmin([residual(width) for width in widths]))
        low, high = widths[max(best - 1, 0)], widths[min(best + 1, _TRIALS - 1)]
        found = optimize.minimize_scalar(
            residual, bounds=(low, high), method="bounded", options={"xatol": TOLERANCE}
        )
        if found.fun < residual(widths[best]):
            return float(found.x)
        return float(widths[best])

    def difference(self, sigma: float) -> NDArray[np.float64]:
        """Return the fitted image minus the reference, both in the space compared."""
        from scipy import fft

        waves = self._blurred(sigma)
        waves *= self.line(sigma).alpha
        height, width = self._reference.shape
        waves[:height, :width] -= self._reference
        pixels: NDArray[np.float64] = fft.idctn(
            waves, norm="ortho", workers=self._workers, overwrite_x=True
        )
        return pixels

    def _moments(self, sigma: float) -> tuple[float, float]:
        """Return the blurred image's covariance with the reference, and variance."""
        if self._space == "sr":
            rows, columns = self._transfers(sigma)
            height, width = self._reference.shape
            common = float(rows[:height] @ self._product @ columns[:width])
            power = float(rows**2 @ self._square @ columns**2)
        else:
            waves = self._blurred(sigma)
            common = float(np.vdot(waves, self._reference))
            power = float(np.vdot(waves, waves))
        return common / self._count, power / self._count

    def _blurred(self, sigma: float) -> Waves:
        rows, columns = self._transfers(sigma)
        waves: Waves = self._waves * rows[:, np.newaxis]
        waves *= columns
        if self._space == "sr":
            return waves
        m = self.magnification
        return averaged(averaged(waves, m).T, m).T

    def _transfers(self, sigma: float) -> tuple[Waves, Waves]:
        height, width = self._waves.shape
        return transfer(height, sigma), transfer(width, sigma)


def transform(image: NDArray[Any], workers: int) -> tuple[Waves, float]:
    """Return the cosine waves of an image about its mean, orthonormal, and the mean."""
    from scipy import fft

    values = image.astype(np.float64)
    mean = float(values.mean())
    values -= mean
    waves: Waves = fft.dctn(values, norm="ortho", workers=workers, overwrite_x=True)
    return waves, mean


def transfer(length: int, sigma: float) -> Waves:
    """Return what a Gaussian, cut at four sigma, leaves of each wave along an axis."""
    reach = int(4.0 * sigma + 0.5)
    if reach == 0:
        return np.ones(length)
    distance = np.arange(1, reach + 1)
    weights = np.exp(-0.5 * (distance / sigma) ** 2)
    angles = np.outer(np.pi / length * np.arange(length), distance)
    result: Waves = (1.0 + 2.0 * np.cos(angles) @ weights) / (1.0 + 2.0 * weights.sum())
    return result


def averaged(waves: Waves, factor: int) -> Waves:
    """Return the waves, along the rows, of the means of neighbouring pixels.

    Waves too fine for the coarse pixels look like coarser ones there.
    """
    if factor == 1:
        return waves
    fine = len(waves)
    length = fine // factor
    angles = np.pi / (2 * fine) * np.arange(1, fine)
    gain = np.ones(fine)
    gain[1:] = np.sin(factor * angles) / (factor * np.sin(angles))
    result = np.zeros((length, waves.shape[1]))
    for block in range(factor):
        part = slice(block * length, (block + 1) * length)
        values = (-1) ** ((block + 1) // 2) * gain[part, np.newaxis] * waves[part]
        if block % 2 == 0:
            result += values
        else:
            result[1:] += values[:0:-1]
    result /= factor**0.5
    return result
