/* eSRRF of a block of volumes: unit gradients on a lattice of half pixels and whole planes,
 * their radial convergence towards every output voxel, and running sums over the volumes.
 * Laine et al. 2023, doi 10.1038/s41592-023-02057-w.
 *
 * As in two dimensions (esrrf/kernel.c), everything that depends only on an output voxel's
 * place within its camera voxel (its phase) comes in tables, and neighbouring lanes take
 * neighbouring camera voxels of one phase. A volume lies in memory plane after plane; the
 * lattice has, for each, twelve planes: four of each component of the gradient. */
#include "dialect.h"
#include "esrrf_3d_arguments.h"
#define ARGUMENTS esrrf_3d_arguments
#include "fluctuations.h"

enum { COLUMN, ROW, PLANE, COMPONENTS };

/* Store the direction of one gradient; a vanishing gradient stays exactly zero. */
INLINE void direction(wide column, wide row, wide plane, float axial_scale,
                      GLOBAL float *lattice, int component)
{
    thin x, y, z;
    shrink_three(column, row, plane, &x, &y, &z);
    z = z * axial_scale;
    thin scale = 1.0f / root(x * x + y * y + z * z + 1e-30f);
    store_thin(lattice + COLUMN * component, x * scale);
    store_thin(lattice + ROW * component, y * scale);
    store_thin(lattice + PLANE * component, z * scale);
}

/* The two lattice points of one lattice row that belong to one camera pixel, on its edge and
 * in its centre. `values` are on that row at columns -3 ... 2; `down` and `deep` are their
 * differences along the other two axes. */
INLINE void lattice_pair(const wide *values, const wide *down, const wide *deep,
                         float axial_scale, GLOBAL float *lattice, int plane, int component)
{
    wide across[4];
    for (int i = 0; i < 4; i++)
        across[i] = values[i + 2] - values[i];
    direction(half_way(across[0], across[1], across[2], across[3]),
              half_way(down[1], down[2], down[3], down[4]),
              half_way(deep[1], deep[2], deep[3], deep[4]), axial_scale, lattice, component);
    direction(across[2], down[3], deep[3], axial_scale, lattice + plane, component);
}

/* The four lattice points of the camera voxels at `image`. Differences are central ones, so
 * they belong to the centres of voxels. */
INLINE void lattice_points(GLOBAL const float *image, int plane, int stride, float scale,
                           float axial_scale, GLOBAL float *lattice)
{
    wide edge[6], edge_down[6], edge_deep[6];
    wide centre[6], centre_down[6], centre_deep[6];
    for (int j = 0; j < 6; j++) {
        GLOBAL const float *column = image + j - 3;
        wide row[6], deep[4];
        for (int i = 0; i < 6; i++)
            row[i] = to_wide(load_thin(column + (i - 3) * stride), scale);
        for (int i = 0; i < 4; i++)
            deep[i] = to_wide(load_thin(column + (i - 2) * stride + plane), scale)
                      - to_wide(load_thin(column + (i - 2) * stride - plane), scale);
        edge[j] = half_way(row[1], row[2], row[3], row[4]);
        edge_down[j] = half_way(row[2], row[3], row[4], row[5])
                       - half_way(row[0], row[1], row[2], row[3]);
        edge_deep[j] = half_way(deep[0], deep[1], deep[2], deep[3]);
        centre[j] = row[3];
        centre_down[j] = row[4] - row[2];
        centre_deep[j] = deep[2];
    }
    lattice_pair(edge, edge_down, edge_deep, axial_scale, lattice, plane, 4 * plane);
    lattice_pair(centre, centre_down, centre_deep, axial_scale, lattice + 2 * plane, plane,
                 4 * plane);
}

/* What one lattice point adds to a voxel: its weight, less the distance by which its
 * gradient line misses the voxel, if the gradient points towards the voxel. For exponents
 * below 1 (`faint`) the same without a difference of near equals, which would turn the
 * rounding of values near 0 into visible ones. */
INLINE real convergence(GLOBAL const float *lattice, int component, esrrf_3d_sample s,
                        int faint)
{
    real column = load(lattice + COLUMN * component);
    real row = load(lattice + ROW * component);
    real plane = load(lattice + PLANE * component);
    real along = column * s.column + row * s.row + plane * s.plane;
    real x = row * s.plane - plane * s.row;
    real y = plane * s.column - column * s.plane;
    real z = column * s.row - row * s.column;
    real squared = x * x + y * y + z * z;
    real across = squared * inverse_root(squared + 1e-30f);
    if (faint)
        return where_negative(along, along * along / (s.weight + across));
    return where_negative(along, s.weight - across);
}

/* What all lattice points around a voxel add up to. `lattice` points at its camera voxel,
 * `samples` at the table of its phase. */
INLINE real converged(esrrf_3d_arguments a, GLOBAL const float *lattice,
                      TABLE const esrrf_3d_sample *samples, int count)
{
    int component = 4 * a.framed_rows * a.stride;
    real value = ZERO;
    if (a.sensitivity < 1)
        for (int s = 0; s < count; s++)
            value = value + convergence(lattice + samples[s].offset, component, samples[s], 1);
    else
        for (int s = 0; s < count; s++)
            value = value + convergence(lattice + samples[s].offset, component, samples[s], 0);
    return value;
}

/* The intensity between the pixels of one plane. */
INLINE real interpolated(GLOBAL const float *image, int stride, TABLE const float *down,
                         TABLE const float *across)
{
    real taps[4];
    for (int i = 0; i < 4; i++) {
        taps[i] = blend(load(image), load(image + 1), load(image + 2), load(image + 3), across);
        image += stride;
    }
    return blend(taps[0], taps[1], taps[2], taps[3], down);
}

/* The value of an output voxel, from what its lattice points add up to. `image` points at
 * its camera voxel. */
INLINE real finished(esrrf_3d_arguments a, real value, GLOBAL const float *image, int phase)
{
    int m = a.magnification, plane = a.framed_rows * a.stride;
    int deep = phase / (m * m), down = phase / m % m, across = phase % m;
    if (a.whole_sensitivity != 1)
        value = sharpen(value, a.whole_sensitivity, a.sensitivity);
    if (a.weighting) {
        TABLE const float *rows = a.weights + 4 * down, *columns = a.weights + 4 * across;
        TABLE const float *planes = a.plane_weights + 2 * deep;
        image += a.plane_tap[deep] * plane + a.tap[down] * a.stride + a.tap[across];
        value = value * (interpolated(image, a.stride, rows, columns) * planes[0]
                         + interpolated(image + plane, a.stride, rows, columns) * planes[1]);
    }
    return value;
}

#ifdef __OPENCL_VERSION__ /* one call a work-item */

/* One value of a volume, continued by its edge voxels. */
INLINE void esrrf_3d_image(esrrf_3d_arguments a, int column, int row, int item)
{
    int planes = a.depth + 2 * a.above;
    int z = clamp(item % planes - a.above, 0, a.depth - 1);
    int r = clamp(row - a.before, 0, a.height - 1);
    int c = clamp(column - a.before, 0, a.width - 1);
    long from = ((long)(item / planes) * a.depth + z) * a.height + r;
    a.image[((long)item * a.framed_rows + row) * a.stride + column] =
        (float)a.frames[from * a.width + c];
}

INLINE void esrrf_3d_lattice(esrrf_3d_arguments a, int column, int row, int item)
{
    int planes = a.depth + 2 * a.above - 2;
    int plane = a.framed_rows * a.stride;
    long place = (row + 3L) * a.stride + column * WIDE + 3;
    long from = ((long)(item / planes) * (planes + 2) + item % planes + 1) * plane;
    lattice_points(a.image + from + place, plane, a.stride, a.fixed_scale, a.axial_scale,
                   a.lattice + (long)item * 4 * COMPONENTS * plane + place);
}

INLINE void esrrf_3d_converge(esrrf_3d_arguments a, int column, int phase, int item)
{
    int z = item / a.height, row = item % a.height;
    long plane = (long)a.framed_rows * a.stride, planes = a.depth + 2 * a.above;
    long target = (((long)phase * a.depth + z) * a.height + row) * a.pitch + column * LANES;
    long place = (row + a.before) * (long)a.stride + column * LANES + a.before;
    moments sums = a.fresh ? no_moments() : load_moments(a, target);
    for (int frame = 0; frame < a.count; frame++) {
        long at = frame * planes + z + a.above, on = frame * (planes - 2) + z + a.above - 1;
        real value = converged(a, a.lattice + on * 4 * COMPONENTS * plane + place,
                               a.samples + (long)phase * a.most_samples, a.counts[phase]);
        value = finished(a, value, a.image + at * plane + place, phase);
        sums = take_in(sums, value, a.statistic, a.fresh && frame == 0);
    }
    store_moments(a, target, sums);
}

#else /* one call a part, all on one thread */

#include "frame.h"

/* The same for two neighbouring vectors, which share what is read of the tables. */
INLINE void converged_pair(const float *lattice, int component,
                           const esrrf_3d_sample *samples, int count, real *values)
{
    real first = ZERO, second = ZERO;
    for (int s = 0; s < count; s++) {
        const float *point = lattice + samples[s].offset;
        first = first + convergence(point, component, samples[s], 0);
        second = second + convergence(point + LANES, component, samples[s], 0);
    }
    values[0] = first;
    values[1] = second;
}

/* One phase of one camera row; `image` and `lattice` point at its first voxel. */
INLINE void phase_row(esrrf_3d_arguments a, const float *image, const float *lattice,
                      int phase, long target, int is_first)
{
    const esrrf_3d_sample *samples = a.samples + (long)phase * a.most_samples;
    int count = a.counts[phase];
    real values[2];
    for (int c = 0; c < a.pitch; c += 2 * LANES) {
        int pair = c + LANES < a.pitch;
        if (pair && a.sensitivity >= 1) {
            converged_pair(lattice + c, 4 * a.framed_rows * a.stride, samples, count, values);
        } else {
            values[0] = converged(a, lattice + c, samples, count);
            if (pair)
                values[1] = converged(a, lattice + c + LANES, samples, count);
        }
        for (int i = 0; i <= pair; i++) {
            int column = c + i * LANES;
            real value = finished(a, values[i], image + column, phase);
            moments sums = is_first ? no_moments() : load_moments(a, target + column);
            store_moments(a, target + column, take_in(sums, value, a.statistic, is_first));
        }
    }
}

/* The planes and rows that one part has, the first of each and how many. */
typedef struct {
    int plane, planes, row, rows;
} extent;

INLINE extent extent_of(esrrf_3d_arguments a, int part)
{
    int bands = (a.height + a.part_rows - 1) / a.part_rows;
    extent e = {part / bands * a.part_planes, 0, part % bands * a.part_rows, 0};
    e.planes = between(a.depth - e.plane, 0, a.part_planes);
    e.rows = between(a.height - e.row, 0, a.part_rows);
    return e;
}

/* Read what a part sees of a volume, and find its gradients. */
INLINE void prepare(esrrf_3d_arguments a, extent e, int frame, float *image, float *lattice)
{
    long plane = (long)a.framed_rows * a.stride;
    int rows = e.rows + a.framed_rows - a.part_rows;
    for (int p = 0; p < e.planes + 2 * a.above; p++) {
        long z = (long)frame * a.depth + between(e.plane + p - a.above, 0, a.depth - 1);
        for (int r = 0; r < rows; r++) {
            int row = between(e.row + r - a.before, 0, a.height - 1);
            read_row(a.frames, a.pixel, (z * a.height + row) * a.width, a.width, -a.before,
                     image + p * plane + (long)r * a.stride, a.stride);
        }
    }
    for (int p = 0; p < e.planes + 2 * a.above - 2; p++)
        for (int r = 3; r < rows - 3; r++)
            for (int c = 3; c + WIDE + 3 <= a.stride; c += WIDE) {
                long place = (long)r * a.stride + c;
                lattice_points(image + (p + 1) * plane + place, plane, a.stride,
                               a.fixed_scale, a.axial_scale,
                               lattice + p * 4 * COMPONENTS * plane + place);
            }
}

/* One band of camera rows through some planes, volume after volume. */
void esrrf_3d_part(esrrf_3d_arguments a, int part, float *scratch)
{
    long plane = (long)a.framed_rows * a.stride;
    int phases = a.magnification_z * a.magnification * a.magnification;
    extent e = extent_of(a, part);
    float *image = scratch, *lattice = scratch + (a.part_planes + 2 * a.above) * plane;
    for (int frame = 0; frame < a.count; frame++) {
        prepare(a, e, frame, image, lattice);
        for (int p = 0; p < e.planes; p++)
            for (int r = 0; r < e.rows; r++) {
                long place = (r + a.before) * (long)a.stride + a.before;
                long on = (p + a.above - 1) * 4 * COMPONENTS * plane + place;
                for (int phase = 0; phase < phases; phase++) {
                    long line = ((long)phase * a.depth + e.plane + p) * a.height + e.row + r;
                    phase_row(a, image + (p + a.above) * plane + place, lattice + on, phase,
                              line * a.pitch, a.fresh && frame == 0);
                }
            }
    }
}

#endif
