/* Reading camera frames on the CPU: any pixel type in, edge-continued float32 rows out. */
#ifndef FRAME_H
#define FRAME_H

#include <stdint.h>

enum { UINT8, UINT16, FLOAT32 };

#define COPY_ROW(type)                                                                   \
    do {                                                                                 \
        const type *pixels = (const type *)frames + start;                               \
        for (int i = low; i < high; i++)                                                 \
            out[i] = (float)pixels[first + i];                                           \
        for (int i = 0; i < low; i++)                                                    \
            out[i] = (float)pixels[0];                                                   \
        for (int i = high; i < length; i++)                                              \
            out[i] = (float)pixels[width - 1];                                           \
    } while (0)

static inline int between(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* Write `length` pixels of the row that begins at `start`, from column `first` on, which
 * may lie outside the row: its end pixels go on without end. */
static inline void read_row(const void *frames, int pixel, long start, int width, int first,
                            float *out, int length)
{
    int low = between(-first, 0, length), high = between(width - first, low, length);
    if (pixel == UINT8)
        COPY_ROW(uint8_t);
    else if (pixel == UINT16)
        COPY_ROW(uint16_t);
    else
        COPY_ROW(float);
}

#endif
