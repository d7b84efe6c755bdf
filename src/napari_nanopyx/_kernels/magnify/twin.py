"""Magnification in plain Python loops: tag2tag makes the Numba implementation of it.

The arguments are those of kernel.c; arrays arrive flat. What is done to a row stands in
functions of its own, in which Numba computes several pixels at once.
"""

import numpy as np
from numba import njit, prange

# tag-start: add_row
def add_row(weight, line, before, mixed):
    """Add a weighted row to one that goes on beyond both of its ends."""
    width = len(line)
    inner = mixed[before : before + width]
    for c in range(width):
        inner[c] += weight * line[c]
    for c in range(before):
        mixed[c] += weight * line[0]
    for c in range(before + width, len(mixed)):
        mixed[c] += weight * line[width - 1]
# tag-end: add_row


# tag-start: add_column
def add_column(weights, taps, mixed, out):
    """Add one weighted neighbour of each output pixel."""
    for q in range(len(out)):
        out[q] += weights[q] * mixed[taps[q]]
# tag-end: add_column


# tag-copy: add_row; "def add_row" -> "@njit(cache=True, fastmath={'contract'})\ndef add_row"


# tag-copy: add_column; "def add_column" -> "@njit(cache=True, fastmath={'contract'})\ndef add_column"


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
        mixed = np.zeros(width + 2 * taps, np.float32)
        down = taps * (table * output_height + row)
        for i in range(taps):
            line = pixels[frame, row_taps[down + i]]
            add_row(row_weights[down + i], line, before, mixed)
        line = np.zeros(output_width, np.float32)
        tap = column_tap[table * pitch :]
        for j in range(taps):
            across = (table * taps + j) * pitch
            add_column(column_weights[across:], tap, mixed[j:], line)
        out[frame, row] = line
# tag-end: magnify


# tag-copy: magnify; "def magnify" -> "@njit(parallel=True, cache=True)\ndef magnify"; "range(count * " -> "prange(count * "


STEPS = (magnify,)
"""What the backend calls, in order."""
