/* Sums of products of a frame's pixels with a reference, at displacements side by side.
 *
 * The reference comes interpolated to the steps between displacements, turned round, so
 * that the displacements of one row are neighbours in memory: a pixel meets as many of
 * them at once as a vector has lanes. Each row of pixels is summed by itself first, to
 * keep the digits of long sums. */
#include "dialect.h"
#include "correlate_arguments.h"

/* Rows of displacements that are summed at once, see plan.py. */
enum { ROWS = 9 };

/* Where the displacements from (row, column) on begin in the reference for the last pixel
 * of row y. */
INLINE GLOBAL const float *met(correlate_arguments a, int frame, int y, int row, int column)
{
    long turned = (long)(a.height - 1 - y) * a.finer + row;
    long of = a.single ? 0 : frame;
    return a.reference + (of * a.table_rows + turned) * a.pitch + column;
}

/* Store the first columns of a vector. */
INLINE void store_some(GLOBAL float *place, real value, int columns)
{
    if (columns >= LANES) {
        store(place, value);
        return;
    }
    union { real all; float lane[LANES]; } part;
    part.all = value;
    for (int j = 0; j < columns; j++)
        place[j] = part.lane[j];
}

#ifdef __OPENCL_VERSION__ /* one call a work-item */

INLINE void correlate_places(correlate_arguments a, int item, int frame, int row)
{
    int column = item * LANES;
    int down = a.lags[2 * frame], across = a.lags[2 * frame + 1];
    GLOBAL const float *weights = a.across + (long)frame * a.width;
    real total = ZERO;
    for (int y = 0; y < a.height; y++) {
        float weight = a.down[(long)frame * a.height + y];
        if (weight == 0)
            continue;
        int from = clamp(y + down, 0, a.height - 1);
        GLOBAL const PIXEL *pixels = a.frames + ((long)frame * a.height + from) * a.width;
        GLOBAL const float *reference = met(a, frame, y, row, column);
        real sum = ZERO;
        for (int x = 0; x < a.width; x++) {
            float value = (float)pixels[clamp(x + across, 0, a.width - 1)] * weights[x];
            sum = sum + load(reference + (long)(a.width - 1 - x) * a.finer) * value;
        }
        total = total + sum * weight;
    }
    store_some(a.sums + ((long)frame * a.rows + row) * a.columns + column, total,
               a.columns - column);
}

#else /* one call a part, all on one thread */

#include "frame.h"

/* A few rows of displacements of one frame. */
void correlate_part(correlate_arguments a, int part, float *scratch)
{
    int groups = (a.rows + ROWS - 1) / ROWS;
    int frame = part / groups, first = part % groups * ROWS;
    int valid = between(a.rows - first, 0, ROWS);
    const float *weights = a.across + (long)frame * a.width;
    for (int column = 0; column < a.columns; column += LANES) {
        real total[ROWS];
        for (int i = 0; i < ROWS; i++)
            total[i] = ZERO;
        for (int y = 0; y < a.height; y++) {
            float weight = a.down[(long)frame * a.height + y];
            if (weight == 0)
                continue;
            int from = between(y + a.lags[2 * frame], 0, a.height - 1);
            read_row(a.frames, a.pixel, ((long)frame * a.height + from) * a.width, a.width,
                     a.lags[2 * frame + 1], scratch, a.width);
            for (int x = 0; x < a.width; x++)
                scratch[x] *= weights[x] * weight;
            const float *reference = met(a, frame, y, first, column);
            real sum[ROWS];
            for (int i = 0; i < ROWS; i++)
                sum[i] = ZERO;
            for (int x = a.width - 1; x >= 0; x--, reference += a.finer)
                for (int i = 0; i < ROWS; i++)
                    sum[i] = sum[i] + load(reference + (long)i * a.pitch) * scratch[x];
            for (int i = 0; i < ROWS; i++)
                total[i] = total[i] + sum[i];
        }
        float *out = a.sums + ((long)frame * a.rows + first) * a.columns + column;
        for (int i = 0; i < valid; i++)
            store_some(out + (long)i * a.columns, total[i], a.columns - column);
    }
}

#endif
