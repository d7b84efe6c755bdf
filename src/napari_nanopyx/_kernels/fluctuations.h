/* What the eSRRF kernels have in common: half-way points, powers, running sums over frames.
 * Who includes it names the struct of its arguments ARGUMENTS. */
#ifndef FLUCTUATIONS_H
#define FLUCTUATIONS_H

enum { MEAN, VARIANCE, LAG };

/* A sum with the rounding error it carries (Kahan): sum - error is the better value. */
typedef struct {
    real sum, error;
} total;

typedef struct {
    real first, last;
    total sum, squares, lag;
} moments;

/* Half-way between the middle two of four neighbours (Catmull-Rom), times 16. */
INLINE wide half_way(wide a, wide b, wide c, wide d)
{
    return difference_wide(times_wide(sum_wide(b, c), 9), sum_wide(a, d));
}

/* x to a power that is no whole number, for 0 <= x <= 1 and a positive exponent. */
INLINE real fractional_power(real x, float exponent)
{
    mask parts = bits(larger(x, ZERO + 1.2e-38f)) - 0x3f3504f3;
    real mantissa = from_bits((parts & 0x007fffff) + 0x3f3504f3);
    real t = (mantissa - 1.0f) / (mantissa + 1.0f);
    real u = t * t;
    real series = 0.57707802f + u * (0.41219858f + u * 0.32059890f);
    real logarithm = to_float(parts >> 23) + t * (2.88539008f + u * (0.96179669f + u * series));
    real y = larger(logarithm * exponent, ZERO - 126.0f);
    real whole = (y + 12582912.0f) - 12582912.0f;
    real f = y - whole;
    real tail = 0.0013333558f + f * (0.00015403530f + f * 0.000015252734f);
    real fraction = 1.0f + f * (0.69314718f + f * (0.24022651f + f * (0.055504109f
                    + f * (0.0096181291f + f * tail))));
    real power = from_bits(bits(fraction) + ((bits(whole + 12582912.0f) & 0x1ff) << 23));
    return where_negative(ZERO - x, power);
}

/* x to the sensitivity; `whole` is that number if it is a whole one, else 0. */
INLINE real sharpen(real x, int whole, float sensitivity)
{
    if (whole == 0)
        return fractional_power(x, sensitivity);
    real power = x;
    for (int i = 1; i < whole; i++)
        power = power * x;
    return power;
}

/* Cubic interpolation between four neighbours. */
INLINE real blend(real a, real b, real c, real d, TABLE const float *weights)
{
    return a * weights[0] + b * weights[1] + c * weights[2] + d * weights[3];
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

/* Take one more value of a pixel into its running sums, counted from its first value so
 * that a small variance on a large mean is not lost to rounding. */
INLINE moments take_in(moments m, real value, int statistic, int is_first)
{
    if (statistic == MEAN) {
        m.sum = plus(m.sum, value);
    } else if (is_first) {
        m.first = value;
    } else {
        value = value - m.first;
        m.sum = plus(m.sum, value);
        if (statistic == VARIANCE) {
            m.squares = plus(m.squares, value * value);
        } else {
            m.lag = plus(m.lag, m.last * value);
            m.last = value;
        }
    }
    return m;
}

INLINE moments no_moments(void)
{
    moments m = {ZERO, ZERO, {ZERO, ZERO}, {ZERO, ZERO}, {ZERO, ZERO}};
    return m;
}

INLINE moments load_moments(ARGUMENTS a, long i)
{
    moments m = no_moments();
    m.sum.sum = load(a.sum + i);
    if (a.compensated)
        m.sum.error = load(a.sum_error + i);
    if (a.statistic != MEAN)
        m.first = load(a.first + i);
    if (a.statistic == VARIANCE) {
        m.squares.sum = load(a.squares + i);
        m.squares.error = load(a.squares_error + i);
    }
    if (a.statistic == LAG) {
        m.lag.sum = load(a.lag + i);
        m.lag.error = load(a.lag_error + i);
        m.last = load(a.last + i);
    }
    return m;
}

INLINE void store_moments(ARGUMENTS a, long i, moments m)
{
    store(a.sum + i, m.sum.sum);
    if (a.compensated)
        store(a.sum_error + i, m.sum.error);
    if (a.statistic != MEAN)
        store(a.first + i, m.first);
    if (a.statistic == VARIANCE) {
        store(a.squares + i, m.squares.sum);
        store(a.squares_error + i, m.squares.error);
    }
    if (a.statistic == LAG) {
        store(a.lag + i, m.lag.sum);
        store(a.lag_error + i, m.lag.error);
        store(a.last + i, m.last);
    }
}

#endif
