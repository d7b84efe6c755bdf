"""Autocumulants of a time point from blocks of images, by the compiled core.

This is no task: nothing chooses how blocks are merged. Where the compiled core is not
installed, `srrf/cumulants.py` does the same.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from napari_nanopyx._kernels.declaration import Partial
from napari_nanopyx._kernels.layout import LANES, padded

MANY_VALUES = 2**18
"""Of a block: fewer are merged sooner than other threads have begun."""


@cache
def core() -> ModuleType | None:
    """Return the compiled module, if it is installed."""
    try:
        return import_module("napari_nanopyx._generated.lags")
    except ImportError:
        return None


class LagSums:
    """Sums of products of the images of one time point at the lags of a window.

    If all frames are in one block, nothing is kept.

    Parameters
    ----------
    frames : int
        How many the time point has, more than ``order``.
    size : tuple of int
        Magnification M, and the camera frame's height H and width W.
    order : {2, 3, 4}
        How many successive images are multiplied.
    integrate : bool
        Whether to add the values at longer lag times.
    simd : int, optional
        x86-64 level, by default the highest that the processor offers.
    """

    def __init__(
        self,
        frames: int,
        size: tuple[int, int, int],
        order: int,
        *,
        integrate: bool,
        simd: int | None = None,
    ) -> None:
        module = core()
        if module is None:
            raise RuntimeError("the compiled core is not installed")
        self._module = module
        self._simd = module.level() if simd is None else simd
        self._frames = frames
        self._size = size
        self._order = order
        self._levels = 1
        while integrate and frames // order**self._levels > order:
            self._levels += 1
        self._count = 0
        self._kept: Partial = {}

    def add(self, count: int, block: Partial, image: Any, threads: int) -> None:
        """Take in a block; of the last, write the image.

        Parameters
        ----------
        count : int
            Frames of the block.
        block : dict of ndarray, shape (M * M, H, at least W)
            Its ``first`` image, and that of each frame less it, ``away``
            (count, M * M, H, at least W); the sum of the weights, ``light``, if there
            are any. What is to be taken off one of them may come as ``first_error``.
        image : ndarray of float32, shape (M * H, M * W)
            Where to write the result.
        threads : int
            On how many threads.
        """
        magnification, height, width = self._size
        kept, summed = self._slots
        is_last = self._count + count == self._frames
        arrays = as_stored(block, width)
        if not (self._count == 0 and is_last) and not self._kept:
            self._keep(arrays["first"].size, with_weights="light" in arrays)
        values = {
            "count": count,
            "before": self._count,
            "order": self._order,
            "levels": self._levels,
            "magnification": magnification,
            "height": height,
            "width": width,
            "pitch": padded(width),
            **{name: array.reshape(-1) for name, array in arrays.items()},
            **self._kept,
        }
        if is_last:
            values["result"] = image.reshape(-1)
        if arrays["away"].size < MANY_VALUES:
            threads = 1
        run = self._module.threads_dynamic if threads > 1 else self._module.serial
        run(values, height, LANES * (kept + 2 * summed), threads, self._simd)
        self._count += count
        if is_last:
            self._kept = {}

    @property
    def _slots(self) -> tuple[int, int]:
        """Images and sums that are kept of a pixel."""
        images = self._levels * (2 * self._order - 1)
        return images, self._levels * 2 ** (self._order - 1)

    def _keep(self, pixels: int, *, with_weights: bool) -> None:
        images, sums = self._slots
        self._kept = {
            "origin": np.empty(pixels),
            "images": np.empty(images * pixels, np.float32),
            "sums": np.empty(sums * pixels),
        }
        if with_weights:
            self._kept["weights"] = np.empty(pixels)


def as_stored(block: Partial, width: int) -> Partial:
    """Return a block as the kernel reads it: rows of whole vectors in float32.

    The reference leaves float64, of which a second number keeps what the first lacks.
    """
    found: Partial = {}
    missing = padded(width) - block["first"].shape[-1]
    for name, array in block.items():
        wide = array
        if missing:
            wide = np.pad(array, (*((0, 0),) * (array.ndim - 1), (0, missing)))
        found[name] = np.ascontiguousarray(wide, np.float32)
        if wide.dtype != np.float32 and name != "away":
            found[f"{name}_error"] = (found[name] - wide).astype(np.float32)
    return found
