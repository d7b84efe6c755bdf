"""What a camera makes of the light that falls on it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from napari_nanopyx.methods import _checks as check
from napari_nanopyx.simulate import _arguments as given
from napari_nanopyx.simulate._arguments import Seed


def camera_noise(
    photons: ArrayLike,
    *,
    poisson: bool = True,
    gain: ArrayLike = 1.0,
    offset: ArrayLike = 0.0,
    variance: ArrayLike = 0.0,
    dtype: DTypeLike = np.uint16,
    seed: Seed = None,
) -> NDArray[Any]:
    """Return grey levels: photons with noise, amplified, and what the readout adds.

    Parameters
    ----------
    photons : array_like, shape (T, Y, X) or (Y, X)
        Expected photons, 0 or more with ``poisson``.
    poisson : bool
        Whether the photons are counted one by one; if not, only the readout is noisy.
    gain : float or array_like, shape (Y, X)
        Grey levels for each photon: one number, or a map of an sCMOS camera's pixels.
    offset : float or array_like, shape (Y, X)
        Grey levels without light.
    variance : float or array_like, shape (Y, X)
        Variance of the normal readout noise, in grey levels squared.
    dtype : dtype
        Integers are rounded, and kept to what the type can hold, as in a camera that
        saturates; floats are kept as they are.
    seed : int, Generator or None

    Returns
    -------
    ndarray of this dtype, of the shape of ``photons``

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.

    Examples
    --------
    >>> from napari_nanopyx import simulate
    >>> simulate.camera_noise([[0.0, 0.0]], offset=100.0)
    array([[100, 100]], dtype=uint16)
    """
    light = given.numbers("photons", photons, "real, finite numbers")
    if light.ndim not in (2, 3):
        raise ValueError(
            f"photons has {light.ndim} axes (shape {light.shape}), but must have two, "
            "(Y, X), or three, (T, Y, X)"
        )
    pixels = light.shape[-2:]
    allowed = f"a finite number, 0 or more, or a map of shape {pixels}"
    amplified = given.spread("gain", gain, pixels, allowed)
    deviation = np.sqrt(given.spread("variance", variance, pixels, allowed))
    level = given.numbers("offset", offset, "a finite number or a map")
    if level.shape not in ((), pixels):
        raise ValueError(
            f"offset has shape {level.shape}, but must be a number or have {pixels}"
        )
    kind = np.dtype(dtype)
    if kind.kind not in "uif":
        raise TypeError(f"dtype is {dtype!r}, but must be of integers or floats")
    random = given.generator(seed)
    if check.flag("poisson", poisson):
        if (light < 0).any():
            raise ValueError(
                f"photons holds {light.min():g}, but must be 0 or more to be counted"
            )
        light = random.poisson(light).astype(np.float64)
    grey = amplified * light + level
    if deviation.any():
        grey += deviation * random.standard_normal(light.shape)
    if kind.kind != "f":
        limits = np.iinfo(kind)
        grey = np.clip(np.rint(grey), limits.min, limits.max)
    return grey.astype(kind)
