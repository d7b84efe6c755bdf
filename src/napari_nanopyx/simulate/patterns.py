"""Uneven light to add to an image: a ramp, or squares; a disc to light."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx.methods import _checks as check
from napari_nanopyx.simulate import _arguments as given
from napari_nanopyx.simulate._arguments import Seed


def add_ramp(
    image: ArrayLike, *, low: float = 0.0, high: float = 100.0
) -> NDArray[np.float64]:
    """Return an image plus light that grows along its columns.

    Parameters
    ----------
    image : array_like, shape (..., Y, X)
    low, high : float
        Light at the left and at the right edge; pixels get that at their middle.

    Returns
    -------
    ndarray of float64, of the image's shape

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.

    Examples
    --------
    >>> from napari_nanopyx import simulate
    >>> simulate.add_ramp([[0, 0, 0, 0]], low=0, high=8)
    array([[1., 3., 5., 7.]])
    """
    pixels = _image(image)
    start = check.number("low", low, "a finite number")
    stop = check.number("high", high, "a finite number")
    width = pixels.shape[-1]
    shares = (np.arange(width, dtype=np.float64) + 0.5) / width
    lit: NDArray[np.float64] = pixels + start + (stop - start) * shares
    return lit


def add_squares(
    image: ArrayLike,
    count: int = 100,
    *,
    low: float = 0.0,
    high: float = 100.0,
    seed: Seed = None,
) -> NDArray[np.float64]:
    """Return an image plus evenly lit boxes at random places, the same in all frames.

    Parameters
    ----------
    image : array_like, shape (..., Y, X)
    count : int
        How many boxes.
    low, high : float
        The light of each box is drawn evenly between these.
    seed : int, Generator or None

    Returns
    -------
    ndarray of float64, of the image's shape

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.

    Examples
    --------
    >>> from napari_nanopyx import simulate
    >>> simulate.add_squares([[5.0]], 3, low=1.0, high=1.0)
    array([[8.]])
    """
    pixels = _image(image)
    boxes = check.whole("count", count, 0)
    start = check.number("low", low, "a finite number")
    stop = check.number("high", high, "a finite number")
    if stop < start:
        raise ValueError(f"high is {high!r}, but must be at least low, {low!r}")
    random = given.generator(seed)
    light = random.uniform(start, stop, boxes)
    height, width = pixels.shape[-2:]
    rows = np.sort(random.integers(0, height, (boxes, 2)), axis=1)
    columns = np.sort(random.integers(0, width, (boxes, 2)), axis=1)
    pattern = np.zeros((height, width))
    for level, (top, bottom), (left, right) in zip(light, rows, columns, strict=True):
        pattern[top : bottom + 1, left : right + 1] += level
    return pixels + pattern


def disc(shape: tuple[int, int], radius: float | None = None) -> NDArray[np.bool_]:
    """Return which pixels have their centre in a disc about the middle.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    radius : float, optional
        In pixels; by default half the shorter side.

    Returns
    -------
    ndarray of bool, of this shape

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.

    Examples
    --------
    >>> from napari_nanopyx import simulate
    >>> simulate.disc((4, 4)).astype(int)
    array([[0, 1, 1, 0],
           [1, 1, 1, 1],
           [1, 1, 1, 1],
           [0, 1, 1, 0]])
    """
    shape = given.image_shape("shape", shape)
    reach = min(shape) / 2 if radius is None else given.not_negative("radius", radius)
    rows, columns = (np.arange(length) + 0.5 - length / 2 for length in shape)
    inside: NDArray[np.bool_] = np.add.outer(rows**2, columns**2) < reach**2
    return inside


def _image(image: ArrayLike) -> NDArray[np.float64]:
    allowed = "real, finite numbers with rows and columns"
    pixels = given.numbers("image", image, allowed)
    if pixels.ndim < 2 or not pixels.size:
        raise ValueError(f"image has shape {pixels.shape}, but must be {allowed}")
    return pixels
