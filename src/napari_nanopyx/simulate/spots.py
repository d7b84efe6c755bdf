"""Point sources as a camera sees them: Gaussians integrated over each pixel."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx.methods import _checks as check
from napari_nanopyx.simulate import _arguments as given
from napari_nanopyx.simulate._arguments import Seed
from napari_nanopyx.simulate.particles import particle_field

TOGETHER = 4096
"""Spots drawn at once, which bounds the memory."""


def spots(
    shape: tuple[int, int],
    positions: ArrayLike,
    photons: ArrayLike = 1000.0,
    sigma: ArrayLike = 1.3,
) -> NDArray[np.float64]:
    """Return the light of point sources, integrated over each pixel.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the image.
    positions : array_like, shape (n, 2)
        (row, column) of each source in pixels; pixel n covers [n, n + 1). They may lie
        outside the image, which then gets the light that reaches it.
    photons : float or array_like, shape (n,)
        Light of each source, 0 or more.
    sigma : float or array_like, shape (n,)
        Standard deviation of each Gaussian, in pixels, above 0.

    Returns
    -------
    ndarray of float64, of this shape
        The expected photons, without noise.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.

    Examples
    --------
    >>> from napari_nanopyx import simulate
    >>> image = simulate.spots((5, 5), [(2.5, 2.5)], photons=100.0, sigma=0.5)
    >>> image.round()[2]
    array([ 0., 11., 47., 11.,  0.])
    """
    shape = given.image_shape("shape", shape)
    places = given.positions("positions", positions)
    allowed = f", one number or one for each of the {len(places)} positions"
    light = given.spread("photons", photons, (len(places),), f"0 or more{allowed}")
    width = given.spread("sigma", sigma, (len(places),), f"above 0{allowed}")
    if (width == 0).any():
        raise ValueError(f"sigma is {sigma!r}, but must be above 0{allowed}")
    image = np.zeros(shape)
    for start in range(0, len(places), TOGETHER):
        part = slice(start, start + TOGETHER)
        rows = _shares(shape[0], places[part, 0], width[part])
        columns = _shares(shape[1], places[part, 1], width[part])
        image += (light[part, np.newaxis] * rows).T @ columns
    return image


def _shares(
    length: int, centres: NDArray[np.float64], sigma: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what share of the light falls on each row or column, shape (n, length)."""
    from scipy.special import erf

    edges = np.arange(length + 1) - centres[:, np.newaxis]
    scale = np.sqrt(2.0) * sigma[:, np.newaxis]
    shares: NDArray[np.float64] = np.diff(erf(edges / scale)) / 2
    return shares


@dataclass(frozen=True, slots=True, eq=False)
class Beads:
    """An image of beads and where they are."""

    image: NDArray[np.float64] = field(repr=False)
    """Expected photons, without noise."""
    positions: NDArray[np.float64]
    """(row, column) of each bead, shape (n, 2)."""


def beads(
    shape: tuple[int, int] = (128, 128),
    count: int = 20,
    *,
    photons: float = 5000.0,
    sigma: float = 3.0,
    min_distance: float = 0.0,
    margin: float = 0.0,
    seed: Seed = None,
) -> Beads:
    """Return an image of equally bright beads at random places.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the image.
    count : int
        How many beads; fewer if there is no room for more.
    photons, sigma : float
        Light of a bead, and the standard deviation of its image in pixels.
    min_distance : float
        Least distance of two beads, in pixels.
    margin : float
        Least distance from the edges, in pixels.
    seed : int, Generator or None

    Returns
    -------
    Beads
        `image` and `positions`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.

    Examples
    --------
    >>> from napari_nanopyx import simulate
    >>> len(simulate.beads(count=7, seed=1).positions)
    7
    """
    shape = given.image_shape("shape", shape)
    edge = given.not_negative("margin", margin)
    inner = (shape[0] - 2 * edge, shape[1] - 2 * edge)
    if min(inner) <= 0:
        raise ValueError(
            f"margin is {margin!r}, but must be below half a side, {min(shape) / 2:g}"
        )
    places = particle_field(
        [[1.0]],
        count,
        min_distance=min_distance,
        pixel=inner,
        seed=seed,
    ).positions
    places = places + edge
    return Beads(spots(shape, places, photons, sigma), places)


@dataclass(frozen=True, slots=True, eq=False)
class SpotMovie:
    """A movie of spots, others in each frame, and the truth about them."""

    movie: NDArray[np.float64] = field(repr=False)
    """Expected photons, without noise, shape (T, Y, X)."""
    positions: tuple[NDArray[np.float64], ...] = field(repr=False)
    """(row, column) of each spot in each frame, shape (n, 2)."""
    photons: tuple[NDArray[np.float64], ...] = field(repr=False)
    """Light of each, shape (n,)."""
    sigma: tuple[NDArray[np.float64], ...] = field(repr=False)
    """Standard deviation of each, in pixels."""


def random_spots(
    shape: tuple[int, int] = (128, 128),
    frames: int = 1,
    *,
    count: int = 100,
    photons: float = 1000.0,
    sigma: float = 1.5,
    seed: Seed = None,
) -> SpotMovie:
    """Return frames with spots of uneven number, light and width at random places.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of a frame.
    frames : int
        How many frames.
    count : int
        Spots in a frame, on average; evenly spread up to a quarter more or less.
    photons : float
        Light of a spot on average, spread as much.
    sigma : float
        Standard deviation of a spot in pixels, spread by a tenth.
    seed : int, Generator or None

    Returns
    -------
    SpotMovie
        `movie`, and `positions`, `photons` and `sigma` of the spots of each frame.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.

    Examples
    --------
    >>> from napari_nanopyx import simulate
    >>> simulated = simulate.random_spots((32, 32), 2, count=8, seed=0)
    >>> [len(places) for places in simulated.positions]
    [8, 7]
    """
    shape = given.image_shape("shape", shape)
    length = check.whole("frames", frames, 1)
    number = check.whole("count", count, 0)
    light = given.not_negative("photons", photons)
    width = check.positive("sigma", sigma)
    random = given.generator(seed)
    numbers = (number * random.uniform(0.75, 1.25, length)).astype(int)
    positions = [random.random((n, 2)) * shape for n in numbers]
    lights = [light * random.uniform(0.75, 1.25, n) for n in numbers]
    widths = [width * random.uniform(0.9, 1.1, n) for n in numbers]
    movie = [
        spots(shape, *each) for each in zip(positions, lights, widths, strict=True)
    ]
    return SpotMovie(np.array(movie), tuple(positions), tuple(lights), tuple(widths))
