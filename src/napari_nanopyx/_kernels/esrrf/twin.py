"""eSRRF in plain Python loops: tag2tag makes the Numba implementation from this text.

The steps and the arguments are those of kernel.c; arrays arrive flat.
"""

import numpy as np
from numba import njit, prange

# tag-start: half_way
def half_way(a, b, c, d):
    """Return the point between the middle two of four neighbours (Catmull-Rom)."""
    return (9.0 * (b + c) - (a + d)) / 16.0
# tag-end: half_way


# tag-copy: half_way; "def half_way" -> "@njit(cache=True)\ndef half_way"


# tag-start: power
def power(value, whole, sensitivity):
    """Return a value between 0 and 1 to the sensitivity, whole or not.

    Rounding may leave it a little below 0, which has no fractional power.
    """
    if whole == 0:
        return max(value, np.float32(0)) ** sensitivity
    result = value
    for _ in range(1, whole):
        result = result * value
    return result
# tag-end: power


# tag-copy: power; "def power" -> "@njit(cache=True)\ndef power"


# tag-start: add
def add(sums, errors, k, value):
    """Add to a running sum, and keep the rounding error it carries (Kahan)."""
    corrected = value - errors[k]
    total = sums[k] + corrected
    errors[k] = (total - sums[k]) - corrected
    sums[k] = total
# tag-end: add


# tag-copy: add; "def add" -> "@njit(cache=True)\ndef add"


# tag-start: lattice_of
def lattice_of(
    frames, count, height, width, before, framed_rows, stride, tables, shift,
    prepared, given_lattice, two_point, image, lattice,
):
    """Continue every frame by its edge pixels and find its unit gradients."""
    pixels = frames.reshape((count, height, width))
    framed = image.reshape((count, framed_rows, stride))
    planes = lattice.reshape((count, 8, framed_rows, stride))
    for item in range(count * framed_rows):
        frame, r = item // framed_rows, item % framed_rows
        at = 2 * (frame % tables)
        row = min(max(r - before + shift[at], 0), height - 1)
        for c in range(stride):
            column = min(max(c - before + shift[at + 1], 0), width - 1)
            framed[frame, r, c] = pixels[frame, row, column]
    if prepared:
        lattice[:] = given_lattice
    for item in range(count * (0 if prepared else framed_rows - 4)):
        frame, r = item // (framed_rows - 4), item % (framed_rows - 4) + 2
        rows = framed[frame, r - 2 : r + 3].astype(np.float64)
        total = np.empty(stride)
        difference = np.empty(stride)
        for odd_row in range(2):
            for c in range(stride):
                above = half_way(rows[0, c], rows[1, c], rows[2, c], rows[3, c])
                between = half_way(rows[1, c], rows[2, c], rows[3, c], rows[4, c])
                upper = above if odd_row else rows[1, c]
                lower = between if odd_row else rows[2, c]
                difference[c] = lower - upper
                total[c] = lower + upper
                if two_point:
                    total[c] = rows[2, c] if odd_row else above
            for c in range(2, stride - 2):
                # One by one: an expression of arrays would become a parallel loop.
                t0, t1, t2, t3, t4 = (
                    total[c - 2], total[c - 1], total[c], total[c + 1], total[c + 2],
                )
                d0, d1, d2, d3, d4 = (
                    difference[c - 2], difference[c - 1], difference[c],
                    difference[c + 1], difference[c + 2],
                )
                for odd_column in range(2):
                    gx = t2 - t1
                    gy = d2 + d1
                    if two_point:
                        gy = d2 if odd_column else half_way(d0, d1, d2, d3)
                    elif odd_column:
                        gy = half_way(d1 + d0, d2 + d1, d3 + d2, d4 + d3)
                    if odd_column:
                        gx = half_way(t1 - t0, t2 - t1, t3 - t2, t4 - t3)
                    norm = np.hypot(gx, gy)
                    plane = 2 * odd_row + odd_column
                    planes[frame, plane, r, c] = gx / norm if norm > 0 else 0.0
                    planes[frame, plane + 4, r, c] = gy / norm if norm > 0 else 0.0
# tag-end: lattice_of


# tag-copy: lattice_of; "def lattice_of" -> "@njit(parallel=True, cache=True, error_model='numpy')\ndef lattice_of"; "range(count * " -> "prange(count * "


# tag-start: converge
def converge(
    count, height, magnification, before, framed_rows, stride, pitch, tables,
    most_samples, counts, samples, weighting, row_tap, row_weights, column_tap,
    column_weights, row_mask, column_mask, sensitivities, faint, exponents,
    whole_exponents, statistic, compensated, prepared, given_light, image, lattice, first, sum,
    sum_error, squares, squares_error, lag, lag_error, last,
):
    """Find every output pixel's convergence and take it into the running sums."""
    m = magnification
    plane = framed_rows * stride
    for row in range(height):
        value = np.empty(pitch, np.float32)
        light = np.empty(pitch, np.float32)
        for item in range(count * m * m):
            frame, phase = item // (m * m), item % (m * m)
            table = frame % tables
            down, across = table * m + phase // m, table * m + phase % m
            place = (row + before) * stride + before
            start = 8 * frame * plane + place
            value[:] = 0
            at = table * m * m + phase
            for s in range(at * most_samples, at * most_samples + counts[at]):
                weight = samples["weight"][s]
                weight_column = samples["column"][s]
                weight_row = samples["row"][s]
                left = start + samples["offset"][s]
                gx = lattice[left : left + pitch]
                gy = lattice[left + 4 * plane : left + 4 * plane + pitch]
                if faint:
                    for c in range(pitch):
                        along = gx[c] * weight_column + gy[c] * weight_row
                        aside = abs(gy[c] * weight_column - gx[c] * weight_row)
                        part = along / (weight + aside) * along
                        value[c] += part if along < 0 else np.float32(0)
                else:
                    for c in range(pitch):
                        along = gx[c] * weight_column + gy[c] * weight_row
                        aside = abs(gy[c] * weight_column - gx[c] * weight_row)
                        value[c] += (weight - aside) if along < 0 else np.float32(0)
            for c in range(pitch):
                light[c] = row_mask[down * height + row] * column_mask[across * pitch + c]
            if weighting and prepared:
                line = ((frame * m * m + phase) * height + row) * pitch
                for c in range(pitch):
                    light[c] *= given_light[line + c]
            elif weighting:
                corner = frame * plane + place + row_tap[down] * stride
                corner += column_tap[across]
                for c in range(pitch):
                    intensity = np.float32(0)
                    for i in range(4):
                        line = np.float32(0)
                        for j in range(4):
                            line += (
                                column_weights[4 * across + j]
                                * image[corner + i * stride + j + c]
                            )
                        intensity += row_weights[4 * down + i] * line
                    light[c] *= intensity
            for entry in range(sensitivities * pitch):
                number, c = entry // pitch, entry % pitch
                x = value[c]
                if whole_exponents[number] != 1:
                    x = power(x, whole_exponents[number], exponents[number])
                x *= light[c]
                k = ((number * m * m + phase) * height + row) * pitch + c
                if frame == 0:
                    sum[k] = 0
                    if compensated:
                        sum_error[k] = 0
                    if statistic != 0:
                        first[k] = x
                    if statistic == 1:
                        squares[k] = 0
                        squares_error[k] = 0
                    if statistic == 2:
                        lag[k] = 0
                        lag_error[k] = 0
                        last[k] = 0
                if not compensated:
                    sum[k] += x
                elif statistic == 0:
                    add(sum, sum_error, k, x)
                elif frame > 0:
                    x -= first[k]
                    add(sum, sum_error, k, x)
                    if statistic == 1:
                        add(squares, squares_error, k, x * x)
                    else:
                        add(lag, lag_error, k, last[k] * x)
                        last[k] = x
# tag-end: converge


# tag-copy: converge; "def converge" -> "@njit(parallel=True, cache=True, fastmath={'contract'})\ndef converge"; "range(height)" -> "prange(height)"


STEPS = (lattice_of, converge)
"""What the backend calls, in order."""
