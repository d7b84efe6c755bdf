"""Computes a preview: a part of the image, without leaving a trace in the engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx import engine
from napari_nanopyx.widgets.layers import Placement, Source
from napari_nanopyx.widgets.outcome import display_range
from napari_nanopyx.widgets.preview.region import MOST_PIXELS, Region

_EVERY = 3
"""Rows and columns from one to the next pixel by which the contrast is chosen."""


@dataclass(frozen=True)
class Previewed:
    """What a step must say of its method so that there can be a preview."""

    task: str
    """Name of the engine's task, by which its implementations are pinned."""
    margin: Callable[[Mapping[str, Any]], int]
    """Parameters → pixels on each side that are needed to compute one."""
    planes: Callable[[Mapping[str, Any]], int] | None = None
    """Parameters → planes on each side that are needed to compute one; None if the
    method takes no volumes."""
    least_frames: Callable[[Mapping[str, Any]], int] = lambda _: 1
    """Parameters → how many frames are needed, of a movie."""
    most_pixels: int = MOST_PIXELS
    """Input pixels that are shown at most: the middle of the view."""
    most_frames: int = 24
    """Of movies, how many frames are of use."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that have another value in a preview."""


@dataclass(frozen=True)
class Request:
    """All that a preview depends on."""

    function: Callable[..., Any]
    argument: str
    """The parameter that is the image."""
    source: Source
    parameters: Mapping[str, Any]
    placement: Placement
    """Where the pixels of the whole result lie on the pixels of the image."""
    region: Region
    whole: Any
    """The array of the layer, of which the source may be a part made anew."""

    @property
    def key(self) -> tuple[Any, ...]:
        """What is the same only if the preview is."""
        source = self.source
        place = (source.scale.tobytes(), source.translate.tobytes())
        values = repr(sorted(self.parameters.items()))
        return *self.crop_key, *place, values, self.placement, self.region

    @property
    def crop_key(self) -> tuple[Any, ...]:
        """What is the same only if the pixels to compute with are."""
        axes, region = self.source.axes, self.region
        part = (axes.taken, *sorted(axes.fixed.items()))
        return (
            id(self.whole),
            part,
            region.frames,
            region.read_rows,
            region.read_columns,
            region.read_planes,
        )


@dataclass(frozen=True)
class Picture:
    """A preview that is ready to be shown."""

    request: Request
    image: NDArray[Any]
    placement: Placement
    """Where its pixels lie on the pixels of the whole image."""
    limits: tuple[float, float]
    contrast: tuple[float, float]
    seconds: float


class Cropper:
    """Reads the part of an image that a preview is computed from.

    It keeps the last one: while a parameter moves, the image does not.
    """

    def __init__(self) -> None:
        self._key: Any = None
        self._whole: Any = None
        self._crop: NDArray[Any] | None = None

    def read(self, request: Request) -> NDArray[Any]:
        """Return frames or volumes, or a single one, with the margin."""
        if self._crop is None or request.crop_key != self._key:
            source, region = request.source, request.region
            inside = [slice(*region.read_rows), slice(*region.read_columns)]
            if region.plane is not None:
                inside = [slice(*region.read_planes), *inside]
            if source.ndim > len(inside):
                inside = [slice(*region.frames), *inside]
            self._crop = np.asarray(source.data[tuple(inside)])
            # Held, so that no other array can be taken for it.
            self._key, self._whole = request.crop_key, request.whole
        return self._crop

    def forget(self) -> None:
        """Let go of the image; its pixels may have changed, or it is not needed."""
        self._key = self._whole = self._crop = None


def compute(request: Request, cropper: Cropper, cancel: Any) -> Picture:
    """Compute a preview on the present thread."""
    began = time.perf_counter()
    region, step = request.region, request.placement.step
    crop = cropper.read(request)
    arguments = {request.argument: crop, **request.parameters}
    with engine.aside():
        result = np.asarray(request.function(**arguments, cancel=cancel))
    if region.plane is not None:
        result = result[..., region.output_plane(step[-3]), :, :]
    if result.ndim > 2:
        result = result[len(result) // 2]
    rows, columns = region.output(step[-2:])
    image = np.ascontiguousarray(result[rows, columns])
    placement = _placed(request, (rows.start, columns.start))
    limits, contrast = display_range(image[::_EVERY, ::_EVERY])
    seconds = time.perf_counter() - began
    return Picture(request, image, placement, limits, contrast, seconds)


def _placed(request: Request, first: tuple[int, int]) -> Placement:
    """Return where the first shown output pixel and those after it lie."""
    whole, region = request.placement, request.region
    starts = (region.read_rows[0], region.read_columns[0])
    offsets = [0.0] * len(whole.step)
    for axis, start, pixel in zip((-2, -1), starts, first, strict=True):
        offsets[axis] = start + whole.offset[axis] + pixel * whole.step[axis]
    return Placement(whole.step, tuple(offsets))
