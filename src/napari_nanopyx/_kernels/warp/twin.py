"""Sampling at any points in plain Python loops: tag2tag makes the Numba version of it.

The arguments are those of kernel.c; arrays arrive flat. What is done to a row stands in
functions of its own, in which Numba computes several pixels at once.
"""

import numpy as np
from numba import njit, prange


# tag-start: place
def place(down, across, before_down, before_across, fields, field, whole, part):
    """Find the pixel before each point of a row, along one axis, and what is left."""
    for q in range(len(whole)):
        start = np.float64(down) + across[q] + before_down + before_across[q]
        if fields:
            start += field[q]
        floor = np.floor(start)
        whole[q] = int(floor)
        part[q] = start - floor
# tag-end: place


# tag-start: weigh
def weigh(part, taps, weights):
    """Weigh the samples around each point, a fraction of a pixel behind one of them."""
    for q in range(len(part)):
        t = part[q]
        if taps == 1:
            weights[0, q] = 1.0
        elif taps == 2:
            weights[0, q] = 1.0 - t
            weights[1, q] = t
        else:
            weights[0, q] = ((1.0 - 0.5 * t) * t - 0.5) * t
            weights[1, q] = (1.5 * t - 2.5) * t * t + 1.0
            weights[2, q] = ((2.0 - 1.5 * t) * t + 0.5) * t
            weights[3, q] = (0.5 * t - 0.5) * t * t
# tag-end: weigh


# tag-start: sampled
def sampled(pixels, whole, part, weights, taps, centre, fill, line):
    """Mix the samples around each point of a row."""
    height, width = pixels.shape
    before = (taps - 1) // 2
    for q in range(len(line)):
        row, column = whole[0, q], whole[1, q]
        down, right = row + int(part[0, q] + centre), column + int(part[1, q] + centre)
        if not (0 <= down < height and 0 <= right < width):
            line[q] = fill
            continue
        total = 0.0
        if taps == 4 and 1 <= row < height - 2 and 1 <= column < width - 2:
            for i in range(4):
                samples = pixels[row - 1 + i, column - 1 : column + 3]
                mixed = 0.0
                for j in range(4):
                    mixed += weights[1, j, q] * samples[j]
                total += weights[0, i, q] * mixed
        else:
            for i in range(taps):
                r = min(max(row - before + i, 0), height - 1)
                mixed = 0.0
                for j in range(taps):
                    c = min(max(column - before + j, 0), width - 1)
                    mixed += weights[1, j, q] * pixels[r, c]
                total += weights[0, i, q] * mixed
        line[q] = total
# tag-end: sampled


# tag-copy: place; "def place" -> "@njit(cache=True)\ndef place"


# tag-copy: weigh; "def weigh" -> "@njit(cache=True, fastmath={'contract'})\ndef weigh"


# tag-copy: sampled; "def sampled" -> "@njit(cache=True, fastmath={'contract'})\ndef sampled"


# tag-start: warp
def warp(
    frames, count, height, width, pitch, output_height, output_width, tables, taps,
    centre, fill, fields, down, across, field, warped,
):
    """Sample every output pixel of every frame, row by row."""
    pixels = frames.reshape((count, height, width))
    out = warped.reshape((count, output_height, output_width))
    for item in range(count * output_height):
        frame, row = item // output_height, item % output_height
        table = frame % tables
        whole = np.empty((2, output_width), np.int64)
        part = np.empty((2, output_width))
        weights = np.empty((2, 4, output_width))
        for axis in range(2):
            at = 4 * (table * output_height + row) + 2 * axis
            side = (4 * table + 2 * axis) * pitch
            line = ((2 * table + axis) * output_height + row) * pitch * fields
            place(
                down[at], across[side:], down[at + 1], across[side + pitch :],
                fields, field[line:], whole[axis], part[axis],
            )
            weigh(part[axis], taps, weights[axis])
        sampled(
            pixels[frame], whole, part, weights, taps, centre, fill, out[frame, row],
        )
# tag-end: warp


# tag-copy: warp; "def warp" -> "@njit(parallel=True, cache=True)\ndef warp"; "range(count * " -> "prange(count * "


STEPS = (warp,)
"""What the backend calls, in order."""
