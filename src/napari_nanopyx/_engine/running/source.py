"""Reads frames of any array-like as blocks that a kernel can take."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_KERNEL_DTYPES = {np.dtype(name): name for name in ("uint8", "uint16", "float32")}
"""What kernels read as it is, and its names; other numbers become float32."""

_LISTED_FRAMES = 8
_ALLOWED = {
    3: "two, (Y, X), or three, (T, Y, X): choose one channel and one plane",
    4: "three, (Z, Y, X), or four, (T, Z, Y, X): choose one channel",
}


class Source:
    """A stack of frames, of which any range can be read and checked.

    A frame is an image, (Y, X), or a volume, (Z, Y, X).

    Nothing is read before it is asked for: Dask and Zarr arrays, memory maps and the
    like stay where they are.

    Parameters
    ----------
    image : array_like
        A frame or a stack of them: NumPy, Dask, Zarr, or anything with ``shape``,
        ``dtype`` and slicing.
    name : str
        What the image is called in error messages.
    axes : {3, 4}
        Axes of a stack: (T, Y, X), or (T, Z, Y, X).

    Raises
    ------
    TypeError
        If the values are not real numbers.
    ValueError
        If the image has no pixels, or not those of a frame or a stack.
    """

    def __init__(self, image: ArrayLike, name: str = "image", axes: int = 3) -> None:
        self._image: Any = image
        if not all(hasattr(image, each) for each in ("shape", "dtype", "__getitem__")):
            self._image = _as_array(image, name)
        self._name = name
        shape = tuple(int(length) for length in self._image.shape)
        self.dtype = kernel_dtype(self._image.dtype, name)
        if len(shape) not in (axes - 1, axes):
            raise ValueError(
                f"{name} has {len(shape)} axes (shape {shape}), but must have "
                f"{_ALLOWED[axes]} first"
            )
        if 0 in shape:
            raise ValueError(
                f"{name} is empty (shape {shape}): give at least one frame of one pixel"
            )
        self.is_single = len(shape) < axes
        self.shape = (1, *shape) if self.is_single else shape

    @property
    def dtype_name(self) -> str:
        """Name of the dtype, which NumPy puts together anew each time."""
        return _KERNEL_DTYPES[self.dtype]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, frames: slice) -> NDArray[Any]:
        start, stop, step = frames.indices(len(self))
        return self.read(range(start, stop, step))

    def read(self, frames: range) -> NDArray[Any]:
        """Return frames as a C-contiguous block in the machine's byte order.

        Raises
        ------
        ValueError
            If a frame holds NaN or infinity, or a number too large for float32.
        """
        if self.is_single:
            block = np.asarray(self._image[:])[np.newaxis]
        else:
            block = np.asarray(self._image[frames.start : frames.stop : frames.step])
        if block.dtype != self.dtype or not block.flags.c_contiguous:
            with np.errstate(over="ignore"):
                block = np.ascontiguousarray(block, self.dtype)
        check_finite(block, frames, self._name)
        return block


def as_source(image: ArrayLike | Source, name: str = "image", axes: int = 3) -> Source:
    """Return the image as a source; one that is a source already, as it is."""
    return image if isinstance(image, Source) else Source(image, name, axes)


def _as_array(image: ArrayLike, name: str) -> NDArray[Any]:
    try:
        return np.asarray(image)
    except ValueError as error:
        raise TypeError(
            f"{name} is a {type(image).__name__} that makes no array of numbers, but "
            f"must have the shape (Y, X) or (T, Y, X): {error}"
        ) from error


def kernel_dtype(dtype: Any, name: str = "image") -> np.dtype[Any]:
    """Return the dtype that a block of this dtype is read as."""
    try:
        native = np.dtype(dtype).newbyteorder("=")
    except TypeError:
        native = np.dtype(object)
    if native.kind not in "buif":
        raise TypeError(
            f"{name} has dtype {dtype}, but must hold real numbers (integers, floats "
            "or booleans): convert it first"
        )
    if native.kind == "b":
        return np.dtype(np.uint8)
    return native if native in _KERNEL_DTYPES else np.dtype(np.float32)


def check_finite(block: NDArray[Any], frames: range, name: str) -> None:
    """Raise ValueError if a block of these frames holds NaN or infinity."""
    if block.dtype.kind != "f":
        return
    bad = [
        frame
        for frame, image in zip(frames, block, strict=True)
        if not np.isfinite(image).all()
    ]
    if bad:
        listed = ", ".join(map(str, bad[:_LISTED_FRAMES]))
        more = ", ..." if len(bad) > _LISTED_FRAMES else ""
        raise ValueError(
            f"{name} holds NaN, infinity or numbers beyond float32 in frame "
            f"{listed}{more} (the first is 0), but must be finite: replace them first, "
            "for example with numpy.nan_to_num"
        )
