"""Random places of particles that follow a density and keep their distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx.methods import _checks as check
from napari_nanopyx.simulate import _arguments as given
from napari_nanopyx.simulate._arguments import Seed


@dataclass(frozen=True, slots=True, eq=False)
class ParticleField:
    """Where particles are."""

    positions: NDArray[np.float64]
    """(row, column) of each in pixels, shape (n, 2)."""
    mean_distance: float
    """Mean distance to the nearest other particle; NaN for fewer than two."""
    is_full: bool
    """Whether there are fewer than asked for because no room was found for more."""


def particle_field(
    density: ArrayLike,
    max_particles: int,
    *,
    min_distance: float = 0.0,
    mean_distance: float = 0.0,
    min_particles: int = 2,
    max_tries: int = 10,
    pixel: float | tuple[float, float] = 1.0,
    seed: Seed = None,
) -> ParticleField:
    """Return random positions that follow a density and keep a least distance.

    Parameters
    ----------
    density : array_like, shape (rows, columns)
        How likely a particle is in each pixel, relative to others; 0 or more.
    max_particles : int
        How many particles to place at most.
    min_distance : float
        Least distance of two particles.
    mean_distance : float
        Stop when the mean distance to the nearest particle falls below it, and there
        are more than `min_particles`. By default it is not looked at.
    min_particles : int
        See `mean_distance`.
    max_tries : int
        Stop after so many rounds, of `max_particles` places each, without one that is
        free.
    pixel : float or (float, float)
        Height and width of a pixel of the density, in the unit of the distances.
    seed : int, Generator or None

    Returns
    -------
    ParticleField
        `positions`, `mean_distance` and `is_full`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.

    Examples
    --------
    >>> from napari_nanopyx import simulate
    >>> field = simulate.particle_field([[0, 1], [0, 0]], 3, seed=0)
    >>> field.positions.astype(int)
    array([[0, 1],
           [0, 1],
           [0, 1]])
    """
    weights = _weights(density)
    most = check.whole("max_particles", max_particles, 0)
    least = given.not_negative("min_distance", min_distance)
    enough = given.not_negative("mean_distance", mean_distance)
    minimum = check.whole("min_particles", min_particles, 0)
    tries = check.whole("max_tries", max_tries, 1)
    size = given.spread("pixel", pixel, (2,), "a number or (height, width), above 0")
    if (size <= 0).any():
        raise ValueError(f"pixel is {pixel!r}, but must be above 0")
    random = given.generator(seed)
    places = np.empty((0, 2))
    failed = 0
    while len(places) < most and failed < tries:
        found = _free(_drawn(weights, most, random) * size, places, least)
        failed = 0 if len(found) else failed + 1
        if enough:
            for place in found[: most - len(places)]:
                places = np.vstack([places, place])
                if len(places) > minimum and _nearest(places) < enough:
                    return ParticleField(places, _nearest(places), False)
        else:
            places = np.vstack([places, found[: most - len(places)]])
    return ParticleField(places, _nearest(places), len(places) < most)


def _weights(density: ArrayLike) -> NDArray[np.float64]:
    allowed = "0 or more and not 0 everywhere, with rows and columns"
    weights = given.numbers("density", density, allowed)
    if weights.ndim != 2 or not weights.size:
        raise ValueError(f"density has shape {weights.shape}, but must be {allowed}")
    if (weights < 0).any() or not weights.any():
        raise ValueError(
            f"density is between {weights.min():g} and {weights.max():g}, but must be "
            f"{allowed}"
        )
    normalised: NDArray[np.float64] = weights / weights.max()
    return normalised


def _drawn(
    weights: NDArray[np.float64], count: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Draw pixels by their weight, and a place within each."""
    total = np.cumsum(weights)
    chosen = np.searchsorted(total, random.random(count) * total[-1], side="right")
    corners = np.stack(np.unravel_index(chosen, weights.shape), axis=1)
    places: NDArray[np.float64] = corners + random.random((count, 2))
    return places


def _free(
    candidates: NDArray[np.float64], places: NDArray[np.float64], least: float
) -> NDArray[np.float64]:
    """Return the candidates that are far enough from the places and from each other."""
    from scipy.spatial import cKDTree

    if least == 0:
        return candidates
    if len(places):
        candidates = candidates[cKDTree(places).query(candidates)[0] >= least]
    keep = np.ones(len(candidates), bool)
    if len(candidates):
        close = cKDTree(candidates).query_ball_point(candidates, least)
        for i, neighbours in enumerate(close):
            if keep[i]:
                keep[[j for j in neighbours if j > i]] = False
    return candidates[keep]


def _nearest(places: NDArray[np.float64]) -> float:
    """Return the mean distance to the nearest other place."""
    from scipy.spatial import cKDTree

    if len(places) < 2:
        return float("nan")
    return float(cKDTree(places).query(places, k=2)[0][:, 1].mean())
