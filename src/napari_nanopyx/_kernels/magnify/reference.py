"""Shifts and magnifies frames in float64 NumPy, straight from the definition."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import catmull_rom

Profile = Literal["P", "C"]
"""P: samples at pixel centres, edges replicated. C: as nanopyx 2.1.5, for tests."""


def frames(
    block: NDArray[Any],
    row_factor: float,
    column_factor: float,
    shifts: NDArray[np.float64],
    profile: Profile = "P",
) -> NDArray[np.float64]:
    """Return each frame sampled on a finer (or coarser) grid.

    Parameters
    ----------
    block : ndarray, shape (n, H, W)
    row_factor, column_factor : float
        Output pixels per input pixel.
    shifts : ndarray of float64, shape (n, 2) or (1, 2)
        How far to move the content of each frame, as (row, column) in input pixels.
    profile : {"P", "C"}

    Returns
    -------
    ndarray of float64
        Shape (n, floor(H * row_factor), floor(W * column_factor)), 0 where the source
        lies outside the frame.
    """
    count, height, width = block.shape
    rows = catmull_rom.magnified_length(height, row_factor)
    columns = catmull_rom.magnified_length(width, column_factor)
    result = np.empty((count, rows, columns))
    offset = 0.5 if profile == "P" else 0.0
    border: catmull_rom.Border = "replicate" if profile == "P" else "drop"
    for frame, image, (row_shift, column_shift) in zip(
        result, block, np.broadcast_to(shifts, (count, 2)), strict=True
    ):
        index_r, weight_r = catmull_rom.taps(
            height, rows, row_factor, row_shift, offset=offset, border=border
        )
        index_c, weight_c = catmull_rom.taps(
            width, columns, column_factor, column_shift, offset=offset, border=border
        )
        tall = np.einsum("pkw,pk->pw", image[index_r].astype(np.float64), weight_r)
        frame[...] = np.einsum("pqk,qk->pq", tall[:, index_c], weight_c)
    return result
