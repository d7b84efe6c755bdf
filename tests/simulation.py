"""Simulated microscope movies of which the truth is known."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))

_erf = np.vectorize(math.erf, otypes=[np.float64])


def spots(
    shape: tuple[int, int],
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    photons: NDArray[np.float64],
    sigma: float,
) -> NDArray[np.float64]:
    """Return Gaussian spots integrated over each pixel.

    Positions are continuous: pixel ``n`` covers ``[n, n + 1)``.
    """

    def shares(length: int, centres: NDArray[np.float64]) -> NDArray[np.float64]:
        edges = np.arange(length + 1) - centres[:, np.newaxis]
        share: NDArray[np.float64] = np.diff(_erf(edges / (math.sqrt(2.0) * sigma))) / 2
        return share

    image: NDArray[np.float64] = np.einsum(
        "n,nr,nc->rc", photons, shares(shape[0], rows), shares(shape[1], columns)
    )
    return image


def blinking_filaments(
    *,
    separation: float = 2.0,
    fwhm: float = 2.8,
    frames: int = 100,
    shape: tuple[int, int] = (32, 24),
    spacing: float = 0.1,
    mean_on: float = 2.5,
    duty: float = 0.02,
    photons: float = 500.0,
    background: float = 20.0,
    seed: int = 0,
) -> NDArray[np.uint16]:
    """Simulate two parallel filaments of emitters that switch on and off on their own.

    Parameters
    ----------
    separation, fwhm, spacing : float
        Distance of the filaments, width of the point-spread function and distance of
        emitters along a filament, in pixels.
    mean_on : float
        Frames that an emitter stays on, on average.
    duty : float
        Share of the time that an emitter is on.
    photons, background : float
        Photons per frame of an emitter that is on, and per pixel of the background.

    Returns
    -------
    ndarray of uint16, shape (frames, *shape)
        Photon counts with Poisson noise; the filaments run along the rows, either side
        of the middle column.
    """
    rng = np.random.default_rng(seed)
    along = np.arange(0.0, shape[0], spacing)
    rows = np.concatenate([along, along])
    middle = shape[1] / 2
    columns = np.repeat([middle - separation / 2, middle + separation / 2], len(along))
    sigma = fwhm / FWHM_PER_SIGMA
    switch_off = 1.0 / mean_on
    switch_on = switch_off * duty / (1.0 - duty)
    on = rng.random(len(rows)) < duty
    movie = np.empty((frames, *shape), np.uint16)
    for frame in movie:
        light = spots(shape, rows[on], columns[on], np.full(on.sum(), photons), sigma)
        frame[...] = rng.poisson(light + background)
        chance = rng.random(len(rows))
        on = np.where(on, chance >= switch_off, chance < switch_on)
    return movie


def dip(profile: NDArray[np.float64]) -> float:
    """Return how far the middle of a profile lies below its two peaks, from 0 to 1.

    The peaks are the maxima of the two halves; a profile highest in the middle has
    no dip.
    """
    half = len(profile) // 2
    left, right = profile[:half], profile[-half:]
    first, second = int(left.argmax()), int(right.argmax()) + len(profile) - half
    valley = profile[first : second + 1].min()
    return float(1.0 - valley / ((profile[first] + profile[second]) / 2))
