"""Smooth random structure without a direction: simplex noise in several octaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx.methods import _checks as check
from napari_nanopyx.simulate import _arguments as given
from napari_nanopyx.simulate._arguments import Seed

REACH = 0.5
"""Square of the distance at which a corner's part has fallen to zero."""

LARGEST = {2: 0.0100803, 3: 0.0092891, 4: 0.0092109}
"""Most that the corners around a point can add up to, by the number of axes."""

SLOPES = 256
"""Directions that a corner can have."""

TOGETHER = 2**15
"""Points computed at once, which bounds the memory."""


def simplex_noise(
    shape: Sequence[int],
    *,
    frequency: float = 0.01,
    octaves: int = 4,
    persistence: float = 2.0,
    amplitude: float = 1000.0,
    offset: float = 1000.0,
    seed: Seed = None,
) -> NDArray[np.float64]:
    """Return an image, a movie or a series of volumes of simplex noise.

    Parameters
    ----------
    shape : sequence of 2 to 4 int
        Of the result; along every axis the noise is equally smooth.
    frequency : float
        Of the coarsest octave, in cycles per pixel, about.
    octaves : int
        How many patterns are added, each twice as fine as the one before.
    persistence : float
        How many times as strong as the one before each is.
    amplitude : float
        The first octave lies between 0 and this.
    offset : float
        What is added to all.
    seed : int, Generator or None

    Returns
    -------
    ndarray of float64, of this shape

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.

    References
    ----------
    .. [1] Perlin, Improving noise, ACM Transactions on Graphics (2002),
       doi:10.1145/566654.566636

    Examples
    --------
    >>> from napari_nanopyx import simulate
    >>> cells = simulate.simplex_noise((64, 64), frequency=0.05, octaves=1, seed=0)
    >>> bool(1000 <= cells.min() < cells.max() <= 2000)
    True
    """
    sizes = _sizes(shape)
    base = check.positive("frequency", frequency)
    count = check.whole("octaves", octaves, 1, 20)
    growth = check.positive("persistence", persistence)
    strength = check.number("amplitude", amplitude, "a finite number")
    level = check.number("offset", offset, "a finite number")
    random = given.generator(seed)
    order = random.permutation(SLOPES)
    slopes = random.standard_normal((SLOPES, len(sizes)))
    slopes /= np.linalg.norm(slopes, axis=1, keepdims=True)
    image = np.zeros(sizes)
    pixels = image.reshape(-1)
    for start in range(0, pixels.size, TOGETHER):
        part = slice(start, start + TOGETHER)
        where = np.arange(pixels.size)[part]
        places = np.stack(np.unravel_index(where, sizes), axis=1).astype(np.float64)
        for octave in range(count):
            noise = _noise(places * (base * 2.0**octave), order, slopes)
            pixels[part] += (noise + 1.0) / 2.0 * growth**octave
    return image * strength + level


def _sizes(shape: Any) -> tuple[int, ...]:
    allowed = "2 to 4 whole numbers, the lengths of the axes"
    try:
        sizes = tuple(check.whole("shape", length, 1) for length in shape)
    except TypeError as error:
        raise TypeError(f"shape is {shape!r}, but must be {allowed}") from error
    if len(sizes) not in LARGEST:
        raise ValueError(f"shape is {shape!r}, but must be {allowed}")
    return sizes


def _noise(
    places: NDArray[np.float64], order: NDArray[np.intp], slopes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the noise, from -1 to 1, at places of shape (n, axes).

    Space is cut into cubes that are squashed along their diagonal, and each of these
    into simplices: one for each order of a point's coordinates in its cube.
    """
    axes = places.shape[1]
    skewed = places + places.sum(1, keepdims=True) * (((axes + 1) ** 0.5 - 1) / axes)
    cube = np.floor(skewed)
    rank = np.argsort(np.argsort(cube - skewed, axis=1, kind="stable"), axis=1)
    squash = (1 - (axes + 1) ** -0.5) / axes
    total = np.zeros(len(places))
    for steps in range(axes + 1):
        corner = cube + (rank < steps)
        apart = places - corner + corner.sum(1, keepdims=True) * squash
        fallen = np.maximum(REACH - (apart**2).sum(1), 0.0) ** 4
        hashed = np.zeros(len(places), np.intp)
        for axis in range(axes):
            hashed = order[(hashed + corner[:, axis].astype(np.intp)) % SLOPES]
        total += fallen * (slopes[hashed] * apart).sum(1)
    return total / LARGEST[axes]
