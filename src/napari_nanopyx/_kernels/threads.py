"""Does the same for many items, on several threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from threading import Lock

import numpy as np


def spread(job: Callable[[int], object], items: range, threads: int) -> None:
    """Do a job for each item, on so many threads; raise what goes wrong.

    The calling thread is one of them, and waits for none that has not begun yet: a job
    may spread others, and many may be spread at a time.
    """
    if threads == 1 or len(items) < 2:
        for item in items:
            job(item)
        return
    errors = np.geterr()  # which NumPy does not hand on to threads
    left, lock = iter(items), Lock()

    def work() -> None:
        with np.errstate(**errors):
            while True:
                with lock:
                    item = next(left, None)
                if item is None:
                    return
                try:
                    job(item)
                except BaseException:
                    with lock:
                        for _ in left:
                            pass  # Nobody begins another one.
                    raise

    helpers = [_pool().submit(work) for _ in range(min(threads, len(items)) - 1)]
    try:
        work()
    finally:
        begun = [helper for helper in helpers if not helper.cancel()]
        wait(begun)
    for helper in begun:
        helper.result()


@cache
def _pool() -> ThreadPoolExecutor:
    """Return threads that are kept: beginning one takes longer than many a job."""
    return ThreadPoolExecutor(os.cpu_count(), "nanopyx-spread")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)
