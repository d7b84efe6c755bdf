"""Finds where a scene has moved to from image to image, as images come in."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import log, prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import drift_path
from napari_nanopyx._kernels.correlation import Correlator, Prepared
from napari_nanopyx._kernels.correlation_peak import Peaks

CERTAINTY = 2.0
"""Standard deviations above the highest correlation expected of noise alone."""

FEW = 6
"""Images that a thread compares at a time, so that they stay in its cache."""

Values = NDArray[np.float64]
Batches = Iterable[NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Path:
    """Where the scene is in each image."""

    positions: Values
    """How far it has moved, (images, axes); meaningless where it was not found."""
    similarity: Values
    found: NDArray[np.bool_]


def believable(peaks: Peaks, reach: tuple[int, ...]) -> NDArray[np.bool_]:
    """Tell which displacements are within reach and no work of chance."""
    lags = prod(2 * each + 1 for each in reach)
    result: NDArray[np.bool_] = peaks.inside & (
        peaks.significance >= sqrt(2 * log(lags)) + CERTAINTY
    )
    return result


def against_first(correlator: Correlator, batches: Batches) -> Path:
    """Compare each image with the first that has any contrast."""
    reference: Prepared | None = None
    parts: list[Path] = []
    for images in batches:
        own = None
        if reference is None:
            own = _first_with_contrast(images)
            if own is None:
                parts.append(_nothing(len(images), images.ndim - 1))
                continue
            reference = correlator.prepare(images[own : own + 1])
        peaks = _compared(correlator, reference, images)
        found = believable(peaks, correlator.reach)
        positions, similarity = peaks.displacements, peaks.similarity
        if own is not None:
            positions[own], similarity[own], found[own] = 0.0, 1.0, True
            found[:own] = False
        parts.append(Path(positions, similarity, found))
    return _joined(parts)


def _compared(
    correlator: Correlator, reference: Prepared, images: NDArray[Any]
) -> Peaks:
    """Compare images with a reference, a few at a time on each thread."""
    alone = replace(correlator, workers=1)

    def compare(start: int) -> Peaks:
        return alone.compare(reference, alone.prepare(images[start : start + FEW]))

    with ThreadPoolExecutor(correlator.workers) as pool:
        return _peaks(list(pool.map(compare, range(0, len(images), FEW))))


def _peaks(parts: list[Peaks]) -> Peaks:
    return Peaks(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("displacements", "similarity", "significance", "inside")
        )
    )


def _first_with_contrast(images: NDArray[Any]) -> int | None:
    return next(
        (index for index, each in enumerate(images) if each.min() < each.max()), None
    )


def step_by_step(correlator: Correlator, batches: Batches) -> Path:
    """Compare each image with the last one before it that was found."""
    last: Prepared | None = None
    at: Values | float = 0.0
    parts: list[Path] = []
    for images in batches:
        prepared = correlator.prepare(images)
        path = _nothing(len(images), images.ndim - 1)
        for index in range(len(images)):
            image = prepared[index : index + 1]
            if last is None:
                if not _has_contrast(image)[0]:
                    continue
                path.similarity[index], path.found[index] = 1.0, True
            else:
                peaks = correlator.compare(last, image)
                path.positions[index] = at + peaks.displacements[0]
                path.similarity[index] = peaks.similarity[0]
                path.found[index] = bool(believable(peaks, correlator.reach)[0])
            if path.found[index]:
                last, at = image, path.positions[index]
        parts.append(path)
    return _joined(parts)


def all_pairs(correlator: Correlator, batches: Batches, farthest: int) -> Path:
    """Compare each image with every other, or with the next so many, and reconcile.

    All images are kept in memory.
    """
    every = [correlator.prepare(images) for images in batches]
    prepared = Prepared(
        np.concatenate([each.values for each in every]),
        np.concatenate([each.spectra for each in every]),
    )
    del every
    count = len(prepared)
    first, second, parts = [], [], []
    for index in range(count - 1):
        stop = min(count, index + 1 + farthest) if farthest else count
        partners = slice(index + 1, stop)
        parts.append(
            correlator.compare(prepared[index : index + 1], prepared[partners])
        )
        first.append(np.full(stop - index - 1, index))
        second.append(np.arange(index + 1, stop))
    axes = len(correlator.shape)
    if not parts:
        found = _has_contrast(prepared)
        return Path(np.zeros((count, axes)), found.astype(np.float64), found)
    peaks = _peaks(parts)
    good = believable(peaks, correlator.reach)
    one, two = np.concatenate(first)[good], np.concatenate(second)[good]
    positions, placed, kept = drift_path.solve(
        one, two, peaks.displacements[good], peaks.similarity[good] ** 2, count
    )
    return Path(
        positions,
        _means(one[kept], two[kept], peaks.similarity[good][kept], count),
        placed,
    )


def _means(
    first: NDArray[np.intp], second: NDArray[np.intp], similarity: Values, count: int
) -> Values:
    """Return the mean similarity of the pairs that each image is in."""
    both = np.concatenate((first, second))
    totals = np.bincount(both, np.tile(similarity, 2), count)
    means: Values = totals / np.maximum(np.bincount(both, minlength=count), 1)
    return means


def _has_contrast(prepared: Prepared) -> NDArray[np.bool_]:
    values = prepared.values.reshape(len(prepared), -1)
    result: NDArray[np.bool_] = np.any(values, axis=1)
    return result


def _nothing(count: int, axes: int) -> Path:
    return Path(np.zeros((count, axes)), np.zeros(count), np.zeros(count, np.bool_))


def _joined(parts: list[Path]) -> Path:
    return Path(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("positions", "similarity", "found")
        )
    )
