/* Each pixel becomes the weighted sum of its neighbours: correlation with a kernel.
 *
 * Four output rows are summed at once, so that a vector of pixels is read once for all
 * kernel rows that weight it. A typical pixel value is subtracted first and given back
 * with the sum of the weights at the end: weights that add up to nothing then give
 * nothing on a flat background, however bright it is. */
#include "dialect.h"
#include "convolve_arguments.h"

/* How many vectors of a row are summed at once, and how far apart they are. On a GPU they
 * lie further apart, so that neighbouring work-items read neighbours. */
#if LANES == 1 && defined(__OPENCL_VERSION__)
enum { VECTORS = 4, APART = 32 };
#elif LANES == 16
enum { VECTORS = 4, APART = LANES };
#else
enum { VECTORS = 2, APART = LANES };
#endif

enum { ROWS = 4, BLOCK = VECTORS * APART };

/* A longer sum is put together from parts of so many terms, to keep its digits. */
enum { MOST_TERMS = 1024 };

typedef struct {
    real at[ROWS][VECTORS];
} sums;

/* Add one image row to the output rows low ... high: of output row i, the kernel row
 * that weights this image row begins at weights - i * count. */
INLINE void add_row(sums *s, GLOBAL const float *image, TABLE const float *weights,
                    int count, int low, int high)
{
    UNROLLED
    for (int b = 0; b < count; b++) {
        real pixels[VECTORS];
        for (int v = 0; v < VECTORS; v++)
            pixels[v] = load(image + b + v * APART);
        for (int i = low; i <= high; i++) {
            float weight = weights[b - i * count];
            for (int v = 0; v < VECTORS; v++)
                s->at[i][v] = s->at[i][v] + pixels[v] * weight;
        }
    }
}

/* Sums of ROWS rows of BLOCK pixels; `image` is where the kernel's first weight goes for
 * the first of them. */
INLINE sums weighted(GLOBAL const float *image, long stride, TABLE const float *weights,
                     int rows, int columns)
{
    sums s, total;
    for (int i = 0; i < ROWS; i++)
        for (int v = 0; v < VECTORS; v++)
            s.at[i][v] = total.at[i][v] = ZERO;
    int terms = 0;
    for (int y = 0; y < rows + ROWS - 1; y++) {
        int low = y < rows ? 0 : y - rows + 1, high = y < ROWS ? y : ROWS - 1;
        GLOBAL const float *line = image + y * stride;
        TABLE const float *row = weights + y * columns;
        switch (ROWS * low + high) {
        case 3: add_row(&s, line, row, columns, 0, 3); break;
        case 0: add_row(&s, line, row, columns, 0, 0); break;
        case 1: add_row(&s, line, row, columns, 0, 1); break;
        case 2: add_row(&s, line, row, columns, 0, 2); break;
        case 5: add_row(&s, line, row, columns, 1, 1); break;
        case 6: add_row(&s, line, row, columns, 1, 2); break;
        case 7: add_row(&s, line, row, columns, 1, 3); break;
        case 10: add_row(&s, line, row, columns, 2, 2); break;
        case 11: add_row(&s, line, row, columns, 2, 3); break;
        default: add_row(&s, line, row, columns, 3, 3); break;
        }
        terms += columns;
        if (terms >= MOST_TERMS) {
            for (int i = 0; i < ROWS; i++)
                for (int v = 0; v < VECTORS; v++) {
                    total.at[i][v] = total.at[i][v] + s.at[i][v];
                    s.at[i][v] = ZERO;
                }
            terms = 0;
        }
    }
    for (int i = 0; i < ROWS; i++)
        for (int v = 0; v < VECTORS; v++)
            s.at[i][v] = s.at[i][v] + total.at[i][v];
    return s;
}

/* Store the first `rows` rows of sums, `columns` pixels each. */
INLINE void store_sums(GLOBAL float *out, long stride, sums s, float base, int rows,
                       int columns)
{
    for (int i = 0; i < ROWS; i++)
        for (int v = 0; v < VECTORS; v++) {
            GLOBAL float *place = out + i * stride + v * APART;
            real value = s.at[i][v] + base;
            int left = i < rows ? columns - v * APART : 0;
            if (left >= LANES) {
                store(place, value);
            } else if (left > 0) {
                union { real all; float lane[LANES]; } part;
                part.all = value;
                for (int j = 0; j < left; j++)
                    place[j] = part.lane[j];
            }
        }
}

/* Of two pixel values, the one nearer to 0; 0 if their signs differ. */
INLINE float nearer(float a, float b)
{
    if (a > 0 && b > 0)
        return a < b ? a : b;
    if (a < 0 && b < 0)
        return a > b ? a : b;
    return 0;
}

/* A typical value that is huge would make differences overflow. */
INLINE float moderate(float offset) { return offset < 1e37f && offset > -1e37f ? offset : 0; }

#ifdef __OPENCL_VERSION__ /* one call a work-item */

/* A value that no pixel of a frame is likely to be far below of: of nine spread over the
 * frame, the one nearest to 0. */
INLINE void convolve_offset(convolve_arguments a, int frame, int i, int j)
{
    float value = 0;
    for (int place = 0; place < 9; place++) {
        int row = (2 * (place / 3) + 1) * a.height / 6;
        int column = (2 * (place % 3) + 1) * a.width / 6;
        float pixel = (float)a.frames[((long)frame * a.height + row) * a.width + column];
        value = place == 0 ? pixel : nearer(value, pixel);
    }
    a.offset[frame] = moderate(value);
}

/* One value of a frame continued by its edge pixels, less the frame's offset. */
INLINE void convolve_image(convolve_arguments a, int column, int frame, int row)
{
    int r = clamp(row - (a.kernel_height - 1) / 2, 0, a.height - 1);
    int c = clamp(column - (a.kernel_width - 1) / 2, 0, a.width - 1);
    float value = (float)a.frames[((long)frame * a.height + r) * a.width + c];
    a.image[((long)frame * a.padded_rows + row) * a.stride + column]
        = value - a.offset[frame];
}

/* A copy of the pixels in local memory makes no GPU faster that was tried: its cache does
 * the same. */
INLINE void convolve_pixels(convolve_arguments a, int item, int frame, int group)
{
    int row = group * ROWS, each = APART / LANES;
    int column = item / each * BLOCK + item % each * LANES;
    GLOBAL const float *image
        = a.image + ((long)frame * a.padded_rows + row) * a.stride + column;
    GLOBAL float *out = a.convolved + ((long)frame * a.height + row) * a.width + column;
    sums s = weighted(image, a.stride, a.weights, a.kernel_height, a.kernel_width);
    store_sums(out, a.width, s, a.offset[frame] * a.kernel_sum, a.height - row,
               a.width - column);
}

#else /* one call a part, all on one thread */

#include "frame.h"

/* As convolve_offset of OpenCL. */
static float frame_offset(convolve_arguments a, int frame)
{
    float value = 0;
    for (int place = 0; place < 9; place++) {
        int row = (2 * (place / 3) + 1) * a.height / 6;
        int column = (2 * (place % 3) + 1) * a.width / 6;
        float pixel;
        read_row(a.frames, a.pixel, ((long)frame * a.height + row) * a.width, a.width,
                 column, &pixel, 1);
        value = place == 0 ? pixel : nearer(value, pixel);
    }
    return moderate(value);
}

/* ROWS output rows. */
static void convolve_rows(const float *image, long stride, const float *weights, int rows,
                          int columns, float *out, long pitch, float base, int valid,
                          int width)
{
    for (int c = 0; c < width; c += BLOCK) {
        sums s = weighted(image + c, stride, weights, rows, columns);
        store_sums(out + c, pitch, s, base, valid, width - c);
    }
}

/* One band of rows of one frame. */
void convolve_part(convolve_arguments a, int part, float *scratch)
{
    int bands = (a.height + a.part_rows - 1) / a.part_rows;
    int frame = part / bands, first = part % bands * a.part_rows;
    int stop = between(first + a.part_rows, 0, a.height);
    int columns = a.stride / LANES * LANES;
    float offset = frame_offset(a, frame), base = offset * a.kernel_sum;
    float *mixed = scratch + (a.part_rows + a.kernel_height - 1L) * a.stride;
    for (int r = 0; r < a.part_rows + a.kernel_height - 1; r++) {
        float *line = scratch + (long)r * a.stride;
        int row = between(first + r - (a.kernel_height - 1) / 2, 0, a.height - 1);
        read_row(a.frames, a.pixel, ((long)frame * a.height + row) * a.width, a.width,
                 -((a.kernel_width - 1) / 2), line, a.stride);
        for (int c = 0; c < columns; c += LANES)
            store(line + c, load(line + c) - offset);
    }
    for (int row = first; row < stop; row += ROWS) {
        const float *image = scratch + (long)(row - first) * a.stride;
        float *out = a.convolved + ((long)frame * a.height + row) * a.width;
        if (a.separable) {
            convolve_rows(image, a.stride, a.weights, a.kernel_height, 1, mixed, a.stride,
                          0, ROWS, a.width + a.kernel_width - 1);
            convolve_rows(mixed, a.stride, a.weights + a.kernel_height, 1, a.kernel_width,
                          out, a.width, base, stop - row, a.width);
        } else {
            convolve_rows(image, a.stride, a.weights, a.kernel_height, a.kernel_width, out,
                          a.width, base, stop - row, a.width);
        }
    }
}

#endif
