"""What of a layer is in view, and the layer in which a preview is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_nanopyx.widgets.layers import PREVIEW, Source, layer_options, read
from napari_nanopyx.widgets.preview.region import Side
from napari_nanopyx.widgets.preview.request import Picture

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

_GRID = ("scale", "translate", "rotate", "shear", "affine")
"""What says where the pixels of a layer lie in the world."""


def why_not(viewer: Viewer, layer: Image | None) -> str:
    """Return why there cannot be a preview of a layer now; empty if there can."""
    if layer is None:
        return "Preview: open an image first."
    axes = viewer.dims.ndim
    if viewer.dims.ndisplay != 2 or viewer.dims.displayed != (axes - 2, axes - 1):
        return "Preview: turn to the 2-D view of rows and columns."
    return ""


def camera(viewer: Viewer) -> Any:
    """Return the camera, which is part of a scene from napari 0.9 on."""
    return getattr(viewer, "scene", viewer).camera


def visible(layer: Image) -> tuple[Side, Side] | None:
    """Return the rows and columns of a layer in view; None before it is drawn."""
    corners = np.asarray(layer.corner_pixels, dtype=float)[:, -2:]
    if layer.multiscale:
        factors = np.asarray(layer.downsample_factors)[layer.data_level][-2:]
        corners = corners * factors
    (top, left), (bottom, right) = np.floor(corners).astype(int)
    if bottom <= top or right <= left:
        return None
    return (int(top), int(bottom) + 1), (int(left), int(right) + 1)


def present(viewer: Viewer, layer: Image, source: Source, axis: int) -> int:
    """Return where the viewer stands along an axis of the method.

    Parameters
    ----------
    viewer, layer, source
        The layer, and what is read of it.
    axis
        Of the source, from 0.
    """
    point = layer.world_to_data(viewer.dims.point)
    place = round(float(point[source.axes.taken[axis]]))
    return min(max(place, 0), source.shape[axis] - 1)


class PreviewLayer:
    """The layer of a preview: there from the first picture until `remove`."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._layer: Any = None
        self._contrast: Any = None

    @property
    def is_gone(self) -> bool:
        """Whether somebody else has removed it."""
        return self._layer is not None and self._layer not in self._viewer.layers

    def show(self, picture: Picture, name: str, colormap: str | None) -> None:
        """Show a picture in its place, instead of the one before."""
        source = picture.request.source
        options = layer_options(source, picture.placement, 2)
        if self._layer is None:
            self._add(picture, name, colormap or source.colormap, options)
        else:
            self._update(picture, name, options)

    def remove(self) -> None:
        """Take the layer away."""
        layer, self._layer = self._layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def _add(
        self, picture: Picture, name: str, colormap: Any, options: dict[str, Any]
    ) -> None:
        layers = self._viewer.layers
        selected, active = set(layers.selection), layers.selection.active
        self._layer = self._viewer.add_image(
            picture.image,
            name=name,
            colormap=colormap,
            contrast_limits=picture.limits,
            metadata={PREVIEW: True},
            **options,
        )
        self._show_contrast(picture)
        layers.selection = selected
        layers.selection.active = active

    def _update(self, picture: Picture, name: str, options: dict[str, Any]) -> None:
        layer = self._layer
        shown = read(layer)
        moved = [
            option
            for option in _GRID
            if not np.array_equal(getattr(shown, option), options[option])
        ]
        # All at once: of each change by itself, napari draws everything anew.
        with layer.events.blocker_all():
            layer.data = picture.image
            for option in moved:
                setattr(layer, option, options[option])
        layer.refresh()
        layer.events.data(value=layer.data)
        for option in moved[-1:]:  # each would have all layers looked at again
            layer.events[option]()
        if layer.name != name:
            layer.name = name
        if tuple(layer.contrast_limits) == self._contrast:
            layer.contrast_limits_range = picture.limits
            self._show_contrast(picture)

    def _show_contrast(self, picture: Picture) -> None:
        """Choose the contrast; what the user chooses instead stays."""
        self._layer.contrast_limits = picture.contrast
        self._contrast = tuple(self._layer.contrast_limits)
