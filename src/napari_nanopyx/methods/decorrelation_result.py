"""What a decorrelation analysis found, as numbers, as a line and as a plot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_nanopyx._kernels.decorrelation_curves import Curve
from napari_nanopyx.methods._axes import given_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True, eq=False)
class Decorrelation:
    """What a decorrelation analysis found. Print it for one line."""

    resolution: float
    """Period of the cut-off frequency; NaN if there is none."""
    k_c: float
    """Cut-off frequency, as a fraction of the Nyquist frequency; NaN if none."""
    amplitude: float
    """Height of the maximum of the image's own curve; 0 if that has none.

    From 0 to 1: how much of the spectrum is structure.
    """
    curves: tuple[Curve, ...] = field(repr=False)
    """First the image's own, then those of both rounds of high-pass filters.

    Each has ``radius``, ``value``, the filter's ``width``, the radius of its ``peak``
    and that one's ``amplitude``.
    """
    reason: str
    """Why there is no resolution; empty if there is one."""
    units: str
    """Unit of length of the resolution."""
    angle: float | None = None
    """Of a sector's middle, from the columns' axis to the rows', in radians."""
    sectors: tuple[Decorrelation, ...] = field(default=(), repr=False)
    """The same for each sector of directions, if they were asked for."""

    def __str__(self) -> str:
        name = "Decorrelation resolution"
        if self.angle is not None:
            name += f" along {self.angle:.3f} rad"
        if self.reason:
            return f"{name}: none: {self.reason}"
        return (
            f"{name}: {self.resolution:.4g} {self.units} "
            f"(k_c {self.k_c:.4f} of Nyquist, A0 {self.amplitude:.3f})"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the curves, their maxima and the cut-off frequency.

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
        for curve in self.curves[1:]:
            ax.plot(curve.radius, curve.value, color="0.75", linewidth=0.8)
        for curve in self.curves[:1]:
            ax.plot(curve.radius, curve.value, label="image")
        peaks = [each for each in self.curves if each.counts]
        points = [each.peak for each in peaks], [each.amplitude for each in peaks]
        ax.plot(*points, "x", color="0.4", label="maxima")
        if not self.reason:
            label = f"{self.resolution:.4g} {self.units}"
            ax.axvline(self.k_c, color="black", linestyle=":", label=label)
        ax.set_xlabel("spatial frequency (fraction of Nyquist)")
        ax.set_ylabel("decorrelation")
        ax.set_title(str(self), wrap=True)
        ax.legend()
        return ax
