# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Run the TASK kernel over the parts of a block, on one core or several.

Written once for all kernels; codegen puts in the kernel's name and arguments, tag2tag
copies the serial loop into its OpenMP variants.
"""

from cython.parallel cimport prange, threadid

import numpy as np


cdef extern from *:
    """
    #include "TASK_arguments.h"
    #include "levels.h"
    DECLARE_LEVELS(TASK)
    """
    ctypedef struct TASK_arguments:
# codegen: members
    void TASK_part(int level, TASK_arguments a, int part, float *scratch) noexcept nogil
    int cpu_level()
    int HAS_OPENMP


NEVER = np.zeros(1, np.intc)
NEVER.flags.writeable = False


def level():
    """Return the highest x86-64 level this processor offers, 0 on other processors."""
    return cpu_level()


def has_openmp():
    """Return whether the OpenMP variants really use several threads."""
    return bool(HAS_OPENMP)


# tag-start: serial
def serial(
    dict values, int parts, long scratch_floats, int threads, int level, stop=NEVER
):
    """Compute every part until told to stop, in order on one thread."""
    cdef TASK_arguments a
# codegen: pack
    cdef float[:, ::1] scratch = np.empty((threads, scratch_floats), np.float32)
    cdef const int[::1] told = stop
    cdef int part
    with nogil:
        for part in range(parts):
            if told[0] == 0:
                TASK_part(level, a, part, &scratch[threadid(), 0])
# tag-end: serial


# tag-copy: serial; "serial" -> "threads_static"; "in order on one thread" -> "shared out evenly beforehand"; "range(parts)" -> "prange(parts, schedule='static', num_threads=threads)"


# tag-copy: serial; "serial" -> "threads_dynamic"; "in order on one thread" -> "each taken by the next free thread"; "range(parts)" -> "prange(parts, schedule='dynamic', chunksize=1, num_threads=threads)"


# tag-copy: serial; "serial" -> "threads_guided"; "in order on one thread" -> "taken in shrinking batches"; "range(parts)" -> "prange(parts, schedule='guided', num_threads=threads)"
