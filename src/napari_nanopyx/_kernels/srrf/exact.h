/* Samples of SRRF's ring in exact numbers: doubles, or 64-bit integers on an OpenCL device
 * that has none. It takes kernel.c's planes of the gradient. */
#ifndef SRRF_EXACT_H
#define SRRF_EXACT_H

/* What the integer shares of the tables stand for, and beside the largest of its pixels
 * the gradient that is rounding. */
#define SHARE_UNIT 9.31322574615478515625e-10
#define VANISHING 1e-12

#ifdef FIXED_POINT
typedef long exact;
#define exponent_of(largest) ((largest) > 0 ? 29 - ilogb(largest) : 0)
#define to_exact(x, exponent) ((long)rint(ldexp(x, exponent)))
#define exact_product(share, b) mul_hi((long)(share) << 32, b)
#else
typedef double exact;
#define exponent_of(largest) 0
#define to_exact(x, exponent) ((void)(exponent), (double)(x))
#define exact_product(share, b) ((share) * (b))
#endif

typedef struct {
    exact x, y;
    float largest;
} exact_gradient;

/* A number as a float and what is to be taken off it. */
typedef struct {
    float sum, error;
} parted;

/* The gradient at sample `number` of one pixel, in units of its own, and the largest
 * component of those it is interpolated from. `gradient` points at the pixel. */
INLINE exact_gradient sample_exactly(srrf_arguments a, GLOBAL const float *gradient,
                                     int number, int down, int across)
{
    long plane = (long)a.framed_rows * a.stride;
    exact_gradient found = {0, 0, 0};
    down += number;
    across += number;
    gradient += a.row_tap[down] * a.stride + a.column_tap[across];
    for (int i = 0; i < 16; i++) {
        GLOBAL const float *g = gradient + i / 4 * a.stride + i % 4;
#ifdef FIXED_POINT /* leave all digits to what counts */
        if (a.row_shares[4 * down + i / 4] == 0 || a.column_shares[4 * across + i % 4] == 0)
            continue;
#endif
        float larger_one = fmax(fabs(g[COLUMN * plane]), fabs(g[ROW * plane]));
        found.largest = fmax(found.largest, larger_one);
    }
    int exponent = exponent_of(found.largest);
    for (int i = 0; i < 4; i++) {
        exact x = 0, y = 0;
        for (int j = 0; j < 4; j++) {
            GLOBAL const float *g = gradient + i * a.stride + j;
            exact share = a.column_shares[4 * across + j];
            x += share * (to_exact(g[COLUMN * plane], exponent)
                          + to_exact(g[COLUMN_REST * plane], exponent));
            y += share * (to_exact(g[ROW * plane], exponent)
                          + to_exact(g[ROW_REST * plane], exponent));
        }
        found.x += exact_product(a.row_shares[4 * down + i], x);
        found.y += exact_product(a.row_shares[4 * down + i], y);
    }
    return found;
}

/* What sample `number` adds to the sum over the ring. */
INLINE float exact_sample(srrf_arguments a, GLOBAL const float *gradient, int number,
                          int down, int across_at)
{
    exact_gradient g = sample_exactly(a, gradient, number, down, across_at);
#ifdef FIXED_POINT
    float x = (float)g.x, y = (float)g.y;
    float inverse = 1.0f / (fabs(x) + fabs(y) + 1e-30f);
    x *= inverse;
    y *= inverse;
#else
    /* A gradient below 1e-12 of the largest is rounding: see the root below. */
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

#ifdef FIXED_POINT

/* x / 2^places, rounded; or times a power of two, if there are less than no places. */
INLINE long moved(long x, int places)
{
    return places > 0 ? (x + (1L << (places - 1))) >> places : x << -places;
}

/* The same in 2^-31. */
INLINE long precise_sample(exact_gradient g, float u_x, float u_y)
{
    ulong size = max(abs(g.x), abs(g.y));
    if (size == 0)
        return 0;
    int places = 33 - (int)clz(size);
    long x = moved(g.x, places), y = moved(g.y, places);
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
    exact sum = 0;
    for (int n = 0; n < a.ring; n++)
        sum += precise_sample(sample_exactly(a, gradient, n, down, across),
                              a.direction[2 * n], a.direction[2 * n + 1]);
    return precise_mean(a, sum);
}

#endif

#endif
