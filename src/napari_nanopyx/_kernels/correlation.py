"""Correlates images with others of the same scene, to tell how far it has moved.

First to about a pixel, on images of larger pixels; then between pixels, by
`correlation_peak`. Both are sums that the task `correlate` computes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import log, prod, sqrt
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import correlation_peak, first_search, reference_noise
from napari_nanopyx._kernels.correlate import fft
from napari_nanopyx._kernels.correlate.plan import CorrelatePlan
from napari_nanopyx._kernels.correlation_peak import Peaks
from napari_nanopyx._kernels.reference_noise import AS_IT_IS, Clearer
from napari_nanopyx._kernels.threads import spread

Window = Literal["none", "hann"]
Sums = Callable[[NDArray[Any], CorrelatePlan], NDArray[np.float32]]
Rough = tuple[NDArray[np.intp], NDArray[np.bool_]]
"""Displacements to about a pixel, and which of them might be others."""

FEW = 4
"""Images that are prepared at a time, so that they stay in the cache of a core."""

CERTAINTY = 2.0
"""Standard deviations above the highest correlation expected of noise alone."""


def by_transform(frames: NDArray[Any], plan: CorrelatePlan) -> NDArray[np.float32]:
    """Compute a plan on this thread, without the engine."""
    sums = np.empty((len(frames), *plan.places), np.float32)
    fft.start(plan, 1)(frames, range(len(frames)), {"sums": sums})
    return sums


@dataclass(frozen=True, slots=True)
class Prepared:
    """Images without their background."""

    values: NDArray[np.float32]
    """Shape (images, *shape), with mean zero."""
    coarse: NDArray[np.float32]
    """The same in larger pixels, for the first search."""

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, chosen: Any) -> Prepared:
        return Prepared(self.values[chosen], self.coarse[chosen])


@dataclass(frozen=True, slots=True)
class Correlator:
    """Finds how far the content of images has moved, between pixels.

    A displacement is judged by the Pearson correlation of what both images show. So
    content that leaves the field of view does not pull the result to zero, as it does
    where images are taken to continue at the opposite edge.

    Parameters
    ----------
    shape : tuple of int
        Shape of an image, two or three axes.
    reach : tuple of int
        Farthest displacement along each axis, in whole pixels; below the length less 2.
    background : float
        Standard deviation of the Gaussian blur that is taken off; 0 takes off the mean.
    window : {"none", "hann"}
        Whether pixels count less towards the edges of what both images show.
    workers : int
        Threads.
    sums : callable
        Computes a plan of the task `correlate`; by default on one thread.
    clearer : Clearer
        What is to be known of the reference if noise was taken off it.
    """

    shape: tuple[int, ...]
    reach: tuple[int, ...]
    background: float = 0.0
    window: Window = "none"
    workers: int = 1
    sums: Sums = by_transform
    clearer: Clearer = AS_IT_IS

    def prepare(self, images: NDArray[Any]) -> Prepared:
        """Take the background off images, (images, *shape)."""
        values = np.empty(images.shape, np.float32)
        step = first_search.steps(self.shape)[0]
        coarse = np.empty((len(images), *first_search.sides(self.shape, step)), "f4")
        members = first_search.binned(np.ones((1, *self.shape), np.float32), step)

        def few(first: int) -> None:
            part = slice(first, first + FEW)
            self._fill(values[part], images[part])
            coarse[part] = first_search.binned(values[part], step)
            mean = _means(coarse[part], prod(self.shape))
            values[part] -= mean
            coarse[part] -= mean * members

        # without a blur, each step is too short for threads not to wait for each other
        threads = self.workers if self.background > 0 else 1
        spread(few, range(0, len(images), FEW), threads)
        return Prepared(values, coarse)

    def roughly(self, reference: Prepared, moved: Prepared) -> Rough:
        """Return about how far each image has moved, as large pixels tell."""
        return self._lags(reference, moved, first_search.steps(self.shape)[0])

    def compare(
        self, reference: Prepared, moved: Prepared, rough: Rough | None = None
    ) -> Peaks:
        """Return how far each image has moved from its reference.

        What is not found in large pixels is looked for in smaller ones.

        Parameters
        ----------
        reference
            One for all, or as many as there are moved images.
        moved
            The images.
        rough
            What `roughly` returns for them, if that is known.
        """
        finer = first_search.steps(self.shape)[1:]
        peaks = self._found(
            reference, moved, *(rough or self.roughly(reference, moved))
        )
        for step in finer:
            lost = np.flatnonzero(~self.believable(peaks))
            lost = lost[has_contrast(moved[lost])]
            if not len(lost):
                break
            of = reference if len(reference) == 1 else reference[lost]
            again = moved[lost]
            peaks.put(lost, self._found(of, again, *self._lags(of, again, step)))
        return peaks

    def without_noise(
        self, reference: Prepared, moved: Prepared, rough: Rough
    ) -> tuple[Correlator, Prepared]:
        """Return a reference without what a few images show to be noise.

        And what compares it with others. As they are if no image can be registered.
        """
        peaks = replace(self, sums=by_transform).compare(reference, moved, rough)
        found = self.believable(peaks)
        if not found.any():
            return self, reference
        similarity = float(np.median(peaks.similarity[found]))
        values, clearer = reference_noise.taken_off(reference.values[0], similarity)
        clear = Prepared(values[np.newaxis], reference.coarse)
        return replace(self, clearer=clearer), clear

    def believable(self, peaks: Peaks) -> NDArray[np.bool_]:
        """Tell which displacements are within reach and no work of chance."""
        lags = prod(2 * each + 1 for each in self.reach)
        result: NDArray[np.bool_] = peaks.inside & (
            peaks.significance >= sqrt(2 * log(lags)) + CERTAINTY
        )
        return result

    def _lags(self, reference: Prepared, moved: Prepared, step: int) -> Rough:
        if step == first_search.steps(self.shape)[0]:
            pair = reference.coarse, moved.coarse
        else:
            pair = (
                first_search.binned(reference.values, step),
                first_search.binned(moved.values, step),
            )
        return first_search.find(*pair, self.shape, self.reach, step, self.sums)

    def _found(
        self,
        reference: Prepared,
        moved: Prepared,
        lags: NDArray[np.intp],
        ambiguous: NDArray[np.bool_],
    ) -> Peaks:
        peaks = correlation_peak.find(
            reference.values,
            moved.values,
            lags,
            self.reach,
            is_windowed=self.window == "hann",
            sums=self.sums,
            clearer=self.clearer,
        )
        peaks.inside[ambiguous] = False
        return peaks

    def _fill(self, values: NDArray[np.float32], images: NDArray[Any]) -> None:
        """Fill in images without their background, but for a constant."""
        axes = tuple(range(1, images.ndim))
        values[...] = images
        values -= values[(slice(None), *(slice(1),) * len(axes))].copy()
        if self.background > 0:
            from scipy import ndimage

            sigma = (0.0, *(self.background for _ in axes))
            values -= ndimage.gaussian_filter(values, sigma)


def _means(sums: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return the mean of each image, from sums over parts of it, as an image."""
    axes = tuple(range(1, sums.ndim))
    total = sums.sum(axis=-1, keepdims=True).sum(axes, dtype=np.float64, keepdims=True)
    result: NDArray[np.float32] = (total / count).astype(np.float32)
    return result


def has_contrast(prepared: Prepared) -> NDArray[np.bool_]:
    """Tell which images are not the same everywhere."""
    axes = tuple(range(1, prepared.values.ndim))
    result: NDArray[np.bool_] = np.any(prepared.coarse, axis=axes)
    for doubtful in np.flatnonzero(~result):  # larger pixels may be all the same
        result[doubtful] = np.any(prepared.values[doubtful])
    return result
