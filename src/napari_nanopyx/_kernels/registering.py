"""Finds where a scene has moved to from image to image, as images come in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import drift_path
from napari_nanopyx._kernels.correlation import Correlator, Prepared, has_contrast
from napari_nanopyx._kernels.correlation_peak import Peaks

Values = NDArray[np.float64]
Batches = Iterable[NDArray[Any]]

FEW = 2
"""Images by which the noise of the reference is told."""


@dataclass(frozen=True, slots=True)
class Path:
    """Where the scene is in each image."""

    positions: Values
    """How far it has moved, (images, axes); meaningless where it was not found."""
    similarity: Values
    found: NDArray[np.bool_]
    uncertainty: Values
    """Standard deviation of the position that noise causes, (images, axes)."""


def against_first(correlator: Correlator, batches: Batches) -> Path:
    """Compare each image with the first that has any contrast."""
    later = map(correlator.prepare, batches)
    dark, early = _first_ones(later)
    nothing = _nothing(dark, len(correlator.shape))
    if early is None:
        return nothing
    own = int(np.argmax(has_contrast(early)))
    reference = early[own : own + 1]
    rough = correlator.roughly(reference, early)
    few = np.arange(own + 1, min(own + 1 + FEW, len(early)))
    few = few[has_contrast(early[few])]
    if len(few):
        lags, ambiguous = rough
        correlator, reference = correlator.without_noise(
            reference, early[few], (lags[few], ambiguous[few])
        )
    first = correlator.compare(reference, early, rough)
    found = chain((first,), (correlator.compare(reference, each) for each in later))
    path: Path = _joined([nothing, *(_as_path(correlator, each) for each in found)])
    own += dark
    path.positions[own], path.similarity[own] = 0.0, 1.0
    path.uncertainty[own], path.found[own] = 0.0, True
    path.found[:own] = False
    return path


def _first_ones(images: Iterator[Prepared]) -> tuple[int, Prepared | None]:
    """Return the first image with contrast and a few more, and how many came before.

    However images are divided, so that what is found does not depend on it. Those
    before it may be among those that are returned; None if no image has contrast.
    """
    parts: list[Prepared] = []
    dark, own = 0, 0
    for prepared in images:
        if not parts:
            with_contrast = np.flatnonzero(has_contrast(prepared))
            if not len(with_contrast):
                dark += len(prepared)
                continue
            own = int(with_contrast[0])
        parts.append(prepared)
        if sum(map(len, parts)) > own + FEW:
            break
    if len(parts) < 2:
        return dark, parts[0] if parts else None
    return dark, _joined(parts)


def _as_path(correlator: Correlator, peaks: Peaks) -> Path:
    found = correlator.believable(peaks)
    return Path(peaks.displacements, peaks.similarity, found, peaks.uncertainty)


def _joined(parts: list[Any]) -> Any:
    """Return paths or peaks as one."""
    kind = type(parts[0])
    names = (each.name for each in fields(kind))
    return kind(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in names)
    )


def step_by_step(correlator: Correlator, batches: Batches) -> Path:
    """Compare each image with the last one before it that was found."""
    last: Prepared | None = None
    at: Values | float = 0.0
    doubt: Values | float = 0.0
    parts: list[Path] = []
    for images in batches:
        prepared = correlator.prepare(images)
        path = _nothing(len(images), images.ndim - 1)
        steps = _as_path(correlator, correlator.compare(prepared[:-1], prepared[1:]))
        is_next = False
        for index in range(len(images)):
            image = prepared[index : index + 1]
            if last is None:
                path.found[index] = bool(has_contrast(image)[0])
                path.similarity[index] = float(path.found[index])
            else:
                step, place = steps, index - 1
                if not is_next:
                    peaks = correlator.compare(last, image)
                    step, place = _as_path(correlator, peaks), 0
                path.positions[index] = at + step.positions[place]
                path.similarity[index] = step.similarity[place]
                path.found[index] = step.found[place]
                path.uncertainty[index] = np.hypot(doubt, step.uncertainty[place])
            is_next = bool(path.found[index])
            if is_next:
                last, at, doubt = image, path.positions[index], path.uncertainty[index]
        parts.append(path)
    result: Path = _joined(parts)
    return result


def all_pairs(correlator: Correlator, batches: Batches, farthest: int) -> Path:
    """Compare each image with every other, or with the next so many, and reconcile.

    All images are kept in memory.
    """
    every = [correlator.prepare(images) for images in batches]
    prepared: Prepared = _joined(every)
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
        found = has_contrast(prepared)
        still = np.zeros((count, axes))
        return Path(still, found.astype(np.float64), found, still)
    peaks: Peaks = _joined(parts)
    good = correlator.believable(peaks)
    one, two = np.concatenate(first)[good], np.concatenate(second)[good]
    positions, placed, kept = drift_path.solve(
        one, two, peaks.displacements[good], peaks.similarity[good] ** 2, count
    )
    one, two = one[kept], two[kept]
    doubts = [_means(one, two, each, count) for each in peaks.uncertainty[good][kept].T]
    similarity = _means(one, two, peaks.similarity[good][kept], count)
    return Path(positions, similarity, placed, np.stack(doubts, axis=1))


def with_axial(lateral: Path, axial: Path) -> Path:
    """Return (plane, row, column) of paths of (row, column) and of (plane, column)."""
    return Path(
        np.hstack((axial.positions[:, :1], lateral.positions)),
        np.minimum(axial.similarity, lateral.similarity),
        axial.found & lateral.found,
        np.hstack((axial.uncertainty[:, :1], lateral.uncertainty)),
    )


def _means(
    first: NDArray[np.intp], second: NDArray[np.intp], values: Values, count: int
) -> Values:
    """Return the mean of the pairs that each image is in."""
    both = np.concatenate((first, second))
    totals = np.bincount(both, np.tile(values, 2), count)
    means: Values = totals / np.maximum(np.bincount(both, minlength=count), 1)
    return means


def _nothing(count: int, axes: int) -> Path:
    return Path(
        np.zeros((count, axes)),
        np.zeros(count),
        np.zeros(count, np.bool_),
        np.zeros((count, axes)),
    )
