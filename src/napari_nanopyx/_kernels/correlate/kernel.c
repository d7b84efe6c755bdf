/* Sums of products of a frame's pixels with a reference, at displacements side by side.
 *
 * The reference comes interpolated to the steps between displacements, turned round, so
 * that the displacements of one row are neighbours in memory: a pixel meets as many of
 * them at once as a vector has lanes. Each row of pixels is summed by itself first, to
 * keep the digits of long sums. */
#include "dialect.h"
#include "correlate_arguments.h"

/* Rows of displacements that are summed at once, and frames of a part; see plan.py. */
enum { ROWS = 9, FRAMES = 3 };

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

/* Frames that meet a reference side by side, as many as there are registers for. */
#if LANES == 16
enum { SIDE_BY_SIDE = FRAMES };
#else
enum { SIDE_BY_SIDE = 1 };
#endif

/* Write the weighted pixels that meet row y of the reference; return whether any do. */
INLINE int read_weighted(correlate_arguments a, int frame, int y, float *line)
{
    float weight = a.down[(long)frame * a.height + y];
    int from = between(y + a.lags[2 * frame], 0, a.height - 1);
    read_row(a.frames, a.pixel, ((long)frame * a.height + from) * a.width, a.width,
             a.lags[2 * frame + 1], line, a.width);
    const float *weights = a.across + (long)frame * a.width;
    for (int x = 0; x < a.width; x++)
        line[x] *= weights[x] * weight;
    return weight != 0;
}

/* ROWS rows of as many displacements as there are lanes, of a few frames that meet the
 * same reference: what is loaded of it serves them all. */
INLINE void sum_rows(correlate_arguments a, int frame, int frames, int first, int column,
                     float *scratch)
{
    long pitch = a.width;
    real total[SIDE_BY_SIDE][ROWS];
    for (int f = 0; f < frames; f++)
        for (int i = 0; i < ROWS; i++)
            total[f][i] = ZERO;
    for (int y = 0; y < a.height; y++) {
        int any = 0;
        for (int f = 0; f < frames; f++)
            any |= read_weighted(a, frame + f, y, scratch + f * pitch);
        if (!any)
            continue;
        const float *reference = met(a, frame, y, first, column);
        real sum[SIDE_BY_SIDE][ROWS];
        for (int f = 0; f < frames; f++)
            for (int i = 0; i < ROWS; i++)
                sum[f][i] = ZERO;
        for (int x = a.width - 1; x >= 0; x--, reference += a.finer)
            for (int i = 0; i < ROWS; i++) {
                real shared = load(reference + (long)i * a.pitch);
                IN_REGISTER(shared);
                for (int f = 0; f < frames; f++)
                    sum[f][i] = sum[f][i] + shared * scratch[f * pitch + x];
            }
        for (int f = 0; f < frames; f++)
            for (int i = 0; i < ROWS; i++)
                total[f][i] = total[f][i] + sum[f][i];
    }
    int valid = between(a.rows - first, 0, ROWS);
    for (int f = 0; f < frames; f++) {
        float *out = a.sums + ((long)(frame + f) * a.rows + first) * a.columns + column;
        for (int i = 0; i < valid; i++)
            store_some(out + (long)i * a.columns, total[f][i], a.columns - column);
    }
}

#if LANES == 16

/* Every other one of twice as many values as there are lanes. */
INLINE real every_other(const float *p)
{
#ifdef __clang__
    return __builtin_shufflevector(load(p), load(p + LANES), 0, 2, 4, 6, 8, 10, 12, 14,
                                   16, 18, 20, 22, 24, 26, 28, 30);
#else
    const mask even = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30};
    return __builtin_shuffle(load(p), load(p + LANES), even);
#endif
}

/* Have the pixels that row y + 1 reads fetched while row y is summed. */
INLINE void fetch_next(correlate_arguments a, int frame, int y)
{
    int size = a.pixel == UINT8 ? 1 : a.pixel == UINT16 ? 2 : 4;
    int from = between(y + 1 + a.lags[2 * frame], 0, a.height - 1);
    const char *row = (const char *)a.frames
                      + ((long)frame * a.height + from) * a.width * size;
    for (int at = 0; at < a.width * size; at += 64)
        __builtin_prefetch(row + at);
}

/* Add the products of turned lines of pixels with every other value of rows. */
INLINE void sum_last(correlate_arguments a, int frames, const float *reference,
                     const float *scratch, real total[SIDE_BY_SIDE][ROWS])
{
    long pitch = a.width;
    int whole = a.width / LANES * LANES;
    real sum[SIDE_BY_SIDE][ROWS];
    for (int f = 0; f < frames; f++)
        for (int i = 0; i < ROWS; i++)
            sum[f][i] = ZERO;
    const float *met_here = reference;
    for (int x = 0; x < whole; x += LANES, met_here += 2 * LANES)
        for (int i = 0; i < ROWS; i++) {
            real shared = every_other(met_here + (long)i * a.pitch);
            IN_REGISTER(shared);
            for (int f = 0; f < frames; f++)
                sum[f][i] = sum[f][i] + shared * load(scratch + f * pitch + x);
        }
    for (int f = 0; f < frames; f++)
        for (int i = 0; i < ROWS; i++)
            total[f][i] = total[f][i] + sum[f][i];
    for (int x = whole; x < a.width; x++)
        for (int f = 0; f < frames; f++)
            for (int i = 0; i < ROWS; i++)
                total[f][i][x - whole] +=
                    reference[2 * x + (long)i * a.pitch] * scratch[f * pitch + x];
}

/* The same as sum_rows for nine columns at steps of half a pixel: half a vector, which
 * takes half the time, and the last column, by as many pixels at once as there are
 * lanes. */
INLINE void sum_nine(correlate_arguments a, int frame, int frames, int first,
                     float *scratch)
{
    long pitch = a.width;
    float *line = scratch + SIDE_BY_SIDE * pitch;
    thin total[SIDE_BY_SIDE][ROWS];
    real last[SIDE_BY_SIDE][ROWS];
    for (int f = 0; f < frames; f++)
        for (int i = 0; i < ROWS; i++) {
            total[f][i] = (thin){0};
            last[f][i] = ZERO;
        }
    for (int y = 0; y < a.height; y++) {
        int any = 0;
        for (int f = 0; f < frames; f++) {
            any |= read_weighted(a, frame + f, y, line);
            fetch_next(a, frame + f, y);
            for (int x = 0; x < a.width; x++)
                scratch[f * pitch + x] = line[a.width - 1 - x];
        }
        if (!any)
            continue;
        const float *reference = met(a, frame, y, first, 0);
        thin sum[SIDE_BY_SIDE][ROWS];
        for (int f = 0; f < frames; f++)
            for (int i = 0; i < ROWS; i++)
                sum[f][i] = (thin){0};
        const float *met_here = reference;
        for (int x = 0; x < a.width; x++, met_here += 2)
            for (int i = 0; i < ROWS; i++) {
                thin shared = load_thin(met_here + (long)i * a.pitch);
                IN_REGISTER(shared);
                for (int f = 0; f < frames; f++)
                    sum[f][i] = sum[f][i] + shared * scratch[f * pitch + x];
            }
        for (int f = 0; f < frames; f++)
            for (int i = 0; i < ROWS; i++)
                total[f][i] = total[f][i] + sum[f][i];
        sum_last(a, frames, reference + WIDE, scratch, last);
    }
    int valid = between(a.rows - first, 0, ROWS);
    for (int f = 0; f < frames; f++)
        for (int i = 0; i < valid; i++) {
            float *out = a.sums + ((long)(frame + f) * a.rows + first + i) * a.columns;
            store_thin(out, total[f][i]);
            out[WIDE] = 0;
            for (int j = 0; j < LANES; j++)
                out[WIDE] += last[f][i][j];
        }
}

#endif

/* A few rows of displacements of a few frames. */
void correlate_part(correlate_arguments a, int part, float *scratch)
{
    int groups = (a.rows + ROWS - 1) / ROWS;
    int frame = part / groups * FRAMES, first = part % groups * ROWS;
    int end = between(frame + FRAMES, 0, a.count);
    while (frame < end) {
        int frames = a.single ? between(end - frame, 1, SIDE_BY_SIDE) : 1;
#if LANES == 16
        if (a.columns == WIDE + 1 && a.finer == 2) {
            if (frames == 1)
                sum_nine(a, frame, 1, first, scratch);
            else if (frames == 2)
                sum_nine(a, frame, 2, first, scratch);
            else
                sum_nine(a, frame, 3, first, scratch);
            frame += frames;
            continue;
        }
#endif
        for (int column = 0; column < a.columns; column += LANES) {
            if (frames == 1)
                sum_rows(a, frame, 1, first, column, scratch);
#if LANES == 16
            else if (frames == 2)
                sum_rows(a, frame, 2, first, column, scratch);
            else
                sum_rows(a, frame, 3, first, column, scratch);
#endif
        }
        frame += frames;
    }
}

#endif
