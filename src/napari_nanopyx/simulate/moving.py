"""Images that do not lie on top of each other: drifting movies, misaligned channels."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx.methods import _checks as check
from napari_nanopyx.simulate import _arguments as given
from napari_nanopyx.simulate._arguments import Seed
from napari_nanopyx.simulate.particles import particle_field
from napari_nanopyx.simulate.spots import beads, spots


@dataclass(frozen=True, slots=True, eq=False)
class DriftMovie:
    """A movie of beads that move together."""

    movie: NDArray[np.float64] = field(repr=False)
    """Expected photons, without noise, shape (T, Y, X)."""
    positions: NDArray[np.float64] = field(repr=False)
    """(row, column) of each bead in the first frame, shape (n, 2)."""
    motion: NDArray[np.float64] = field(repr=False)
    """How far each frame has moved since the first, (row, column), shape (T, 2)."""

    @property
    def shifts(self) -> NDArray[np.float64]:
        """The correction that brings each frame back onto the first, shape (T, 2)."""
        return -self.motion


def drift_movie(
    frames: int = 20,
    shape: tuple[int, int] = (128, 128),
    *,
    drift: ArrayLike | None = None,
    random_step: float = 0.0,
    count: int = 20,
    photons: float = 5000.0,
    sigma: float = 3.0,
    seed: Seed = None,
) -> DriftMovie:
    """Return a movie of beads that drift.

    Parameters
    ----------
    frames : int
        How many frames.
    shape : (int, int)
        Rows and columns of a frame.
    drift : (float, float), optional
        How far the beads move from each frame to the next, (row, column) in pixels. By
        default 2 % of the shape; with ``random_step``, nothing.
    random_step : float
        Standard deviation of a random step added to it along each axis.
    count, photons, sigma
        As in `beads`. Each frame is drawn anew at its positions, not interpolated.
    seed : int, Generator or None

    Returns
    -------
    DriftMovie
        `movie`, `positions`, `motion` and `shifts`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.

    Examples
    --------
    >>> from napari_nanopyx import simulate
    >>> simulate.drift_movie(3, drift=(1.0, -0.5), seed=0).motion
    array([[ 0. ,  0. ],
           [ 1. , -0.5],
           [ 2. , -1. ]])
    """
    length = check.whole("frames", frames, 1)
    shape = given.image_shape("shape", shape)
    wander = given.not_negative("random_step", random_step)
    if drift is None:
        drift = (0.0, 0.0) if wander else (0.02 * shape[0], 0.02 * shape[1])
    step = given.numbers("drift", drift, "(row, column), two numbers")
    if step.shape != (2,):
        raise ValueError(f"drift has shape {step.shape}, but must be (row, column)")
    random = given.generator(seed)
    places = beads(shape, count, photons=photons, sigma=sigma, seed=random).positions
    steps = step + wander * random.standard_normal((length - 1, 2))
    motion = np.vstack([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
    movie = _frames(shape, places + motion[:, np.newaxis], photons, sigma)
    return DriftMovie(movie, places, motion)


@dataclass(frozen=True, slots=True, eq=False)
class Channels:
    """Channels that show the same beads in different places."""

    image: NDArray[np.float64] = field(repr=False)
    """Expected photons, without noise, shape (3, Y, X)."""
    positions: NDArray[np.float64] = field(repr=False)
    """(row, column) of each bead in each channel, shape (3, n, 2)."""
    displacements: NDArray[np.float64] = field(repr=False)
    """How far each block of a channel is moved, shape (3, blocks, blocks, 2)."""


def misaligned_channels(
    shape: tuple[int, int] = (300, 300),
    *,
    displacement: float = 3.0,
    blocks: int = 3,
    beads_per_block: int = 9,
    photons: float = 5000.0,
    sigma: float = 3.0,
    seed: Seed = None,
) -> Channels:
    """Return three channels of beads, the second and third moved block by block.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of a channel.
    displacement : float
        The blocks of the second channel are moved by -displacement to +displacement
        along both axes, evenly from the first to the last block; those of the third the
        other way round.
    blocks : int
        Blocks along each axis, at least 2.
    beads_per_block : int
        Beads in each block of the first channel.
    photons, sigma
        As in `beads`.
    seed : int, Generator or None

    Returns
    -------
    Channels
        `image`, `positions` and `displacements`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.

    Examples
    --------
    >>> from napari_nanopyx import simulate
    >>> channels = simulate.misaligned_channels((60, 60), seed=0)
    >>> channels.displacements[1, 0]
    array([[-3., -3.],
           [-3.,  0.],
           [-3.,  3.]])
    """
    shape = given.image_shape("shape", shape)
    distance = check.number("displacement", displacement, "a finite number")
    number = check.whole("blocks", blocks, 2)
    each = check.whole("beads_per_block", beads_per_block, 1)
    random = given.generator(seed)
    steps = np.linspace(-distance, distance, number)
    moved = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1)
    displacements = np.stack([np.zeros_like(moved), moved, -moved])
    size = (shape[0] / number, shape[1] / number)
    corners = np.indices((number, number)).reshape(2, -1).T * size
    places = [
        corner + particle_field([[1.0]], each, pixel=size, seed=random).positions
        for corner in corners
    ]
    first = np.concatenate(places)
    by_bead = np.repeat(displacements.reshape(3, -1, 2), each, axis=1)
    positions = first + by_bead
    image = _frames(shape, positions, photons, sigma)
    return Channels(image, positions, displacements)


def _frames(
    shape: tuple[int, int],
    positions: NDArray[np.float64],
    photons: float,
    sigma: float,
) -> NDArray[np.float64]:
    """Return one image for each set of positions, shape (frames, n, 2)."""
    return np.array([spots(shape, places, photons, sigma) for places in positions])
