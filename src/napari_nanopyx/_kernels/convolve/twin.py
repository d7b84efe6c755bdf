"""Convolution in plain Python loops: tag2tag makes the Numba implementation of it.

The arguments are those of kernel.c; arrays arrive flat.
"""

import numpy as np
from numba import njit, prange

# tag-start: continued
def continued(
    frames, count, height, width, padded_rows, stride, kernel_height, kernel_width,
    offset, image,
):
    """Continue each frame by its edge pixels, less the one of nine nearest to 0."""
    pixels = frames.reshape((count, height, width))
    lines = image.reshape((count, padded_rows, stride))
    top, left = (kernel_height - 1) // 2, (kernel_width - 1) // 2
    for frame in range(count):
        lowest = highest = pixels[frame, height // 6, width // 6]
        for place in range(9):
            row, column = (2 * (place // 3) + 1) * height // 6, (2 * (place % 3) + 1) * width // 6
            lowest = min(lowest, pixels[frame, row, column])
            highest = max(highest, pixels[frame, row, column])
        typical = lowest if lowest > 0 else min(highest, np.float32(0))
        if abs(typical) > np.float32(1e37):
            typical = np.float32(0)
        offset[frame] = typical
        for row in range(padded_rows):
            line = pixels[frame, min(max(row - top, 0), height - 1)]
            for column in range(stride):
                lines[frame, row, column] = line[min(max(column - left, 0), width - 1)] - typical
# tag-end: continued


# tag-start: convolve
def convolve(
    count, height, width, padded_rows, stride, kernel_height, kernel_width, kernel_sum,
    weights, offset, image, convolved,
):
    """Sum the weighted neighbours of every pixel of a row, kernel row by kernel row."""
    lines = image.reshape((count, padded_rows, stride))
    out = convolved.reshape((count, height, width))
    for item in range(count * height):
        frame, row = item // height, item % height
        total = np.zeros(width, np.float32)
        for a in range(kernel_height):
            part = np.zeros(width, np.float32)
            line = lines[frame, row + a]
            for b in range(kernel_width):
                weight = weights[a * kernel_width + b]
                for c in range(width):
                    part[c] += weight * line[b + c]
            total += part
        out[frame, row] = total + offset[frame] * kernel_sum
# tag-end: convolve


# tag-copy: continued; "def continued" -> "@njit(parallel=True, cache=True)\ndef continued"; "range(count)" -> "prange(count)"


# tag-copy: convolve; "def convolve" -> "@njit(parallel=True, cache=True, fastmath={'contract'})\ndef convolve"; "range(count * " -> "prange(count * "


STEPS = (continued, convolve)
"""What the backend calls, in order."""
