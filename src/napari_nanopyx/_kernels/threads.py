"""Does the same for many items, on several threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def spread(job: Callable[[int], object], items: range, threads: int) -> None:
    """Do a job for each item, on so many threads."""
    if threads == 1 or len(items) < 2:
        for item in items:
            job(item)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(job, items))
