"""Makes memory ready to be written, before a device copies into it."""

from __future__ import annotations

from collections.abc import Iterable
from mmap import PAGESIZE
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.threads import spread

PART_BYTES = 2**22
"""What is worth a thread's beginning."""


def touch(arrays: Iterable[NDArray[Any]], threads: int) -> None:
    """Write something to each page of new arrays, on several threads.

    The system finds memory for a page when it is written to for the first time. A
    driver that copies into an array waits for that page by page: on one thread, and
    several times as long as the copy takes.

    Parameters
    ----------
    arrays
        Contiguous. What is in them is lost.
    threads
        On how many threads, at most.
    """
    flat = [array.reshape(-1).view(np.uint8) for array in arrays]
    parts = [
        part
        for each in flat
        for part in np.array_split(each, max(1, each.size // PART_BYTES))
    ]

    def write(part: int) -> None:
        parts[part][::PAGESIZE] = 0

    spread(write, range(len(parts)), threads)
