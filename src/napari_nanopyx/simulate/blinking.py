"""Movies of emitters that blink, with every position and state known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx.methods import _checks as check
from napari_nanopyx.simulate import _arguments as given
from napari_nanopyx.simulate._arguments import Seed
from napari_nanopyx.simulate.noise import camera_noise
from napari_nanopyx.simulate.spots import spots
from napari_nanopyx.simulate.switching import ON, photoswitching

FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))


@dataclass(frozen=True, slots=True, eq=False)
class BlinkingMovie:
    """A movie of blinking emitters and the truth about them."""

    movie: NDArray[np.uint16] = field(repr=False)
    """Photon counts with Poisson noise, shape (T, Y, X)."""
    positions: NDArray[np.float64] = field(repr=False)
    """(row, column) of each emitter in pixels, shape (n, 2)."""
    states: NDArray[np.int8] = field(repr=False)
    """1 where an emitter is on, 0 off, -1 bleached, shape (n, T)."""


def blinking(
    positions: ArrayLike,
    shape: tuple[int, int],
    frames: int = 100,
    *,
    fwhm: float = 2.8,
    mean_on: float = 2.5,
    duty: float = 0.02,
    p_permanent_off: float = 0.0,
    photons: float = 500.0,
    background: float = 20.0,
    seed: Seed = None,
) -> BlinkingMovie:
    """Return a movie of emitters at given places that switch on and off on their own.

    Parameters
    ----------
    positions : array_like, shape (n, 2)
        (row, column) of each emitter in pixels; pixel n covers [n, n + 1).
    shape : (int, int)
        Rows and columns of a frame.
    frames : int
        How many frames.
    fwhm : float
        Width of the point-spread function at half its maximum, in pixels.
    mean_on : float
        Frames that an emitter stays on, on average, at least 1.
    duty : float
        Share of the time that an emitter is on, above 0 and below 1.
    p_permanent_off : float
        Probability of bleaching in each frame that an emitter is on.
    photons, background : float
        Photons per frame of an emitter that is on, and per pixel of the background.
    seed : int, Generator or None

    Returns
    -------
    BlinkingMovie
        `movie`, `positions` and `states`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.

    Examples
    --------
    >>> from napari_nanopyx import simulate
    >>> simulated = simulate.blinking([(8.0, 8.0)], (16, 16), 50, seed=0)
    >>> simulated.movie.shape, simulated.states.shape
    ((50, 16, 16), (1, 50))
    """
    shape = given.image_shape("shape", shape)
    places = given.positions("positions", positions)
    sigma = check.positive("fwhm", fwhm) / FWHM_PER_SIGMA
    off = 1.0 / check.positive("mean_on", mean_on)
    share = given.probability("duty", duty)
    on = off * share / (1.0 - share) if share < 1 else 2.0
    if off > 1 or not 0 < on <= 1:
        raise ValueError(
            f"mean_on is {mean_on!r} and duty {duty!r}, but mean_on must be at least 1 "
            "and duty above 0 and low enough for an emitter to stay off a frame on "
            "average"
        )
    light = given.not_negative("photons", photons)
    level = given.not_negative("background", background)
    random = given.generator(seed)
    states = photoswitching(
        len(places),
        frames,
        p_on=on,
        p_transient_off=off,
        p_permanent_off=p_permanent_off,
        start="stationary",
        seed=random,
    )
    movie = np.empty((states.shape[1], *shape), np.uint16)
    for frame, state in zip(movie, states.T, strict=True):
        expected = spots(shape, places[state == ON], light, sigma) + level
        frame[...] = camera_noise(expected, seed=random)
    return BlinkingMovie(movie, places, states)


class Emitters(TypedDict, total=False):
    """What `blinking` can be told about the emitters and their images."""

    fwhm: float
    mean_on: float
    duty: float
    p_permanent_off: float
    photons: float
    background: float
    seed: Seed


def blinking_filaments(
    *,
    separation: float = 2.0,
    spacing: float = 0.1,
    shape: tuple[int, int] = (32, 24),
    frames: int = 100,
    **emitters: Unpack[Emitters],
) -> BlinkingMovie:
    """Return a movie of two parallel filaments of blinking emitters.

    Parameters
    ----------
    separation, spacing : float
        Distance of the filaments, and of neighbouring emitters on one, in pixels. They
        run along the rows, either side of the middle of the columns.
    shape, frames, **emitters
        As in `blinking`: ``fwhm``, ``mean_on``, ``duty``, ``p_permanent_off``,
        ``photons``, ``background`` and ``seed``. It returns, and raises, the same.

    Examples
    --------
    >>> from napari_nanopyx import simulate
    >>> simulate.blinking_filaments(frames=10, seed=0).movie.shape
    (10, 32, 24)
    """
    rows, columns = given.image_shape("shape", shape)
    apart = given.not_negative("separation", separation)
    along = np.arange(0.0, rows, check.positive("spacing", spacing))
    sides = [np.full_like(along, (columns + side * apart) / 2) for side in (-1, 1)]
    places = np.stack([np.tile(along, 2), np.concatenate(sides)], axis=1)
    return blinking(places, (rows, columns), frames, **emitters)


def blinking_ring(
    *,
    radius: float = 3.0,
    spacing: float = 0.1,
    shape: tuple[int, int] = (32, 32),
    frames: int = 100,
    **emitters: Unpack[Emitters],
) -> BlinkingMovie:
    """Return a movie of a ring of blinking emitters about the middle of the frame.

    Parameters
    ----------
    radius, spacing : float
        Radius of the ring, and distance of emitters along it, in pixels.
    shape, frames, **emitters
        As in `blinking_filaments`. It returns, and raises, the same.

    Examples
    --------
    >>> from napari_nanopyx import simulate
    >>> simulate.blinking_ring(frames=10, seed=0).movie.shape
    (10, 32, 32)
    """
    rows, columns = given.image_shape("shape", shape)
    size = check.positive("radius", radius)
    count = max(1, round(2 * math.pi * size / check.positive("spacing", spacing)))
    angle = np.arange(count) * (2 * math.pi / count)
    places = np.stack(
        [rows / 2 + size * np.sin(angle), columns / 2 + size * np.cos(angle)], axis=1
    )
    return blinking(places, (rows, columns), frames, **emitters)
