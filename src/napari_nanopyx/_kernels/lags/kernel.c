/* Autocumulants of every pixel over time, from blocks of images: sums of the products of
 * neighbouring images, and the values that follow from them.
 *
 * The mean that the definition subtracts is known only at the end. So plain sums are kept,
 * of the images minus the mean of the first few, from which the central ones follow. At
 * each further level the same is kept of the images averaged in groups of `order`, in this
 * way again and again. All sums are in double; images are floats once that mean is off. */
#include "dialect.h"
#include "lags_arguments.h"

/* What is kept lies pixel by pixel for so many neighbours, for any width of vectors. */
enum { RUN = 16, MOST_PATTERNS = 8 };

/* One level of one pixel. Bit k of a pattern stands for the lag k + 1, beside the lag 0:
 * sums[pattern] is over all windows but the last that fits, sums[0] that of all images. */
typedef struct {
    double *sums;
    float *heads, *recent;
} level;

INLINE level level_of(int order, int number, float *images, double *sums)
{
    level l;
    l.sums = sums + RUN * (number << (order - 1));
    l.heads = images + RUN * number * (2 * order - 1);
    l.recent = l.heads + RUN * (order - 1);
    return l;
}

/* Image number n, which is among the last `order` ones. */
INLINE wide recent_image(level l, int order, int n)
{
    return to_wide(load_thin(l.recent + RUN * (n % order)), 1);
}

INLINE void add_to(double *sum, wide value) { store_wide(sum, load_wide(sum) + value); }

/* Add the products of the window that begins with image number n. */
INLINE void add_window(level l, int order, int n)
{
    wide products[MOST_PATTERNS];
    products[0] = recent_image(l, order, n);
    for (int bit = 1, lag = 1; lag < order; bit *= 2, lag++) {
        wide image = recent_image(l, order, n + lag);
        for (int k = bit; k < 2 * bit; k++) {
            products[k] = products[k - bit] * image;
            add_to(l.sums + RUN * k, products[k]);
        }
    }
}

/* Take in image number n, and what it completes at further levels. */
INLINE void take_in(lags_arguments a, int order, int n, wide value, float *images,
                    double *sums)
{
    for (int number = 0; number < a.levels; number++) {
        level l = level_of(order, number, images, sums);
        thin image = to_thin(value);
        if (n >= order)
            add_window(l, order, n - order);
        if (n < order - 1)
            store_thin(l.heads + RUN * n, image);
        store_thin(l.recent + RUN * (n % order), image);
        add_to(l.sums, to_wide(image, 1));
        if (++n % order != 0)
            return;
        value = WIDE_ZERO;
        for (int i = 0; i < order; i++)
            value = value + recent_image(l, order, i);
        value = value * (1.0 / order);
        n = n / order - 1;
    }
}

/* Subtract a number from all images so far, of which there are too few for products. */
INLINE void move_images(lags_arguments a, int order, wide mean, float *images, double *sums)
{
    for (int number = 0, n = a.before; number < a.levels; number++, n /= order) {
        level l = level_of(order, number, images, sums);
        add_to(l.sums, mean * (-1.0 * n));
        for (int i = 0; i < n && i < order - 1; i++)
            store_thin(l.heads + RUN * i,
                       to_thin(to_wide(load_thin(l.heads + RUN * i), 1) - mean));
        for (int i = 0; i < n && i < order; i++)
            store_thin(l.recent + RUN * i,
                       to_thin(to_wide(load_thin(l.recent + RUN * i), 1) - mean));
    }
}

/* The sum of products at some lags over all windows of n images; bit k stands for lag k.
 * The sum of a pattern is of windows that begin with it: where the first lag is not 0, the
 * first few are taken off again and as many added behind the last. */
INLINE wide sum_at(level l, int order, int n, int lags)
{
    int start = 0;
    while (!(lags >> start & 1))
        start++;
    int pattern = lags >> start;
    wide sum = load_wide(l.sums + RUN * (pattern >> 1));
    if (pattern == 1) { /* of all images: those before and after the windows' are too many */
        for (int i = 0; i < order; i++)
            sum = sum - (i < start ? to_wide(load_thin(l.heads + RUN * i), 1)
                                   : recent_image(l, order, n + i));
        return sum;
    }
    for (int i = 0; i < start; i++) {
        wide early = WIDE_ZERO + 1.0, late = WIDE_ZERO + 1.0;
        for (int lag = 0; pattern >> lag; lag++)
            if (pattern >> lag & 1) {
                early = early * to_wide(load_thin(l.heads + RUN * (i + lag)), 1);
                late = late * recent_image(l, order, n + i + lag);
            }
        sum = sum + (late - early);
    }
    return sum;
}

/* The same of deviations from the mean, from the powers of minus the mean; these are NULL
 * if it is 0. */
INLINE wide central(level l, int order, int n, int lags, const wide *powers)
{
    if (!powers)
        return sum_at(l, order, n, lags);
    wide total = WIDE_ZERO;
    for (int some = lags;; some = (some - 1) & lags) {
        int rest = lags ^ some;
        int size = (rest & 1) + (rest >> 1 & 1) + (rest >> 2 & 1) + (rest >> 3 & 1);
        if (some == 0)
            return total + powers[size] * (double)(n - order);
        total = total + sum_at(l, order, n, some) * powers[size];
    }
}

/* The autocumulant of all images. */
INLINE wide value_of(lags_arguments a, int order, float *images, double *sums)
{
    int all = (1 << order) - 1, n = a.before + a.count;
    wide powers_of_mean[5], total = WIDE_ZERO;
    const wide *powers = NULL;
    if (a.origin) { /* else all images were at hand, and their mean is off */
        powers = powers_of_mean;
        powers_of_mean[0] = WIDE_ZERO + 1.0;
        for (int i = 1; i <= order; i++)
            powers_of_mean[i] = powers_of_mean[i - 1] * load_wide(sums) * (-1.0 / n);
    }
    for (int number = 0; number < a.levels; number++, n /= order) {
        level l = level_of(order, number, images, sums);
        wide value = central(l, order, n, all, powers);
        if (order == 4)
            for (int pair = 3; pair <= 9; pair += pair == 3 ? 2 : 4)
                value = value - central(l, order, n, pair, powers)
                            * central(l, order, n, all ^ pair, powers);
        total = total + absolute_wide(value) * (1.0 / n);
    }
    return total;
}

/* Take in a block of some neighbours, and return their values if it is the last. `i` is
 * the place of the first, `images` and `sums` what is kept of it. */
INLINE wide block_of(lags_arguments a, int order, long i, float *images, double *sums)
{
    long size = (long)a.magnification * a.magnification * a.height * a.pitch;
    wide start = WIDE_ZERO, origin = WIDE_ZERO;
    if (a.origin) { /* there are other blocks, with other first images */
        start = to_wide(load_thin(a.first + i), 1);
        if (a.first_error)
            start = start - to_wide(load_thin(a.first_error + i), 1);
        origin = a.before > 0 ? load_wide(a.origin + i) : start;
        start = start - origin;
    }
    if (a.before <= order) {
        wide mean = load_wide(sums) + start * (double)a.count;
        for (int frame = 0; frame < a.count; frame++)
            mean = mean + to_wide(load_thin(a.away + frame * size + i), 1);
        mean = mean * (1.0 / (a.before + a.count));
        move_images(a, order, mean, images, sums);
        start = start - mean;
        origin = origin + mean;
    }
    if (a.origin)
        store_wide(a.origin + i, origin);
    for (int frame = 0; frame < a.count; frame++) {
        wide value = to_wide(load_thin(a.away + frame * size + i), 1) + start;
        take_in(a, order, a.before + frame, value, images, sums);
    }
    return a.result ? value_of(a, order, images, sums) : WIDE_ZERO;
}

/* What the values are to be multiplied by: the mean weight so far. */
INLINE wide mean_weight(lags_arguments a, long i)
{
    wide weight = to_wide(load_thin(a.light + i), 1);
    if (a.light_error)
        weight = weight - to_wide(load_thin(a.light_error + i), 1);
    if (a.before > 0)
        weight = weight + load_wide(a.weights + i);
    if (a.weights)
        store_wide(a.weights + i, weight);
    return weight * (1.0 / (a.before + a.count));
}

/* All phases of a row of camera pixels. */
INLINE void row_of(lags_arguments a, int order, int row, float *scratch)
{
    int m = a.magnification, kept = a.levels * (2 * order - 1), summed = a.levels << (order - 1);
    for (int phase = 0; phase < m * m; phase++)
        for (int c = 0; c < a.pitch; c += WIDE) {
            long i = ((long)phase * a.height + row) * a.pitch + c, lane = i % RUN;
            float *images = scratch;
            double *sums = (double *)(scratch + RUN * kept);
            if (a.images) {
                images = a.images + (i - lane) * kept + lane;
                sums = a.sums + (i - lane) * summed + lane;
            }
            if (a.before == 0)
                for (int slot = 0; slot < summed; slot++)
                    store_wide(sums + RUN * slot, WIDE_ZERO);
            wide value = block_of(a, order, i, images, sums);
            if (a.light)
                value = value * mean_weight(a, i);
            if (!a.result)
                continue;
            double values[WIDE];
            store_wide(values, value);
            float *line = a.result + ((long)row * m + phase / m) * m * a.width + phase % m;
            for (int lane = 0; lane < WIDE && c + lane < a.width; lane++)
                line[(long)m * (c + lane)] = (float)values[lane];
        }
}

void lags_part(lags_arguments a, int part, float *scratch)
{
    if (a.order == 2)
        row_of(a, 2, part, scratch);
    else if (a.order == 3)
        row_of(a, 3, part, scratch);
    else
        row_of(a, 4, part, scratch);
}
