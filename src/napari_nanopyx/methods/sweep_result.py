"""What a sweep over eSRRF parameters found, as arrays, as a line and as a plot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx.methods._axes import given_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Best(NamedTuple):
    """The parameters that scored highest."""

    sensitivity: float
    radius: float


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """What a sweep over eSRRF parameters found. Print it for one line.

    Arrays have the shape (sensitivities, radii).
    """

    qnr: NDArray[np.float64] = field(repr=False)
    """Score of each pair, from 0 to 1: resolution and faithfulness together."""
    rsp: NDArray[np.float64] = field(repr=False)
    """Resolution-scaled Pearson coefficient of each."""
    resolution: NDArray[np.float64] = field(repr=False)
    """Of each, in output pixels; NaN where there is none."""
    best: Best | None
    """The first pair with the highest score; None if all scores are 0."""
    radii: tuple[float, ...]
    """In input pixels."""
    sensitivities: tuple[float, ...]
    resolution_range: tuple[float, float] | None
    """Resolutions that count 0.925 and 0.075; None if there is no resolution."""

    def __str__(self) -> str:
        count = self.qnr.size
        if self.best is None:
            return f"eSRRF sweep: none of {count} pairs is resolved"
        row = self.sensitivities.index(self.best.sensitivity)
        column = self.radii.index(self.best.radius)
        return (
            f"eSRRF sweep: best of {count} is radius {self.best.radius:g} px, "
            f"sensitivity {self.best.sensitivity:g}: QnR {self.qnr[row, column]:.4f}, "
            f"RSP {self.rsp[row, column]:.4f}, "
            f"resolution {self.resolution[row, column]:.4g} output px"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the scores as a heat map, with the best pair marked.

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
        image = ax.imshow(self.qnr, cmap="viridis", vmin=0, aspect="auto")
        ax.figure.colorbar(image, ax=ax, label="QnR")
        ax.set_xticks(range(len(self.radii)), [f"{each:g}" for each in self.radii])
        rows = [f"{each:g}" for each in self.sensitivities]
        ax.set_yticks(range(len(rows)), rows)
        if self.best is not None:
            column = self.radii.index(self.best.radius)
            row = self.sensitivities.index(self.best.sensitivity)
            ax.plot([column], [row], "o", color="red", fillstyle="none", label="best")
            ax.legend()
        ax.set_xlabel("radius (px)")
        ax.set_ylabel("sensitivity")
        ax.set_title(str(self), wrap=True)
        return ax
