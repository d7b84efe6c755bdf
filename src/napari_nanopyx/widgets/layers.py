"""Goes from a napari layer to an array, and from an array back to a layer in its place.

napari puts pixel p of a layer at ``rotate · shear · scale · p + translate`` of its
centre. A result that has output pixel q where the input has p = step · q + offset lies
over the input when its scale is multiplied by the step and the offset is added to its
translation. A magnified image has step 1/M and offset (1/M − 1)/2 (pixels share their
outer borders, not their centres); an image of F frames, taken every G frames, has step
G and offset (F − 1)/2, the middle of its frames.

A method may be given some axes of the layer only, in another order. Its result gets the
axes of the layer back, from the first one that it has; where the layer was cut, it is
one pixel long and lies at the cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx.widgets.axes import Axes

if TYPE_CHECKING:
    from napari.layers import Image


PREVIEW = "napari_nanopyx_preview"
"""What the metadata of a preview has: it is gone soon, and no input for a step."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a run keeps of its input layer, so that the layer itself may go."""

    name: str
    data: Any
    """Any array-like, of the highest resolution; never computed here. It has the axes
    that the method takes, the rest has those of the layer."""
    axes: Axes
    multiscale: bool
    scale: NDArray[np.float64]
    translate: NDArray[np.float64]
    rotate: NDArray[np.float64]
    shear: NDArray[np.float64]
    affine: NDArray[np.float64]
    units: tuple[Any, ...]
    axis_labels: tuple[str, ...]
    colormap: Any
    path: str | None

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of every axis that the method takes."""
        return tuple(int(length) for length in self.data.shape)

    @property
    def ndim(self) -> int:
        """Number of axes that the method takes."""
        return len(self.shape)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the pixels of a result lie on the pixel grid of the input, axis by axis."""

    step: tuple[float, ...]
    offset: tuple[float, ...]

    @classmethod
    def magnified(cls, ndim: int, factor: float | Sequence[float]) -> Placement:
        """Return the grid of an image magnified along its last axes.

        One factor is for the last two, several are for as many axes.
        """
        magnified = np.atleast_1d(factor) if np.ndim(factor) else np.full(2, factor)
        factors = np.ones(ndim)
        factors[-len(magnified) :] = magnified
        return cls(tuple(1 / factors), tuple((1 / factors - 1) / 2))

    def windowed(self, frames: int, gap: int) -> Placement:
        """Return the grid with `frames` frames in one, from every `gap`-th frame on."""
        step = (float(gap), *self.step[1:])
        return Placement(step, ((frames - 1) / 2, *self.offset[1:]))


def same_place(source: Source, _chosen: Any) -> Placement:
    """Return the grid of the input: each pixel of the result lies on one of its own."""
    return Placement.magnified(source.ndim, 1.0)


def fits(layer: Any, dimensions: Sequence[int]) -> bool:
    """Tell whether a layer is an image (not a colour photograph) with enough axes."""
    from napari.layers import Image

    if not isinstance(layer, Image) or layer.rgb or PREVIEW in layer.metadata:
        return False
    return bool(layer.ndim >= min(dimensions))


def read(layer: Image, axes: Axes | None = None) -> Source:
    """Return a layer's array and its place in the world.

    Parameters
    ----------
    layer
        Where to read.
    axes
        Those that the method takes; by default all.
    """
    ndim = layer.ndim
    path = layer.source.path
    axes = Axes(tuple(range(ndim))) if axes is None else axes
    return Source(
        name=layer.name,
        data=axes.pick(layer.data[0] if layer.multiscale else layer.data),
        axes=axes,
        multiscale=bool(layer.multiscale),
        scale=np.array(layer.scale, dtype=float),
        translate=np.array(layer.translate, dtype=float),
        rotate=np.array(layer.rotate, dtype=float),
        shear=_shear_matrix(np.asarray(layer.shear, dtype=float), ndim),
        affine=np.array(layer.affine.affine_matrix, dtype=float),
        units=tuple(layer.units),
        axis_labels=tuple(layer.axis_labels),
        colormap=layer.colormap,
        path=None if path is None else str(path),
    )


def flatten(image: NDArray[Any]) -> NDArray[Any]:
    """Return a stack of one image, or of one volume, as that."""
    return image[0] if image.ndim > 2 and len(image) == 1 else image


def in_layer_order(image: NDArray[Any], source: Source) -> NDArray[Any]:
    """Return a result with the axes of the layer, where it was cut one pixel long."""
    own = source.axes.taken[source.ndim - image.ndim :]
    kept = range(min(own), source.axes.ndim)
    ordered = image.transpose(np.argsort(own))
    return ordered[tuple(slice(None) if axis in own else np.newaxis for axis in kept)]


def layer_options(source: Source, placement: Placement, ndim: int) -> dict[str, Any]:
    """Return what `add_image` must be told so that a result lies over its input.

    Parameters
    ----------
    source
        The input.
    placement
        The grid of the result on the grid of the input, along the axes of the method.
    ndim
        Number of axes of the result: the last ones of the method.

    Returns
    -------
    dict
        Scale, translate, rotate, shear, affine, units and axis labels, along the axes
        that `in_layer_order` gives the result.
    """
    step, offset = np.ones(source.axes.ndim), np.zeros(source.axes.ndim)
    for axis, position in source.axes.fixed.items():
        offset[axis] = position
    step[list(source.axes.taken)] = placement.step
    offset[list(source.axes.taken)] = placement.offset
    linear = source.rotate @ source.shear @ np.diag(source.scale)
    translate = source.translate + linear @ offset
    kept = slice(min(source.axes.taken[source.ndim - ndim :]), None)
    return {
        "scale": (source.scale * step)[kept],
        "translate": translate[kept],
        "rotate": source.rotate[kept, kept],
        "shear": source.shear[kept, kept],
        "affine": _last_axes(source.affine, kept),
        "units": source.units[kept],
        "axis_labels": source.axis_labels[kept],
    }


def _last_axes(affine: NDArray[np.float64], kept: slice) -> NDArray[np.float64]:
    linear = affine[:-1, :-1][kept, kept]
    part = np.eye(len(linear) + 1)
    part[:-1, :-1] = linear
    part[:-1, -1] = affine[:-1, -1][kept]
    return part


def _shear_matrix(shear: NDArray[np.float64], ndim: int) -> NDArray[np.float64]:
    if shear.ndim == 2:
        return shear
    matrix = np.eye(ndim)
    matrix[np.triu_indices(ndim, 1)] = shear
    return matrix
