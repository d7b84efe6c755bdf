/* The words kernels are written in, as OpenCL C: see dialect.h.
 *
 * LANES is 1 on a GPU, where a lane is a work-item, and the device's vector width on a
 * CPU. TABLE is the address space of small tables that all work-items read in step.
 * WITHOUT_DOUBLE puts pairs of floats in the place of doubles, on devices that have none. */

#define GLOBAL __global
#define INLINE static __attribute__((always_inline))
#ifndef TABLE
#define TABLE __global
#endif
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

/* Stands before a loop whose count is large and whose body is small. */
#if LANES == 1
#define UNROLLED _Pragma("unroll 8")
#else
#define UNROLLED
#endif

#if LANES == 1
#define WIDE 1
#define OF_REAL(name) name
#define OF_THIN(name) name
#define load(p) (*(p))
#define store(p, v) (*(p) = (v))
#define load_thin(p) (*(p))
#define store_thin(p, v) (*(p) = (v))
#define where_negative(x, v) ((x) < 0 ? (v) : 0.0f)
#define at_least(x, y) (-((x) >= (y)))
#define any_bit(x) ((x) != 0)
#else
#if LANES == 4
#define WIDE 2
#else
#define WIDE 4
#endif
#define OF_REAL(name) PASTE(name, LANES)
#define OF_THIN(name) PASTE(name, WIDE)
/* Not vload and vstore: PoCL calls a function for each of those. */
typedef OF_REAL(float) __attribute__((aligned(4))) loose_real;
typedef OF_THIN(float) __attribute__((aligned(4))) loose_thin;
#define load(p) (*(GLOBAL const loose_real *)(p))
#define store(p, v) (*(GLOBAL loose_real *)(p) = (v))
#define load_thin(p) (*(GLOBAL const loose_thin *)(p))
#define store_thin(p, v) (*(GLOBAL loose_thin *)(p) = (v))
#define where_negative(x, v) from_bits(((x) < 0) & bits(v))
#define at_least(x, y) ((x) >= (y))
#define any_bit(x) any((x) != 0)
#endif

typedef OF_REAL(float) real;
typedef OF_REAL(int) mask;
typedef OF_THIN(float) thin;

#define ZERO ((real)(0.0f))
#define bits(x) OF_REAL(as_int)(x)
#define from_bits(i) OF_REAL(as_float)(i)
#define to_float(i) OF_REAL(convert_float)(i)
#define to_whole(x) OF_REAL(convert_int)(x)
#define to_thin(x) OF_THIN(convert_float)(x)
#define absolute(x) from_bits(bits(x) & 0x7fffffff)
#define larger(a, b) ((a) > (b) ? (a) : (b))
#define smaller(a, b) ((a) < (b) ? (a) : (b))
#define root(x) sqrt(x)
#define inverse_root(x) rsqrt(x)
#define inverse_root_thin(x) rsqrt(x)
#if LANES == 1
#define rough_root(x) ((x) * rsqrt(x))
#else
#define rough_root(x) sqrt(x)
#endif
#define twice_root(x) (2.0f * rough_root(x))

#ifdef WITHOUT_DOUBLE

/* A number and what it lacks: 48 bits of it, however large or small it is. The pixels are
 * multiplied by a power of two first, so that nothing leaves float32. */
typedef struct {
    thin value, rest;
} wide;

INLINE wide to_wide(thin x, float scale)
{
    wide w = {x * scale, (thin)(0.0f)};
    return w;
}

/* The sum of a number and of a much smaller one. */
INLINE wide in_two_parts(thin large, thin small)
{
    wide w;
    w.value = large + small;
    w.rest = small - (w.value - large);
    return w;
}

INLINE wide sum_wide(wide a, wide b)
{
    thin sum = a.value + b.value;
    thin part = sum - a.value;
    thin rest = (a.value - (sum - part)) + (b.value - part);
    return in_two_parts(sum, rest + (a.rest + b.rest));
}

INLINE wide difference_wide(wide a, wide b)
{
    wide negative = {-b.value, -b.rest};
    return sum_wide(a, negative);
}

INLINE wide times_wide(wide a, float factor)
{
    thin product = a.value * factor;
    return in_two_parts(product, fma(a.value, (thin)factor, -product) + a.rest * factor);
}

#define size_wide(x) fabs((x).value)
#define inverse_wide(size) (1.0f / ((size) + 1e-37f))
#define scaled_thin(x, factor) ((x).value * (factor))
typedef thin size_of_wide;

#else

#pragma OPENCL EXTENSION cl_khr_fp64 : enable
typedef OF_THIN(double) wide;
#define to_wide(x, scale) OF_THIN(convert_double)(x)
#define sum_wide(a, b) ((a) + (b))
#define difference_wide(a, b) ((a) - (b))
#define times_wide(a, factor) ((a) * (factor))
#define size_wide(x) fabs(x)
#define inverse_wide(size) (1.0 / ((size) + 1e-300))
#define scaled_thin(x, factor) to_thin((x) * (factor))
typedef wide size_of_wide;

#endif

/* Two exact sums as floats of a size whose squares neither overflow nor vanish. */
INLINE void shrink(wide x, wide y, thin *x_small, thin *y_small)
{
    size_of_wide inverse = inverse_wide(size_wide(x) + size_wide(y));
    *x_small = scaled_thin(x, inverse);
    *y_small = scaled_thin(y, inverse);
}

/* The same of three sums. */
INLINE void shrink_three(wide x, wide y, wide z, thin *x_small, thin *y_small, thin *z_small)
{
    size_of_wide inverse = inverse_wide(size_wide(x) + size_wide(y) + size_wide(z));
    *x_small = scaled_thin(x, inverse);
    *y_small = scaled_thin(y, inverse);
    *z_small = scaled_thin(z, inverse);
}
