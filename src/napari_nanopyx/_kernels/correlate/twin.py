"""Correlation in plain Python loops: tag2tag makes the Numba implementation of it.

The arguments are those of kernel.c; arrays arrive flat.
"""

import numpy as np
from numba import njit, prange

# tag-start: correlate
def correlate(
    frames, count, height, width, finer, rows, columns, single, table_rows, pitch,
    reference, down, across, lags, sums,
):
    """Sum the products of a frame with the reference, one row of displacements a step."""
    pixels = frames.reshape((count, height, width))
    table = reference.reshape((1 if single else count, table_rows, pitch))
    out = sums.reshape((count, rows, columns))
    for item in range(count * rows):
        frame, row = item // rows, item % rows
        total = np.zeros(columns, np.float32)
        for y in range(height):
            weight = down[frame * height + y]
            if weight == 0:
                continue
            line = pixels[frame, min(max(y + lags[2 * frame], 0), height - 1)]
            met = table[0 if single else frame, (height - 1 - y) * finer + row]
            part = np.zeros(columns, np.float32)
            for x in range(width):
                from_ = min(max(x + lags[2 * frame + 1], 0), width - 1)
                value = np.float32(line[from_]) * across[frame * width + x]
                start = (width - 1 - x) * finer
                for c in range(columns):
                    part[c] += value * met[start + c]
            total += part * weight
        out[frame, row] = total
# tag-end: correlate


# tag-copy: correlate; "def correlate" -> "@njit(parallel=True, cache=True, fastmath={'contract'})\ndef correlate"; "range(count * " -> "prange(count * "


STEPS = (correlate,)
"""What the backend calls, in order."""
