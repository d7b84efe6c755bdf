"""Which part of a movie a preview computes, and which part of that is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, sqrt

MOST_PIXELS = 256 * 256
"""Input pixels that are shown at most: the middle of the view."""

_LEAST_SIDE = 8

Side = tuple[int, int]
"""First pixel, and the one after the last."""


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle in some frames, with the margin that it is computed with.

    The margin is there so that the edges of what is computed, where pixels lack
    neighbours, are not shown; at the edges of the image there is none.
    """

    rows: Side
    columns: Side
    frames: Side
    read_rows: Side
    read_columns: Side
    plane: int | None = None
    """The plane of volumes that is shown; None if there are no volumes."""
    read_planes: Side = (0, 1)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns that are shown."""
        return self.rows[1] - self.rows[0], self.columns[1] - self.columns[0]

    def output(self, step: Sequence[float]) -> tuple[slice, slice]:
        """Return the output pixels to show, of those computed from what was read.

        Parameters
        ----------
        step
            Input pixels along an output pixel, for rows and columns.
        """
        return (
            _inside(self.rows, self.read_rows[0], step[0]),
            _inside(self.columns, self.read_columns[0], step[1]),
        )

    def output_plane(self, step: float) -> int:
        """Return the output plane to show: the middle one of the input plane.

        Parameters
        ----------
        step
            Input planes along an output plane.
        """
        plane = 0 if self.plane is None else self.plane - self.read_planes[0]
        return floor((plane + 0.5) / step + 1e-9)

    def of_volumes(self, depth: int, plane: int, margin: int) -> Region:
        """Return the same rectangle in one plane of volumes.

        Parameters
        ----------
        depth
            Planes of a volume.
        plane
            That is shown.
        margin
            Planes on each side that are needed to compute it.
        """
        around = (max(plane - margin, 0), min(plane + margin + 1, depth))
        return replace(self, plane=plane, read_planes=around)


def region(
    shape: Sequence[int],
    visible: tuple[Side, Side] | None,
    frame: int,
    frames: int,
    margin: int,
    most_pixels: int = MOST_PIXELS,
) -> Region:
    """Return what to compute.

    Parameters
    ----------
    shape
        Of the movie, (T, Y, X) or (T, Z, Y, X), or of an image, (Y, X).
    visible
        Rows and columns in view; None if that is not known.
    frame
        The present frame.
    frames
        How many there should be, around it where the movie goes on.
    margin
        Pixels on each side that are needed to compute one.
    most_pixels
        Input pixels that are shown at most.
    """
    count = shape[0] if len(shape) > 2 else 1
    height, width = shape[-2:]
    whole = ((0, height), (0, width))
    rows, columns = visible or whole
    rows, columns = _within(rows, height), _within(columns, width)
    area = (rows[1] - rows[0]) * (columns[1] - columns[0])
    if area > most_pixels:
        share = sqrt(most_pixels / area)
        rows, columns = _middle(rows, share), _middle(columns, share)
    frames = min(frames, count)
    first = min(max(frame - frames // 2, 0), count - frames)
    return Region(
        rows,
        columns,
        (first, first + frames),
        (max(rows[0] - margin, 0), min(rows[1] + margin, height)),
        (max(columns[0] - margin, 0), min(columns[1] + margin, width)),
    )


def _within(side: Side, length: int) -> Side:
    """Return what of a side lies in the image; all of that if hardly anything does."""
    first, stop = max(side[0], 0), min(side[1], length)
    return (first, stop) if stop - first >= min(_LEAST_SIDE, length) else (0, length)


def _middle(side: Side, share: float) -> Side:
    length = side[1] - side[0]
    kept = max(floor(length * share), min(_LEAST_SIDE, length))
    first = side[0] + (length - kept) // 2
    return first, first + kept


def _inside(shown: Side, read_from: int, step: float) -> slice:
    """Return the output pixels whose whole extent lies in what is shown."""
    first = ceil((shown[0] - read_from) / step - 1e-9)
    stop = floor((shown[1] - read_from) / step + 1e-9)
    return slice(first, max(stop, first + 1))
