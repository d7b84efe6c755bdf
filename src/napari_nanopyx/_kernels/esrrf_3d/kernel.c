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

/* Store the direction of one gradient. One that vanishes has none: it becomes NaN, of which
 * no comparison holds, so that it adds nothing to any voxel. */
INLINE void direction(wide column, wide row, wide plane, float axial_scale,
                      GLOBAL float *lattice, int component)
{
    thin x, y, z;
    shrink_three(column, row, plane, &x, &y, &z);
    z = z * axial_scale;
    thin scale = inverse_root_thin(x * x + y * y + z * z);
    store_thin(lattice + COLUMN * component, x * scale);
    store_thin(lattice + ROW * component, y * scale);
    store_thin(lattice + PLANE * component, z * scale);
}

/* What lattice points are made of: the values on one lattice row, and their differences
 * along the rows and along the planes. */
enum { VALUE, DOWN, DEEP, PARTS };

/* The two lattice points of one lattice row that belong to one camera pixel, on its edge and
 * in its centre; `parts` are on that row at columns -3 ... 2. */
INLINE void lattice_pair(wide (*parts)[PARTS], float axial_scale, GLOBAL float *lattice,
                         int plane, int component)
{
    wide across[4];
    for (int i = 0; i < 4; i++)
        across[i] = difference_wide(parts[i + 2][VALUE], parts[i][VALUE]);
    direction(half_way(across[0], across[1], across[2], across[3]),
              half_way(parts[1][DOWN], parts[2][DOWN], parts[3][DOWN], parts[4][DOWN]),
              half_way(parts[1][DEEP], parts[2][DEEP], parts[3][DEEP], parts[4][DEEP]),
              axial_scale, lattice, component);
    direction(across[2], parts[3][DOWN], parts[3][DEEP], axial_scale, lattice + plane,
              component);
}

/* The parts on the two lattice rows of the camera voxels at `image`, on their edge and in
 * their centre. Differences are central ones, so they belong to the centres of voxels. */
INLINE void row_parts(GLOBAL const float *image, int plane, int stride, float scale,
                      wide *edge, wide *centre)
{
    wide row[6], deep[4];
    for (int i = 0; i < 6; i++)
        row[i] = to_wide(load_thin(image + (i - 3) * stride), scale);
    for (int i = 0; i < 4; i++)
        deep[i] = difference_wide(
            to_wide(load_thin(image + (i - 2) * stride + plane), scale),
            to_wide(load_thin(image + (i - 2) * stride - plane), scale));
    edge[VALUE] = half_way(row[1], row[2], row[3], row[4]);
    edge[DOWN] = difference_wide(half_way(row[2], row[3], row[4], row[5]),
                                 half_way(row[0], row[1], row[2], row[3]));
    edge[DEEP] = half_way(deep[0], deep[1], deep[2], deep[3]);
    centre[VALUE] = row[3];
    centre[DOWN] = difference_wide(row[4], row[2]);
    centre[DEEP] = deep[2];
}

/* The gradient along the line to a voxel and across it decide what a lattice point adds to
 * the voxel: its weight, less the distance by which its gradient line misses the voxel, if
 * the gradient points towards the voxel.
 *
 * Points that weigh little: the table has their directions multiplied by the weight. */
INLINE real rough_convergence(GLOBAL const float *lattice, int component,
                              esrrf_3d_sample s)
{
    real along = load(lattice + COLUMN * component) * s.column
                 + load(lattice + ROW * component) * s.row
                 + load(lattice + PLANE * component) * s.plane;
    real squared = larger(s.squared - along * along, ZERO + 1e-30f);
    return where_negative(along, s.weight - rough_root(squared));
}

/* All others. A gradient that aims at the voxel is the direction turned round; how far it
 * is off it gives the sine of a small angle without a difference of near equals: with d the
 * length of the sum of both unit vectors, the sine is d * root(1 - d * d / 4). */
INLINE real convergence(GLOBAL const float *lattice, int component, esrrf_3d_sample s)
{
    real column = load(lattice + COLUMN * component) + s.column;
    real row = load(lattice + ROW * component) + s.row;
    real plane = load(lattice + PLANE * component) + s.plane;
    real off = column * column + (row * row + (plane * plane + 1e-20f));
    real across = twice_root(off * (s.squared - s.quarter * off));
    return where_negative(off - 2.0f, s.weight - across);
}

/* For exponents below 1: nowhere a difference of near equals, which would turn the rounding
 * of values near 0 into visible ones. Directions are multiplied by the weight. */
INLINE real faint_convergence(GLOBAL const float *lattice, int component,
                              esrrf_3d_sample s)
{
    real column = load(lattice + COLUMN * component);
    real row = load(lattice + ROW * component);
    real plane = load(lattice + PLANE * component);
    real along = column * s.column + row * s.row + plane * s.plane;
    real x = row * s.plane - plane * s.row;
    real y = plane * s.column - column * s.plane;
    real z = column * s.row - row * s.column;
    real squared = x * x + y * y + z * z + 1e-30f;
    real across = squared * inverse_root(squared);
    return where_negative(along, along * along / (s.weight + across));
}

/* What a lattice point adds to a voxel, and to the one mirrored at the point's plane: of the
 * directions towards them only the part along the axis differs, in sign. */
INLINE void rough_convergences(GLOBAL const float *lattice, int component,
                               esrrf_3d_sample s, real *value, real *mirrored)
{
    real in_plane = load(lattice + COLUMN * component) * s.column
                    + load(lattice + ROW * component) * s.row;
    real axial = load(lattice + PLANE * component) * s.plane;
    real along = in_plane + axial, other = in_plane - axial;
    real squared = larger(s.squared - along * along, ZERO + 1e-30f);
    *value = *value + where_negative(along, s.weight - rough_root(squared));
    squared = larger(s.squared - other * other, ZERO + 1e-30f);
    *mirrored = *mirrored + where_negative(other, s.weight - rough_root(squared));
}

INLINE void convergences(GLOBAL const float *lattice, int component, esrrf_3d_sample s,
                         real *value, real *mirrored)
{
    real column = load(lattice + COLUMN * component) + s.column;
    real row = load(lattice + ROW * component) + s.row;
    real axial = load(lattice + PLANE * component);
    real plane = axial + s.plane, other = axial - s.plane;
    real in_plane = column * column + (row * row + 1e-20f);
    real off = in_plane + plane * plane;
    real across = twice_root(off * (s.squared - s.quarter * off));
    *value = *value + where_negative(off - 2.0f, s.weight - across);
    off = in_plane + other * other;
    across = twice_root(off * (s.squared - s.quarter * off));
    *mirrored = *mirrored + where_negative(off - 2.0f, s.weight - across);
}

/* Add what the lattice points around a voxel add up to, for `size` vectors of neighbouring
 * voxels, which share what is read of the tables. `lattice` points at the camera voxels.
 * Left out are as many of the rough points, and of the others, as `skipped` says. */
INLINE void converge_to(esrrf_3d_arguments a, GLOBAL const float *lattice, int phase,
                        int skipped_rough, int skipped, int size, real *values)
{
    int component = 4 * a.framed_rows * a.stride;
    int rough = a.rough[phase], count = a.counts[phase];
    TABLE const esrrf_3d_sample *samples = a.samples + (long)phase * a.most_samples;
    for (int s = skipped_rough; s < rough; s++)
        for (int i = 0; i < size; i++)
            values[i] = values[i] + rough_convergence(lattice + samples[s].offset + i * LANES,
                                                      component, samples[s]);
    if (a.sensitivity < 1)
        for (int s = rough + skipped; s < count; s++)
            for (int i = 0; i < size; i++)
                values[i] = values[i] + faint_convergence(
                    lattice + samples[s].offset + i * LANES, component, samples[s]);
    else
        for (int s = rough + skipped; s < count; s++)
            for (int i = 0; i < size; i++)
                values[i] = values[i] + convergence(lattice + samples[s].offset + i * LANES,
                                                    component, samples[s]);
}

/* The intensity between the rows and planes around the camera voxels at `image`. */
INLINE real between_rows(esrrf_3d_arguments a, GLOBAL const float *image, int deep, int down)
{
    int plane = a.framed_rows * a.stride;
    TABLE const float *rows = a.weights + 4 * down, *planes = a.plane_weights + 2 * deep;
    image += a.plane_tap[deep] * plane + a.tap[down] * a.stride;
    real taps[4];
    for (int i = 0; i < 4; i++)
        taps[i] = load(image + i * a.stride) * planes[0]
                  + load(image + i * a.stride + plane) * planes[1];
    return blend(taps[0], taps[1], taps[2], taps[3], rows);
}

/* The value of an output voxel, from what its lattice points add up to. */
INLINE real sharpened(esrrf_3d_arguments a, real value)
{
    return a.whole_sensitivity == 1 ? value
                                    : sharpen(value, a.whole_sensitivity, a.sensitivity);
}

#ifdef __OPENCL_VERSION__ /* one call a work-item */

/* One value of a volume, continued by its edge voxels. */
INLINE void esrrf_3d_image(esrrf_3d_arguments a, int column, int row, int item)
{
    int planes = a.depth + 2 * a.above;
    int z = clamp(item % planes - a.above + a.ahead, 0, a.given_depth - 1);
    int r = clamp(row - a.before, 0, a.height - 1);
    int c = clamp(column - a.before, 0, a.width - 1);
    long from = ((long)(item / planes) * a.given_depth + z) * a.height + r;
    a.image[((long)item * a.framed_rows + row) * a.stride + column] =
        (float)a.frames[from * a.width + c];
}

INLINE void esrrf_3d_lattice(esrrf_3d_arguments a, int column, int row, int item)
{
    int planes = a.depth + 2 * a.above - 2;
    int plane = a.framed_rows * a.stride;
    long place = (row + 3L) * a.stride + column * WIDE + 3;
    long from = ((long)(item / planes) * (planes + 2) + item % planes + 1) * plane;
    GLOBAL float *lattice = a.lattice + (long)item * 4 * COMPONENTS * plane + place;
    wide edge[6][PARTS], centre[6][PARTS];
    for (int j = 0; j < 6; j++)
        row_parts(a.image + from + place + j - 3, plane, a.stride, a.pixel_scale, edge[j],
                  centre[j]);
    lattice_pair(edge, a.axial_scale, lattice, plane, 4 * plane);
    lattice_pair(centre, a.axial_scale, lattice + 2 * plane, plane, 4 * plane);
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
        real value = ZERO;
        converge_to(a, a.lattice + on * 4 * COMPONENTS * plane + place, phase, 0, 0, 1,
                    &value);
        value = sharpened(a, value);
        if (a.weighting) {
            int m = a.magnification, across = phase % m;
            GLOBAL const float *image = a.image + at * plane + place + a.tap[across];
            real taps[4];
            for (int i = 0; i < 4; i++)
                taps[i] = between_rows(a, image + i, phase / (m * m), phase / m % m);
            value = value * blend(taps[0], taps[1], taps[2], taps[3], a.weights + 4 * across);
        }
        sums = take_in(sums, value, a.statistic, a.fresh && frame == 0);
    }
    store_moments(a, target, sums);
}

#else /* one call a part, all on one thread */

#include "frame.h"

/* As many vectors as the registers have room for at a time. */
enum { GROUP = LANES < 16 ? 2 : 4 };

/* Take the values of neighbouring voxels of one phase into their sums; `light` and `target`
 * point at the first voxel. */
INLINE void take_in_row(esrrf_3d_arguments a, const float *light, int phase, long target,
                        int is_first, int size, const real *values)
{
    int across = phase % a.magnification;
    light += a.tap[across];
    for (int i = 0; i < size; i++, light += LANES, target += LANES) {
        real value = sharpened(a, values[i]);
        if (a.weighting)
            value = value * blend(load(light), load(light + 1), load(light + 2),
                                  load(light + 3), a.weights + 4 * across);
        moments sums = is_first ? no_moments() : load_moments(a, target);
        store_moments(a, target, take_in(sums, value, a.statistic, is_first));
    }
}

/* What lattice points around neighbouring voxels of a phase and of the one mirrored along
 * the axis add up to. Points in the voxels' own plane count for both phases at once. */
INLINE void converge_to_both(esrrf_3d_arguments a, const float *lattice, int phase,
                             int mirrored, int size, real *values, real *others)
{
    int component = 4 * a.framed_rows * a.stride, rough = a.rough[phase];
    int shared_rough = a.shared[2 * phase], shared = a.shared[2 * phase + 1];
    const esrrf_3d_sample *samples = a.samples + (long)phase * a.most_samples;
    for (int s = 0; s < shared_rough; s++)
        for (int i = 0; i < size; i++)
            rough_convergences(lattice + samples[s].offset + i * LANES, component, samples[s],
                               values + i, others + i);
    for (int s = rough; s < rough + shared; s++)
        for (int i = 0; i < size; i++)
            convergences(lattice + samples[s].offset + i * LANES, component, samples[s],
                         values + i, others + i);
    converge_to(a, lattice, phase, shared_rough, shared, size, values);
    converge_to(a, lattice, mirrored, shared_rough, shared, size, others);
}

/* Some neighbouring voxels of two phases; pointers point at the first. */
INLINE void voxels(esrrf_3d_arguments a, float *const *light, int c, const float *lattice,
                   int phase, int mirrored, long line, int is_first, int size)
{
    long volume = (long)a.depth * a.height * a.pitch;
    real values[GROUP], others[GROUP];
    for (int i = 0; i < size; i++)
        values[i] = others[i] = ZERO;
    if (phase == mirrored) {
        converge_to(a, lattice + c, phase, 0, 0, size, values);
    } else {
        converge_to_both(a, lattice + c, phase, mirrored, size, values, others);
        take_in_row(a, light[1] + a.before + c, mirrored, mirrored * volume + line + c,
                    is_first, size, others);
    }
    take_in_row(a, light[0] + a.before + c, phase, phase * volume + line + c, is_first, size,
                values);
}

/* All phases of one camera row, `line` being where it begins among the rows of the volume.
 * `light` has room for two rows with what surrounds them. */
INLINE void row_of_phases(esrrf_3d_arguments a, const float *image, const float *lattice,
                          long line, int is_first, float *const *light)
{
    int m = a.magnification, deepest = a.magnification_z - 1;
    for (int lines = 0; lines < (deepest / 2 + 1) * m; lines++) {
        int deep[2] = {lines / m, deepest - lines / m}, down = lines % m;
        for (int i = 0; a.weighting && i < 2; i++)
            for (int c = -2; c < a.pitch + 2; c += LANES)
                store(light[i] + a.before + c, between_rows(a, image + c, deep[i], down));
        for (int across = 0; across < m; across++) {
            int phase = (deep[0] * m + down) * m + across, c = 0;
            int mirrored = (deep[1] * m + down) * m + across;
            for (; c + GROUP * LANES <= a.pitch; c += GROUP * LANES)
                voxels(a, light, c, lattice, phase, mirrored, line, is_first, GROUP);
            for (; c < a.pitch; c += LANES)
                voxels(a, light, c, lattice, phase, mirrored, line, is_first, 1);
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

/* The gradients of one row of camera voxels, `columns` with what surrounds it. `lines` has
 * room for the parts of both its lattice rows, each along the row. */
INLINE void lattice_row(esrrf_3d_arguments a, const float *image, int columns,
                        float *lattice, float *lines)
{
    int plane = a.framed_rows * a.stride;
    for (int c = 0; c < columns; c += WIDE) {
        wide found[2][PARTS];
        row_parts(image + c, plane, a.stride, a.pixel_scale, found[0], found[1]);
        for (int i = 0; i < 2 * PARTS; i++)
            memcpy(lines + 2 * (i * a.stride + c), &found[i / PARTS][i % PARTS], sizeof(wide));
    }
    for (int c = 3; c + 3 < columns; c += WIDE)
        for (int centre = 0; centre < 2; centre++) {
            wide parts[6][PARTS];
            for (int i = 0; i < 6 * PARTS; i++)
                memcpy(&parts[i / PARTS][i % PARTS],
                       lines + 2 * ((PARTS * centre + i % PARTS) * a.stride + c + i / PARTS - 3),
                       sizeof(wide));
            lattice_pair(parts, a.axial_scale, lattice + 2 * centre * plane + c, plane,
                         4 * plane);
        }
}

/* Read what a part sees of a volume. */
INLINE void read_part(esrrf_3d_arguments a, extent e, int frame, float *image)
{
    long plane = (long)a.framed_rows * a.stride;
    for (int p = 0; p < e.planes + 2 * a.above; p++) {
        int z = between(e.plane + p - a.above + a.ahead, 0, a.given_depth - 1);
        long first = ((long)frame * a.given_depth + z) * a.height;
        for (int r = 0; r < e.rows + a.framed_rows - a.part_rows; r++) {
            int row = between(e.row + r - a.before, 0, a.height - 1);
            read_row(a.frames, a.pixel, (first + row) * a.width, a.width, -a.before,
                     image + p * plane + (long)r * a.stride, a.stride);
        }
    }
}

/* Find the gradients of one plane of a part, the one between `image` and the plane after
 * the next. */
INLINE void lattice_plane(esrrf_3d_arguments a, extent e, const float *image, float *lattice,
                          float *lines)
{
    int around = a.framed_rows - a.part_rows;
    long plane = (long)a.framed_rows * a.stride;
    for (int r = 3; r < e.rows + around - 3; r++) {
        long place = (long)r * a.stride;
        lattice_row(a, image + plane + place, a.pitch + around, lattice + place, lines);
    }
}

/* One band of camera rows through some planes, volume after volume. The gradients of a
 * plane are found just before they are needed first, so that they are still at hand. */
void esrrf_3d_part(esrrf_3d_arguments a, int part, float *scratch)
{
    long plane = (long)a.framed_rows * a.stride, points = 4 * COMPONENTS * plane;
    extent e = extent_of(a, part);
    float *line = scratch, *image = scratch + 2 * 2 * PARTS * a.stride;
    float *lattice = image + (a.part_planes + 2 * a.above) * plane;
    float *light[2] = {line, line + a.stride};
    for (int frame = 0; frame < a.count; frame++) {
        int found = 0;
        read_part(a, e, frame, image);
        for (int p = 0; p < e.planes; p++) {
            for (; found < p + 2 * a.above - 1; found++)
                lattice_plane(a, e, image + found * plane, lattice + found * points, line);
            for (int r = 0; r < e.rows; r++) {
                long place = (r + a.before) * (long)a.stride + a.before;
                row_of_phases(a, image + (p + a.above) * plane + place,
                              lattice + (p + a.above - 1) * points + place,
                              ((long)(e.plane + p) * a.height + e.row + r) * a.pitch,
                              a.fresh && frame == 0, light);
            }
        }
    }
}

#endif
