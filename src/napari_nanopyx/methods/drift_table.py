"""The drift of a movie: the correction of each frame, as numbers, a line and a plot."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx.methods._axes import given_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AXES = ("plane", "row", "column")


@dataclass(frozen=True, slots=True, eq=False)
class DriftTable:
    """The correction of each frame of a movie. Print it for one line.

    It is made by `estimate_drift`, `load`, or from numbers of your own. Slices of it,
    such as ``table[:100]``, belong to those frames.
    """

    shifts: NDArray[np.float64] = field(repr=False)
    """How far to move the content of each frame towards larger indices, in pixels:
    (T, 2) as (row, column), or (T, 3) as (plane, row, column)."""
    similarity: NDArray[np.float64] = field(
        default_factory=lambda: np.empty(0), repr=False
    )
    """Pearson correlation of each frame with what it was compared with; NaN (by default
    for all) if not known."""
    flagged: NDArray[np.bool_] = field(
        default_factory=lambda: np.empty(0, np.bool_), repr=False
    )
    """Frames that could not be registered (by default none); their correction is
    interpolated."""
    pixel_size: float | None = None
    """Length of a pixel's side in `units`, if known."""
    units: str = "px"
    """Unit of `pixel_size`."""
    frame_shape: tuple[int, ...] | None = None
    """Shape of a frame of the movie, if known."""
    source: str = ""
    """Digest of the movie: of its shape, dtype, first, middle and last frame."""
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """How the drift was estimated."""
    uncertainty: NDArray[np.float64] = field(
        default_factory=lambda: np.empty(0), repr=False
    )
    """Standard deviation of each shift that the noise of the images causes, in pixels,
    shape as of `shifts`; NaN (by default for all) if not known."""
    frame_interval: float | None = None
    """Seconds from one frame to the next, if known."""

    def __post_init__(self) -> None:
        shifts = np.array(self.shifts, np.float64)
        if shifts.ndim != 2 or shifts.shape[1] not in (2, 3) or not len(shifts):
            raise ValueError(
                f"shifts has shape {shifts.shape}, but must be (T, 2) as (row, column) "
                "or (T, 3) as (plane, row, column)"
            )
        if not np.isfinite(shifts).all():
            raise ValueError("shifts holds NaN or infinity, but must be finite")
        similarity = np.array(self.similarity, np.float64)
        flagged = np.array(self.flagged, np.bool_)
        if not similarity.size:
            similarity = np.full(len(shifts), np.nan)
        if not flagged.size:
            flagged = np.zeros(len(shifts), np.bool_)
        uncertainty = np.array(self.uncertainty, np.float64)
        if not uncertainty.size:
            uncertainty = np.full(shifts.shape, np.nan)
        if uncertainty.shape != shifts.shape:
            raise ValueError(
                f"uncertainty has shape {uncertainty.shape}, but must have that of "
                f"shifts, {shifts.shape}"
            )
        for name, shape in (
            ("similarity", similarity.shape),
            ("flagged", flagged.shape),
        ):
            if shape != (len(shifts),):
                raise ValueError(
                    f"{name} has shape {shape}, but must be ({len(shifts)},): "
                    "one value for each frame"
                )
        columns: dict[str, NDArray[Any]] = {
            "shifts": shifts,
            "similarity": similarity,
            "flagged": flagged,
            "uncertainty": uncertainty,
        }
        for name, column in columns.items():
            column.flags.writeable = False
            object.__setattr__(self, name, column)

    def __len__(self) -> int:
        return len(self.shifts)

    def __getitem__(self, frames: slice) -> DriftTable:
        return DriftTable(
            self.shifts[frames],
            self.similarity[frames],
            self.flagged[frames],
            self.pixel_size,
            self.units,
            self.frame_shape,
            self.source,
            self.settings,
            self.uncertainty[frames],
            self.frame_interval and self.frame_interval * abs(frames.step or 1),
        )

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.shifts)

    def __str__(self) -> str:
        farthest = float(np.sqrt((self.shifts**2).sum(axis=1)).max())
        length = f"{farthest:.3g} px"
        known = self.uncertainty[np.isfinite(self.uncertainty).all(axis=1)]
        if known.any():
            length += f" ± {float(np.median(np.sqrt((known**2).sum(axis=1)))):.2g} px"
        if self.pixel_size is not None and self.units != "px":
            length += f" ({farthest * self.pixel_size:.4g} {self.units})"
        count = int(self.flagged.sum())
        rest = f", {count} could not be registered" if count else ""
        return f"Drift of {len(self)} frames: at most {length}{rest}"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the table to exactly this file, in one piece, as CSV.

        The first line holds how it was made, as JSON; spreadsheets open the rest.

        Parameters
        ----------
        path
            The file; one that is there already is replaced.

        Returns
        -------
        Path
            Where the file is.
        """
        from napari_nanopyx.methods import drift_files

        return drift_files.write(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> DriftTable:
        """Read a table from a file.

        Parameters
        ----------
        path
            A file that `save` wrote, a CSV file of NanoPyx 2, or a drift file of
            Picasso (two columns: how far each frame has moved, x and y).

        Raises
        ------
        ValueError
            If the file is none of these, damaged, or cut.
        """
        from napari_nanopyx.methods import drift_files

        return drift_files.read(path)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the corrections over the frames.

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
        frames = np.arange(len(self))
        for name, values in zip(
            AXES[-self.shifts.shape[1] :], self.shifts.T, strict=True
        ):
            ax.plot(frames, values, label=name)
        bad = frames[self.flagged]
        if len(bad):
            for values in self.shifts.T:
                ax.plot(bad, values[bad], "x", color="black")
        ax.set_xlabel("frame")
        ax.set_ylabel("correction (px)")
        ax.set_title(str(self), wrap=True)
        ax.legend()
        return ax
