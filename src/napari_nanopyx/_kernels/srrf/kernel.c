/* SRRF of a block of frames: gradients, the radiality of every output pixel, and running
 * values over the frames. Gustafsson et al. 2016, doi 10.1038/ncomms12471.
 *
 * Where a ring sample lies in its camera pixels depends only on the output pixel's place
 * within its own (its phase). So all weights come in tables, and neighbouring lanes take
 * neighbouring camera pixels of one phase: every load is contiguous.
 *
 * Only the direction of a gradient counts. Where the four by four pixels that it is
 * interpolated from nearly cancel, float32 would lose it: such samples, about one in a
 * thousand, are taken once more in exact numbers.
 *
 * Fluctuations of the radiality itself may be so small beside it that float32's rounding
 * would show in their products: then it is found in double and kept in two parts. */
#include "dialect.h"
#include "srrf_arguments.h"

enum { MEAN, VARIANCE, PAIRS, MAXIMUM, FRAMES };
enum { UNWEIGHTED, BEFORE, AFTER };

/* The planes of the gradient: column and row component, each with what float32 rounds
 * off, and the square below which an interpolated gradient is doubtful. */
enum { COLUMN, COLUMN_REST, ROW, ROW_REST, BOUND, PLANES };

/* A gradient is doubtful below this share of the largest one it is interpolated from. */
#define DOUBT 0.005f

#include "srrf/exact.h"

/* A value with what it lacks. A running sum keeps its rounding error there (Kahan). */
typedef struct {
    real sum, error;
} total;

/* What is kept of an output pixel: `away` of its last value only, how far that is from the
 * first one. */
typedef struct {
    real first, first_error, away, highest;
    total sum, squares, light;
} moments;

/* What an output pixel is worth in one frame; an error is to be taken off. */
typedef struct {
    real radiality, error, light;
} worth;

/* a + b, and what it lacks: the sum of both is exact. */
INLINE total two_sum(real a, real b)
{
    total t;
    t.sum = a + b;
    real part = t.sum - a;
    t.error = (a - (t.sum - part)) + (b - part);
    return t;
}

INLINE total add_to(total t, real value, real rest)
{
    total more = two_sum(t.sum, value);
    more.error = more.error + (t.error + rest);
    return more;
}

/* What a gradient sample adds to the mean over the ring, up to the sign: how closely its
 * line passes by the centre. The inverse root is computed for 1e-37 more, so that no
 * gradient adds nothing. */
INLINE real closeness(real across, real squared)
{
    real inverse = inverse_root(squared + 1e-37f);
    real hit = inverse * (squared * inverse - absolute(across));
    return hit * hit;
}

typedef struct {
    real value;
    mask doubtful;
} ring_sum;

/* One more sample; if it is doubtful, bit `number` is set instead. */
INLINE ring_sum take_sample(ring_sum r, real along, real across, real bound, int number)
{
    real squared = along * along + across * across;
    mask sure = at_least(squared, bound);
    mask sign = bits(along) & (int)0x80000000;
    r.value = r.value - from_bits((bits(closeness(across, squared)) ^ sign) & sure);
    r.doubtful = r.doubtful | (~sure & (1 << number));
    return r;
}

/* The sum over the ring with its doubtful samples; `gradient` points at the first lane. */
INLINE real settled(srrf_arguments a, ring_sum r, GLOBAL const float *gradient, int down,
                    int across)
{
    if (!any_bit(r.doubtful))
        return r.value;
    union {
        mask all;
        int each[LANES];
    } doubtful;
    union {
        real all;
        float each[LANES];
    } value;
    doubtful.all = r.doubtful;
    value.all = r.value;
    for (int i = 0; i < LANES; i++)
        for (int n = 0; n < a.ring && doubtful.each[i] >> n; n++)
            if (doubtful.each[i] >> n & 1)
                value.each[i] += exact_sample(a, gradient + i, n, down, across);
    return value.all;
}

/* Cubic interpolation between four neighbours. */
INLINE real blend(real a, real b, real c, real d, TABLE const float *weights)
{
    return a * weights[0] + b * weights[1] + c * weights[2] + d * weights[3];
}

/* Four neighbours in a row, blended. */
INLINE real blend_row(GLOBAL const float *p, TABLE const float *weights)
{
    return blend(load(p), load(p + 1), load(p + 2), load(p + 3), weights);
}

/* The radiality of an output pixel, from the sum over its ring. */
INLINE total mean_of(srrf_arguments a, real sum)
{
    total t = {sum * (1.0f / a.ring), ZERO};
    if (a.renormalise)
        t.sum = t.sum * 0.5f + 0.5f;
    if (a.positivity)
        t.sum = larger(t.sum, ZERO);
    return t;
}

/* The worth of an output pixel, from its radiality. `image` points at its camera pixel;
 * `row` and `column` are that pixel's in the camera frame. */
INLINE worth finished(srrf_arguments a, total value, GLOBAL const float *image, int table,
                      int row, int column, int phase)
{
    int m = a.magnification;
    int down = table * m + phase / m, across = table * m + phase % m;
    real covered = load(a.column_mask + across * a.pitch + column)
        * a.row_mask[down * a.height + row];
    worth w = {value.sum * covered, ZERO, ZERO};
    if (a.precise)
        w.error = value.error * covered;
    if (a.weighting != UNWEIGHTED) {
        TABLE const float *weights = a.light_column_weights + 4 * across;
        image += a.light_row_tap[down] * a.stride + a.light_column_tap[across];
        real light = blend(blend_row(image, weights), blend_row(image + a.stride, weights),
                           blend_row(image + 2 * a.stride, weights),
                           blend_row(image + 3 * a.stride, weights),
                           a.light_row_weights + 4 * down);
        w.light = larger(light, ZERO) * covered;
    }
    return w;
}

/* A running sum with one more value. */
INLINE total plus(total t, real value)
{
    real corrected = value - t.error;
    total result;
    result.sum = t.sum + corrected;
    result.error = (result.sum - t.sum) - corrected;
    return result;
}

/* Take one more value of a pixel into what is kept. What fluctuates is counted from the first
 * value, so that a little of it on a large mean is not lost to rounding. */
INLINE moments take_in(srrf_arguments a, moments m, worth w, int is_first)
{
    real value = a.weighting == BEFORE ? w.radiality * w.light : w.radiality;
    if (a.statistic == MAXIMUM) {
        m.highest = is_first ? value : larger(m.highest, value);
    } else if (a.statistic == MEAN) {
        m.sum = plus(m.sum, value);
    } else if (a.statistic == PAIRS) {
        value = larger(value, ZERO);
        m.sum = plus(m.sum, value);
        m.squares = plus(m.squares, value * value);
        if (a.weighting == AFTER)
            m.light = plus(m.light, w.light);
    } else {
        if (is_first) {
            m.first = value;
            m.first_error = w.error;
        }
        m.away = (value - m.first) - (w.error - m.first_error);
        if (a.statistic == VARIANCE) {
            m.sum = plus(m.sum, m.away);
            m.squares = plus(m.squares, m.away * m.away);
        } else if (a.weighting == AFTER) {
            m.light = plus(m.light, w.radiality * w.light);
        }
    }
    return m;
}

INLINE moments no_moments(void)
{
    moments m = {ZERO, ZERO, ZERO, ZERO, {ZERO, ZERO}, {ZERO, ZERO}, {ZERO, ZERO}};
    return m;
}

INLINE total load_total(GLOBAL const float *sum, GLOBAL const float *error)
{
    total t = {load(sum), load(error)};
    return t;
}

INLINE moments load_moments(srrf_arguments a, long i)
{
    moments m = no_moments();
    if (a.statistic == MAXIMUM) {
        m.highest = load(a.highest + i);
        return m;
    }
    if (a.statistic != FRAMES)
        m.sum = load_total(a.sum + i, a.sum_error + i);
    if (a.statistic == VARIANCE || a.statistic == PAIRS)
        m.squares = load_total(a.squares + i, a.squares_error + i);
    if (a.statistic == VARIANCE || a.statistic == FRAMES) {
        m.first = load(a.first + i);
        if (a.precise)
            m.first_error = load(a.first_error + i);
    }
    if (a.weighting == AFTER)
        m.light = load_total(a.light + i, a.light_error + i);
    return m;
}

INLINE void store_total(GLOBAL float *sum, GLOBAL float *error, total t)
{
    store(sum, t.sum);
    store(error, t.error);
}

INLINE void store_moments(srrf_arguments a, long i, moments m, int with_first)
{
    if (a.statistic == MAXIMUM) {
        store(a.highest + i, m.highest);
        return;
    }
    if (a.statistic != FRAMES)
        store_total(a.sum + i, a.sum_error + i, m.sum);
    if (a.statistic == VARIANCE || a.statistic == PAIRS)
        store_total(a.squares + i, a.squares_error + i, m.squares);
    if (with_first && (a.statistic == VARIANCE || a.statistic == FRAMES)) {
        store(a.first + i, m.first);
        if (a.precise)
            store(a.first_error + i, m.first_error);
    }
    if (a.weighting == AFTER)
        store_total(a.light + i, a.light_error + i, m.light);
}

/* The square below which gradients from the four by four pixels at g are doubtful. All
 * are where their squares would leave float32: nothing is at least NaN. Where sums are
 * precise none is, and the largest of the pixels' components stands there instead. */
INLINE float bound_of(srrf_arguments a, float largest)
{
    if (a.precise)
        return largest;
    float limit = DOUBT * largest;
    int safe = largest == 0 || (largest > 1e-12f && largest < 1e15f);
    return safe ? limit * limit : (float)NAN;
}

#ifdef __OPENCL_VERSION__ /* one call a work-item */

INLINE float pixel_at(srrf_arguments a, int frame, int row, int column)
{
    row = clamp(row, 0, a.height - 1);
    column = clamp(column, 0, a.width - 1);
    return (float)a.frames[((long)frame * a.height + row) * a.width + column];
}

INLINE void store_pair(GLOBAL float *plane, long rest, float value, float lacking)
{
    plane[0] = value + lacking;
    plane[rest] = (value - plane[0]) + lacking;
}

/* Gradients of one place of a frame, moved by whole pixels; a gradient beyond the edge is
 * the one at the edge. */
INLINE void srrf_gradient(srrf_arguments a, int column, int row, int frame)
{
    GLOBAL const int *shift = a.shift + 2 * (frame % a.tables);
    int r = row - a.before + shift[0], c = column - a.before + shift[1];
    long plane = (long)a.framed_rows * a.stride, place = (long)row * a.stride + column;
    float sums[2] = {0, 0}, rests[2] = {0, 0};
    a.image[frame * plane + place] = pixel_at(a, frame, r, c);
    for (int i = -2; i <= 2; i++)
        for (int j = -2; j <= 2; j++) {
            int y = clamp(r + i, 0, a.height - 1), x = clamp(c + j, 0, a.width - 1);
            for (int component = 0; component < 2; component++) {
                int across = component ? j : i;
                if (a.smoothing ? across < -1 || across > 1 : i != 0 || j != 0)
                    continue;
                float after = pixel_at(a, frame, y + component, x + 1 - component);
                float before = pixel_at(a, frame, y - component, x - 1 + component);
                float values[2] = {after, -before};
                for (int k = 0; k < 2; k++) {
                    float sum = sums[component] + values[k];
                    float part = sum - sums[component];
                    rests[component] += (sums[component] - (sum - part)) + (values[k] - part);
                    sums[component] = sum;
                }
            }
        }
    GLOBAL float *gradient = a.gradient + frame * PLANES * plane + place;
    store_pair(gradient + COLUMN * plane, plane, sums[0], rests[0]);
    store_pair(gradient + ROW * plane, plane, sums[1], rests[1]);
}

INLINE void srrf_bound(srrf_arguments a, int column, int row, int frame)
{
    long plane = (long)a.framed_rows * a.stride;
    GLOBAL float *g = a.gradient + frame * PLANES * plane + (long)row * a.stride + column;
    float largest = 0;
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            float x = g[COLUMN * plane + i * a.stride + j];
            float y = g[ROW * plane + i * a.stride + j];
            largest = fmax(largest, fmax(fabs(x), fabs(y)));
        }
    g[BOUND * plane] = bound_of(a, largest);
}

/* The sum over the ring of the pixels at `gradient`. */
INLINE real ring_of(srrf_arguments a, GLOBAL const float *gradient, int down, int across)
{
    long plane = (long)a.framed_rows * a.stride;
    ring_sum r = {ZERO, bits(ZERO)};
    for (int n = 0; n < a.ring; n++) {
        GLOBAL const float *g = gradient + a.row_tap[down + n] * a.stride
            + a.column_tap[across + n];
        TABLE const float *rows = a.row_weights + 4 * (down + n);
        TABLE const float *columns = a.column_weights + 4 * (across + n);
        real xs[4], ys[4];
        for (int i = 0; i < 4; i++) {
            xs[i] = blend_row(g + COLUMN * plane + i * a.stride, columns);
            ys[i] = blend_row(g + ROW * plane + i * a.stride, columns);
        }
        real x = blend(xs[0], xs[1], xs[2], xs[3], rows);
        real y = blend(ys[0], ys[1], ys[2], ys[3], rows);
        float u_x = a.direction[2 * n], u_y = a.direction[2 * n + 1];
        r = take_sample(r, x * u_x + y * u_y, y * u_x - x * u_y, load(g + BOUND * plane), n);
    }
    return settled(a, r, gradient, down, across);
}

/* The radiality of the pixels at `gradient`, as precisely as the plan wants it. */
INLINE total radiality_of(srrf_arguments a, GLOBAL const float *gradient, int down,
                          int across)
{
    if (!a.precise)
        return mean_of(a, ring_of(a, gradient, down, across));
    union {
        real all;
        float each[LANES];
    } sum, error;
    for (int i = 0; i < LANES; i++) {
        parted radiality = precise_radiality(a, gradient + i, down, across);
        sum.each[i] = radiality.sum;
        error.each[i] = radiality.error;
    }
    total t = {sum.all, error.all};
    return t;
}

INLINE void srrf_frames(srrf_arguments a, int column, int phase, int row)
{
    int m = a.magnification;
    long plane = (long)a.framed_rows * a.stride;
    long target = ((long)phase * a.height + row) * a.pitch + column * LANES;
    long size = (long)m * m * a.height * a.pitch;
    long place = (row + a.before) * (long)a.stride + column * LANES + a.before;
    moments kept = no_moments();
    if (!a.fresh)
        kept = load_moments(a, target);
    for (int frame = 0; frame < a.count; frame++) {
        int table = frame % a.tables;
        total value = radiality_of(a, a.gradient + frame * PLANES * plane + place,
                                   (table * m + phase / m) * a.ring,
                                   (table * m + phase % m) * a.ring);
        worth w = finished(a, value, a.image + frame * plane + place, table, row,
                           column * LANES, phase);
        kept = take_in(a, kept, w, a.fresh && frame == 0);
        if (a.statistic == FRAMES)
            store(a.away + frame * size + target, kept.away);
    }
    store_moments(a, target, kept, a.fresh);
}

#else /* one call a part, all on one thread */

#include "frame.h"

/* Let a row of a gradient go on beyond the image as it is at the edge. */
INLINE void continue_row(float *row, int low, int high, int length)
{
    for (int c = 0; c < low; c++)
        row[c] = row[low < length ? low : 0];
    for (int c = high; c < length; c++)
        row[c] = row[high > 0 ? high - 1 : 0];
}

/* The difference of two rows and what it lacks, in two planes. */
INLINE void subtract_rows(const float *after, const float *before, float *out, long rest,
                          int length)
{
    for (int c = 0; c < length; c += LANES) {
        total t = two_sum(load(after + c), ZERO - load(before + c));
        store(out + c, t.sum);
        store(out + rest + c, t.error);
    }
}

/* Gradients of every row of the part, before smoothing; `lines` is room for three. */
INLINE void gradient_rows(srrf_arguments a, int frame, int first, int framed_rows,
                          float *image, float *out, float *lines)
{
    const int *shift = a.shift + 2 * (frame % a.tables);
    long plane = (long)a.framed_rows * a.stride, pitch = a.stride + 2 * LANES;
    int left = shift[1] - a.before;
    int low = between(-left, 0, a.stride), high = between(a.width - left, low, a.stride);
    for (int r = 0; r < framed_rows; r++) {
        int row = between(first + r - a.before + shift[0], 0, a.height - 1);
        for (int i = 0; i < 3; i++) {
            long line = (long)frame * a.height + between(row + i - 1, 0, a.height - 1);
            read_row(a.frames, a.pixel, line * a.width, a.width, left - 1,
                     lines + i * pitch, a.stride + 2);
        }
        float *g = out + (long)r * a.stride;
        memcpy(image + (long)r * a.stride, lines + pitch + 1, a.stride * sizeof *image);
        subtract_rows(lines + pitch + 2, lines + pitch, g + COLUMN * plane, plane, a.stride);
        subtract_rows(lines + 2 * pitch + 1, lines + 1, g + ROW * plane, plane, a.stride);
        for (int p = 0; p < BOUND; p++)
            continue_row(g + p * plane, low, high, a.stride);
    }
}

/* Sum gradients over five pixels along them and three across, but for two pixels along
 * each side; plane `p` of the two components and what it lacks. */
INLINE void smooth_rows(srrf_arguments a, const float *in, float *out, int framed_rows,
                        int p, int rows, int columns)
{
    long plane = (long)a.framed_rows * a.stride;
    in += p * plane;
    out += p * plane;
    for (int r = 2; r < framed_rows - 2; r++)
        for (int c = 2; c + LANES + 2 <= a.stride; c += LANES) {
            long place = (long)r * a.stride + c;
            total t = {ZERO, ZERO};
            for (int i = -rows; i <= rows; i++)
                for (int j = -columns; j <= columns; j++) {
                    const float *g = in + place + i * (long)a.stride + j;
                    t = add_to(t, load(g), load(g + plane));
                }
            total tidy = two_sum(t.sum, t.error);
            store(out + place, tidy.sum);
            store(out + plane + place, tidy.error);
        }
}

/* Where interpolated gradients are doubtful; `lines` is room for one row. */
INLINE void bound_rows(srrf_arguments a, float *gradient, int framed_rows, float *lines)
{
    long plane = (long)a.framed_rows * a.stride;
    for (int r = 0; r + 3 < framed_rows; r++) {
        const float *g = gradient + (long)r * a.stride;
        for (int c = 0; c < a.stride; c += LANES) {
            real largest = ZERO;
            for (int i = 0; i < 4; i++) {
                real x = absolute(load(g + COLUMN * plane + i * (long)a.stride + c));
                real y = absolute(load(g + ROW * plane + i * (long)a.stride + c));
                largest = larger(largest, larger(x, y));
            }
            store(lines + c, largest);
        }
        float *bound = gradient + BOUND * plane + (long)r * a.stride;
        for (int c = 0; c + 3 < a.stride; c++) {
            float left = lines[c] > lines[c + 1] ? lines[c] : lines[c + 1];
            float right = lines[c + 2] > lines[c + 3] ? lines[c + 2] : lines[c + 3];
            bound[c] = bound_of(a, left > right ? left : right);
        }
    }
}

/* The gradients of one camera row on all ring samples of one row of phases, turned so
 * that one component points from the centre to the sample and the other across.
 * `gradient` points at the row's beginning. */
INLINE void turn_rows(srrf_arguments a, const float *gradient, int down, float *turned)
{
    long plane = (long)a.framed_rows * a.stride;
    for (int n = 0; n < a.ring; n++) {
        const float *g = gradient + a.row_tap[down + n] * (long)a.stride;
        const float *weights = a.row_weights + 4 * (down + n);
        float u_x = a.direction[2 * n], u_y = a.direction[2 * n + 1];
        float *along = turned + 2L * n * a.stride, *across = along + a.stride;
        for (int c = 0; c < a.stride; c += LANES) {
            const float *x = g + COLUMN * plane + c, *y = g + ROW * plane + c;
            real g_x = blend(load(x), load(x + a.stride), load(x + 2 * a.stride),
                             load(x + 3 * a.stride), weights);
            real g_y = blend(load(y), load(y + a.stride), load(y + 2 * a.stride),
                             load(y + 3 * a.stride), weights);
            store(along + c, g_x * u_x + g_y * u_y);
            store(across + c, g_y * u_x - g_x * u_y);
        }
    }
}

/* The sums over the rings of two neighbouring vectors of pixels, which share what is read
 * of the tables; of one, if `vectors` is 1. */
INLINE void ring_of(srrf_arguments a, const float *gradient, const float *turned, int down,
                    int across, int vectors, real *values)
{
    const float *bound = gradient + BOUND * (long)a.framed_rows * a.stride;
    ring_sum r[2] = {{ZERO, bits(ZERO)}, {ZERO, bits(ZERO)}};
    for (int n = 0; n < a.ring; n++) {
        const float *weights = a.column_weights + 4 * (across + n);
        const float *g = turned + 2L * n * a.stride + a.column_tap[across + n];
        const float *b = bound + a.row_tap[down + n] * (long)a.stride
            + a.column_tap[across + n];
        for (int v = 0; v < vectors; v++)
            r[v] = take_sample(r[v], blend_row(g + v * LANES, weights),
                               blend_row(g + a.stride + v * LANES, weights),
                               load(b + v * LANES), n);
    }
    for (int v = 0; v < vectors; v++)
        values[v] = settled(a, r[v], gradient + v * LANES, down, across);
}

/* The gradients with what they lack, in double: a plane of column components, then one of
 * row components. */
INLINE void widen_rows(srrf_arguments a, const float *gradient, int framed_rows, double *out)
{
    long plane = (long)a.framed_rows * a.stride;
    for (int component = 0; component < 2; component++, gradient += 2 * plane, out += plane)
        for (long i = 0; i < (long)framed_rows * a.stride; i += WIDE)
            store_wide(out + i, to_wide(load_thin(gradient + i), 1)
                                    + to_wide(load_thin(gradient + plane + i), 1));
}

/* The same as turn_rows in double. */
INLINE void turn_rows_precisely(srrf_arguments a, const double *gradient, int down,
                                double *turned)
{
    long plane = (long)a.framed_rows * a.stride;
    for (int n = 0; n < a.ring; n++) {
        const double *g = gradient + a.row_tap[down + n] * (long)a.stride;
        const int *shares = a.row_shares + 4 * (down + n);
        double weights[4] = {shares[0] * SHARE_UNIT, shares[1] * SHARE_UNIT,
                             shares[2] * SHARE_UNIT, shares[3] * SHARE_UNIT};
        double u_x = a.direction[2 * n], u_y = a.direction[2 * n + 1];
        double *along = turned + 2L * n * a.stride, *across = along + a.stride;
        for (int c = 0; c < a.stride; c += WIDE) {
            wide x = WIDE_ZERO, y = WIDE_ZERO;
            for (int i = 0; i < 4; i++) {
                const double *p = g + i * (long)a.stride + c;
                x = x + load_wide(p) * weights[i];
                y = y + load_wide(p + plane) * weights[i];
            }
            store_wide(along + c, x * u_x + y * u_y);
            store_wide(across + c, y * u_x - x * u_y);
        }
    }
}

/* What one sample adds to the sum over the ring, from its gradient and from the square of
 * what of one is rounding. */
INLINE wide sample_precisely(wide along, wide aside, wide least)
{
    wide squared = along * along + aside * aside;
    wide inverse = inverse_root_wide(squared + least);
    wide hit = inverse * (squared * inverse - absolute_wide(aside));
    return with_sign(hit * hit, along);
}

/* The square of what of the gradients from four by four pixels is rounding. */
INLINE wide rounding_squared(const float *bound)
{
    wide least = to_wide(load_thin(bound), 1) * VANISHING;
    return least * least + 1e-300;
}

/* How far four neighbours are from the second of them, and that one. */
typedef struct {
    wide base, before, after, last;
} around;

INLINE around around_of(wide before, wide base, wide after, wide last)
{
    around r = {base, before - base, after - base, last - base};
    return r;
}

/* Interpolation between them, whose weights add up to 1. */
INLINE wide between_wide(around r, const double *weights)
{
    return r.base + r.before * weights[0] + r.after * weights[2] + r.last * weights[3];
}

/* The sums over the rings of some pixels at one row of phases, less than 0 if gradients aim
 * at them; `bound` and `turned` point at the first. Phases take their samples from the same
 * four neighbours or from the next ones, so five are loaded for all. */
INLINE void rings_precisely(srrf_arguments a, const float *bound, const double *turned,
                            int down, int across, const double *weights, double *sums)
{
    for (int p = 0; p < a.magnification; p++)
        store_wide(sums + p * WIDE, WIDE_ZERO);
    for (int n = 0; n < a.ring; n++) {
        int tap = a.column_tap[across + n];
        const double *x = turned + 2L * n * a.stride + tap, *y = x + a.stride;
        const float *b = bound + a.row_tap[down + n] * (long)a.stride + tap;
        wide x1 = load_wide(x + 1), x2 = load_wide(x + 2), x3 = load_wide(x + 3);
        wide y1 = load_wide(y + 1), y2 = load_wide(y + 2), y3 = load_wide(y + 3);
        around x_here = around_of(load_wide(x), x1, x2, x3);
        around y_here = around_of(load_wide(y), y1, y2, y3);
        around x_next = around_of(x1, x2, x3, load_wide(x + 4));
        around y_next = around_of(y1, y2, y3, load_wide(y + 4));
        wide least_here = rounding_squared(b), least_next = rounding_squared(b + 1);
        for (int p = 0; p < a.magnification; p++) {
            const double *w = weights + 4 * (p * a.ring + n);
            wide along, aside, least;
            if (a.column_tap[across + p * a.ring + n] == tap) {
                along = between_wide(x_here, w);
                aside = between_wide(y_here, w);
                least = least_here;
            } else {
                along = between_wide(x_next, w);
                aside = between_wide(y_next, w);
                least = least_next;
            }
            store_wide(sums + p * WIDE, load_wide(sums + p * WIDE)
                                            + sample_precisely(along, aside, least));
        }
    }
}

/* The radiality of a row of pixels at one row of phases, in two parts: two lines a phase.
 * `room` is for the weights, and for a sum of each phase. */
INLINE void radiality_rows(srrf_arguments a, const float *gradient, const double *turned,
                           int table, int phase_row, float *lines, double *room)
{
    int m = a.magnification, down = (table * m + phase_row) * a.ring;
    int across = table * m * a.ring, taps = 4 * m * a.ring;
    const float *bound = gradient + BOUND * (long)a.framed_rows * a.stride;
    for (int i = 0; i < taps; i++)
        room[i] = a.column_shares[4 * across + i] * SHARE_UNIT;
    for (int c = 0; c < a.pitch; c += WIDE) {
        rings_precisely(a, bound + c, turned + c, down, across, room, room + taps);
        for (int p = 0; p < m; p++) {
            wide value = load_wide(room + taps + p * WIDE) * (-1.0 / a.ring);
            if (a.renormalise)
                value = value * 0.5 + 0.5;
            if (a.positivity)
                value = positive_wide(value);
            thin sum = to_thin(value);
            store_thin(lines + 2L * p * a.stride + c, sum);
            store_thin(lines + (2L * p + 1) * a.stride + c, to_thin(to_wide(sum, 1) - value));
        }
    }
}

/* One phase of one camera row; `image`, `gradient` and `turned` point at its first pixel,
 * and so do `sums` and `errors` if its radiality is known. */
INLINE void phase_row(srrf_arguments a, const float *image, const float *gradient,
                      const float *turned, const float *sums, const float *errors,
                      int frame, int row, int phase)
{
    int m = a.magnification, table = frame % a.tables, is_first = a.fresh && frame == 0;
    int down = (table * m + phase / m) * a.ring, across = (table * m + phase % m) * a.ring;
    long target = ((long)phase * a.height + row) * a.pitch;
    long size = (long)m * m * a.height * a.pitch;
    for (int c = 0; c < a.pitch; c += 2 * LANES) {
        real values[2];
        int vectors = c + LANES < a.pitch ? 2 : 1;
        if (!a.precise && vectors == 2)
            ring_of(a, gradient + c, turned + c, down, across, 2, values);
        else if (!a.precise)
            ring_of(a, gradient + c, turned + c, down, across, 1, values);
        for (int v = 0; v < vectors; v++) {
            int column = c + v * LANES;
            total value;
            if (a.precise) {
                value.sum = load(sums + column);
                value.error = load(errors + column);
            } else {
                value = mean_of(a, values[v]);
            }
            worth w = finished(a, value, image + column, table, row, column, phase);
            moments kept = is_first ? no_moments() : load_moments(a, target + column);
            kept = take_in(a, kept, w, is_first);
            store_moments(a, target + column, kept, is_first);
            if (a.statistic == FRAMES)
                store(a.away + frame * size + target + column, kept.away);
        }
    }
}

/* One band of camera rows, frame after frame, so that a frame's gradients stay in cache. */
void srrf_part(srrf_arguments a, int part, float *scratch)
{
    long plane = (long)a.framed_rows * a.stride;
    float *image = scratch, *gradient = image + plane, *rough = gradient + PLANES * plane;
    float *widened = rough + (a.smoothing ? BOUND * plane : 0);
    float *turned = widened + (a.precise ? BOUND * plane : 0);
    float *lines = turned + (a.precise ? 4L : 2L) * a.ring * a.stride;
    int m = a.magnification, first = part * a.part_rows;
    double *room = (double *)(lines + (m > 1 ? 2L * m : 3L) * a.stride);
    int rows = a.height - first < a.part_rows ? a.height - first : a.part_rows;
    int framed_rows = rows + a.framed_rows - a.part_rows;
    for (int frame = 0; frame < a.count; frame++) {
        gradient_rows(a, frame, first, framed_rows, image, a.smoothing ? rough : gradient,
                      lines);
        if (a.smoothing) {
            smooth_rows(a, rough, gradient, framed_rows, COLUMN, 1, 2);
            smooth_rows(a, rough, gradient, framed_rows, ROW, 2, 1);
        }
        bound_rows(a, gradient, framed_rows, lines);
        if (a.precise)
            widen_rows(a, gradient, framed_rows, (double *)widened);
        for (int r = 0; r < rows; r++) {
            long line = (r + a.before) * (long)a.stride;
            const float *near = gradient + line + a.before;
            for (int phase = 0; phase < m * m; phase++) {
                int table = frame % a.tables, down = (table * m + phase / m) * a.ring;
                if (phase % m == 0 && a.precise) {
                    turn_rows_precisely(a, (double *)widened + line, down, (double *)turned);
                    radiality_rows(a, near, (double *)turned + a.before, table, phase / m,
                                   lines, room);
                } else if (phase % m == 0) {
                    turn_rows(a, gradient + line, down, turned);
                }
                const float *known = lines + 2L * (phase % m) * a.stride;
                phase_row(a, image + line + a.before, near, turned + a.before, known,
                          known + a.stride, frame, first + r, phase);
            }
        }
    }
}

#endif
