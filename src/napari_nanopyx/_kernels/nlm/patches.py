"""Which pixels make a patch, how they count, and how far apart alike patches may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Mode = Literal["fast", "gaussian"]
Exponential = Literal["exact", "linear"]

SHARE = 0.8
"""What h is by default, as a share of the noise's standard deviation."""

FARTHEST = 5.0
"""Patches at a larger distance than this have no weight."""


LOWERED = 60801 / 2**20
"""How much lower the exponent is taken where powers of two are interpolated linearly:
they are then up to 3 % too large or too small. It is scikit-image's number."""


def similarity(
    distance: NDArray[np.float64], exponential: Exponential
) -> NDArray[np.float64]:
    """Return the weights of patches at such distances, in float64."""
    if exponential == "exact":
        return np.exp(-distance)
    exponent = np.maximum(-distance / np.log(2.0), -1000.0) - LOWERED
    whole = np.floor(exponent)
    weight = (1.0 + exponent - whole) * 2.0**whole
    return np.where(np.isinf(distance), 0.0, weight)


@dataclass(frozen=True)
class Patches:
    """The patches of one size and mode.

    Parameters
    ----------
    size : int
        Side of a patch, odd.
    mode : str
        ``"fast"``: all pixels of a square count the same. It has an even side, one less
        than the size, and the pixel lies above and left of its middle.
        ``"gaussian"``: pixels near the middle count more.
    """

    size: int
    mode: Mode

    @property
    def window(self) -> int:
        """Side of the square of pixels that are compared."""
        return self.size if self.mode == "gaussian" else self.size - 1

    @property
    def before(self) -> int:
        """Rows of the square above its pixel; as many columns are left of it."""
        return self.size // 2 if self.mode == "gaussian" else self.size // 2 - 1

    @property
    def weights(self) -> NDArray[np.float32]:
        """How much each row and each column of the square counts."""
        if self.mode == "fast":
            return np.ones(self.window, np.float32)
        from_middle = np.arange(self.size) - self.size // 2
        bell = np.exp(-0.5 * (from_middle / ((self.size - 1) / 4)) ** 2)
        weights: NDArray[np.float32] = (bell / bell.sum()).astype(np.float32)
        return weights

    def unit(self, h: float) -> float:
        """Return the sum of weighted squared differences that is the distance 1."""
        return h * h * (1.0 if self.mode == "gaussian" else self.size**2)

    def noise(self, sigma: float) -> NDArray[np.float64]:
        """Return what noise adds to the sum on average, down to each row."""
        weights = self.weights.astype(np.float64)
        down_to: NDArray[np.float64] = np.cumsum(weights)
        return 2.0 * sigma**2 * float(weights.sum()) * down_to

    def limits(self, h: float, sigma: float) -> NDArray[np.float64]:
        """Return the largest sum, down to each row, of patches that have a weight.

        In Gaussian mode it is looked at before each further row, but not after the
        last; in fast mode only after the last.
        """
        limits = FARTHEST * self.unit(h) + self.noise(sigma)
        rows = np.arange(self.window)
        looked_at = (rows == self.window - 1) != (self.mode == "gaussian")
        return np.where(looked_at, limits, np.inf)
