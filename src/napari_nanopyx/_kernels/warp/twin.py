"""Sampling at any points in plain Python loops: tag2tag makes the Numba version of it.

The arguments are those of kernel.c; arrays arrive flat.
"""

import numpy as np
from numba import njit, prange


# tag-start: weigh
def weigh(t, taps, weights):
    """Weigh the samples around a point, a fraction of a pixel behind one of them."""
    if taps == 1:
        weights[0] = 1.0
    elif taps == 2:
        weights[0] = 1.0 - t
        weights[1] = t
    else:
        weights[0] = ((1.0 - 0.5 * t) * t - 0.5) * t
        weights[1] = (1.5 * t - 2.5) * t * t + 1.0
        weights[2] = ((2.0 - 1.5 * t) * t + 0.5) * t
        weights[3] = (0.5 * t - 0.5) * t * t
# tag-end: weigh


# tag-copy: weigh; "def weigh" -> "@njit(cache=True)\ndef weigh"


# tag-start: warp
def warp(
    frames, count, height, width, pitch, output_height, output_width, tables, taps,
    centre, fill, fields, down, across, field, warped,
):
    """Sample every output pixel of every frame."""
    pixels = frames.reshape((count, height, width))
    out = warped.reshape((count, output_height, output_width))
    before = (taps - 1) // 2
    for item in range(count * output_height):
        frame, row = item // output_height, item % output_height
        table = frame % tables
        weights = np.zeros((2, 4))
        whole = np.zeros(2, np.int64)
        pixel = np.zeros(2, np.int64)
        for q in range(output_width):
            for axis in range(2):
                at = 4 * (table * output_height + row) + 2 * axis
                side = (4 * table + 2 * axis) * pitch + q
                start = float(down[at]) + float(across[side])
                start += float(down[at + 1]) + float(across[side + pitch])
                if fields:
                    line = (2 * table + axis) * output_height + row
                    start += float(field[line * pitch + q])
                whole[axis] = int(np.floor(start))
                pixel[axis] = int(np.floor(start + centre))
                weigh(start - whole[axis], taps, weights[axis])
            if not (0 <= pixel[0] < height and 0 <= pixel[1] < width):
                out[frame, row, q] = fill
                continue
            total = 0.0
            for i in range(taps):
                r = min(max(whole[0] - before + i, 0), height - 1)
                mixed = 0.0
                for j in range(taps):
                    c = min(max(whole[1] - before + j, 0), width - 1)
                    mixed += weights[1, j] * pixels[frame, r, c]
                total += weights[0, i] * mixed
            out[frame, row, q] = total
# tag-end: warp


# tag-copy: warp; "def warp" -> "@njit(parallel=True, cache=True, fastmath={'contract'})\ndef warp"; "range(count * " -> "prange(count * "


STEPS = (warp,)
"""What the backend calls, in order."""
