/* What the lattice points of a plane add to all voxels around them, on the CPU.
 *
 * Voxels lie around a lattice point as in mirrors: with the voxel at some distance along
 * each axis there are seven others whose distances differ in the signs only. Four lines
 * through the point lead to them, each to two. The gradient's direction along a line tells
 * which of the two it aims at, and how far it is off is the same for both.
 *
 * Lanes take points far from each other, a stretch of the plane each, so that the voxels
 * at a step from them are whole vectors as well, at a step of vectors. Where a lane's
 * voxels are beyond its stretch, they wait to be added to those of the next lane. */
#ifndef MIRRORS_H
#define MIRRORS_H

enum { ROUGH, PRECISE, FAINT };

enum {
    RUN = 32,  /* vectors of points at a time, so that their voxels stay in a near cache */
    LINES = 4, /* through a point, in one mirror */
    ENDS = 2 * LINES
};

/* How far a gradient of a direction points along each line, and what it adds: with the
 * sign of the former. Points that weigh little: the mirror has distances multiplied by the
 * weight. */
INLINE void rough_lines(real column, real row, real plane, esrrf_3d_mirror m, int lines,
                        real *found)
{
    real across = column * m.column;
    real in_plane[2] = {across + row * m.row, across - row * m.row};
    for (int i = 0; i < lines; i++) {
        real along = i < 2 ? in_plane[i % 2] + plane * m.plane
                           : in_plane[i % 2] - plane * m.plane;
        real squared = larger(ZERO + 1e-30f, m.squared - along * along);
        found[i] = turned(m.weight - rough_root(squared), along);
    }
}

/* All others, without a difference of near equals: the parts of the gradient at right
 * angles to the line are sought, one in the plane, one in that of the line and the axis.
 * The mirror has the cosine and sine of the line's angle in the plane, then to the plane,
 * and halves of the weight with them, as roots come doubled. */
INLINE void precise_lines(real column, real row, real plane, esrrf_3d_mirror m, int lines,
                          int faint, real *found)
{
    real in_plane[2] = {column * m.column + row * m.row, column * m.column - row * m.row};
    real beside[2] = {row * m.half_column - column * m.half_row,
                      row * m.half_column + column * m.half_row};
    real squares[2] = {beside[0] * beside[0] + 1e-30f, beside[1] * beside[1] + 1e-30f};
    for (int i = 0; i < lines; i++) {
        real flat = in_plane[i % 2] * m.in_plane, steep = plane * m.plane;
        real along = i < 2 ? flat + steep : flat - steep;
        real over = i < 2 ? in_plane[i % 2] * m.plane - plane * m.in_plane
                          : in_plane[i % 2] * m.plane + plane * m.in_plane;
        real across = twice_root(squares[i % 2] + over * over);
        real gain = faint ? 4.0f * along * along / (m.weight + across) : m.weight - across;
        found[i] = turned(gain, along);
    }
}

/* Add what a run of lattice points adds to the voxels at both ends of each line; where a
 * gradient vanishes, it is NaN, of which zero is the larger and the smaller. */
INLINE void add_lines(esrrf_3d_mirror m, int kind, int lines, const float *lattice,
                      long component, int size, float *const *ends, long from)
{
    for (long c = from; c < from + size; c += LANES) {
        real found[LINES];
        real column = load(lattice + c), row = load(lattice + component + c);
        real plane = load(lattice + 2 * component + c);
        if (kind == ROUGH)
            rough_lines(column, row, plane, m, lines, found);
        else
            precise_lines(column, row, plane, m, lines, kind == FAINT, found);
        for (int i = 0; i < lines; i++) {
            float *far = ends[2 * i] + c, *near = ends[2 * i + 1] + c;
            store(far, load(far) + larger(found[i], ZERO));
            store(near, load(near) - smaller(found[i], ZERO));
        }
    }
}

static void add_mirror(esrrf_3d_mirror m, const float *lattice, long component, int size,
                       float *const *ends, long from)
{
    int lines = m.is_flat ? LINES / 2 : LINES;
    if (m.kind == ROUGH && m.is_flat)
        add_lines(m, ROUGH, LINES / 2, lattice, component, size, ends, from);
    else if (m.kind == ROUGH)
        add_lines(m, ROUGH, LINES, lattice, component, size, ends, from);
    else if (m.kind == PRECISE && m.is_flat)
        add_lines(m, PRECISE, LINES / 2, lattice, component, size, ends, from);
    else if (m.kind == PRECISE)
        add_lines(m, PRECISE, LINES, lattice, component, size, ends, from);
    else
        add_lines(m, FAINT, lines, lattice, component, size, ends, from);
}

/* Exchange blocks of `step` lanes between vectors as far apart. */
INLINE void exchange(real *v, int step)
{
#if LANES > 1 && !defined(__clang__)
    mask low, high;
    for (int i = 0; i < LANES; i++) {
        low[i] = i & step ? LANES + i - step : i;
        high[i] = i & step ? LANES + i : i + step;
    }
    for (int i = 0; i < LANES; i++)
        if (!(i & step)) {
            real first = v[i], second = v[i + step];
            v[i] = __builtin_shuffle(first, second, low);
            v[i + step] = __builtin_shuffle(first, second, high);
        }
#endif
}

/* Take what is in lane i of vector j to lane j of vector i. */
INLINE void transpose(real *v)
{
#if defined(__clang__)
    float each[LANES * LANES], turned_over[LANES * LANES];
    memcpy(each, v, sizeof each);
    for (int i = 0; i < LANES * LANES; i++)
        turned_over[i % LANES * LANES + i / LANES] = each[i];
    memcpy(v, turned_over, sizeof each);
#else
    if (LANES > 8)
        exchange(v, 8);
    if (LANES > 4)
        exchange(v, 4);
    if (LANES > 1) {
        exchange(v, 2);
        exchange(v, 1);
    }
#endif
}

/* Give each lane a stretch of `length` values. */
static void spread(const float *from, int length, float *to)
{
    for (int i = 0; i < length; i += LANES) {
        real v[LANES];
        for (int j = 0; j < LANES; j++)
            v[j] = load(from + (long)j * length + i);
        transpose(v);
        for (int j = 0; j < LANES && i + j < length; j++)
            store(to + (i + j) * LANES, v[j]);
    }
}

/* Put the stretches one after another again. The last vectors of each are taken with some
 * that were before, so as not to write into the next stretch. */
static void join(const float *from, int length, float *to)
{
    for (int i = 0; i < length; i += LANES) {
        int first = i + LANES > length && length >= LANES ? length - LANES : i;
        real v[LANES];
        for (int j = 0; j < LANES; j++)
            v[j] = load(from + (first + j) * LANES);
        transpose(v);
        for (int j = 0; j < LANES; j++)
            store(to + (long)j * length + first, v[j]);
    }
}

/* Add what lies ahead of each stretch to the end of the one before it, and what lies past
 * it to the beginning of the next one. `sums` are `halo` vectors ahead of the stretches. */
static void fold(float *sums, int length, int halo)
{
    int32_t kept[LANES + 1];
    for (int i = 0; i <= LANES; i++)
        kept[i] = i == 0 ? 0 : -1;
    mask not_first, not_last;
    memcpy(&not_first, kept, sizeof not_first);
    for (int i = 0; i < LANES; i++)
        kept[i] = i == LANES - 1 ? 0 : -1;
    memcpy(&not_last, kept, sizeof not_last);
    for (int i = 0; i < halo; i++) {
        float *to = sums + (i + length) * LANES;
        store(to, load(to) + from_bits(bits(load(sums + i * LANES + 1)) & not_last));
    }
    for (int i = length + 2 * halo - 1; i >= length + halo; i--) {
        float *to = sums + (i - length) * LANES;
        store(to, load(to) + from_bits(bits(load(sums + i * LANES - 1)) & not_first));
    }
}

#endif
