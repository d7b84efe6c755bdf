"""3-D eSRRF in plain Python loops: tag2tag makes the Numba implementation from this text.

The steps and the arguments are those of kernel.c; arrays arrive flat.
"""

import numpy as np
from numba import njit, prange

from napari_nanopyx._generated.esrrf_numba import add, half_way, power

# tag-start: continued
def continued(
    frames, count, depth, given_depth, ahead, height, width, above, before, framed_rows,
    stride, image,
):
    """Continue every volume by its edge voxels."""
    voxels = frames.reshape((count, given_depth, height, width))
    planes = depth + 2 * above
    framed = image.reshape((count * planes, framed_rows, stride))
    for item in range(count * planes):
        frame = item // planes
        z = min(max(item % planes - above + ahead, 0), given_depth - 1)
        for r in range(framed_rows):
            row = min(max(r - before, 0), height - 1)
            for c in range(stride):
                column = min(max(c - before, 0), width - 1)
                framed[item, r, c] = voxels[frame, z, row, column]
# tag-end: continued


# tag-copy: continued; "def continued" -> "@njit(parallel=True, cache=True)\ndef continued"; "range(count * " -> "prange(count * "


# tag-start: lattice_of
def lattice_of(
    count, depth, above, framed_rows, stride, axial_scale, image, lattice
):
    """Find the unit gradients of every volume, at half pixels of whole planes."""
    framed = image.reshape((count, depth + 2 * above, framed_rows, stride))
    planes = depth + 2 * above - 2
    points = lattice.reshape((count * planes, 12, framed_rows, stride))
    for item in range(count * planes):
        frame, p = item // planes, item % planes + 1
        values = np.empty(stride)
        down = np.empty(stride)
        deep = np.empty(stride)
        for r in range(3, framed_rows - 3):
            here = framed[frame, p, r - 3 : r + 3].astype(np.float64)
            over = framed[frame, p - 1, r - 2 : r + 2].astype(np.float64)
            under = framed[frame, p + 1, r - 2 : r + 2].astype(np.float64)
            steps = under - over
            for odd_row in range(2):
                for c in range(stride):
                    if odd_row:
                        values[c] = here[3, c]
                        down[c] = here[4, c] - here[2, c]
                        deep[c] = steps[2, c]
                    else:
                        values[c] = half_way(here[1, c], here[2, c], here[3, c], here[4, c])
                        down[c] = half_way(
                            here[2, c] - here[0, c], here[3, c] - here[1, c],
                            here[4, c] - here[2, c], here[5, c] - here[3, c],
                        )
                        deep[c] = half_way(steps[0, c], steps[1, c], steps[2, c], steps[3, c])
                for c in range(3, stride - 2):
                    for odd_column in range(2):
                        # One by one: an expression of arrays would be a parallel loop.
                        if odd_column:
                            gx = values[c + 1] - values[c - 1]
                            gy = down[c]
                            gz = deep[c]
                        else:
                            gx = half_way(
                                values[c - 1] - values[c - 3], values[c] - values[c - 2],
                                values[c + 1] - values[c - 1], values[c + 2] - values[c],
                            )
                            gy = half_way(down[c - 2], down[c - 1], down[c], down[c + 1])
                            gz = half_way(deep[c - 2], deep[c - 1], deep[c], deep[c + 1])
                        gz *= axial_scale
                        norm = np.sqrt(gx * gx + gy * gy + gz * gz)
                        scale = 1.0 / norm if norm > 0 else 0.0
                        sub = 2 * odd_row + odd_column
                        points[item, sub, r, c] = gx * scale
                        points[item, sub + 4, r, c] = gy * scale
                        points[item, sub + 8, r, c] = gz * scale
# tag-end: lattice_of


# tag-copy: lattice_of; "def lattice_of" -> "@njit(parallel=True, cache=True, error_model='numpy')\ndef lattice_of"; "range(count * " -> "prange(count * "


# tag-start: converge
def converge(
    count, depth, height, magnification, magnification_z, above, before, framed_rows,
    stride, pitch, most_samples, counts, rough, samples, weighting, plane_tap, plane_weights,
    tap, weights, whole_sensitivity, sensitivity, statistic, compensated, image, lattice,
    first, sum, sum_error, squares, squares_error, lag, lag_error, last,
):
    """Find every output voxel's convergence and take it into the running sums."""
    m = magnification
    plane = framed_rows * stride
    planes = depth + 2 * above
    phases = magnification_z * m * m
    for line in range(depth * height):
        z, row = line // height, line % height
        value = np.empty(pitch, np.float32)
        light = np.empty(pitch, np.float32)
        for item in range(count * phases):
            frame, phase = item // phases, item % phases
            deep, down, across = phase // (m * m), phase // m % m, phase % m
            place = (row + before) * stride + before
            start = (frame * (planes - 2) + z + above - 1) * 12 * plane + place
            value[:] = 0
            from_sample = phase * most_samples
            for s in range(from_sample, from_sample + counts[phase]):
                weight = samples["weight"][s]
                is_weighted = sensitivity < 1 or s - from_sample < rough[phase]
                share = np.float32(1) if is_weighted else weight
                weight_column = share * samples["column"][s]
                weight_row = share * samples["row"][s]
                weight_plane = share * samples["plane"][s]
                left = start + samples["offset"][s]
                gx = lattice[left : left + pitch]
                gy = lattice[left + 4 * plane : left + 4 * plane + pitch]
                gz = lattice[left + 8 * plane : left + 8 * plane + pitch]
                for c in range(pitch):
                    along = gx[c] * weight_column + gy[c] * weight_row
                    along += gz[c] * weight_plane
                    x = gy[c] * weight_plane - gz[c] * weight_row
                    y = gz[c] * weight_column - gx[c] * weight_plane
                    t = gx[c] * weight_row - gy[c] * weight_column
                    aside = np.sqrt(x * x + y * y + t * t)
                    if sensitivity < 1:
                        more = along * along / (weight + aside)
                    else:
                        more = weight - aside
                    value[c] += more if along < 0 else np.float32(0)
            if whole_sensitivity != 1:
                for c in range(pitch):
                    value[c] = power(value[c], whole_sensitivity, sensitivity)
            if weighting:
                light[:] = 0
                for k in range(2):
                    corner = (frame * planes + z + above + plane_tap[deep] + k) * plane
                    corner += place + tap[down] * stride + tap[across]
                    for i in range(4):
                        share = plane_weights[2 * deep + k] * weights[4 * down + i]
                        for j in range(4):
                            part = share * weights[4 * across + j]
                            at = corner + i * stride + j
                            for c in range(pitch):
                                light[c] += part * image[at + c]
                value *= light
            left = ((phase * depth + z) * height + row) * pitch
            for c in range(pitch):
                x = value[c]
                k = left + c
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


# tag-copy: converge; "def converge" -> "@njit(parallel=True, cache=True, fastmath={'contract'})\ndef converge"; "range(depth * height)" -> "prange(depth * height)"


STEPS = (continued, lattice_of, converge)
"""What the backend calls, in order."""
