"""Non-local means in plain Python loops: tag2tag makes the Numba implementation of it.

The arguments are those of kernel.c; arrays arrive flat. Sums are float64, so that none
needs a second look.
"""

import math

import numpy as np
from numba import njit, prange

# tag-start: mirrored
def mirrored(
    frames, count, height, width, tables, depth, framed_rows, stride, settings, row_index,
    column_index, image,
):
    """Continue each picture by mirroring it, in the kernel's units."""
    pixels = frames.reshape((count * depth, height, width))
    lines = image.reshape((count * depth, framed_rows, stride))
    largest = np.float32(3.6028797e16)
    for item in range(count * depth * framed_rows):
        picture, row = item // framed_rows, item % framed_rows
        scale = settings[4 * (picture // depth % tables)]
        line = pixels[picture, row_index[row]]
        for column in range(stride):
            value = line[column_index[column]] * scale
            lines[picture, row, column] = min(max(value, -largest), largest)
# tag-end: mirrored


# tag-start: denoise
def denoise(
    frames, count, height, width, tables, depth, gaussian, window, before, distance,
    border, framed_rows, stride, settings, power, weights, limits, rests, times, inside,
    image, denoised,
):
    """Average the pixels around each pixel, a band of rows after the other."""
    pixels = frames.reshape((count * depth, height, width))
    lines = image.reshape((count * depth, framed_rows, stride))
    out = denoised.reshape((count, height, width))
    band = 16
    bands = (height + band - 1) // band
    for item in range(count * bands):
        frame, first = item // bands, item % bands * band
        table = frame % tables
        middle = frame * depth + depth // 2
        inverse, slope, offset = settings[4 * table + 1 : 4 * table + 4]
        entries = table * (window + 14) + 7
        rows = min(band, height - first)
        total = np.zeros((rows, width))
        light = np.zeros((rows, width))
        along = np.zeros((rows + window - 1, width))
        squares = np.zeros(width + window)
        sums = np.zeros(width)
        side = 2 * distance + 1
        for shift in range(depth * side * side):
            time = shift // (side * side)
            if times[table * depth + time] == 0:
                continue
            picture = frame * depth + time
            down = shift // side % side - distance
            across = shift % side - distance
            for y in range(rows + window - 1):
                here = lines[middle, first + y + border - before]
                there = lines[picture, first + y + border - before + down]
                left = border - before
                for c in range(width + window - 1):
                    difference = np.float64(here[left + c]) - there[left + c + across]
                    squares[c] = difference * difference
                along[y] = 0
                for i in range(window):
                    weight = weights[7 + i]
                    for c in range(width):
                        along[y, c] += weight * squares[c + i]
            for row in range(rows):
                other = first + row + down
                if gaussian and (other < 0 or other >= height):
                    continue
                sums[:] = 0
                for i in range(window):
                    weight = weights[7 + i]
                    limit = np.float64(limits[entries + i]) + rests[entries + i]
                    for c in range(width):
                        value = sums[c] + weight * along[row + i, c]
                        sums[c] = value if value <= limit else np.inf
                here = lines[middle, first + row + border]
                there = lines[picture, other + border]
                for c in range(width):
                    if sums[c] < np.inf:
                        exponent = -max(sums[c] * slope - offset, 0.0) - power[0]
                        if power[1] == 0:
                            weight = math.exp(0.6931471805599453 * exponent)
                        else:
                            whole = math.floor(exponent)
                            weight = math.ldexp(1 + exponent - whole, int(whole))
                        weight *= inside[border + c + across]
                        light[row, c] += weight
                        difference = there[border + c + across] - here[border + c]
                        total[row, c] += weight * difference
        for row in range(rows):
            for c in range(width):
                change = total[row, c] / light[row, c] * inverse
                out[frame, first + row, c] = pixels[middle, first + row, c] + change
# tag-end: denoise


# tag-copy: mirrored; "def mirrored" -> "@njit(parallel=True, cache=True)\ndef mirrored"; "range(count * " -> "prange(count * "


# tag-copy: denoise; "def denoise" -> "@njit(parallel=True, cache=True, error_model='numpy')\ndef denoise"; "range(count * " -> "prange(count * "


STEPS = (mirrored, denoise)
"""What the backend calls, in order."""
