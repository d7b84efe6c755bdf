"""How far parts of one channel lie from where another one shows them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.correlation import Correlator, Sums
from napari_nanopyx._kernels.correlation_peak import Peaks

Image = NDArray[np.float32]

HALF = 8
"""Pixels to each side of a landmark that are compared."""

REACH = 4
"""Pixels that a landmark may be away from where the whole image has moved to."""

MOST_LANDMARKS = 1000

STANDING_OUT = 5.0
"""Standard deviations of its surroundings by which a landmark is brighter."""


@dataclass(frozen=True, slots=True)
class Arrows:
    """Displacements of parts of an image."""

    places: NDArray[np.float64]
    """Where they are, as (row, column) in continuous coordinates, (n, 2)."""
    displacements: NDArray[np.float64]
    """How far the content has moved there, (n, 2)."""
    similarity: NDArray[np.float64]
    """Correlation of the parts, one moved onto the other, (n,)."""

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Arrows:
        return Arrows(
            self.places[chosen], self.displacements[chosen], self.similarity[chosen]
        )


def of_blocks(
    reference: Image, moved: Image, blocks: int, reach: int, workers: int, sums: Sums
) -> tuple[Arrows, NDArray[np.bool_]]:
    """Return the displacement of each block, and whether it is a maximum within reach.

    Blocks are compared twice: where they are, and where that finds them, so that the
    second time both show the same. Rows and columns that are left over belong to no
    block; at the edge of the image, blocks are moved to where both are whole.
    """
    sides = np.array(reference.shape) // blocks
    origins = np.indices((blocks, blocks)).reshape(2, -1).T * sides
    peaks = _compared(reference, moved, origins, origins, sides, reach, workers, sums)
    coarse = np.where(peaks.inside[:, np.newaxis], np.rint(peaks.displacements), 0)
    coarse = coarse.astype(int)
    sides = np.minimum(sides, reference.shape - np.abs(coarse).max(axis=0))
    room = reference.shape - sides
    origins = np.clip(origins, np.maximum(-coarse, 0), room - np.maximum(coarse, 0))
    near = int(min(REACH, reach, min(sides) - 3))
    finer = _compared(
        reference, moved, origins, origins + coarse, sides, near, workers, sums
    )
    arrows = Arrows(origins + sides / 2, coarse + finer.displacements, finer.similarity)
    within = (np.abs(arrows.displacements) <= reach + 0.5).all(axis=1)
    return arrows, peaks.inside & finer.inside & within


def of_landmarks(
    reference: Image, moved: Image, reach: int, workers: int, sums: Sums
) -> tuple[Arrows, NDArray[np.bool_]]:
    """Return the displacement of each bright spot, and whether it is a maximum.

    The whole image tells where to look for them.
    """
    correlator = Correlator(reference.shape, (reach, reach), workers=workers, sums=sums)
    whole = correlator.compare(
        correlator.prepare(reference[np.newaxis]), correlator.prepare(moved[np.newaxis])
    )
    coarse = np.rint(whole.displacements[0]).astype(int)
    spots = landmarks(reference)
    shown = np.array(reference.shape) - HALF
    spots = spots[((spots + coarse >= HALF) & (spots + coarse < shown)).all(axis=1)]
    if len(spots) == 0 or not whole.inside[0]:
        none = np.zeros((0, 2))
        return Arrows(none, none, np.zeros(0)), np.zeros(0, bool)
    near = min(REACH, reach)
    origins, sides = spots - HALF, np.full(2, 2 * HALF + 1)
    peaks = _compared(
        reference, moved, origins, origins + coarse, sides, near, workers, sums
    )
    displacements = peaks.displacements + coarse
    within = (np.abs(displacements) <= reach + 0.5).all(axis=1)
    arrows = Arrows(spots + 0.5, displacements, peaks.similarity)
    return arrows, peaks.inside & within


def landmarks(image: Image) -> NDArray[np.intp]:
    """Return the pixels, (n, 2), that are much brighter than what is around them.

    They lie at least half a patch apart, and a whole patch around each is shown.
    """
    from scipy import ndimage

    values = image.astype(np.float64)
    contrast = ndimage.gaussian_filter(values, 1.0)
    contrast -= ndimage.gaussian_filter(values, HALF / 2)
    spread = 1.4826 * float(np.median(np.abs(contrast - np.median(contrast))))
    highest = ndimage.maximum_filter(contrast, size=HALF + 1) == contrast
    highest &= contrast > STANDING_OUT * spread
    for axis in (0, 1):
        lines = np.moveaxis(highest, axis, 0)
        lines[:HALF] = lines[-HALF:] = False
    spots = np.argwhere(highest)
    brightest = np.argsort(-contrast[highest], kind="stable")
    return spots[brightest[:MOST_LANDMARKS]]


def _compared(
    reference: Image,
    moved: Image,
    origins: NDArray[np.intp],
    moved_origins: NDArray[np.intp],
    sides: NDArray[np.intp],
    reach: int,
    workers: int,
    sums: Sums,
) -> Peaks:
    """Return the displacements between windows of both images."""
    rows, columns = (int(side) for side in sides)
    correlator = Correlator((rows, columns), (reach, reach), workers=workers, sums=sums)
    return correlator.compare(
        correlator.prepare(_windows(reference, origins, rows, columns)),
        correlator.prepare(_windows(moved, moved_origins, rows, columns)),
    )


def _windows(image: Image, origins: NDArray[np.intp], rows: int, columns: int) -> Image:
    """Return the windows that begin at the origins, (n, rows, columns)."""
    down = origins[:, 0, np.newaxis] + np.arange(rows)
    across = origins[:, 1, np.newaxis] + np.arange(columns)
    windows: Image = image[down[:, :, np.newaxis], across[:, np.newaxis]]
    return windows
