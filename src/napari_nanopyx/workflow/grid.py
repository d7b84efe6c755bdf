"""Where the pixels of a result lie on the pixel grid of the movie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from napari_nanopyx.io import ImageMetadata

ORDER = "TCZYX"
"""The order of axes inside a workflow and in its files; that of ImageJ and OME."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Pixel q of a result lies at ``step · q + offset`` of the movie, axis by axis.

    Axes that are not named have step 1 and offset 0.
    """

    step: Mapping[str, float] = field(default_factory=dict)
    offset: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def magnified(cls, **factors: float) -> Grid:
        """Return the grid of an image with so many pixels in one, by axis.

        Pixels share their outer borders, not their centres.
        """
        return cls(
            {axis: 1 / factor for axis, factor in factors.items()},
            {axis: (1 / factor - 1) / 2 for axis, factor in factors.items()},
        )

    def windowed(self, frames: int, gap: int) -> Grid:
        """Return the grid with `frames` frames in one, from every `gap`-th frame on."""
        return Grid(
            {**self.step, "T": float(gap)}, {**self.offset, "T": (frames - 1) / 2}
        )

    def then(self, finer: Grid) -> Grid:
        """Return the grid of what was made on this grid with a grid of its own."""
        axes = {*self.step, *self.offset, *finer.step, *finer.offset}
        step = {axis: self.step.get(axis, 1.0) for axis in axes}
        return Grid(
            {axis: step[axis] * finer.step.get(axis, 1.0) for axis in axes},
            {
                axis: step[axis] * finer.offset.get(axis, 0.0)
                + self.offset.get(axis, 0.0)
                for axis in axes
            },
        )

    def metadata(self, movie: ImageMetadata, axes: str) -> ImageMetadata:
        """Return the metadata of an image on this grid of a movie."""
        size, interval, depth = movie.pixel_size, movie.frame_interval, movie.depth
        if size is not None:
            size = size[0] * self.step.get("Y", 1.0), size[1] * self.step.get("X", 1.0)
        if interval is not None:
            interval = interval * self.step.get("T", 1.0) if "T" in axes else None
        if depth is not None:
            depth = depth * self.step.get("Z", 1.0)
        return replace(
            movie,
            axes=axes,
            pixel_size=size,
            frame_interval=interval,
            depth=depth,
            description="",
        )
