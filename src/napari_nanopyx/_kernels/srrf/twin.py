"""SRRF in plain Python loops: tag2tag makes the Numba implementation from this text.

The steps and the arguments are those of kernel.c; arrays arrive flat. Gradients are
interpolated in float64 here, so that none is doubtful and none needs a second look.
"""

import numpy as np
from numba import njit, prange

# tag-start: add
def add(sums, errors, k, value):
    """Add to a running sum, and keep the rounding error it carries (Kahan)."""
    corrected = value - errors[k]
    total = sums[k] + corrected
    errors[k] = (total - sums[k]) - corrected
    sums[k] = total
# tag-end: add


# tag-copy: add; "def add" -> "@njit(cache=True)\ndef add"


# tag-start: gradients_of
def gradients_of(
    frames, count, height, width, before, framed_rows, stride, tables, shift,
    smoothing, image, gradient,
):
    """Find the gradients of every frame, which go on beyond its edges."""
    pixels = frames.reshape((count, height, width))
    framed = image.reshape((count, framed_rows, stride))
    planes = gradient.reshape((count, 5, framed_rows, stride))
    along = 2 if smoothing else 0
    across = 1 if smoothing else 0
    for item in range(count * framed_rows):
        frame, r = item // framed_rows, item % framed_rows
        at = 2 * (frame % tables)
        row = r - before + shift[at]
        for c in range(stride):
            column = c - before + shift[at + 1]
            here_y = min(max(row, 0), height - 1)
            here_x = min(max(column, 0), width - 1)
            framed[frame, r, c] = pixels[frame, here_y, here_x]
            gx = 0.0
            gy = 0.0
            largest = 0.0
            for i in range(-along, along + 1):
                for j in range(-along, along + 1):
                    y = min(max(row + i, 0), height - 1)
                    x = min(max(column + j, 0), width - 1)
                    if abs(i) <= across:
                        after = np.float64(pixels[frame, y, min(x + 1, width - 1)])
                        gx += after - np.float64(pixels[frame, y, max(x - 1, 0)])
                    if abs(j) <= across:
                        after = np.float64(pixels[frame, min(y + 1, height - 1), x])
                        gy += after - np.float64(pixels[frame, max(y - 1, 0), x])
            largest = max(abs(gx), abs(gy))
            planes[frame, 0, r, c] = gx
            planes[frame, 1, r, c] = gx - planes[frame, 0, r, c]
            planes[frame, 2, r, c] = gy
            planes[frame, 3, r, c] = gy - planes[frame, 2, r, c]
            planes[frame, 4, r, c] = largest
# tag-end: gradients_of


# tag-copy: gradients_of; "def gradients_of" -> "@njit(parallel=True, cache=True)\ndef gradients_of"; "range(count * " -> "prange(count * "


# tag-start: frames_of
def frames_of(
    count, height, magnification, ring, before, framed_rows, stride, pitch, tables,
    direction, row_tap, row_shares, column_tap, column_shares, light_row_tap,
    light_row_weights, light_column_tap, light_column_weights, row_mask, column_mask,
    weighting, positivity, renormalise, statistic, precise, image, gradient, first,
    first_error, away, sum, sum_error, squares, squares_error, light, light_error,
    highest,
):
    """Find the radiality of every output pixel and take it into what is kept."""
    m = magnification
    plane = framed_rows * stride
    planes = gradient.reshape((count, 5, framed_rows, stride))
    size = m * m * height * pitch
    unit = 2.0**-30
    for row in range(height):
        down_x = np.empty((ring, stride))
        down_y = np.empty((ring, stride))
        largest = np.empty((ring, stride))
        value = np.empty(pitch)
        for item in range(count * m * m):
            frame, phase = item // (m * m), item % (m * m)
            table = frame % tables
            down, across = table * m + phase // m, table * m + phase % m
            if phase % m == 0:
                for n in range(ring):
                    tap = row + before + row_tap[down * ring + n]
                    shares = row_shares[4 * (down * ring + n) :]
                    for c in range(stride):
                        gx = 0.0
                        gy = 0.0
                        top = np.float32(0)
                        for i in range(4):
                            g = planes[frame, :, tap + i, c]
                            share = shares[i] * unit
                            gx += share * (np.float64(g[0]) + np.float64(g[1]))
                            gy += share * (np.float64(g[2]) + np.float64(g[3]))
                            top = max(top, g[4])
                        down_x[n, c] = gx
                        down_y[n, c] = gy
                        largest[n, c] = top
            value[:] = 0
            for n in range(ring):
                tap = before + column_tap[across * ring + n]
                at = 4 * (across * ring + n)
                a0 = column_shares[at] * unit
                a1 = column_shares[at + 1] * unit
                a2 = column_shares[at + 2] * unit
                a3 = column_shares[at + 3] * unit
                ux = np.float64(direction[2 * n])
                uy = np.float64(direction[2 * n + 1])
                xs = down_x[n, tap : tap + pitch + 3]
                ys = down_y[n, tap : tap + pitch + 3]
                tops = largest[n, tap : tap + pitch + 3]
                for c in range(pitch):
                    gx = a0 * xs[c] + a1 * xs[c + 1] + a2 * xs[c + 2] + a3 * xs[c + 3]
                    gy = a0 * ys[c] + a1 * ys[c + 1] + a2 * ys[c + 2] + a3 * ys[c + 3]
                    top = max(max(tops[c], tops[c + 1]), max(tops[c + 2], tops[c + 3]))
                    floor = 1e-12 * top
                    squared = gx * gx + gy * gy
                    inverse = 1.0 / np.sqrt(squared + floor * floor + 1e-300)
                    miss = abs(gy * ux - gx * uy)
                    hit = inverse * (squared * inverse - miss)
                    value[c] += -hit * hit if gx * ux + gy * uy > 0 else hit * hit
            corner = frame * plane + (row + before + light_row_tap[down]) * stride
            corner += before + light_column_tap[across]
            left = (phase * height + row) * pitch
            for c in range(pitch):
                covered = row_mask[down * height + row] * column_mask[across * pitch + c]
                x = value[c] / ring
                if renormalise:
                    x = 0.5 + 0.5 * x
                if positivity:
                    x = max(x, 0.0)
                x *= covered
                shine = 0.0
                if weighting != 0:
                    for i in range(4):
                        line = 0.0
                        for j in range(4):
                            line += (
                                light_column_weights[4 * across + j]
                                * image[corner + i * stride + j + c]
                            )
                        shine += light_row_weights[4 * down + i] * line
                    shine = max(shine, 0.0) * covered
                worth = np.float32(x * shine if weighting == 1 else x)
                k = left + c
                lacking = np.float32(worth - x)
                if statistic == 3:
                    highest[k] = worth if frame == 0 else max(highest[k], worth)
                    continue
                if frame == 0:
                    if statistic != 4:
                        sum[k] = 0
                        sum_error[k] = 0
                    if statistic == 1 or statistic == 2:
                        squares[k] = 0
                        squares_error[k] = 0
                    if statistic == 1 or statistic == 4:
                        first[k] = worth
                        if precise:
                            first_error[k] = lacking
                    if weighting == 2:
                        light[k] = 0
                        light_error[k] = 0
                if weighting == 2:
                    weight = np.float32(shine if statistic == 2 else x * shine)
                    add(light, light_error, k, weight)
                if statistic == 1 or statistic == 4:
                    worth -= first[k]
                    if precise:
                        worth -= lacking - first_error[k]
                if statistic == 4:
                    away[frame * size + k] = worth
                    continue
                if statistic == 2:
                    worth = max(worth, np.float32(0))
                add(sum, sum_error, k, worth)
                if statistic != 0:
                    add(squares, squares_error, k, worth * worth)
# tag-end: frames_of


# tag-copy: frames_of; "def frames_of" -> "@njit(parallel=True, cache=True, fastmath={'contract'})\ndef frames_of"; "range(height)" -> "prange(height)"


STEPS = (gradients_of, frames_of)
"""What the backend calls, in order."""
