/* The words kernels are written in, as C. dialect.cl gives the same words in OpenCL C.
 *
 * real   LANES neighbouring float32 values: one vector register.
 * mask   as many int32 values; at_least(x, y) is one with all bits set where x >= y, and
 *        to_whole(x) is one of x without its fractions.
 * wide   WIDE neighbouring values in which sums are exact, thin their float32
 *        counterpart; half as many, because each takes twice the room.
 *
 * A vector type wider than the registers makes compilers go lane by lane, so the
 * lane count follows the instruction set that the file is compiled for. */
#ifndef DIALECT_H
#define DIALECT_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#define GLOBAL
#define TABLE

/* Stands before a loop whose count is large and whose body is small. */
#if defined(__GNUC__) && !defined(__clang__)
#define UNROLLED _Pragma("GCC unroll 4")
#else
#define UNROLLED
#endif

/* Has a vector that is used several times loaded once: GCC would load it for each use. */
#if defined(__AVX512F__) && (defined(__GNUC__) || defined(__clang__))
#define IN_REGISTER(x) __asm__("" : "+v"(x))
#else
#define IN_REGISTER(x) ((void)0)
#endif

#if (defined(__GNUC__) || defined(__clang__)) && !defined(ONE_LANE)
#define INLINE static inline __attribute__((always_inline))
#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX2__)
#define LANES 8
#else
#define LANES 4
#endif
#define WIDE (LANES / 2)

typedef float real __attribute__((vector_size(4 * LANES)));
typedef int32_t mask __attribute__((vector_size(4 * LANES)));
typedef float thin __attribute__((vector_size(4 * WIDE)));
typedef double wide __attribute__((vector_size(8 * WIDE)));
typedef int64_t wide_mask __attribute__((vector_size(8 * WIDE)));

#define ZERO ((real){0})
#define WIDE_ZERO ((wide){0})
#define bits(x) ((mask)(x))
#define from_bits(i) ((real)(i))
#define to_float(i) __builtin_convertvector(i, real)
#define to_whole(x) __builtin_convertvector(x, mask)
#define to_wide(x, scale) ((void)(scale), __builtin_convertvector(x, wide))
#define to_thin(x) __builtin_convertvector(x, thin)
#define absolute(x) ((real)((mask)(x) & 0x7fffffff))
#define absolute_wide(x) ((wide)((wide_mask)(x) & 0x7fffffffffffffff))
#define positive_wide(x) ((wide)((wide_mask)((x) > 0) & (wide_mask)(x)))
#define with_sign(x, s) ((wide)((wide_mask)(x) ^ ((wide_mask)(s) & INT64_MIN)))
/* Exact, and no division: the exponent turned round. */
#define power_of_two_below_inverse(x) \
    ((wide)(0x7fd0000000000000 - ((wide_mask)(x) & 0x7ff0000000000000)))
#define where_negative(x, v) ((real)((mask)((x) < 0) & (mask)(v)))
#define at_least(x, y) ((mask)((x) >= (y)))

INLINE real load(const float *p) { real v; memcpy(&v, p, sizeof v); return v; }
INLINE void store(float *p, real v) { memcpy(p, &v, sizeof v); }
INLINE thin load_thin(const float *p) { thin v; memcpy(&v, p, sizeof v); return v; }
INLINE void store_thin(float *p, thin v) { memcpy(p, &v, sizeof v); }

INLINE wide load_wide(const double *p) { wide v; memcpy(&v, p, sizeof v); return v; }
INLINE void store_wide(double *p, wide v) { memcpy(p, &v, sizeof v); }

#if defined(__AVX512F__)
#define X86(name) _mm512_##name##_ps
#define GUESS _mm512_rsqrt14_ps
typedef __m512 x86_real;
#elif defined(__AVX2__)
#define X86(name) _mm256_##name##_ps
#define GUESS _mm256_rsqrt_ps
typedef __m256 x86_real;
#elif defined(__SSE2__)
#define X86(name) _mm_##name##_ps
#define GUESS _mm_rsqrt_ps
typedef __m128 x86_real;
#endif

/* The second one if either is NaN. */
INLINE real larger(real a, real b)
{
#if defined(X86)
    return (real)X86(max)((x86_real)a, (x86_real)b);
#else
    mask a_wins = a > b;
    return (real)((a_wins & (mask)a) | (~a_wins & (mask)b));
#endif
}

INLINE real smaller(real a, real b)
{
#if defined(X86)
    return (real)X86(min)((x86_real)a, (x86_real)b);
#else
    mask a_wins = a < b;
    return (real)((a_wins & (mask)a) | (~a_wins & (mask)b));
#endif
}

/* With the other sign where s has one. */
INLINE real turned(real x, real s)
{
#if defined(__AVX512F__)
    __m512i sign = _mm512_set1_epi32(INT32_MIN);
    return (real)_mm512_ternarylogic_epi32((__m512i)x, (__m512i)s, sign, 0x78);
#else
    return (real)((mask)x ^ ((mask)s & INT32_MIN));
#endif
}

/* One over the root, to nearly four digits. */
INLINE real rough_inverse_root(real x)
{
#if defined(X86)
    return (real)GUESS((x86_real)x);
#else
    float each[LANES];
    memcpy(each, &x, sizeof x);
    for (int i = 0; i < LANES; i++)
        each[i] = 1.0f / sqrtf(each[i]);
    memcpy(&x, each, sizeof x);
    return x;
#endif
}

/* Dividing by a root would take longer than all else around it: refine a guess. */
INLINE real inverse_root(real x)
{
    real guess = rough_inverse_root(x);
    return guess + guess * 0.5f * (1.0f - x * guess * guess);
}

/* Roots of what is above 0: to nearly four digits, and to all of them but doubled, which
 * saves a product. */
INLINE real rough_root(real x) { return x * rough_inverse_root(x); }

INLINE real twice_root(real x)
{
    real guess = rough_inverse_root(x), root = x * guess;
    return root * (3.0f - root * guess);
}

INLINE thin inverse_root_thin(thin x)
{
#if defined(__AVX2__)
#if defined(__AVX512F__)
    thin guess = (thin)_mm256_rsqrt_ps((__m256)x);
#else
    thin guess = (thin)_mm_rsqrt_ps((__m128)x);
#endif
    return guess + guess * 0.5f * (1.0f - x * guess * guess);
#else
    float each[WIDE];
    memcpy(each, &x, sizeof x);
    for (int i = 0; i < WIDE; i++)
        each[i] = 1.0f / sqrtf(each[i]);
    memcpy(&x, each, sizeof x);
    return x;
#endif
}

INLINE int any_bit(mask x)
{
    uint64_t pieces[LANES / 2], all = 0;
    memcpy(pieces, &x, sizeof x);
    for (int i = 0; i < LANES / 2; i++)
        all |= pieces[i];
    return all != 0;
}

INLINE thin root(thin x)
{
    float lanes[WIDE];
    memcpy(lanes, &x, sizeof x);
    for (int i = 0; i < WIDE; i++)
        lanes[i] = sqrtf(lanes[i]);
    memcpy(&x, lanes, sizeof x);
    return x;
}

INLINE wide root_wide(wide x)
{
    double lanes[WIDE];
    memcpy(lanes, &x, sizeof x);
    for (int i = 0; i < WIDE; i++)
        lanes[i] = sqrt(lanes[i]);
    memcpy(&x, lanes, sizeof x);
    return x;
}

/* One over the root, to twelve digits. */
INLINE wide inverse_root_wide(wide x)
{
#if defined(__AVX512F__)
    wide guess = (wide)_mm512_rsqrt14_pd((__m512d)x);
    wide lacking = 1.0 - x * guess * guess;
    return guess + guess * lacking * (0.5 + 0.375 * lacking);
#else
    return 1.0 / root_wide(x);
#endif
}

/* The LANES values at p[index[0]], p[index[1]], ... */
INLINE real gather(const float *p, const int32_t *index)
{
    real v;
    for (int i = 0; i < LANES; i++)
        v[i] = p[index[i]];
    return v;
}

/* The same, where index[i] - index[0] lies in [0, LANES). */
INLINE real gather_near(const float *p, const int32_t *index)
{
#ifdef __clang__
    return gather(p, index);
#else
    mask places;
    memcpy(&places, index, sizeof places);
    return __builtin_shuffle(load(p + index[0]), places - index[0]);
#endif
}

#else /* no vector types: one lane, whatever the compiler makes of it */

#define INLINE static inline
#define LANES 1
#define WIDE 1

typedef float real;
typedef int32_t mask;
typedef float thin;
typedef double wide;

#define ZERO 0.0f
#define WIDE_ZERO 0.0
#define to_float(i) ((float)(i))
#define to_whole(x) ((mask)(x))
#define to_wide(x, scale) ((void)(scale), (double)(x))
#define to_thin(x) ((float)(x))
#define absolute(x) fabsf(x)
#define absolute_wide(x) fabs(x)
#define positive_wide(x) ((x) > 0 ? (x) : 0.0)
#define with_sign(x, s) copysign(x, s)
#define where_negative(x, v) ((x) < 0 ? (v) : 0.0f)
#define at_least(x, y) (-((x) >= (y)))
#define load(p) (*(p))
#define store(p, v) (*(p) = (v))
#define load_thin(p) (*(p))
#define store_thin(p, v) (*(p) = (v))
#define load_wide(p) (*(p))
#define store_wide(p, v) (*(p) = (v))
#define larger(a, b) ((a) > (b) ? (a) : (b))
#define smaller(a, b) ((a) < (b) ? (a) : (b))
#define turned(x, s) (signbit(s) ? -(x) : (x))
#define root(x) sqrtf(x)
#define root_wide(x) sqrt(x)
#define inverse_root(x) (1.0f / sqrtf(x))
#define inverse_root_wide(x) (1.0 / sqrt(x))
#define rough_root(x) sqrtf(x)
#define twice_root(x) (2.0f * sqrtf(x))
#define inverse_root_thin(x) (1.0f / sqrtf(x))
#define any_bit(x) ((x) != 0)
#define gather(p, index) ((p)[*(index)])
#define gather_near(p, index) ((p)[*(index)])

INLINE mask bits(real x) { mask i; memcpy(&i, &x, sizeof i); return i; }
INLINE real from_bits(mask i) { real x; memcpy(&x, &i, sizeof x); return x; }

#endif

/* Sums of exact values, for which dialect.cl has functions where there are no doubles. */
#define sum_wide(a, b) ((a) + (b))
#define difference_wide(a, b) ((a) - (b))
#define times_wide(a, factor) ((a) * (factor))

/* Two exact sums as floats of a size whose squares neither overflow nor vanish. */
INLINE void shrink(wide x, wide y, thin *x_small, thin *y_small)
{
    wide inverse = 1.0 / (absolute_wide(x) + absolute_wide(y) + 1e-300);
    *x_small = to_thin(x * inverse);
    *y_small = to_thin(y * inverse);
}

/* The same of three sums. */
INLINE void shrink_three(wide x, wide y, wide z, thin *x_small, thin *y_small, thin *z_small)
{
    wide size = absolute_wide(x) + absolute_wide(y) + absolute_wide(z);
#ifdef power_of_two_below_inverse
    wide inverse = power_of_two_below_inverse(size);
#else
    wide inverse = 1.0 / (size + 1e-300);
#endif
    *x_small = to_thin(x * inverse);
    *y_small = to_thin(y * inverse);
    *z_small = to_thin(z * inverse);
}

#endif
