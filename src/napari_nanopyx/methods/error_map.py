"""SQUIRREL: where, and by how much, a super-resolved image departs from its data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.machine.devices import thread_count
from napari_nanopyx._engine.running.runner import Cancel
from napari_nanopyx._kernels import shifting
from napari_nanopyx._kernels.magnify import fourier
from napari_nanopyx._kernels.squirrel import TOLERANCE, WIDEST, Fit, Line, Space
from napari_nanopyx.methods import _checks as check
from napari_nanopyx.methods._single_images import (
    only_reference,
    single_image,
    stop_if,
)
from napari_nanopyx.methods.error_map_result import ErrorMap

LEAST_SIDE = 4
"""Pixels of a reference along an axis, once cropped."""

FARTHEST = 2.0
"""Reference pixels that realigning may move an image along each axis."""


def error_map(
    reference: ArrayLike,
    super_resolved: ArrayLike,
    *,
    sigma: float | None = None,
    space: Literal["sr", "reference"] = "sr",
    crop_border: int = 0,
    realign: bool = False,
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> ErrorMap:
    """Compare a super-resolved image with a diffraction-limited one of the same scene.

    The super-resolved image is blurred by the Gaussian, and scaled by the straight
    line, that bring it nearest to the reference. What remains is the error.

    Parameters
    ----------
    reference : array_like, shape (Y, X) or (1, Y, X)
        Real, finite numbers, at least 4 pixels along each axis: such as the mean of the
        movie's frames.
    super_resolved : array_like, shape (M * Y, M * X) or (1, M * Y, M * X)
        With a whole magnification M from 1 up, the same along both axes. Pixel ``q`` is
        centred at ``(q + 0.5) / M`` reference pixels.
    sigma : float, optional
        Standard deviation of the blur, in reference pixels. By default the best one is
        found, up to 4 / 2.35 reference pixels.
    space : {"sr", "reference"}
        Compare with the magnified reference, or average the blurred image down to the
        reference's pixels.
    crop_border : int
        Reference pixels along each border that do not count.
    realign : bool
        First move the super-resolved image to where it correlates best, at most 2
        reference pixels along each axis.
    implementation : {"reference"}, optional
        There is one, float64 throughout.
    progress : callable, optional
        Called at the end with 1 and 1.
    cancel : object with ``is_set()``, optional
        Asked before each blur that is tried, for example a `threading.Event`.

    Returns
    -------
    ErrorMap
        With ``map`` (float32), ``rse``, ``rsp``, ``alpha``, ``beta``, ``sigma`` (in
        super-resolved pixels), ``at_bound``, ``shift`` and ``reason``. RSP is 0, with a
        reason, if either image is constant.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.
    napari_nanopyx.engine.UnknownImplementation
        If another implementation is asked for.
    napari_nanopyx.engine.Cancelled
        If ``cancel`` is set.

    Notes
    -----
    The reference is magnified by Fourier interpolation. The blur reflects the image at
    its borders and is cut off at four standard deviations. Its best width is found to
    0.001 super-resolved pixels.

    References
    ----------
    .. [1] Culley et al., Quantitative mapping and minimization of super-resolution
       optical imaging artifacts, Nature Methods (2018), doi:10.1038/nmeth.4605

    Examples
    --------
    >>> import numpy as np
    >>> import napari_nanopyx as nx
    >>> sharp = np.random.default_rng(0).random((40, 40))
    >>> gaussian = np.exp(-np.arange(-4, 5) ** 2 / 2)
    >>> blurred = nx.convolve(sharp, np.outer(gaussian, gaussian))
    >>> result = nx.error_map(blurred, sharp)
    >>> round(result.rsp, 2), round(result.sigma, 1)
    (1.0, 1.0)
    """
    check.steering(implementation, progress, cancel)
    small = single_image("reference", reference, LEAST_SIDE)
    large = single_image("super_resolved", super_resolved, LEAST_SIDE)
    magnification = _magnification(small.shape, large.shape)
    check.one_of("space", space, get_args(Literal["sr", "reference"]))
    fixed, border = fit_options(small.shape, sigma, crop_border)
    aligning = check.flag("realign", realign)
    only_reference("error_map", implementation)
    stop_if(cancel)
    shift = (0.0, 0.0)
    if aligning:
        shift = _shift(small, large, magnification)
        large = shifting.moved(large, shift)
    fit, line, width = best_fit(
        small, large, fixed, border, lambda: stop_if(cancel), space
    )
    reason = _reason(fit)
    difference = np.abs(fit.difference(width)).astype(np.float32)
    margin = border * (magnification if space == "sr" else 1)
    if margin:
        difference = np.pad(difference, margin, constant_values=np.nan)
    if progress is not None:
        progress(1, 1)
    return ErrorMap(
        difference,
        line.residual,
        line.correlation,
        line.alpha,
        line.beta,
        width,
        fixed is None and not reason and _at_bound(width, magnification),
        shift,
        reason,
    )


def fit_options(
    shape: tuple[int, ...], sigma: Any, crop_border: Any
) -> tuple[float | None, int]:
    """Return the blur, if it is given, and the border, both in reference pixels."""
    fixed = None if sigma is None else _fixed(sigma, shape)
    border = check.whole("crop_border", crop_border, 0, (min(shape) - LEAST_SIDE) // 2)
    return fixed, border


def best_fit(
    small: NDArray[Any],
    large: NDArray[Any],
    fixed: float | None,
    border: int,
    stop_if_asked: Callable[[], None],
    space: Space = "sr",
) -> tuple[Fit, Line, float]:
    """Return two images transformed, and their line at the best blur, with its width.

    The width is in pixels of the larger image; 0 if an image is constant.
    """
    magnification = len(large) // len(small)
    fit = Fit(
        _cropped(small, border),
        _cropped(large, border * magnification),
        space,
        thread_count(),
    )
    width = 0.0
    if fixed is not None:
        width = fixed * magnification
    elif not any(fit.is_constant):
        width = fit.best_sigma(stop_if_asked)
    return fit, fit.line(width), width


def _magnification(small: tuple[int, ...], large: tuple[int, ...]) -> int:
    """Return how many times larger an image is, a whole number along both axes."""
    factor = large[0] // small[0]
    if factor < 1 or large != (factor * small[0], factor * small[1]):
        rows, columns = (b / a for a, b in zip(small, large, strict=True))
        raise ValueError(
            f"super_resolved has shape {large}, which is {rows:.4g} and {columns:.4g} "
            f"times the reference's {small}, but must be a whole number of times as "
            "large, the same along both axes: crop or resample one of them first"
        )
    return factor


def _fixed(sigma: Any, shape: tuple[int, ...]) -> float:
    allowed = f"None, or a number from 0 to {min(shape)}, in reference pixels"
    given = check.number("sigma", sigma, allowed)
    if not 0.0 <= given <= min(shape):
        raise ValueError(f"sigma is {sigma!r}, but must be {allowed}")
    return given


def _shift(
    small: NDArray[Any], large: NDArray[Any], magnification: int
) -> tuple[float, float]:
    wide = small.astype(np.float64)
    for axis, length in enumerate(small.shape):
        points = (np.arange(magnification * length) + 0.5) / magnification
        weights = fourier.matrix(length, points)
        wide = weights @ wide if axis == 0 else wide @ weights.T
    return shifting.shift_to(wide, large, FARTHEST * magnification, thread_count())


def _cropped(image: NDArray[Any], border: int) -> NDArray[Any]:
    height, width = image.shape
    return image[border : height - border, border : width - border]


def _reason(fit: Fit) -> str:
    """Return which image is constant; nothing if neither is."""
    names = ("the reference", "the super-resolved image")
    constant = [
        name
        for name, is_constant in zip(names, fit.is_constant, strict=True)
        if is_constant
    ]
    return (
        f"{' and '.join(constant)} {'are' if constant[1:] else 'is'} constant"
        if (constant)
        else ""
    )


def _at_bound(width: float, magnification: int) -> bool:
    widest = WIDEST * magnification
    return not 2 * TOLERANCE < width < widest - 2 * TOLERANCE
