"""Does the same for many items, on several threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np


def spread(job: Callable[[int], object], items: range, threads: int) -> None:
    """Do a job for each item, on so many threads."""
    if threads == 1 or len(items) < 2:
        for item in items:
            job(item)
        return
    errors = np.geterr()  # which NumPy does not hand on to threads

    def as_told(item: int) -> None:
        with np.errstate(**errors):
            job(item)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(as_told, items))
