"""What a Fourier ring correlation found, as numbers, as a line and as a plot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx.methods._axes import given_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True, eq=False)
class FRC:
    """What a Fourier ring correlation found. Print it for one line."""

    resolution: float
    """Period of the highest frequency that counts as resolved; NaN if there is none."""
    frequency: NDArray[np.float64] = field(repr=False)
    """Of each ring, in cycles per unit of length: from 0 to the Nyquist frequency."""
    correlation: NDArray[np.float64] = field(repr=False)
    """On each ring, from -1 to 1."""
    threshold: NDArray[np.float64] = field(repr=False)
    """What the correlation is compared with on each ring."""
    reason: str
    """Why there is no resolution; empty if there is one."""
    criterion: str
    """The threshold's name."""
    units: str
    """Unit of length of the resolution."""

    def __str__(self) -> str:
        if self.reason:
            return f"FRC resolution: none ({self.criterion} threshold): {self.reason}"
        length = f"{self.resolution:.4g} {self.units}"
        return f"FRC resolution: {length} ({self.criterion} threshold)"

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the correlation, its threshold and where it crosses that.

        Parameters
        ----------
        ax
            Matplotlib axes to draw into; by default new ones.

        Raises
        ------
        MissingPackage
            If Matplotlib is not installed.
        """
        ax = given_or_new(ax)
        ax.plot(self.frequency, self.correlation, label="correlation")
        ax.plot(self.frequency, self.threshold, "--", label=self.criterion)
        if not self.reason:
            label = f"{self.resolution:.4g} {self.units}"
            ax.axvline(1 / self.resolution, color="black", linestyle=":", label=label)
        ax.set_xlim(0, self.frequency[-1])
        ax.set_ylim(min(-0.1, 1.05 * float(self.correlation.min())), 1.05)
        ax.set_xlabel(f"spatial frequency (1/{self.units})")
        ax.set_ylabel("Fourier ring correlation")
        ax.set_title(str(self), wrap=True)
        ax.legend()
        return ax
