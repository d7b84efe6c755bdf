/* Samples of SRRF's ring in exact numbers: doubles, or pairs of floats on an OpenCL device
 * that has none. It takes kernel.c's planes of the gradient. */
#ifndef SRRF_EXACT_H
#define SRRF_EXACT_H

/* What the integer shares of the tables stand for, and beside the largest of its pixels
 * the gradient that is rounding. */
#define SHARE_UNIT 9.31322574615478515625e-10
#define VANISHING 1e-12

#ifdef WITHOUT_DOUBLE

/* A number and what it lacks. */
typedef struct {
    float value, rest;
} exact;

INLINE exact exact_sum(exact a, exact b)
{
    float sum = a.value + b.value, part = sum - a.value;
    float rest = (a.value - (sum - part)) + (b.value - part) + (a.rest + b.rest);
    exact result = {sum + rest, 0};
    result.rest = rest - (result.value - sum);
    return result;
}

INLINE exact exact_product(exact a, exact b)
{
    float product = a.value * b.value;
    float rest = fma(a.value, b.value, -product) + (a.value * b.rest + a.rest * b.value);
    exact result = {product + rest, 0};
    result.rest = rest - (result.value - product);
    return result;
}

INLINE exact exact_share(int share)
{
    exact result = {(float)share, 0};
    result.rest = (float)(share - (int)result.value);
    return result;
}

/* The power of two that brings the largest component to about 1, if a float can be. */
INLINE float scale_of(float largest)
{
    return largest > 0 ? ldexp(1.0f, clamp(-ilogb(largest), -126, 126)) : 1.0f;
}

INLINE exact exact_component(float value, float rest, float scale)
{
    exact result = {value * scale, rest * scale};
    return result;
}

#else

typedef double exact;
#define exact_sum(a, b) ((a) + (b))
#define exact_product(a, b) ((a) * (b))
#define exact_share(share) ((double)(share))
#define scale_of(largest) 1.0f
#define exact_component(value, rest, scale) ((double)(value) + (rest))

#endif

typedef struct {
    exact x, y;
    float largest;
} exact_gradient;

/* A number as a float and what is to be taken off it. */
typedef struct {
    float sum, error;
} parted;

/* The gradient at sample `number` of one pixel, in units of its own, and the largest of the
 * components that it is interpolated from, in 2^60 of these units. `gradient` points at the
 * pixel. */
INLINE exact_gradient sample_exactly(srrf_arguments a, GLOBAL const float *gradient,
                                     int number, int down, int across)
{
    long plane = (long)a.framed_rows * a.stride;
    exact none = exact_share(0);
    exact_gradient found = {none, none, 0};
    down += number;
    across += number;
    gradient += a.row_tap[down] * a.stride + a.column_tap[across];
    for (int i = 0; i < 16; i++) {
        GLOBAL const float *g = gradient + i / 4 * a.stride + i % 4;
        float larger_one = fmax(fabs(g[COLUMN * plane]), fabs(g[ROW * plane]));
        found.largest = fmax(found.largest, larger_one);
    }
    float scale = scale_of(found.largest);
    for (int i = 0; i < 4; i++) {
        exact x = none, y = none, row_share = exact_share(a.row_shares[4 * down + i]);
        for (int j = 0; j < 4; j++) {
            GLOBAL const float *g = gradient + i * a.stride + j;
            exact share = exact_share(a.column_shares[4 * across + j]);
            exact g_x = exact_component(g[COLUMN * plane], g[COLUMN_REST * plane], scale);
            exact g_y = exact_component(g[ROW * plane], g[ROW_REST * plane], scale);
            x = exact_sum(x, exact_product(share, g_x));
            y = exact_sum(y, exact_product(share, g_y));
        }
        found.x = exact_sum(found.x, exact_product(row_share, x));
        found.y = exact_sum(found.y, exact_product(row_share, y));
    }
    found.largest *= scale;
    return found;
}

/* What sample `number` adds to the sum over the ring. */
INLINE float exact_sample(srrf_arguments a, GLOBAL const float *gradient, int number,
                          int down, int across_at)
{
    exact_gradient g = sample_exactly(a, gradient, number, down, across_at);
    /* A gradient below 1e-12 of the largest is rounding: see the root below. */
#ifdef WITHOUT_DOUBLE
    float least = 1152921.504606846976e6f * g.largest + 1e-37f;
    float inverse = 1.0f / (fabs(g.x.value) + fabs(g.y.value) + least);
    float x = g.x.value * inverse, y = g.y.value * inverse;
#else
    double least = 1152921.504606846976e6 * g.largest + 1e-300;
    double inverse = 1.0 / (fabs(g.x) + fabs(g.y) + least);
    float x = (float)(g.x * inverse), y = (float)(g.y * inverse);
#endif
    float u_x = a.direction[2 * number], u_y = a.direction[2 * number + 1];
    float along = x * u_x + y * u_y, across = y * u_x - x * u_y;
    float squared = x * x + y * y;
    float root_inverse = 1.0f / (float)sqrt(squared + 1e-12f);
    float hit = root_inverse * (squared * root_inverse - (float)fabs(across));
    return along > 0 ? -hit * hit : hit * hit;
}

#ifdef __OPENCL_VERSION__ /* the CPU takes many pixels at once, see kernel.c */

#ifdef WITHOUT_DOUBLE

/* What samples add up to, in integers: 2^-31 of one. */
typedef long precise;

INLINE long whole(exact x, int exponent)
{
    return (long)rint(ldexp(x.value, exponent)) + (long)rint(ldexp(x.rest, exponent));
}

/* x / 2^places, rounded. */
INLINE long moved(long x, int places) { return (x + (1L << (places - 1))) >> places; }

INLINE long precise_sample(exact_gradient g, float u_x, float u_y)
{
    float size = fmax(fabs(g.x.value), fabs(g.y.value));
    if (size <= VANISHING / (SHARE_UNIT * SHARE_UNIT) * g.largest)
        return 0;
    int exponent = 30 - ilogb(size);
    long x = whole(g.x, exponent), y = whole(g.y, exponent);
    long unit_x = (long)rint(ldexp(u_x, 30)), unit_y = (long)rint(ldexp(u_y, 30));
    long along = x * unit_x + y * unit_y;
    long across = moved((long)abs(y * unit_x - x * unit_y), 30);
    ulong squared = (ulong)(x * x) + (ulong)(y * y);
    long norm = (long)sqrt((float)squared);
    norm += (long)(squared - (ulong)norm * norm) / (2 * norm);
    long hit = (max(norm - across, 0L) * (1L << 31) + norm / 2) / norm;
    hit = moved(hit * hit, 31);
    return along > 0 ? -hit : hit;
}

/* From the sum over the ring to the radiality of a pixel. */
INLINE parted precise_mean(srrf_arguments a, long sum)
{
    long value = sum * (1L << 27) / a.ring;
    if (a.renormalise)
        value = value / 2 + (1L << 57);
    if (a.positivity)
        value = max(value, 0L);
    float high = (float)value;
    parted result = {ldexp(high, -58), ldexp((float)((long)high - value), -58)};
    return result;
}

#else

typedef double precise;

INLINE double precise_sample(exact_gradient g, float u_x, float u_y)
{
    double along = g.x * u_x + g.y * u_y, across = g.y * u_x - g.x * u_y;
    double least = VANISHING / (SHARE_UNIT * SHARE_UNIT) * g.largest;
    double squared = along * along + across * across;
    double inverse = 1.0 / sqrt(squared + least * least + 1e-300);
    double hit = inverse * (squared * inverse - fabs(across));
    return along > 0 ? -hit * hit : hit * hit;
}

INLINE parted precise_mean(srrf_arguments a, double sum)
{
    double value = sum / a.ring;
    if (a.renormalise)
        value = 0.5 + 0.5 * value;
    if (a.positivity)
        value = fmax(value, 0.0);
    float high = (float)value;
    parted result = {high, (float)((double)high - value)};
    return result;
}

#endif

/* The radiality of one pixel, in two parts; `gradient` points at it. */
INLINE parted precise_radiality(srrf_arguments a, GLOBAL const float *gradient, int down,
                                int across)
{
    precise sum = 0;
    for (int n = 0; n < a.ring; n++)
        sum += precise_sample(sample_exactly(a, gradient, n, down, across),
                              a.direction[2 * n], a.direction[2 * n + 1]);
    return precise_mean(a, sum);
}

#endif

#endif
