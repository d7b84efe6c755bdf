/* Frames sampled at any points.
 *
 * A point is the sum of what an output row, an output column and, if there is one, a
 * field of shifts contribute, each a whole number of pixels and a fraction. Fractions
 * are multiples of 2^-20: their sums are exact in float32, so that every implementation
 * finds the same pixels. Less half a pixel (`centre`), the whole part of the sum is the
 * sample before the point. `down` and `across` hold row, row's fraction, column, column's
 * fraction, one after the other. */
#include "dialect.h"
#include "warp_arguments.h"

#ifdef __OPENCL_VERSION__ /* one call a work-item */

INLINE void weigh(float t, int taps, float *weights)
{
    if (taps == 1) {
        weights[0] = 1;
    } else if (taps == 2) {
        weights[0] = 1 - t;
        weights[1] = t;
    } else {
        weights[0] = ((1 - 0.5f * t) * t - 0.5f) * t;
        weights[1] = (1.5f * t - 2.5f) * t * t + 1;
        weights[2] = ((2 - 1.5f * t) * t + 0.5f) * t;
        weights[3] = (0.5f * t - 0.5f) * t * t;
    }
}

INLINE float value_at(warp_arguments a, int column, int row, int frame, int taps)
{
    int table = frame % a.tables;
    GLOBAL const float *down = a.down + 4 * ((long)table * a.output_height + row);
    GLOBAL const float *across = a.across + (long)table * 4 * a.pitch + column;
    float whole[2], fraction[2], weights[2][4];
    for (int axis = 0; axis < 2; axis++) {
        float sum = down[2 * axis + 1] + across[(2 * axis + 1) * a.pitch];
        whole[axis] = down[2 * axis] + across[2 * axis * a.pitch];
        if (a.fields) {
            float shift = a.field[((2L * table + axis) * a.output_height + row) * a.pitch
                                  + column];
            whole[axis] += floor(shift);
            sum += shift - floor(shift);
        }
        whole[axis] += floor(sum);
        fraction[axis] = sum - floor(sum);
        weigh(fraction[axis], taps, weights[axis]);
    }
    float r = whole[0] + floor(fraction[0] + a.centre);
    float c = whole[1] + floor(fraction[1] + a.centre);
    if (r < 0 || r >= a.height || c < 0 || c >= a.width)
        return a.fill;
    int before = (taps - 1) / 2;
    int first_row = (int)whole[0] - before, first_column = (int)whole[1] - before;
    float value = 0;
    for (int i = 0; i < taps; i++) {
        GLOBAL const PIXEL *pixels = a.frames
            + ((long)frame * a.height + clamp(first_row + i, 0, a.height - 1)) * a.width;
        float sum = 0;
        for (int j = 0; j < taps; j++)
            sum += weights[1][j] * (float)pixels[clamp(first_column + j, 0, a.width - 1)];
        value += weights[0][i] * sum;
    }
    return value;
}

INLINE void warp_pixel(warp_arguments a, int column, int row, int frame)
{
    float value;
    switch (a.taps) {
    case 1: value = value_at(a, column, row, frame, 1); break;
    case 2: value = value_at(a, column, row, frame, 2); break;
    default: value = value_at(a, column, row, frame, 4);
    }
    a.warped[((long)frame * a.output_height + row) * a.output_width + column] = value;
}

#else /* one call a part, all on one thread */

#include "frame.h"

/* The part of a frame that a band of output rows is made of, as samples before a point. */
typedef struct {
    int low[2], high[2];
} window;

/* LANES points along one axis: the sample before each, how far behind it each lies, and
 * whether it is in the frame. */
typedef struct {
    real whole, fraction;
    mask inside;
} points;

enum { TOGETHER, NEAR, APART };

INLINE real lowered(real x)
{
    real whole = to_float(to_whole(x));
    return whole - where_negative(x - whole, ZERO + 1.0f);
}

INLINE void weigh(real t, int taps, real *weights)
{
    if (taps == 1) {
        weights[0] = ZERO + 1.0f;
    } else if (taps == 2) {
        weights[0] = 1.0f - t;
        weights[1] = t;
    } else {
        weights[0] = ((1.0f - 0.5f * t) * t - 0.5f) * t;
        weights[1] = (1.5f * t - 2.5f) * t * t + 1.0f;
        weights[2] = ((2.0f - 1.5f * t) * t + 0.5f) * t;
        weights[3] = (0.5f * t - 0.5f) * t * t;
    }
}

/* `down` and `across` begin with those of this axis. */
INLINE points points_along(warp_arguments a, const float *down, const float *across,
                           const float *field, int length)
{
    points p;
    real sum = load(across + a.pitch) + down[1];
    p.whole = load(across) + down[0];
    if (field) {
        real shift = load(field), whole = lowered(shift);
        p.whole += whole;
        sum += shift - whole;
    }
    real more = to_float(to_whole(sum));
    p.whole += more;
    p.fraction = sum - more;
    real pixel = p.whole + to_float(to_whole(p.fraction + a.centre));
    p.inside = at_least(pixel, ZERO) & at_least(ZERO + (length - 1.0f), pixel);
    return p;
}

INLINE mask held(real whole, int low, int high)
{
    return to_whole(larger(smaller(whole, ZERO + (float)high), ZERO + (float)low)
                    - (float)low);
}

/* How LANES samples lie: side by side, within reach of one load, or anywhere. */
INLINE int lie(const int32_t *index)
{
    int together = 1, near = 1;
    for (int i = 0; i < LANES; i++) {
        together &= index[i] - index[0] == i;
        near &= index[i] - index[0] >= 0 && index[i] - index[0] < LANES;
    }
    return together ? TOGETHER : near ? NEAR : APART;
}

INLINE real weighted(const float *samples, long stride, const int32_t *index, int how,
                     int taps, const real *down, const real *across)
{
    real value = ZERO;
    for (int i = 0; i < taps; i++) {
        real sum = ZERO;
        for (int j = 0; j < taps; j++) {
            const float *p = samples + i * stride + j;
            sum += across[j] * (how == TOGETHER ? load(p + index[0])
                                : how == NEAR   ? gather_near(p, index)
                                                : gather(p, index));
        }
        value += down[i] * sum;
    }
    return value;
}

/* LANES outputs. */
INLINE real values_at(warp_arguments a, const float *down, const float *across,
                      const float *field, window w, const float *samples, long stride,
                      int taps)
{
    long other = (long)a.output_height * a.pitch;
    points r = points_along(a, down, across, field, a.height);
    points c = points_along(a, down + 2, across + 2 * a.pitch, field ? field + other : 0,
                            a.width);
    mask inside = r.inside & c.inside;
    if (!any_bit(inside))
        return ZERO + a.fill;
    mask places = held(r.whole, w.low[0], w.high[0]) * (int)stride
        + held(c.whole, w.low[1], w.high[1]);
    int32_t index[LANES];
    memcpy(index, &places, sizeof places);
    real weights[2][4], value;
    weigh(r.fraction, taps, weights[0]);
    weigh(c.fraction, taps, weights[1]);
    switch (lie(index)) {
    case TOGETHER:
        value = weighted(samples, stride, index, TOGETHER, taps, weights[0], weights[1]);
        break;
    case NEAR:
        value = weighted(samples, stride, index, NEAR, taps, weights[0], weights[1]);
        break;
    default:
        value = weighted(samples, stride, index, APART, taps, weights[0], weights[1]);
    }
    return from_bits((bits(value) & inside) | (bits(ZERO + a.fill) & ~inside));
}

/* Row and column contribute in proportion, so that their extremes are at their ends. */
static window window_of(warp_arguments a, int table, int start, int stop)
{
    window w;
    for (int axis = 0; axis < 2; axis++) {
        const float *down = a.down + 4L * table * a.output_height + 2 * axis;
        const float *across = a.across + (4L * table + 2 * axis) * a.pitch;
        float rows[2] = {down[4L * start], down[4L * (stop - 1)]};
        float columns[2] = {across[0], across[a.output_width - 1]};
        int last = (axis ? a.width : a.height) - 1;
        float low = 0, high = 0;
        for (int row = start; a.fields && row < stop; row++) {
            const float *reach
                = a.reach + ((2L * table + axis) * a.output_height + row) * 2;
            low = row == start || reach[0] < low ? reach[0] : low;
            high = row == start || reach[1] > high ? reach[1] : high;
        }
        low += rows[0] < rows[1] ? rows[0] : rows[1];
        low += columns[0] < columns[1] ? columns[0] : columns[1];
        high += rows[0] > rows[1] ? rows[0] : rows[1];
        high += columns[0] > columns[1] ? columns[0] : columns[1];
        w.low[axis] = between((int)low, -1, last);
        w.high[axis] = between((int)high + 2, -1, last);
    }
    return w;
}

INLINE void write_band(warp_arguments a, int part, float *samples, int taps)
{
    int bands = (a.output_height + a.part_rows - 1) / a.part_rows;
    int frame = part / bands, table = frame % a.tables;
    int start = part % bands * a.part_rows;
    int stop = between(start + a.part_rows, 0, a.output_height);
    int before = (taps - 1) / 2;
    window w = window_of(a, table, start, stop);
    long stride = w.high[1] - w.low[1] + taps;
    for (int i = 0; i < w.high[0] - w.low[0] + taps; i++) {
        int row = between(w.low[0] - before + i, 0, a.height - 1);
        read_row(a.frames, a.pixel, ((long)frame * a.height + row) * a.width, a.width,
                 w.low[1] - before, samples + i * stride, stride);
    }
    const float *across = a.across + 4L * table * a.pitch;
    for (int row = start; row < stop; row++) {
        const float *down = a.down + 4 * ((long)table * a.output_height + row);
        const float *field
            = a.fields ? a.field + (2L * table * a.output_height + row) * a.pitch : 0;
        float *out = a.warped + ((long)frame * a.output_height + row) * a.output_width;
        for (int q = 0; q < a.output_width; q += LANES) {
            real value = values_at(a, down, across + q, field ? field + q : 0, w, samples,
                                   stride, taps);
            if (q + LANES <= a.output_width)
                store(out + q, value);
            else
                memcpy(out + q, &value, (a.output_width - q) * sizeof *out);
        }
    }
}

void warp_part(warp_arguments a, int part, float *scratch)
{
    switch (a.taps) {
    case 1:
        write_band(a, part, scratch, 1);
        break;
    case 2:
        write_band(a, part, scratch, 2);
        break;
    default:
        write_band(a, part, scratch, 4);
    }
}

#endif
