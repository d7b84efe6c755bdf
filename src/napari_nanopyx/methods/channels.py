"""Channels of one image brought into register with one of them."""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Callable
from typing import Annotated, Any, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_nanopyx._engine.errors import Cancelled
from napari_nanopyx._engine.running.runner import Cancel
from napari_nanopyx._engine.running.source import Source, as_source
from napari_nanopyx._kernels.shift_field import Model
from napari_nanopyx.methods import _checks as check
from napari_nanopyx.methods._channel_fit import fitted
from napari_nanopyx.methods._correlations import correlations
from napari_nanopyx.methods.channel_registration import (
    ChannelQuality,
    ChannelRegistration,
)


def estimate_channel_shifts(
    image: ArrayLike,
    reference: int = 0,
    *,
    max_shift: Annotated[int, {"min": 1, "max": 1000}],
    blocks_per_axis: Annotated[int, {"min": 1, "max": 100}] = 3,
    min_similarity: Annotated[float, {"min": 0.0, "max": 1.0}] = 0.5,
    blur: Annotated[float, {"min": 0.0, "max": 100.0}] = 0.0,
    model: Model = "field",
    pixel_size: float = 1.0,
    units: str = "px",
    implementation: str | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
) -> ChannelRegistration:
    """Measure how far each channel is away from one of them.

    Parameters
    ----------
    image : array_like, shape (C, Y, X)
        Real, finite numbers, two channels or more of the same scene.
    reference : int
        The channel that stays where it is, counted from 0.
    max_shift : int
        How far the others may be away along each axis, in pixels.
    blocks_per_axis : int
        For a field: the image is cut into so many blocks along each axis, each of which
        is compared with the reference's. A block must be larger than `max_shift`.
    min_similarity : float
        Blocks or landmarks count whose correlation with the reference's is this high at
        least, from 0 to 1.
    blur : float
        Standard deviation of a Gaussian that channels are blurred with before they are
        compared, in pixels; against noise.
    model : {"field", "affine", "translation"}
        What the shifts may be. ``"field"``: a smooth field through the blocks.
        ``"affine"``: a shift, turn, scale and shear of the whole image, from its bright
        spots, those that disagree left out; for beads. ``"translation"``: a shift of
        the whole image, from the same. Without enough spots, blocks take their place.
    pixel_size : float
        Length of a pixel's side, kept beside the shifts, which are in pixels.
    units : str
        Unit of `pixel_size`.
    implementation : str, optional
        Which implementation of the task ``correlate`` to use; by default the engine
        chooses.
    progress : callable, optional
        Called after each channel with the channels done and the channels in all.
    cancel : object with ``is_set()``, optional
        Asked before each channel whether to stop, for example a `threading.Event`.

    Returns
    -------
    ChannelRegistration
        With ``shifts``, the correction of each pixel, and the quality of each channel.
        It can be saved, and applied by `napari_nanopyx.register_channels`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the right kind, or not in its range.
    napari_nanopyx.engine.UnknownImplementation
        If there is no such implementation.
    napari_nanopyx.engine.Cancelled
        If ``cancel`` is set.

    Warns
    -----
    RuntimeWarning
        For a channel that cannot be registered: its shifts are 0, the others are not
        affected.

    Notes
    -----
    Blocks are compared a second time where the first one found them. The affine fit
    weighs landmarks by Cauchy's function of their distance from it, and in the end
    leaves those out that are more than three spreads off: the same image always gives
    the same map.

    References
    ----------
    .. [1] Laine et al., NanoJ: a high-performance open-source super-resolution
       microscopy toolbox, Journal of Physics D (2019), doi:10.1088/1361-6463/ab0261

    Examples
    --------
    >>> import numpy as np
    >>> import napari_nanopyx as nx
    >>> noise = np.random.default_rng(1).normal(size=(64, 64))
    >>> scene = nx.convolve(noise, np.ones((9, 9)))
    >>> image = np.stack([scene, np.roll(scene, (2, -3), (0, 1))])
    >>> print(nx.estimate_channel_shifts(image, max_shift=5, blocks_per_axis=1))
    Channel registration (field, onto channel 0): channel 1 moves by (-2.00, +3.00) px \
on average, similarity 0.99, residual 0.00 px
    """
    check.steering(implementation, progress, cancel)
    source = _channels(image)
    count, *sides = source.shape
    onto = check.whole("reference", reference, 0, count - 1)
    check.one_of("model", model, get_args(Model))
    settings: dict[str, Any] = {
        "max_shift": check.whole("max_shift", max_shift, 1),
        "blocks_per_axis": check.whole(
            "blocks_per_axis", blocks_per_axis, 1, min(sides)
        ),
        "min_similarity": _between("min_similarity", min_similarity, 1.0),
        "blur": _between("blur", blur, math.inf),
        "model": model,
    }
    _check_reach(settings, min(sides))
    size = check.positive("pixel_size", pixel_size)
    if not isinstance(units, str):
        raise TypeError(f"units is {units!r}, but must be text, such as 'nm'")
    sums = correlations(implementation, cancel)
    pixels = source.read(range(count))
    values = _blurred(pixels, settings["blur"])
    if np.ptp(values[onto]) == 0:
        raise ValueError(
            f"reference is {onto}, a channel that is constant, but must be one with "
            "structure: choose another"
        )
    shifts = np.zeros((count, 2, *sides), np.float32)
    maps = np.zeros((count, 2, 3))
    qualities = []
    for channel in range(count):
        if cancel is not None and cancel.is_set():
            raise Cancelled("the computation was cancelled")
        if channel == onto:
            quality = ChannelQuality(1.0, 0.0, 0, 0)
        else:
            field, fit, quality = fitted(values[onto], values[channel], settings, sums)
            shifts[channel] = -field
            if fit is not None:
                maps[channel] = -fit
        qualities.append(quality)
        if quality.reason:
            warnings.warn(
                f"channel {channel} is left as it is, because {quality.reason}",
                RuntimeWarning,
                stacklevel=2,
            )
        if progress is not None:
            progress(channel + 1, count)
    return ChannelRegistration(
        shifts,
        onto,
        model,
        tuple(qualities),
        None if model == "field" else maps,
        size,
        units,
        "CYX",
        hashlib.sha256(pixels.tobytes()).hexdigest(),
        settings,
    )


def _channels(image: Any) -> Source:
    if isinstance(image, list | tuple):
        shapes = {np.shape(channel) for channel in image}
        if len(shapes) > 1:
            raise ValueError(
                f"image has channels of the shapes {sorted(shapes)}, but all must have "
                "the same: crop them first"
            )
    source = as_source(image)
    if len(source) < 2:
        raise ValueError(
            f"image has {len(source)} channel (shape {source.shape}), but must have at "
            "least 2, (C, Y, X)"
        )
    return source


def _check_reach(settings: dict[str, Any], side: int) -> None:
    """Refuse shifts that leave nothing of a window to compare."""
    reach = settings["max_shift"]
    if settings["model"] == "field":
        side //= settings["blocks_per_axis"]
    if reach >= side - 2:
        raise ValueError(
            f"max_shift is {reach}, but must be below {side - 2}, as the windows that "
            f"are compared have {side} pixels along their shorter side: give a smaller "
            "one, or fewer blocks_per_axis"
        )


def _between(name: str, value: Any, highest: float) -> float:
    allowed = "a number from 0 " + (f"to {highest:g}" if highest < math.inf else "up")
    given = check.number(name, value, allowed)
    if not 0 <= given <= highest:
        raise ValueError(f"{name} is {value!r}, but must be {allowed}")
    return given


def _blurred(pixels: NDArray[Any], sigma: float) -> NDArray[np.float32]:
    values = pixels.astype(np.float32)
    if sigma > 0:
        from scipy import ndimage

        for channel in values:
            ndimage.gaussian_filter(channel, sigma, output=channel)
    return values
