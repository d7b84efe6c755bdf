"""Measures an image block by block."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine.running.runner import Cancel
from napari_nanopyx.methods._single_images import stop_if
from napari_nanopyx.methods.resolution_map import Measured, ResolutionMap

Part = tuple[slice, slice]


def measured_in_blocks(
    method: str,
    measure: Callable[[Part], Measured],
    shape: tuple[int, ...],
    counts: tuple[int, int],
    progress: Callable[[int, int], object] | None,
    cancel: Cancel | None,
) -> ResolutionMap[Measured]:
    """Return what a method finds in blocks that share out the pixels of an image.

    Parameters
    ----------
    method : str
        Its name, as it is to be printed.
    measure : callable
        Measures the part of the image that it is given.
    shape : (int, int)
        Rows and columns of the image.
    counts : (int, int)
        Blocks along each axis.
    progress, cancel
        As the public functions take them, called and asked for each block.
    """
    edges = [
        np.rint(np.linspace(0, length, count + 1)).astype(np.intp)
        for length, count in zip(shape, counts, strict=True)
    ]
    found: list[list[Measured]] = []
    for rows in _parts(edges[0]):
        found.append([])
        for columns in _parts(edges[1]):
            stop_if(cancel)
            found[-1].append(measure((rows, columns)))
            if progress is not None:
                done = (len(found) - 1) * counts[1] + len(found[-1])
                progress(done, counts[0] * counts[1])
    blocks = tuple(tuple(row) for row in found)
    return ResolutionMap(method, blocks, edges[0], edges[1], blocks[0][0].units)


def _parts(edges: NDArray[np.intp]) -> list[slice]:
    return [slice(start, stop) for start, stop in pairwise(edges.tolist())]
