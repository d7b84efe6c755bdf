/* One kernel compiled for several instruction sets; the best is taken at run time. */
#ifndef LEVELS_H
#define LEVELS_H

#ifdef X86_LEVELS

static inline int cpu_level(void)
{
    __builtin_cpu_init();
    if (!(__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt")))
        return 0;
    if (!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
          && __builtin_cpu_supports("bmi2")))
        return 2;
    if (!(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
          && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq")
          && __builtin_cpu_supports("avx512vl")))
        return 3;
    return 4;
}

#define DECLARE_LEVELS(task)                                                             \
    void task##_part_base(task##_arguments, int, float *);                               \
    void task##_part_v2(task##_arguments, int, float *);                                 \
    void task##_part_v3(task##_arguments, int, float *);                                 \
    void task##_part_v4(task##_arguments, int, float *);                                 \
    static inline void task##_part(int level, task##_arguments a, int part, float *work) \
    {                                                                                    \
        if (level >= 4)                                                                  \
            task##_part_v4(a, part, work);                                               \
        else if (level == 3)                                                             \
            task##_part_v3(a, part, work);                                               \
        else if (level == 2)                                                             \
            task##_part_v2(a, part, work);                                               \
        else                                                                             \
            task##_part_base(a, part, work);                                             \
    }

#else /* another processor, or a compiler without these switches: one level */

static inline int cpu_level(void) { return 0; }

#define DECLARE_LEVELS(task)                                                             \
    void task##_part_base(task##_arguments, int, float *);                               \
    static inline void task##_part(int level, task##_arguments a, int part, float *work) \
    {                                                                                    \
        (void)level;                                                                     \
        task##_part_base(a, part, work);                                                 \
    }

#endif

#ifdef _OPENMP
enum { HAS_OPENMP = 1 };
#else
enum { HAS_OPENMP = 0 };
#endif

#endif
