/* Cubic (Catmull-Rom) magnification of a block of frames by any factor, shifted.
 *
 * The taps and weights of every output row and column come in tables, so that the kernel
 * knows nothing of factors, shifts and borders. */
#include "dialect.h"
#include "magnify_arguments.h"

#ifdef __OPENCL_VERSION__ /* one call a work-item */

INLINE void magnify_pixel(magnify_arguments a, int column, int row, int frame)
{
    int table = frame % a.tables;
    long across = (long)table * 4 * a.pitch + column;
    long down = ((long)table * a.output_height + row) * 4;
    int first = a.column_tap[table * a.pitch + column] - a.before;
    float value = 0;
    for (int i = 0; i < 4; i++) {
        GLOBAL const PIXEL *pixels = a.frames
            + ((long)frame * a.height + a.row_taps[down + i]) * a.width;
        float sum = 0;
        for (int j = 0; j < 4; j++)
            sum += a.column_weights[across + j * a.pitch]
                * (float)pixels[clamp(first + j, 0, a.width - 1)];
        value += a.row_weights[down + i] * sum;
    }
    a.magnified[((long)frame * a.output_height + row) * a.output_width + column] = value;
}

#else /* one call a part, all on one thread */

#include "frame.h"

/* Whether LANES neighbouring outputs always start within LANES neighbouring inputs. */
static int is_narrow(const int *tap, int count)
{
    for (int i = 0; i + LANES <= count; i += LANES)
        for (int j = 1; j < LANES; j++)
            if (tap[i + j] - tap[i] < 0 || tap[i + j] - tap[i] >= LANES)
                return 0;
    return 1;
}

/* Four weighted neighbours of each of LANES outputs, along the row. */
INLINE real across(const float *row, const int *tap, const float *weights, long pitch,
                   int narrow)
{
    real first = load(weights), second = load(weights + pitch);
    real third = load(weights + 2 * pitch), fourth = load(weights + 3 * pitch);
    if (narrow)
        return first * gather_near(row, tap) + second * gather_near(row + 1, tap)
            + (third * gather_near(row + 2, tap) + fourth * gather_near(row + 3, tap));
    return first * gather(row, tap) + second * gather(row + 1, tap)
        + (third * gather(row + 2, tap) + fourth * gather(row + 3, tap));
}

/* One output row; its last vector overlaps the one before. */
INLINE void write_row(magnify_arguments a, float *out, const float *mixed, const int *tap,
                      const float *weights, int narrow)
{
    int last = a.output_width - LANES;
    if (last < 0) {
        float tail[LANES];
        store(tail, across(mixed, tap, weights, a.pitch, narrow));
        memcpy(out, tail, a.output_width * sizeof *out);
        return;
    }
    if (narrow)
        for (int q = 0; q < last; q += LANES)
            store(out + q, across(mixed, tap + q, weights + q, a.pitch, 1));
    else
        for (int q = 0; q < last; q += LANES)
            store(out + q, across(mixed, tap + q, weights + q, a.pitch, 0));
    store(out + last, across(mixed, tap + last, weights + last, a.pitch, narrow));
}

/* One band of output rows of one frame: down the columns first, then along the row. */
void magnify_part(magnify_arguments a, int part, float *scratch)
{
    int bands = (a.output_height + a.part_rows - 1) / a.part_rows;
    int frame = part / bands, table = frame % a.tables;
    int start = part % bands * a.part_rows;
    int stop = between(start + a.part_rows, 0, a.output_height);
    const int *tap = a.column_tap + (long)table * a.pitch;
    const float *weights = a.column_weights + (long)table * 4 * a.pitch;
    int narrow = is_narrow(tap, a.pitch);
    float *mixed = scratch + 4L * a.stride;
    int held[4] = {-1, -1, -1, -1};
    for (int row = start; row < stop; row++) {
        long down = (long)table * a.output_height + row;
        const float *w = a.row_weights + 4 * down;
        const float *lines[4];
        for (int i = 0; i < 4; i++) {
            int wanted = a.row_taps[4 * down + i], slot = wanted % 4;
            if (held[slot] != wanted)
                read_row(a.frames, a.pixel, ((long)frame * a.height + wanted) * a.width,
                         a.width, -a.before, scratch + (long)slot * a.stride, a.stride);
            held[slot] = wanted;
            lines[i] = scratch + (long)slot * a.stride;
        }
        for (int c = 0; c < a.stride; c += LANES)
            store(mixed + c, load(lines[0] + c) * w[0] + load(lines[1] + c) * w[1]
                             + load(lines[2] + c) * w[2] + load(lines[3] + c) * w[3]);
        float *out = a.magnified + ((long)frame * a.output_height + row) * a.output_width;
        write_row(a, out, mixed, tap, weights, narrow);
    }
}

#endif
