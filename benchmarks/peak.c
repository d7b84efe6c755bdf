/* The most float32 multiply-adds a second that this processor does: independent chains
 * of them in registers, on one thread or several. Prints GFLOP/s (an FMA counts as 2). */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX2__)
#define BYTES 32
#else
#define BYTES 16
#endif
#define LANES (BYTES / 4)
#define CHAINS 12

typedef float vector __attribute__((vector_size(BYTES)));

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + 1e-9 * now.tv_nsec;
}

static float chains(long steps)
{
    vector value[CHAINS], factor = {0}, term = {0}, sum = {0};
    for (int lane = 0; lane < LANES; lane++) {
        factor[lane] = 0.999f;
        term[lane] = 1e-3f * lane;
    }
    for (int i = 0; i < CHAINS; i++)
        value[i] = term * (float)i;
    for (long step = 0; step < steps; step++)
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++)
            value[i] = value[i] * factor + term;
    float total = 0;
    for (int i = 0; i < CHAINS; i++)
        sum += value[i];
    for (int lane = 0; lane < LANES; lane++)
        total += sum[lane];
    return total;
}

int main(int count, char **words)
{
    int threads = count > 1 ? atoi(words[1]) : 1;
    long steps = 40000000;
    double best = 0;
    volatile float kept = 0;
    for (int attempt = 0; attempt < 4; attempt++) {
        double start = seconds();
#pragma omp parallel num_threads(threads)
        {
            float total = chains(steps);
#pragma omp critical
            kept += total;
        }
        double rate = 2.0 * LANES * CHAINS * steps * threads / (seconds() - start) / 1e9;
        best = rate > best ? rate : best;
    }
    printf("%.1f\n", best);
    return 0;
}
