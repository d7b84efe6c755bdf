"""What an error map found, as numbers, as a line and as a plot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx.methods._axes import given_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True, eq=False)
class ErrorMap:
    """How far a super-resolved image is from its reference. Print it for one line."""

    map: NDArray[np.float32] = field(repr=False)
    """Absolute difference at each pixel, in the reference's intensities.

    Of the super-resolved image's shape, or of the reference's if they were compared on
    its grid; NaN along a cropped border.
    """
    rse: float
    """Resolution-scaled error: root mean square difference, in the same intensities."""
    rsp: float
    """Resolution-scaled Pearson coefficient, from -1 to 1.

    It is negative if the super-resolved image is dark where the reference is bright.
    """
    alpha: float
    """Factor that scales the blurred image to the reference."""
    beta: float
    """Intensity added after that."""
    sigma: float
    """Standard deviation of the blur, in pixels of the super-resolved image."""
    at_bound: bool
    """Whether the blur is the narrowest or the widest allowed: better distrust it."""
    shift: tuple[float, float] = (0.0, 0.0)
    """How far the super-resolved image was moved, (row, column), in its pixels."""
    reason: str = ""
    """Why there is nothing to compare; empty if there is."""

    def __str__(self) -> str:
        if self.reason:
            return f"Error map: none: {self.reason}"
        bound = " (at its limit)" if self.at_bound else ""
        moved = ""
        if any(self.shift):
            row, column = self.shift
            moved = f", moved by ({row:.2f}, {column:.2f}) px"
        return (
            f"Error map: RSP {self.rsp:.4f}, RSE {self.rse:.4g} intensity units, "
            f"sigma {self.sigma:.3g} super-resolved px{bound}{moved}"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the map with a scale of intensities.

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
        image = ax.imshow(self.map, cmap="magma", interpolation="nearest")
        ax.figure.colorbar(image, ax=ax, label="error (intensity units)")
        ax.set_xlabel("column (px)")
        ax.set_ylabel("row (px)")
        ax.set_title(str(self), wrap=True)
        return ax
