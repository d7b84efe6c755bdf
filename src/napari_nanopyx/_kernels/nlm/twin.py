"""Non-local means in plain Python loops: tag2tag makes the Numba implementation of it.

The arguments are those of kernel.c; arrays arrive flat. Sums are float64, so that none
needs a second look. What is done to a row stands in functions of its own, on slices that
begin with the first pixel: in these, Numba computes several pixels at once.
"""

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


# tag-start: sum_along
def sum_along(here, there, weights, squares, along):
    """Sum the squared differences of two rows along the row over each patch."""
    for c in range(len(squares)):
        difference = np.float64(here[c]) - there[c]
        squares[c] = difference * difference
    for c in range(len(along)):
        along[c] = 0.0
    for i in range(len(weights)):
        weight = np.float64(weights[i])
        part = squares[i : i + len(along)]
        for c in range(len(along)):
            along[c] += weight * part[c]
# tag-end: sum_along


# tag-start: sum_down
def sum_down(along, weights, limits, rests, sums):
    """Sum down the columns; what passes a limit on the way becomes very large."""
    for c in range(len(sums)):
        sums[c] = 0.0
    for i in range(len(weights)):
        line = along[i]
        weight = np.float64(weights[i])
        limit = np.float64(limits[i]) + rests[i]
        for c in range(len(sums)):
            value = sums[c] + weight * line[c]
            sums[c] = value if value <= limit else 1e38
# tag-end: sum_down


# tag-start: weigh
def weigh(sums, slope, offset, power, shifted, alike):
    """Find how much each patch counts, a power of two: see kernel.c.

    The whole part of the exponent is added to the bits of what the rest gives.
    """
    beyond, half = np.float64(power[0]), np.float64(power[1])
    p1, p2, p3 = np.float64(power[2]), np.float64(power[3]), np.float64(power[4])
    p4, p5, p6 = np.float64(power[5]), np.float64(power[6]), np.float64(power[7])
    rounding = 6755399441055744.0
    for c in range(len(sums)):
        x = max(-max(sums[c] * slope - offset, 0.0), -125.0) - beyond
        shifted[c] = x - half + rounding
        f = x - (shifted[c] - rounding)
        alike[c] = ((((((p6 * f + p5) * f + p4) * f + p3) * f + p2) * f) + p1) * f + 1.0
    whole, bits = shifted.view(np.int64), alike.view(np.int64)
    for c in range(len(sums)):
        bits[c] += (whole[c] - 0x4338000000000000) << 52
# tag-end: weigh


# tag-start: gather
def gather(here, there, inside, alike, total, light):
    """Add the weighted pixels of one row."""
    for c in range(len(total)):
        weight = alike[c] * inside[c]
        light[c] += weight
        total[c] += weight * (np.float64(there[c]) - here[c])
# tag-end: gather


# tag-copy: sum_along; "def sum_along" -> "@njit(cache=True, fastmath={'contract'})\ndef sum_along"


# tag-copy: sum_down; "def sum_down" -> "@njit(cache=True, fastmath={'contract'})\ndef sum_down"


# tag-copy: weigh; "def weigh" -> "@njit(cache=True, fastmath={'contract'})\ndef weigh"


# tag-copy: gather; "def gather" -> "@njit(cache=True, fastmath={'contract'})\ndef gather"


# tag-start: denoise
def denoise(
    frames, count, height, width, tables, depth, gaussian, window, before, distance,
    border, framed_rows, stride, settings, power, weights, limits, rests, times, inside,
    image, denoised,
):
    """Average the pixels around each pixel, a band of rows after the other."""
    pixels = frames.reshape((count, depth, height, width))
    lines = image.reshape((count * depth, framed_rows, stride))
    out = denoised.reshape((count, height, width))
    counts = weights[7 : 7 + window]
    left, band = border - before, 16
    bands = (height + band - 1) // band
    for item in range(count * bands):
        frame, first = item // bands, item % bands * band
        table = frame % tables
        inverse = settings[4 * table + 1]
        slope, offset = settings[4 * table + 2], settings[4 * table + 3]
        entries = table * (window + 14) + 7
        rows = min(band, height - first)
        total = np.zeros((rows, width))
        light = np.zeros((rows, width))
        along = np.empty((rows + window - 1, width))
        squares = np.empty(width + window - 1)
        sums, shifted, alike = np.empty(width), np.empty(width), np.empty(width)
        side = 2 * distance + 1
        for shift in range(depth * side * side):
            time = shift // (side * side)
            if times[table * depth + time] == 0:
                continue
            down = shift // side % side - distance
            across = shift % side - distance
            here = lines[frame * depth + depth // 2, first:]
            there = lines[frame * depth + time, first:]
            for y in range(rows + window - 1):
                sum_along(
                    here[y + left, left:], there[y + left + down, left + across :],
                    counts, squares, along[y],
                )
            for row in range(rows):
                other = first + row + down
                if gaussian and (other < 0 or other >= height):
                    continue
                sum_down(along[row:], counts, limits[entries:], rests[entries:], sums)
                weigh(sums, slope, offset, power, shifted, alike)
                gather(
                    here[row + border, border:],
                    there[row + border + down, border + across :],
                    inside[border + across :], alike, total[row], light[row],
                )
        for row in range(rows):
            for c in range(width):
                change = total[row, c] / light[row, c] * inverse
                middle = pixels[frame, depth // 2, first + row, c]
                out[frame, first + row, c] = middle + change
# tag-end: denoise


# tag-copy: mirrored; "def mirrored" -> "@njit(parallel=True, cache=True)\ndef mirrored"; "range(count * " -> "prange(count * "


# tag-copy: denoise; "def denoise" -> "@njit(parallel=True, cache=True, error_model='numpy')\ndef denoise"; "range(count * " -> "prange(count * "


STEPS = (mirrored, denoise)
"""What the backend calls, in order."""
