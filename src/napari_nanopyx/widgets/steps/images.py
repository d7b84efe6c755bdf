"""Steps that give an image of the same scene: larger, moved, or cleaner."""

from __future__ import annotations

from napari_nanopyx.widgets.declarations import images as declared
from napari_nanopyx.widgets.step import DeclaredStep


class DenoiseStep(DeclaredStep):
    """Remove noise from an image by non-local means."""

    declaration = declared.DENOISE


class MagnifyStep(DeclaredStep):
    """Enlarge an image, keeping its place."""

    declaration = declared.MAGNIFY


class TransformStep(DeclaredStep):
    """Shift, scale and turn an image."""

    declaration = declared.TRANSFORM
