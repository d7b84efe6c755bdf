/* Magnification of a block of frames by any factor, shifted.
 *
 * The taps and weights of every output row and column come in tables, so that the kernel
 * knows nothing of factors, shifts, borders and interpolations, but for the number of
 * taps: 1, 2, 4 or 8, each with loops of its own. */
#include "dialect.h"
#include "magnify_arguments.h"

#ifdef __OPENCL_VERSION__ /* one call a work-item */

INLINE float value_at(magnify_arguments a, int column, int row, int frame, int taps)
{
    int table = frame % a.tables;
    long across = (long)table * taps * a.pitch + column;
    long down = ((long)table * a.output_height + row) * taps;
    int first = a.column_tap[table * a.pitch + column] - a.before;
    float value = 0;
    for (int i = 0; i < taps; i++) {
        GLOBAL const PIXEL *pixels = a.frames
            + ((long)frame * a.height + a.row_taps[down + i]) * a.width;
        float sum = 0;
        for (int j = 0; j < taps; j++)
            sum += a.column_weights[across + j * a.pitch]
                * (float)pixels[clamp(first + j, 0, a.width - 1)];
        value += a.row_weights[down + i] * sum;
    }
    return value;
}

INLINE void magnify_pixel(magnify_arguments a, int column, int row, int frame)
{
    float value = a.taps == 4 ? value_at(a, column, row, frame, 4)
                              : value_at(a, column, row, frame, a.taps);
    a.magnified[((long)frame * a.output_height + row) * a.output_width + column] = value;
}

#else /* one call a part, all on one thread */

#include "frame.h"

enum { MOST_TAPS = 8 };

/* Whether LANES neighbouring outputs always start within LANES neighbouring inputs. */
static int is_narrow(const int *tap, int count)
{
    for (int i = 0; i + LANES <= count; i += LANES)
        for (int j = 1; j < LANES; j++)
            if (tap[i + j] - tap[i] < 0 || tap[i + j] - tap[i] >= LANES)
                return 0;
    return 1;
}

INLINE real weighted(const float *row, const int *tap, const float *weights, int narrow)
{
    return load(weights) * (narrow ? gather_near(row, tap) : gather(row, tap));
}

/* The weighted neighbours of each of LANES outputs, along the row. */
INLINE real across(const float *row, const int *tap, const float *weights, long pitch,
                   int narrow, int taps)
{
    real sum = weighted(row, tap, weights, narrow);
    if (taps > 1)
        sum += weighted(row + 1, tap, weights + pitch, narrow);
    for (int i = 2; i < taps; i += 2)
        sum += weighted(row + i, tap, weights + i * pitch, narrow)
            + weighted(row + i + 1, tap, weights + (i + 1) * pitch, narrow);
    return sum;
}

/* One output row; its last vector overlaps the one before. */
INLINE void write_row(magnify_arguments a, float *out, const float *mixed, const int *tap,
                      const float *weights, int narrow, int taps)
{
    int last = a.output_width - LANES;
    if (last < 0) {
        float tail[LANES];
        store(tail, across(mixed, tap, weights, a.pitch, narrow, taps));
        memcpy(out, tail, a.output_width * sizeof *out);
        return;
    }
    if (narrow)
        for (int q = 0; q < last; q += LANES)
            store(out + q, across(mixed, tap + q, weights + q, a.pitch, 1, taps));
    else
        for (int q = 0; q < last; q += LANES)
            store(out + q, across(mixed, tap + q, weights + q, a.pitch, 0, taps));
    store(out + last, across(mixed, tap + last, weights + last, a.pitch, narrow, taps));
}

/* One band of output rows of one frame: down the columns first, then along the row. */
INLINE void write_band(magnify_arguments a, int part, float *scratch, int taps)
{
    int bands = (a.output_height + a.part_rows - 1) / a.part_rows;
    int frame = part / bands, table = frame % a.tables;
    int start = part % bands * a.part_rows;
    int stop = between(start + a.part_rows, 0, a.output_height);
    const int *tap = a.column_tap + (long)table * a.pitch;
    const float *weights = a.column_weights + (long)table * taps * a.pitch;
    int narrow = is_narrow(tap, a.pitch);
    float *mixed = scratch + (long)taps * a.stride;
    int held[MOST_TAPS] = {-1, -1, -1, -1, -1, -1, -1, -1};
    for (int row = start; row < stop; row++) {
        long down = (long)table * a.output_height + row;
        const float *w = a.row_weights + taps * down;
        const float *lines[MOST_TAPS];
        for (int i = 0; i < taps; i++) {
            int wanted = a.row_taps[taps * down + i], slot = wanted % taps;
            if (held[slot] != wanted)
                read_row(a.frames, a.pixel, ((long)frame * a.height + wanted) * a.width,
                         a.width, -a.before, scratch + (long)slot * a.stride, a.stride);
            held[slot] = wanted;
            lines[i] = scratch + (long)slot * a.stride;
        }
        for (int c = 0; c < a.stride; c += LANES) {
            real sum = load(lines[0] + c) * w[0];
            for (int i = 1; i < taps; i++)
                sum += load(lines[i] + c) * w[i];
            store(mixed + c, sum);
        }
        float *out = a.magnified + ((long)frame * a.output_height + row) * a.output_width;
        write_row(a, out, mixed, tap, weights, narrow, taps);
    }
}

void magnify_part(magnify_arguments a, int part, float *scratch)
{
    switch (a.taps) {
    case 1:
        write_band(a, part, scratch, 1);
        break;
    case 2:
        write_band(a, part, scratch, 2);
        break;
    case 4:
        write_band(a, part, scratch, 4);
        break;
    default:
        write_band(a, part, scratch, MOST_TAPS);
    }
}

#endif
