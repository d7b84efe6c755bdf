"""Magnification in plain Python loops: tag2tag makes the Numba implementation of it.

The arguments are those of kernel.c; arrays arrive flat.
"""

import numpy as np
from numba import njit, prange

# tag-start: magnify
def magnify(
    frames, count, height, width, before, pitch, output_height, output_width, tables,
    taps, row_taps, row_weights, column_tap, column_weights, magnified,
):
    """Mix the rows, then the columns, that each output pixel is made of."""
    pixels = frames.reshape((count, height, width))
    out = magnified.reshape((count, output_height, output_width))
    for item in range(count * output_height):
        frame, row = item // output_height, item % output_height
        table = frame % tables
        mixed = np.zeros(width, np.float32)
        down = taps * (table * output_height + row)
        for i in range(taps):
            line = pixels[frame, row_taps[down + i]]
            for c in range(width):
                mixed[c] += row_weights[down + i] * line[c]
        across = taps * table * pitch
        for q in range(output_width):
            tap = column_tap[table * pitch + q] - before
            total = np.float32(0)
            for j in range(taps):
                c = min(max(tap + j, 0), width - 1)
                total += column_weights[across + j * pitch + q] * mixed[c]
            out[frame, row, q] = total
# tag-end: magnify


# tag-copy: magnify; "def magnify" -> "@njit(parallel=True, cache=True, fastmath={'contract'})\ndef magnify"; "range(count * " -> "prange(count * "


STEPS = (magnify,)
"""What the backend calls, in order."""
