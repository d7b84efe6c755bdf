"""Small tools for images: binning, padding, cutting into blocks, correlating.

They take NumPy arrays, rows and columns last, and give their results in float64 where
they compute, or in the dtype of the image where they only move pixels.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx.methods import _checks as check

Mode = Literal["sum", "mean", "max"]


def rebin(image: ArrayLike, factor: int, mode: Mode = "sum") -> NDArray[Any]:
    """Join squares of pixels.

    Parameters
    ----------
    image : array_like, shape (..., Y, X)
        Y and X are multiples of the factor.
    factor : int
        Rows and columns that become one.
    mode : {"sum", "mean", "max"}
        What becomes of the pixels of a square.

    Returns
    -------
    ndarray, shape (..., Y / factor, X / factor)

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or the image cannot be divided.

    Examples
    --------
    >>> rebin([[1, 2, 3, 4], [5, 6, 7, 8]], 2)
    array([[14, 22]])
    """
    pixels = _image(image)
    side = check.whole("factor", factor, 1)
    check.one_of("mode", mode, ("sum", "mean", "max"))
    rows, columns = _parts(pixels.shape[-2:], (side, side), "factor", factor)
    squares = pixels.reshape(*pixels.shape[:-2], rows, side, columns, side)
    joined: NDArray[Any] = getattr(squares, mode)(axis=(-3, -1))
    return joined


def pad_with_zeros(image: ArrayLike, shape: tuple[int, int]) -> NDArray[Any]:
    """Put an image in the middle of a larger one that is zero.

    Parameters
    ----------
    image : array_like, shape (..., Y, X)
    shape : (int, int)
        Rows and columns of the result. An odd rest goes below and to the right.

    Returns
    -------
    ndarray, shape (..., *shape)

    Raises
    ------
    ValueError
        If the image is larger than that.

    Examples
    --------
    >>> pad_with_zeros([[7]], (2, 3))
    array([[0, 7, 0],
           [0, 0, 0]])
    """
    pixels = _image(image)
    more = [
        after - before for after, before in zip(shape, pixels.shape[-2:], strict=True)
    ]
    if min(more) < 0:
        raise ValueError(
            f"shape is {shape}, but must be at least the image's, {pixels.shape[-2:]}"
        )
    widths = [(each // 2, each - each // 2) for each in more]
    return np.pad(pixels, [(0, 0)] * (pixels.ndim - 2) + widths)


def split_blocks(image: ArrayLike, rows: int, columns: int) -> NDArray[Any]:
    """Cut an image into blocks of equal size, row by row.

    Parameters
    ----------
    image : array_like, shape (Y, X)
    rows, columns : int
        Blocks along each axis; Y and X are multiples of them.

    Returns
    -------
    ndarray, shape (rows * columns, Y / rows, X / columns)

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or the image cannot be divided.

    Examples
    --------
    >>> split_blocks([[1, 2, 3, 4]], 1, 2)
    array([[[1, 2]],
    <BLANKLINE>
           [[3, 4]]])
    """
    pixels = _image(image)
    if pixels.ndim != 2:
        raise ValueError(f"image has shape {pixels.shape}, but must be (Y, X)")
    counts = (check.whole("rows", rows, 1), check.whole("columns", columns, 1))
    height, width = _parts(pixels.shape, counts, "(rows, columns)", counts)
    grid = pixels.reshape(counts[0], height, counts[1], width)
    return grid.swapaxes(1, 2).reshape(-1, height, width)


def assemble_blocks(blocks: ArrayLike, rows: int, columns: int) -> NDArray[Any]:
    """Put together what `split_blocks` has cut.

    Parameters
    ----------
    blocks : array_like, shape (rows * columns, h, w)
    rows, columns : int
        Blocks along each axis.

    Returns
    -------
    ndarray, shape (rows * h, columns * w)

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or the number of blocks is another.

    Examples
    --------
    >>> assemble_blocks([[[1, 2]], [[3, 4]]], 1, 2)
    array([[1, 2, 3, 4]])
    """
    pixels = _image(blocks, "blocks")
    counts = (check.whole("rows", rows, 1), check.whole("columns", columns, 1))
    if pixels.ndim != 3 or len(pixels) != counts[0] * counts[1]:
        raise ValueError(
            f"blocks has shape {pixels.shape}, but must be {counts[0] * counts[1]} "
            "blocks, (rows * columns, h, w)"
        )
    _, height, width = pixels.shape
    grid = pixels.reshape(*counts, height, width)
    return grid.swapaxes(1, 2).reshape(counts[0] * height, counts[1] * width)


def pearson(
    image_a: ArrayLike, image_b: ArrayLike, shift: tuple[int, int] = (0, 0)
) -> float:
    """Correlate two images, or what they both show when one has moved.

    Parameters
    ----------
    image_a, image_b : array_like, of the same shape (Y, X)
    shift : (int, int)
        How far the content of `image_b` has moved, as (row, column) in whole pixels;
        less than the image's size.

    Returns
    -------
    float
        Pearson's correlation coefficient, from -1 to 1; 0 if either is constant.

    Raises
    ------
    TypeError, ValueError
        If the images differ in shape, hold NaN or infinity, or nothing is left to
        compare.

    Examples
    --------
    >>> pearson([[1, 2, 3]], [[9, 1, 2]], shift=(0, 1))
    1.0
    """
    first, second = _image(image_a, "image_a"), _image(image_b, "image_b")
    if first.shape != second.shape or first.ndim != 2:
        raise ValueError(
            f"image_b has shape {second.shape}, but must have image_a's, {first.shape}"
            ", and both be (Y, X)"
        )
    for name, image in (("image_a", first), ("image_b", second)):
        if not np.isfinite(image).all():
            raise ValueError(f"{name} holds NaN or infinity, but must be finite")
    cuts = []
    for moved, length in zip(shift, first.shape, strict=True):
        step = check.whole("shift", moved, 1 - length, length - 1)
        cuts.append((slice(max(-step, 0), length - max(step, 0)), step))
    a, b = (
        image[tuple(slice(s.start + k * d, s.stop + k * d) for s, d in cuts)]
        for k, image in ((0, first), (1, second))
    )
    a, b = (each - each.mean(dtype=np.float64) for each in (a, b))
    scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return 0.0 if scale == 0 else float((a * b).sum() / scale)


def _image(image: ArrayLike, name: str = "image") -> NDArray[Any]:
    pixels = np.asarray(image)
    if pixels.dtype.kind not in "buif":
        raise TypeError(f"{name} has dtype {pixels.dtype}, but must hold real numbers")
    if pixels.ndim < 2 or pixels.size == 0:
        raise ValueError(f"{name} has shape {pixels.shape}, but must have (Y, X) last")
    return pixels


def _parts(
    shape: tuple[int, ...], by: tuple[int, int], name: str, given: Any
) -> tuple[int, int]:
    """Return how often lengths go into a shape, if they do without a rest."""
    if shape[0] % by[0] or shape[1] % by[1]:
        raise ValueError(
            f"{name} is {given!r}, but must divide {shape[0]} rows and {shape[1]} "
            "columns without a rest: crop the image first"
        )
    return shape[0] // by[0], shape[1] // by[1]
