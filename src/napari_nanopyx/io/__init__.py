"""Image files in and out, without ever holding a whole movie in memory."""

from __future__ import annotations

from napari_nanopyx.io.metadata import ImageMetadata
from napari_nanopyx.io.opening import open_image, open_movie, open_stack
from napari_nanopyx.io.stack import FrameStack, ImageFileError
from napari_nanopyx.io.writing import check_output, temporary_beside, write_tiff
from napari_nanopyx.io.zarr_writing import write_image, write_zarr

__all__ = [
    "FrameStack",
    "ImageFileError",
    "ImageMetadata",
    "check_output",
    "open_image",
    "open_movie",
    "open_stack",
    "temporary_beside",
    "write_image",
    "write_tiff",
    "write_zarr",
]
