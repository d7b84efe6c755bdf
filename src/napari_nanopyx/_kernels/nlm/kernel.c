/* Non-local means: each pixel becomes the mean of the pixels around it, weighted by how
 * alike the patches around both are. A frame is one picture, or an odd number of them, of
 * which the middle one is denoised with the help of the others; `times` tells which there
 * are.
 *
 * For one shift after the other, the squared differences between the image and the
 * shifted image are summed over the patch of every pixel, first along the row, then down
 * the columns. Each sum is made anew from positive terms: nothing cancels, and a bright
 * spot leaves no rounding error behind, as it would in running sums.
 *
 * Patches farther apart than a limit have no weight. Where rounding could decide on which
 * side of the limit a sum lies, that sum is made again with twice the digits: otherwise
 * two implementations would not agree.
 *
 * Values are in units of a power of two near h or sigma, see plan.py, so that no square
 * overflows. */
#include "dialect.h"
#include "nlm_arguments.h"

/* ROWS - 1 unused entries stand before and after those of a window in its tables. */
enum { ROWS = 8, UNUSED = ROWS - 1 };

#define FAR 1e38f
#define LARGEST 3.6028797e16f

/* What frames have for themselves, in `settings`. */
enum { SCALE, INVERSE, SLOPE, OFFSET, SETTINGS };

/* The weight of a patch, 2^x for x <= 0: the whole part of x becomes exponent bits, of the
 * rest f a polynomial is taken. `power` holds its coefficients, and how x is shifted and
 * rounded before: with these the same code also interpolates linearly. */
INLINE real alike(real sum, float slope, float offset, TABLE const float *power)
{
    real x = larger(ZERO - larger(sum * slope - offset, ZERO), ZERO - 125.0f) - power[0];
    real shifted = x - power[1] + 12582912.0f;
    real f = x - (shifted - 12582912.0f);
    real value = f * power[7] + power[6];
    value = value * f + power[5];
    value = value * f + power[4];
    value = value * f + power[3];
    value = value * f + power[2];
    value = value * f + 1.0f;
    return from_bits(bits(value) + (bits(shifted) - 0x4b400000) * 0x800000);
}

/* A sum of two floats is kept as a float and what it lacks. */
typedef struct {
    float high, low;
} pair;

INLINE pair plus(pair a, float high, float low)
{
    pair sum;
    sum.high = a.high + high;
    float part = sum.high - a.high;
    sum.low = a.low + low + ((a.high - (sum.high - part)) + (high - part));
    return sum;
}

INLINE pair times(float weight, float high, float low)
{
    pair product;
    product.high = weight * high;
    product.low = (float)fma(weight, high, -product.high) + weight * low;
    return product;
}

/* The sum over one patch with twice the digits; FAR if it passes a limit on the way. */
static float careful_sum(nlm_arguments a, GLOBAL const float *patch, long step, int table)
{
    long entries = (long)table * (a.window + 2 * UNUSED) + UNUSED;
    TABLE const float *limits = a.limits + entries, *rests = a.rests + entries;
    TABLE const float *weights = a.weights + UNUSED;
    pair sum = {0, 0};
    for (int r = 0; r < a.window; r++) {
        pair line = {0, 0};
        for (int c = 0; c < a.window; c++) {
            float here = patch[(long)r * a.stride + c];
            float there = patch[(long)r * a.stride + c + step];
            float difference = here - there, part = difference - here;
            float lost = (here - (difference - part)) - (there + part);
            pair square = times(difference, difference, 2 * lost);
            pair weighted = times(weights[c], square.high, square.low);
            line = plus(line, weighted.high, weighted.low);
        }
        pair weighted = times(weights[r], line.high, line.low);
        sum = plus(sum, weighted.high, weighted.low);
        if ((sum.high - limits[r]) + (sum.low - rests[r]) > 0)
            return FAR;
    }
    return sum.high + sum.low;
}

/* A sum that has passed its limit becomes FAR; one too near to it to tell is marked. */
INLINE real limited(real sum, float limit, float margin, mask *unsure)
{
    *unsure |= at_least(margin - absolute(sum - limit), ZERO);
    return larger(sum, where_negative(limit - sum, ZERO + FAR));
}

#ifdef __OPENCL_VERSION__ /* one call a work-item */

/* One value of a frame mirrored at its edges, in the kernel's units. */
INLINE void nlm_image(nlm_arguments a, int column, int row, int picture)
{
    float scale = a.settings[picture / a.depth % a.tables * SETTINGS + SCALE];
    long place = ((long)picture * a.height + a.row_index[row]) * a.width;
    float value = (float)a.frames[place + a.column_index[column]] * scale;
    a.image[((long)picture * a.framed_rows + row) * a.stride + column]
        = clamp(value, -LARGEST, LARGEST);
}

/* The sums over the patches of ROWS rows of LANES pixels; `centre` is the first pixel. */
INLINE void patch_sums(nlm_arguments a, GLOBAL const float *centre, long step, int table,
                       real *sums)
{
    mask unsure[ROWS];
    long entries = (long)table * (a.window + 2 * UNUSED) + UNUSED;
    GLOBAL const float *first = centre - (long)a.before * a.stride - a.before;
    for (int i = 0; i < ROWS; i++) {
        sums[i] = ZERO;
        unsure[i] = bits(ZERO);
    }
    for (int y = 0; y < a.window + ROWS - 1; y++) {
        GLOBAL const float *line = first + (long)y * a.stride;
        real along = ZERO;
        for (int c = 0; c < a.window; c++) {
            real difference = load(line + c) - load(line + c + step);
            along += difference * difference * a.weights[c + UNUSED];
        }
        for (int i = 0; i < ROWS; i++)
            sums[i] += along * a.weights[y - i + UNUSED];
        if (a.gaussian)
            for (int i = 0; i < ROWS; i++)
                sums[i] = limited(sums[i], a.limits[entries + y - i],
                                  a.margins[entries + y - i], &unsure[i]);
    }
    for (int i = 0; i < ROWS; i++) {
        int last = entries + a.window - 1;
        if (!a.gaussian)
            sums[i] = limited(sums[i], a.limits[last], a.margins[last], &unsure[i]);
        if (any_bit(unsure[i])) {
            union { real all; float lane[LANES]; } some;
            some.all = sums[i];
            for (int j = 0; j < LANES; j++)
                some.lane[j] = careful_sum(a, first + (long)i * a.stride + j, step, table);
            sums[i] = some.all;
        }
    }
}

INLINE void nlm_pixels(nlm_arguments a, int strip, int group, int frame)
{
    int table = frame % a.tables, row = group * ROWS, column = strip * LANES;
    TABLE const float *settings = a.settings + table * SETTINGS;
    float slope = settings[SLOPE], offset = settings[OFFSET];
    int picture = frame * a.depth + a.depth / 2;
    GLOBAL const float *centre = a.image
        + ((long)picture * a.framed_rows + row + a.border) * a.stride + column + a.border;
    real sums[ROWS], total[ROWS], light[ROWS];
    for (int i = 0; i < ROWS; i++)
        total[i] = light[i] = ZERO;
    for (int time = 0; time < a.depth; time++) {
        if (a.times[table * a.depth + time] == 0)
            continue;
        long later = (long)(time - a.depth / 2) * a.framed_rows * a.stride;
        for (int down = -a.distance; down <= a.distance; down++)
            for (int across = -a.distance; across <= a.distance; across++) {
                long step = later + (long)down * a.stride + across;
                real present = load(a.inside + column + a.border + across);
                patch_sums(a, centre, step, table, sums);
                for (int i = 0; i < ROWS; i++) {
                    int other = row + i + down;
                    GLOBAL const float *pixel = centre + (long)i * a.stride;
                    real weight = alike(sums[i], slope, offset, a.power) * present;
                    if (a.gaussian && (other < 0 || other >= a.height))
                        weight = ZERO;
                    light[i] += weight;
                    total[i] += weight * (load(pixel + step) - load(pixel));
                }
            }
    }
    for (int i = 0; i < ROWS && row + i < a.height; i++) {
        long place = ((long)frame * a.height + row + i) * a.width + column;
        long same = ((long)picture * a.height + row + i) * a.width + column;
        union { real all; float lane[LANES]; } mean;
        mean.all = total[i] / light[i] * settings[INVERSE];
        for (int j = 0; j < LANES && column + j < a.width; j++)
            a.denoised[place + j] = (float)a.frames[same + j] + mean.lane[j];
    }
}

#else /* one call a part, all on one thread */

#include "frame.h"

/* Columns computed together: their sums stay in the processor's nearest cache. */
enum { TILE = 256, ROOM = TILE + 16 };

/* Memory for one tile, and where the tile lies: in the middle one of the pictures, each
 * of which takes up `room`. */
typedef struct {
    const float *image;
    long room;
    float *squares, *along, *sums, *total, *light;
    int columns, first, rows, left, table;
} tile;

/* Squared differences of one row, summed along the row over each patch. */
INLINE void sum_along(const float *line, long step, const float *weights, int columns,
                      float *squares, float *along, int window, int gaussian)
{
    for (int c = 0; c < columns + window; c += LANES) {
        real difference = load(line + c) - load(line + c + step);
        store(squares + c, difference * difference);
    }
    for (int c = 0; c < columns; c += LANES) {
        real sum = gaussian ? load(squares + c) * weights[0] : load(squares + c);
        for (int i = 1; i < window; i++)
            sum += gaussian ? load(squares + c + i) * weights[i] : load(squares + c + i);
        store(along + c, sum);
    }
}

/* The sums of `window` rows, of which `next` is the one after the newest, going round;
 * returns whether any sum, marked by -1, is too near to a limit. */
INLINE int sum_down(nlm_arguments a, const tile *t, int next, int window, int gaussian)
{
    long entries = (long)t->table * (window + 2 * UNUSED) + UNUSED;
    const float *limits = a.limits + entries, *margins = a.margins + entries;
    const float *weights = a.weights + UNUSED;
    mask any = bits(ZERO);
    for (int c = 0; c < t->columns; c += LANES) {
        real sum = ZERO;
        mask unsure = bits(ZERO);
        for (int i = 0, slot = next; i < window; i++) {
            real along = load(t->along + (gaussian ? slot : i) * ROOM + c);
            sum += gaussian ? along * weights[i] : along;
            if (gaussian && i < window - 1)
                sum = limited(sum, limits[i], margins[i], &unsure);
            slot = slot + 1 == window ? 0 : slot + 1;
        }
        if (!gaussian)
            sum = limited(sum, limits[window - 1], margins[window - 1], &unsure);
        any |= unsure;
        store(t->sums + c,
              from_bits((bits(sum) & ~unsure) | (bits(ZERO - 1.0f) & unsure)));
    }
    return any_bit(any);
}

/* Add the pixels of one row, shifted and weighted. */
INLINE void gather_row(nlm_arguments a, const tile *t, const float *pixel, long step,
                       const float *inside, float *total, float *light, int gaussian)
{
    const float *settings = a.settings + t->table * SETTINGS;
    float slope = settings[SLOPE], offset = settings[OFFSET];
    for (int c = 0; c < t->columns; c += LANES) {
        real weight = alike(load(t->sums + c), slope, offset, a.power);
        real difference = load(pixel + c + step) - load(pixel + c);
        if (gaussian)
            weight = weight * load(inside + c);
        store(light + c, load(light + c) + weight);
        store(total + c, load(total + c) + weight * difference);
    }
}

/* One shift of a tile, within the picture that lies `later` away. */
INLINE void add_shift(nlm_arguments a, const tile *t, long later, int down, int across,
                      int window, int gaussian)
{
    long step = later + (long)down * a.stride + across;
    const float *inside = a.inside + a.border + t->left + across;
    int start = 0, stop = t->rows;
    if (gaussian) { /* only pixels of the image itself are taken */
        start = between(-down - t->first, 0, t->rows);
        stop = between(a.height - down - t->first, start, t->rows);
    }
    for (int y = start, slot = 0; y < stop + window - 1; y++) {
        long place = (long)(y + a.border - a.before) * a.stride + a.border + t->left;
        sum_along(t->image + place - a.before, step, a.weights + UNUSED, t->columns,
                  t->squares, t->along + slot * ROOM, window, gaussian);
        slot = slot + 1 == window ? 0 : slot + 1;
        int row = y - window + 1;
        if (row < start)
            continue;
        const float *pixel
            = t->image + (long)(row + a.border) * a.stride + a.border + t->left;
        if (sum_down(a, t, slot, window, gaussian)) {
            const float *patch = pixel - (long)a.before * a.stride - a.before;
            for (int c = 0; c < t->columns; c++)
                if (t->sums[c] < 0)
                    t->sums[c] = careful_sum(a, patch + c, step, t->table);
        }
        gather_row(a, t, pixel, step, inside, t->total + row * ROOM, t->light + row * ROOM,
                   gaussian);
    }
}

INLINE void add_shifts(nlm_arguments a, const tile *t, int window, int gaussian)
{
    memset(t->total, 0, (size_t)t->rows * ROOM * sizeof(float));
    memset(t->light, 0, (size_t)t->rows * ROOM * sizeof(float));
    for (int time = 0; time < a.depth; time++) {
        if (a.times[t->table * a.depth + time] == 0)
            continue;
        long later = (time - a.depth / 2) * t->room;
        for (int down = -a.distance; down <= a.distance; down++)
            for (int across = -a.distance; across <= a.distance; across++)
                add_shift(a, t, later, down, across, window, gaussian);
    }
}

/* The rows of a band and those around it, mirrored, in the kernel's units. */
static void read_band(nlm_arguments a, int picture, int first, int rows, float scale,
                      float *image, float *line)
{
    for (int r = 0; r < rows; r++) {
        long start = ((long)picture * a.height + a.row_index[first + r]) * a.width;
        read_row(a.frames, a.pixel, start, a.width, 0, line, a.width);
        for (int c = 0; c < a.stride; c++) {
            float value = line[a.column_index[c]] * scale;
            image[(long)r * a.stride + c] = value > LARGEST ? LARGEST
                : value < -LARGEST                          ? -LARGEST
                                                            : value;
        }
    }
}

/* One band of rows of one frame, tile by tile. */
void nlm_part(nlm_arguments a, int part, float *scratch)
{
    int bands = (a.height + a.part_rows - 1) / a.part_rows, frame = part / bands;
    tile t;
    t.table = frame % a.tables;
    t.first = part % bands * a.part_rows;
    t.rows = between(a.height - t.first, 0, a.part_rows);
    const float *settings = a.settings + t.table * SETTINGS;
    t.room = (a.part_rows + 2L * a.border) * a.stride;
    t.image = scratch + a.depth / 2 * t.room;
    float *line = scratch + a.depth * t.room;
    t.squares = line + a.stride;
    t.sums = t.squares + ROOM + a.window + 16;
    t.along = t.sums + ROOM;
    t.total = t.along + (long)a.window * ROOM;
    t.light = t.total + (long)a.part_rows * ROOM;
    for (int time = 0; time < a.depth; time++)
        if (a.times[t.table * a.depth + time] != 0)
            read_band(a, frame * a.depth + time, t.first, t.rows + 2 * a.border,
                      settings[SCALE], scratch + time * t.room, line);
    for (t.left = 0; t.left < a.width; t.left += TILE) {
        t.columns = between(a.width - t.left, 0, TILE);
        switch (a.gaussian ? -a.window : a.window) {
        case 6: add_shifts(a, &t, 6, 0); break;
        case -7: add_shifts(a, &t, 7, 1); break;
        default:
            if (a.gaussian)
                add_shifts(a, &t, a.window, 1);
            else
                add_shifts(a, &t, a.window, 0);
        }
        for (int r = 0; r < t.rows; r++) {
            long row = t.first + r, picture = (long)frame * a.depth + a.depth / 2;
            const float *total = t.total + r * ROOM, *light = t.light + r * ROOM;
            float *out = a.denoised + ((long)frame * a.height + row) * a.width + t.left;
            read_row(a.frames, a.pixel, (picture * a.height + row) * a.width, a.width,
                     t.left, line, t.columns);
            for (int c = 0; c < t.columns; c++)
                out[c] = line[c] + total[c] / light[c] * settings[INVERSE];
        }
    }
}

#endif
