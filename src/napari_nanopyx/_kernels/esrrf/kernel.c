/* eSRRF of a block of frames: unit gradients on the half-pixel lattice, their radial
 * convergence towards every output pixel, and running sums over the frames.
 * Laine et al. 2023, doi 10.1038/s41592-023-02057-w.
 *
 * Everything that depends only on an output pixel's place within its camera pixel (its
 * phase) comes in tables, so that neighbouring lanes take neighbouring camera pixels of
 * one phase: every load is contiguous and every table value is shared. */
#include "dialect.h"
#include "esrrf_arguments.h"
#define ARGUMENTS esrrf_arguments
#include "fluctuations.h"

/* Store the direction of one gradient; a vanishing gradient stays exactly zero. */
INLINE void direction(wide column, wide row, GLOBAL float *lattice, int component)
{
    thin x, y;
    shrink(column, row, &x, &y);
    thin scale = 1.0f / root(x * x + y * y + 1e-30f);
    store_thin(lattice, x * scale);
    store_thin(lattice + component, y * scale);
}

/* The two lattice points of one lattice row that belong to one camera pixel. `sum` and
 * `difference` are the frame's rows above and below, added and subtracted, at columns
 * -2 ... 2; for the two-point operator `sum` is the row the column gradient lies on. The
 * powers of two keep both components to one scale without rounding. */
INLINE void lattice_pair(const wide *sum, const wide *difference, int two_point,
                         int sum_is_half_way, GLOBAL float *lattice, int plane,
                         int component)
{
    wide x[4], y[4];
    for (int i = 0; i < 4; i++) {
        x[i] = difference_wide(sum[i + 1], sum[i]);
        y[i] = sum_wide(difference[i + 1], difference[i]);
    }
    if (two_point) {
        wide row_even = half_way(difference[0], difference[1], difference[2], difference[3]);
        wide column_odd = half_way(x[0], x[1], x[2], x[3]);
        int column_gain = sum_is_half_way ? 1 : 256;
        int row_gain = sum_is_half_way ? 256 : 1;
        direction(times_wide(x[1], column_gain), row_even, lattice, component);
        direction(column_odd, times_wide(difference[2], row_gain), lattice + plane,
                  component);
    } else {
        direction(x[1], y[1], lattice, component);
        direction(half_way(x[0], x[1], x[2], x[3]), half_way(y[0], y[1], y[2], y[3]),
                  lattice + plane, component);
    }
}

/* The four lattice points of the camera pixels at `image`, in four planes a component. */
INLINE void lattice_points(GLOBAL const float *image, int stride, int two_point,
                           float scale, GLOBAL float *lattice, int plane)
{
    wide exact[5], between[5], above[5];
    wide sum[5], difference[5];
    for (int j = 0; j < 5; j++) {
        wide row[5];
        for (int i = 0; i < 5; i++)
            row[i] = to_wide(load_thin(image + (i - 2) * stride + j - 2), scale);
        above[j] = half_way(row[0], row[1], row[2], row[3]);
        between[j] = half_way(row[1], row[2], row[3], row[4]);
        exact[j] = row[2];
        sum[j] = two_point ? above[j] : sum_wide(row[2], row[1]);
        difference[j] = difference_wide(row[2], row[1]);
    }
    lattice_pair(sum, difference, two_point, 1, lattice, plane, 4 * plane);
    for (int j = 0; j < 5; j++) {
        sum[j] = two_point ? exact[j] : sum_wide(between[j], above[j]);
        difference[j] = difference_wide(between[j], above[j]);
    }
    lattice_pair(sum, difference, two_point, 0, lattice + 2 * plane, plane, 4 * plane);
}

/* The same where the lattice was prepared beforehand, for the whole frame. */
INLINE void given_points(GLOBAL const float *given, int given_plane, GLOBAL float *lattice,
                         int plane)
{
    for (int i = 0; i < 8; i++)
        store_thin(lattice + i * plane, load_thin(given + i * given_plane));
}

/* What one lattice point adds to a pixel: its weight, less the distance by which its
 * gradient line misses the pixel, if the gradient points towards the pixel. */
INLINE real convergence(GLOBAL const float *lattice, int component, esrrf_sample s)
{
    real column = load(lattice);
    real row = load(lattice + component);
    real along = column * s.column + row * s.row;
    real across = row * s.column - column * s.row;
    return where_negative(along, s.weight - absolute(across));
}

/* The same without a difference of near equals, for exponents below 1, which would turn
 * the rounding of values near 0 into visible ones; a square might leave float32. */
INLINE real faint_convergence(GLOBAL const float *lattice, int component, esrrf_sample s)
{
    real column = load(lattice);
    real row = load(lattice + component);
    real along = column * s.column + row * s.row;
    real across = row * s.column - column * s.row;
    return where_negative(along, along / (s.weight + absolute(across)) * along);
}

/* What all lattice points around a pixel add up to. `lattice` points at its camera pixel,
 * `at` is the place of its phase in the tables. */
INLINE real converged(esrrf_arguments a, GLOBAL const float *lattice, int at)
{
    int component = 4 * a.framed_rows * a.stride, count = a.counts[at];
    TABLE const esrrf_sample *samples = a.samples + at * a.most_samples;
    real value = ZERO;
    if (a.faint)
        for (int s = 0; s < count; s++)
            value = value + faint_convergence(lattice + samples[s].offset, component,
                                              samples[s]);
    else
        for (int s = 0; s < count; s++)
            value = value + convergence(lattice + samples[s].offset, component, samples[s]);
    return value;
}

/* What the sharpened convergence of an output pixel is multiplied by. `image` points at
 * its camera pixel; `row` and `column` are that pixel's in the camera frame. */
INLINE real light_at(esrrf_arguments a, GLOBAL const float *image, int frame, int row,
                     int column, int phase)
{
    int m = a.magnification, table = frame % a.tables;
    int down = table * m + phase / m, across = table * m + phase % m;
    real covered = load(a.column_mask + across * a.pitch + column)
        * a.row_mask[down * a.height + row];
    if (a.weighting && a.prepared) {
        long line = ((long)frame * m * m + phase) * a.height + row;
        covered = covered * load(a.given_light + line * a.pitch + column);
    } else if (a.weighting) {
        TABLE const float *weights = a.column_weights + 4 * across;
        image += a.row_tap[down] * a.stride + a.column_tap[across];
        real taps[4];
        for (int i = 0; i < 4; i++) {
            taps[i] = blend(load(image), load(image + 1), load(image + 2),
                            load(image + 3), weights);
            image += a.stride;
        }
        covered = covered * blend(taps[0], taps[1], taps[2], taps[3],
                                  a.row_weights + 4 * down);
    }
    return covered;
}

/* The value of an output pixel at one of the sensitivities. */
INLINE real sharpened(esrrf_arguments a, real value, real light, int number)
{
    if (a.whole_exponents[number] != 1)
        value = sharpen(value, a.whole_exponents[number], a.exponents[number]);
    return value * light;
}

/* Take a pixel's convergence in one frame into the running sums of every sensitivity;
 * `target` is where those of the first one are. */
INLINE void take_in_each(esrrf_arguments a, real value, real light, long target,
                         int is_first)
{
    long size = (long)a.magnification * a.magnification * a.height * a.pitch;
    for (int number = 0; number < a.sensitivities; number++) {
        long place = target + number * size;
        moments sums = is_first ? no_moments() : load_moments(a, place);
        real sharp = sharpened(a, value, light, number);
        store_moments(a, place, take_in(sums, sharp, a.statistic, is_first));
    }
}

#ifdef __OPENCL_VERSION__ /* one call a work-item */

/* One value of a frame, moved by whole pixels and continued by its edge pixels. */
INLINE void esrrf_image(esrrf_arguments a, int column, int row, int frame)
{
    GLOBAL const int *shift = a.shift + 2 * (frame % a.tables);
    int r = clamp(row - a.before + shift[0], 0, a.height - 1);
    int c = clamp(column - a.before + shift[1], 0, a.width - 1);
    float value = (float)a.frames[((long)frame * a.height + r) * a.width + c];
    a.image[((long)frame * a.framed_rows + row) * a.stride + column] = value;
}

INLINE void esrrf_lattice(esrrf_arguments a, int column, int row, int frame)
{
    long plane = (long)a.framed_rows * a.stride;
    long place = (row + 2L) * a.stride + column * WIDE + 2;
    GLOBAL float *lattice = a.lattice + frame * 8 * plane + place;
    if (a.prepared)
        given_points(a.given_lattice + frame * 8 * plane + place, plane, lattice, plane);
    else
        lattice_points(a.image + frame * plane + place, a.stride, a.two_point,
                       a.pixel_scale, lattice, plane);
}

#define TOGETHER (LANES == 1 ? 4 : 1) /* frames that share what is read of the tables */

/* What all lattice points around a pixel add up to, in several frames. */
INLINE void converged_together(esrrf_arguments a, GLOBAL const float *lattice, int at,
                               real *values)
{
    int component = 4 * a.framed_rows * a.stride, count = a.counts[at];
    TABLE const esrrf_sample *samples = a.samples + at * a.most_samples;
    for (int i = 0; i < TOGETHER; i++)
        values[i] = ZERO;
    for (int s = 0; s < count; s++) {
        esrrf_sample sample = samples[s];
        GLOBAL const float *point = lattice + sample.offset;
        for (int i = 0; i < TOGETHER; i++)
            values[i] = values[i] + convergence(point + i * 2 * component, component, sample);
    }
}

INLINE void esrrf_converge(esrrf_arguments a, int column, int phase, int row)
{
    long plane = (long)a.framed_rows * a.stride;
    long target = ((long)phase * a.height + row) * a.pitch + column * LANES;
    long place = (row + a.before) * (long)a.stride + column * LANES + a.before;
    int alone = a.sensitivities == 1, frames;
    moments sums = no_moments();
    if (alone && !a.fresh)
        sums = load_moments(a, target);
    for (int first = 0; first < a.count; first += frames) {
        int at = first % a.tables * a.magnification * a.magnification + phase;
        GLOBAL const float *lattice = a.lattice + first * 8 * plane + place;
        real values[TOGETHER];
        int together = a.tables == 1 && !a.faint && first + TOGETHER <= a.count;
        frames = together ? TOGETHER : 1;
        if (together)
            converged_together(a, lattice, at, values);
        else
            values[0] = converged(a, lattice, at);
        for (int i = 0; i < frames; i++) {
            int frame = first + i, is_first = a.fresh && frame == 0;
            real light = light_at(a, a.image + frame * plane + place, frame, row,
                                  column * LANES, phase);
            if (alone)
                sums = take_in(sums, sharpened(a, values[i], light, 0), a.statistic,
                               is_first);
            else
                take_in_each(a, values[i], light, target, is_first);
        }
    }
    if (alone)
        store_moments(a, target, sums);
}

#else /* one call a part, all on one thread */

#include "frame.h"

/* The same for two neighbouring vectors, which share what is read of the tables. */
INLINE void converged_pair(esrrf_arguments a, const float *lattice, int at, real *values)
{
    int component = 4 * a.framed_rows * a.stride, count = a.counts[at];
    const esrrf_sample *samples = a.samples + (long)at * a.most_samples;
    real first = ZERO, second = ZERO;
    UNROLLED
    for (int s = 0; s < count; s++) {
        const float *point = lattice + samples[s].offset;
        first = first + convergence(point, component, samples[s]);
        second = second + convergence(point + LANES, component, samples[s]);
    }
    values[0] = first;
    values[1] = second;
}

/* One phase of one camera row; `image` and `lattice` point at its first pixel. */
INLINE void phase_row(esrrf_arguments a, const float *image, const float *lattice,
                      int frame, int row, int phase)
{
    int table = frame % a.tables, is_first = a.fresh && frame == 0;
    int at = table * a.magnification * a.magnification + phase;
    long target = ((long)phase * a.height + row) * a.pitch;
    real values[2];
    for (int c = 0; c < a.pitch; c += 2 * LANES) {
        int pair = c + LANES < a.pitch;
        if (pair && !a.faint) {
            converged_pair(a, lattice + c, at, values);
        } else {
            values[0] = converged(a, lattice + c, at);
            if (pair)
                values[1] = converged(a, lattice + c + LANES, at);
        }
        for (int i = 0; i <= pair; i++) {
            int column = c + i * LANES;
            real light = light_at(a, image + column, frame, row, column, phase);
            take_in_each(a, values[i], light, target + column, is_first);
        }
    }
}

/* One band of camera rows, frame after frame, so that a frame's lattice stays in cache. */
void esrrf_part(esrrf_arguments a, int part, float *scratch)
{
    long plane = (long)a.framed_rows * a.stride;
    float *image = scratch, *lattice = scratch + plane;
    int first = part * a.part_rows;
    int rows = a.height - first < a.part_rows ? a.height - first : a.part_rows;
    int around = a.framed_rows - a.part_rows, framed_rows = rows + around;
    long given_plane = (long)(a.height + around) * a.stride;
    for (int frame = 0; frame < a.count; frame++) {
        const int *shift = a.shift + 2 * (frame % a.tables);
        for (int r = 0; r < framed_rows; r++) {
            int row = between(first + r - a.before + shift[0], 0, a.height - 1);
            read_row(a.frames, a.pixel, ((long)frame * a.height + row) * a.width, a.width,
                     shift[1] - a.before, image + (long)r * a.stride, a.stride);
        }
        for (int r = 2; r < framed_rows - 2; r++)
            for (int c = 2; c + WIDE + 2 <= a.stride; c += WIDE) {
                long place = (long)r * a.stride + c;
                if (a.prepared)
                    given_points(a.given_lattice + frame * 8 * given_plane
                                     + (long)first * a.stride + place,
                                 given_plane, lattice + place, plane);
                else
                    lattice_points(image + place, a.stride, a.two_point, a.pixel_scale,
                                   lattice + place, plane);
            }
        for (int r = 0; r < rows; r++) {
            long place = (r + a.before) * (long)a.stride + a.before;
            for (int phase = 0; phase < a.magnification * a.magnification; phase++)
                phase_row(a, image + place, lattice + place, frame, first + r, phase);
        }
    }
}

#endif
