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

enum { TAPS = 3 }; /* voxels to each side that a lattice point's gradient takes in */

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
 * in its centre: `across` are the differences along the row, at columns -2 ... 1 as those
 * along the others. */
INLINE void lattice_pair(const wide *across, const wide *down, const wide *deep,
                         float axial_scale, GLOBAL float *lattice, int plane, int component)
{
    direction(half_way(across[0], across[1], across[2], across[3]),
              half_way(down[0], down[1], down[2], down[3]),
              half_way(deep[0], deep[1], deep[2], deep[3]), axial_scale, lattice, component);
    direction(across[2], down[2], deep[2], axial_scale, lattice + plane, component);
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

/* What the lattice points around a voxel add up to; `lattice` points at its camera voxel. */
INLINE real converged(esrrf_3d_arguments a, GLOBAL const float *lattice, int phase)
{
    int component = 4 * a.framed_rows * a.stride;
    int rough = a.rough[phase], count = a.counts[phase];
    TABLE const esrrf_3d_sample *samples = a.samples + (long)phase * a.most_samples;
    real value = ZERO;
    for (int s = 0; s < rough; s++)
        value = value + rough_convergence(lattice + samples[s].offset, component, samples[s]);
    if (a.sensitivity < 1)
        for (int s = rough; s < count; s++)
            value = value + faint_convergence(lattice + samples[s].offset, component,
                                              samples[s]);
    else
        for (int s = rough; s < count; s++)
            value = value + convergence(lattice + samples[s].offset, component, samples[s]);
    return value;
}

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

/* The points of one lattice row, whose parts are given at columns -3 ... 2. */
INLINE void esrrf_3d_pair(wide (*parts)[PARTS], float axial_scale, GLOBAL float *lattice,
                          int plane)
{
    /* Written out: PoCL 3 does not align arrays of vectors that it keeps in memory. */
    wide across[4] = {difference_wide(parts[2][VALUE], parts[0][VALUE]),
                      difference_wide(parts[3][VALUE], parts[1][VALUE]),
                      difference_wide(parts[4][VALUE], parts[2][VALUE]),
                      difference_wide(parts[5][VALUE], parts[3][VALUE])};
    wide down[4] = {parts[1][DOWN], parts[2][DOWN], parts[3][DOWN], parts[4][DOWN]};
    wide deep[4] = {parts[1][DEEP], parts[2][DEEP], parts[3][DEEP], parts[4][DEEP]};
    lattice_pair(across, down, deep, axial_scale, lattice, plane, 4 * plane);
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
    esrrf_3d_pair(edge, a.axial_scale, lattice, plane);
    esrrf_3d_pair(centre, a.axial_scale, lattice + 2 * plane, plane);
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
        real value = converged(a, a.lattice + on * 4 * COMPONENTS * plane + place, phase);
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
#include "esrrf_3d/mirrors.h"

/* The voxels that one part has, the first along each axis and how many, and the lattice
 * points of a plane that they see, row after row without a gap. */
typedef struct {
    int plane, planes, row, rows, column, columns;
    int whole; /* columns of outputs: whole vectors of any size */
    int lattice_rows, line;
    int length; /* points of a lane's stretch */
    int halo;   /* how far a point's voxels are from it, at most */
    long room;  /* sums of one plane and phase, in stretches with their halos */
} extent;

INLINE extent extent_of(esrrf_3d_arguments a, int part)
{
    int bands = (a.height + a.part_rows - 1) / a.part_rows;
    int blocks = (a.width + a.part_columns - 1) / a.part_columns;
    int around = a.framed_rows - a.part_rows;
    int reach = (a.before > around - a.before ? a.before : around - a.before) - TAPS;
    extent e = {part / blocks / bands * a.part_planes, 0, part / blocks % bands * a.part_rows,
                0, part % blocks * a.part_columns, 0, 0, 0, 0, 0, 0, 0};
    e.planes = between(a.depth - e.plane, 0, a.part_planes);
    e.rows = between(a.height - e.row, 0, a.part_rows);
    e.columns = between(a.width - e.column, 0, a.part_columns);
    e.whole = between(a.pitch - e.column, 0, a.part_columns);
    e.lattice_rows = e.rows + around - 2 * TAPS;
    e.line = e.columns + around - 2 * TAPS;
    e.length = (e.lattice_rows * e.line + LANES - 1) / LANES;
    e.halo = reach * (e.line + 1);
    e.room = (e.length + 2L * e.halo) * LANES;
    return e;
}

/* Take the values of one row of voxels of a phase, at `values`, into their sums; `light` is
 * the intensity between the rows, `target` where the sums of the row begin. */
INLINE void take_in_row(esrrf_3d_arguments a, int columns, const float *values,
                        const float *light, int across, long target, int is_first)
{
    for (int c = 0; c < columns; c += LANES) {
        real value = sharpened(a, load(values + c));
        if (a.weighting) {
            const float *taps = light + a.tap[across] + c;
            value = value * blend(load(taps), load(taps + 1), load(taps + 2), load(taps + 3),
                                  a.weights + 4 * across);
        }
        moments sums = is_first ? no_moments() : load_moments(a, target + c);
        store_moments(a, target + c, take_in(sums, value, a.statistic, is_first));
    }
}

/* Find the intensity between the rows and planes around a plane of a part. */
static void light_plane(esrrf_3d_arguments a, extent e, const float *image, int deep, int down,
                        float *light)
{
    for (int r = 0; r < e.rows; r++)
        for (long c = -2; c < e.whole + 2; c += LANES)
            store(light + (long)r * a.stride + c,
                  between_rows(a, image + (long)r * a.stride + c, deep, down));
}

/* Take what a plane of a part adds up to into its sums over the volumes, and clear it.
 * `image` points at the plane's first voxel; `values` and `light` have room for a plane. */
static void take_in_plane(esrrf_3d_arguments a, extent e, int p, int is_first,
                          const float *image, float *sums, float *values, float *light)
{
    int m = a.magnification, before = a.before - TAPS;
    long volume = (long)a.depth * a.height * a.pitch;
    light += a.before;
    for (int phase = 0; phase < a.magnification_z * m * m; phase++) {
        if (a.weighting && phase % m == 0)
            light_plane(a, e, image, phase / (m * m), phase / m % m, light);
        fold(sums + phase * e.room, e.length, e.halo);
        join(sums + phase * e.room + e.halo * LANES, e.length, values);
        for (int r = 0; r < e.rows; r++) {
            long row = (long)(e.plane + p) * a.height + e.row + r;
            take_in_row(a, e.whole, values + (long)(before + r) * e.line + before,
                        light + (long)r * a.stride, phase % m,
                        phase * volume + row * a.pitch + e.column, is_first);
        }
    }
    memset(sums, 0, sizeof(float) * a.magnification_z * m * m * e.room);
}

/* The gradients of one row of camera voxels. `lines` has room for the parts of both its
 * lattice rows, each along the row. */
INLINE void lattice_row(esrrf_3d_arguments a, int line, const float *image, float *lattice,
                        double *lines)
{
    int plane = a.framed_rows * a.stride;
    for (int c = 0; c < line + 2 * TAPS; c += WIDE) {
        wide found[2 * PARTS];
        row_parts(image + c, plane, a.stride, a.pixel_scale, found, found + PARTS);
        for (int i = 0; i < 2 * PARTS; i++)
            store_wide(lines + i * a.stride + c, found[i]);
    }
    for (int centre = 0; centre < 2; centre++) {
        const double *parts = lines + PARTS * centre * a.stride;
        for (int c = 0; c < line; c += WIDE) {
            wide across[4], down[4], deep[4];
            for (int i = 0; i < 4; i++) {
                across[i] = difference_wide(load_wide(parts + c + i + 2),
                                            load_wide(parts + c + i));
                down[i] = load_wide(parts + a.stride + c + i + 1);
                deep[i] = load_wide(parts + 2 * a.stride + c + i + 1);
            }
            lattice_pair(across, down, deep, a.axial_scale,
                         lattice + 2 * centre * a.points + c, a.points, 4 * a.points);
        }
    }
}

/* Read what a part sees of a volume. */
INLINE void read_part(esrrf_3d_arguments a, extent e, int frame, float *image)
{
    long plane = (long)a.framed_rows * a.stride;
    for (int p = 0; p < e.planes + 2 * a.above; p++) {
        int z = between(e.plane + p - a.above + a.ahead, 0, a.given_depth - 1);
        long first = ((long)frame * a.given_depth + z) * a.height;
        for (int r = 0; r < e.lattice_rows + 2 * TAPS; r++) {
            int row = between(e.row + r - a.before, 0, a.height - 1);
            read_row(a.frames, a.pixel, (first + row) * a.width, a.width,
                     e.column - a.before, image + p * plane + (long)r * a.stride, a.stride);
        }
    }
}

/* Find the gradients of one plane of a part, the one between `image` and the plane after
 * the next, in stretches. Past the last point there are none. */
static void lattice_plane(esrrf_3d_arguments a, extent e, const float *image, float *rows,
                          float *lattice, float *lines)
{
    image += (long)(a.framed_rows + TAPS) * a.stride;
    for (int r = 0; r < e.lattice_rows; r++)
        lattice_row(a, e.line, image + (long)r * a.stride, rows + (long)r * e.line,
                    (double *)lines);
    for (int i = 0; i < 4 * COMPONENTS; i++) {
        for (int c = e.lattice_rows * e.line; c < LANES * e.length; c++)
            rows[(long)i * a.points + c] = NAN;
        spread(rows + (long)i * a.points, e.length, lattice + (long)i * a.points);
    }
}

/* Find where what points of the plane `p` of a part add goes, if there were no steps: the
 * sums of as many planes as a point reaches are in memory, in turn. What is not of the part
 * goes to the `other` sums. A mirror all of whose voxels are others begins with NULL. */
static void find_ends(esrrf_3d_arguments a, extent e, int p, float *sums, float *other,
                      float **ends)
{
    int phases = a.magnification_z * a.magnification * a.magnification;
    int turn = 2 * a.above - 1;
    for (int i = 0; i < a.mirror_count; i++) {
        int found = 0;
        for (int j = 0; j < ENDS; j++) {
            esrrf_3d_end end = a.ends[i * ENDS + j];
            int at = p + end.plane, inside = end.phase >= 0 && at >= 0 && at < e.planes;
            float *start = other;
            if (inside)
                start = sums + (at % turn * (long)phases + end.phase) * e.room;
            long step = inside ? (long)end.row * e.line + end.column : 0;
            ends[i * ENDS + j] = start + (e.halo + step) * LANES;
            found |= inside;
        }
        if (!found)
            ends[i * ENDS] = NULL;
    }
}

/* Add what the lattice points of a plane add to all voxels. */
static void add_plane(esrrf_3d_arguments a, extent e, const float *lattice, float **ends)
{
    for (int from = 0; from < e.length; from += RUN) {
        int size = (e.length - from < RUN ? e.length - from : RUN) * LANES;
        for (int i = 0; i < a.mirror_count; i++) {
            esrrf_3d_mirror m = a.mirrors[i];
            if (ends[i * ENDS])
                add_mirror(m, lattice + (long)m.sublattice * a.points, 4L * a.points, size,
                           ends + i * ENDS, (long)from * LANES);
        }
    }
}

/* A block of camera voxels, volume after volume, plane after plane: the voxels of a plane
 * are done when the last plane of lattice points that reach them is. */
void esrrf_3d_part(esrrf_3d_arguments a, int part, float *scratch)
{
    a.stride = a.part_stride;
    extent e = extent_of(a, part);
    long plane = (long)a.framed_rows * a.stride;
    int phases = a.magnification_z * a.magnification * a.magnification;
    int above = a.above - 1, turn = 2 * above + 1;
    float **ends = (float **)(((uintptr_t)scratch + 63) / 64 * 64);
    float *lines = (float *)(ends + ENDS * a.mirror_count);
    float *light = lines + 2 * 2 * PARTS * a.stride;
    float *image = light + (long)a.part_rows * a.stride;
    float *rows = image + (a.part_planes + 2 * a.above) * plane;
    float *lattice = rows + 4 * COMPONENTS * (long)a.points;
    float *other = lattice + 4 * COMPONENTS * (long)a.points;
    float *sums = other + e.room, *values = sums + (long)turn * phases * e.room;
    /* Whole vectors of a row may read a few values past the last one. */
    memset(other, 0, sizeof(float) * ((2 + turn * (long)phases) * e.room + 16));
    for (int frame = 0; frame < a.count; frame++) {
        read_part(a, e, frame, image);
        for (int p = -above; p < e.planes + above; p++) {
            lattice_plane(a, e, image + (p + above) * plane, rows, lattice, lines);
            find_ends(a, e, p, sums, other, ends);
            add_plane(a, e, lattice, ends);
            int done = p - above;
            if (done >= 0)
                take_in_plane(a, e, done, a.fresh && frame == 0,
                              image + (done + a.above) * plane + (long)a.before * a.stride
                                  + a.before,
                              sums + (long)(done % turn) * phases * e.room, values, light);
        }
    }
}

#endif
