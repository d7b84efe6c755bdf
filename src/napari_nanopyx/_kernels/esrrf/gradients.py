"""Gradients of an image on the half-pixel lattice, in float64 NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels import catmull_rom

Image = NDArray[np.float64]
Operator = Literal["roberts", "two_point"]
Interpolation = Literal["catmull_rom", "fourier"]

VANISHING = 1e-9
"""A Fourier gradient this small beside the largest pixel is rounding, and so 0."""


@dataclass(frozen=True, slots=True)
class Lattice:
    """Gradients at half-pixel positions: entry ``k + origin`` belongs to ``k / 2``."""

    row: Image
    column: Image
    origin: int


def roberts(image: Image) -> tuple[Image, Image]:
    """Return (row, column) Roberts gradients at the first corner of each pixel."""
    padded = np.pad(image, ((1, 0), (1, 0)), mode="edge")
    here, left = padded[1:, 1:], padded[1:, :-1]
    above, diagonal = padded[:-1, 1:], padded[:-1, :-1]
    return here + left - above - diagonal, here + above - left - diagonal


def two_point(image: Image) -> tuple[Image, Image]:
    """Return (row, column) differences at the first edges of each pixel."""
    row = np.diff(image, axis=0, prepend=image[:1])
    column = np.diff(image, axis=1, prepend=image[:, :1])
    return row, column


def centred_lattice(image: Image, operator: Operator, reach: int) -> Lattice:
    """Return the lattice of the image, its edge pixels continued for ``reach`` steps.

    A difference belongs to the edge or corner where it was taken, so that nothing is
    displaced.
    """
    pad = reach + 3
    extended = np.pad(image, pad, mode="edge")
    if operator == "roberts":
        row, column = (halved(halved(g, 0), 1) for g in roberts(extended))
        return Lattice(row, column, 2 * pad)
    row, column = (halved(halved(g, 0), 1) for g in two_point(extended))
    # Along the other axis a two-point difference belongs to the pixel centre.
    return Lattice(row[1:, :-1], column[:-1, 1:], 2 * pad - 1)


def differences(halves: Image, operator: Operator) -> tuple[Image, Image]:
    """Return (row, column) gradients at half-pixel points, from values at such points.

    Parameters
    ----------
    halves : ndarray of float64, shape (K + 2, L + 2)
        The image half a pixel apart.
    operator : {"roberts", "two_point"}

    Returns
    -------
    row, column : ndarray of float64, shape (K, L)
        Centred at all but the outermost points.
    """
    above, below = halves[:-2], halves[2:]
    if operator == "two_point":
        row = below[:, 1:-1] - above[:, 1:-1]
        return row, halves[1:-1, 2:] - halves[1:-1, :-2]
    total, difference = below + above, below - above
    return difference[:, 2:] + difference[:, :-2], total[:, 2:] - total[:, :-2]


def fourier_lattice(image: Image, operator: Operator, reach: int) -> Lattice:
    """Return the lattice of the image's cosine waves, for ``reach`` steps beyond it.

    The waves go on as the image mirrored at its edges.
    """
    halves = image - image.mean()
    for axis, length in enumerate(image.shape):
        waves = np.arange(length)
        samples = np.cos(np.pi / length * np.outer(waves + 0.5, waves))
        points = np.arange(-reach - 1, 2 * length + reach + 2) / 2
        values = np.cos(np.pi / length * np.outer(points, waves))
        values[:, 1:] *= 2.0
        weights = values @ samples.T / length
        halves = weights @ halves if axis == 0 else halves @ weights.T
    row, column = differences(halves, operator)
    vanishing = np.hypot(row, column) <= VANISHING * np.abs(image).max()
    row[vanishing] = column[vanishing] = 0.0
    return Lattice(row, column, reach)


def corner_lattice(image: Image, magnification: int) -> Lattice:
    """Return the lattice of nanopyx 2.1.5, half a camera pixel off, for tests."""
    row, column = roberts(image)
    for axis, length in enumerate(image.shape):
        points = np.append(np.arange(2 * length) / 2, length - 0.5 / magnification)
        indices, weights = catmull_rom.taps_at(length, points, border="drop")
        row, column = (
            np.einsum("kt...,kt->k...", np.moveaxis(g, axis, 0)[indices], weights)
            for g in (row, column)
        )
        row, column = np.moveaxis(row, 0, axis), np.moveaxis(column, 0, axis)
    return Lattice(row, column, 0)


def halved(values: Image, axis: int) -> Image:
    """Put a Catmull-Rom value half-way between each two neighbours along an axis."""
    values = np.moveaxis(values, axis, 0)
    outer = np.concatenate([values[:1], values, values[-1:]])
    result = np.empty((2 * len(values) - 1, *values.shape[1:]))
    result[::2] = values
    inner = 9.0 * (values[:-1] + values[1:])
    result[1::2] = (inner - (outer[:-3] + outer[3:])) / 16.0
    return np.moveaxis(result, 0, axis)
