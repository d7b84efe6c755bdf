"""How far each channel has to move to lie on the reference, in memory and on disk."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.shift_field import Model


@dataclass(frozen=True, slots=True)
class ChannelQuality:
    """How well one channel could be registered. The reference needs no arrows."""

    similarity: float
    """Median correlation of the parts that were used, with the reference's; 0 to 1."""
    residual: float
    """Root mean square distance of their displacements from the shifts, in pixels."""
    used: int
    """Parts (blocks or landmarks) that the shifts were made from."""
    compared: int
    """Parts that were compared."""
    reason: str = ""
    """Why the channel is left as it is; empty if it is registered."""


@dataclass(frozen=True, slots=True, eq=False)
class ChannelRegistration:
    """Where each channel of an image has to move. Print it for one line."""

    shifts: NDArray[np.float32] = field(repr=False)
    """The correction to apply, as (row, column) in pixels: shape (C, 2, Y, X). The
    channel's content at (y, x) less the shift goes to (y, x). Zero for the reference
    and for channels that could not be registered."""
    reference: int
    """Number of the channel that the others are moved onto."""
    model: Model
    channels: tuple[ChannelQuality, ...]
    affine: NDArray[np.float64] | None = field(default=None, repr=False)
    """For an affine map or a translation, (C, 2, 3): the shift at (row, column) is
    ``affine[c] @ (row, column, 1)``, where pixel n covers n to n + 1."""
    pixel_size: float = 1.0
    """Length of a pixel's side."""
    units: str = "px"
    """Unit of `pixel_size`."""
    axes: str = "CYX"
    """Axes of the image it was estimated from."""
    source: str = ""
    """Digest of that image's pixels."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The arguments that it was estimated with."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of the images it applies to."""
        count, _, rows, columns = self.shifts.shape
        return count, rows, columns

    def __str__(self) -> str:
        told = [
            f"channel {number} {self._told(number)}"
            for number in range(len(self.channels))
            if number != self.reference
        ]
        return (
            f"Channel registration ({self.model}, onto channel {self.reference}): "
            + "; ".join(told)
        )

    def _told(self, number: int) -> str:
        quality = self.channels[number]
        if quality.reason:
            return f"is left as it is, because {quality.reason}"
        row, column = self.shifts[number].mean(axis=(1, 2), dtype=np.float64)
        length = math.hypot(row, column) * self.pixel_size
        size = "" if self.units == "px" else f" ({length:.4g} {self.units})"
        return (
            f"moves by ({row:+.2f}, {column:+.2f}) px{size} on average, similarity "
            f"{quality.similarity:.2f}, residual {quality.residual:.2f} px"
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the shifts as a TIFF file, and all else as JSON in its description.

        The file is complete, or not there at all; one that is there is replaced.

        Parameters
        ----------
        path
            Exactly this file is written; it must end in ``.tif`` or ``.tiff``. Its
            pages are the row and the column shifts of each channel in turn.

        Returns
        -------
        Path
            Where the file is.

        Raises
        ------
        ValueError
            If nothing can be written there.
        """
        from napari_nanopyx.methods._registration_file import write

        return write(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ChannelRegistration:
        """Read what `save` has written.

        Parameters
        ----------
        path
            The file.

        Raises
        ------
        FileNotFoundError
            If there is none.
        napari_nanopyx.io.ImageFileError
            If it is something else, damaged or cut short; also a `ValueError`.
        """
        from napari_nanopyx.methods._registration_file import read

        return read(path)
