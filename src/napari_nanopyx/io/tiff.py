"""Opens TIFF files frame by frame."""

from __future__ import annotations

import itertools
import logging
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx.io.stack import FrameStack, ImageFileError, check_size
from napari_nanopyx.io.tiff_metadata import read_metadata


def open_tiff(path: Path) -> FrameStack:
    """Open the first series of a TIFF file (also BigTIFF, ImageJ, OME).

    Frames that lie one after the other, uncompressed, are read straight from their
    position; others are decoded page by page.
    """
    import tifffile

    try:
        with _quiet_tifffile():
            file = tifffile.TiffFile(path)
    except Exception as problem:
        raise ImageFileError(f"{path} is damaged: {problem}") from problem
    try:
        with _quiet_tifffile():
            return _open_series(file, path)
    except ImageFileError:
        file.close()
        raise
    except Exception as problem:
        file.close()
        raise ImageFileError(f"{path} is damaged: {problem}") from problem


def _open_series(file: Any, path: Path) -> FrameStack:
    _check_complete(file, path)
    series = file.series[0]
    frame_shape = tuple(series.keyframe.shape)
    leading_shape = tuple(series.shape[: series.ndim - len(frame_shape)])
    if series.dtype is None:
        raise ImageFileError(f"{path} has pixels of a kind that cannot be read")
    check_size(leading_shape, frame_shape, np.dtype(series.dtype))
    if series.dataoffset is not None:
        reader: _Reader = _ContiguousReader(file, series, path)
    else:
        reader = _PageReader(series, path, math.prod(leading_shape))
    return FrameStack(
        reader.read,
        leading_shape,
        frame_shape,
        series.dtype,
        read_metadata(file, series.axes),
        file.close,
    )


def _check_complete(file: Any, path: Path) -> None:
    """Refuse a file whose chain of pages leads past its end.

    tifffile gives the pages it finds and only logs the loss, so a cut movie would
    pass for a shorter one.
    """
    pages = len(file.pages)
    form = file.tiff
    file.filehandle.seek(file.pages.next_page_offset)
    link = file.filehandle.read(form.offsetsize)
    if len(link) < form.offsetsize or any(link):
        raise ImageFileError(
            f"{path} is cut short: only {pages} of its pages are there "
            f"({file.filehandle.size} bytes)"
        )
    claimed = (file.imagej_metadata or {}).get("images")
    if claimed and claimed > math.prod(file.series[0].shape[:-2]):
        raise ImageFileError(
            f"{path} is cut short: it announces {claimed} images "
            f"but holds {math.prod(file.series[0].shape[:-2])}"
        )


class _Reader:
    """Returns frames by number."""

    def read(self, numbers: NDArray[np.intp]) -> NDArray[Any]:
        raise NotImplementedError


class _ContiguousReader(_Reader):
    def __init__(self, file: Any, series: Any, path: Path) -> None:
        self._handle = file.filehandle
        self._lock = threading.Lock()
        self._start = int(series.dataoffset)
        self._dtype = np.dtype(series.dtype).newbyteorder(file.byteorder)
        self._frame_shape = tuple(series.keyframe.shape)
        self._frame_bytes = math.prod(self._frame_shape) * self._dtype.itemsize
        self._path = path
        needed = self._start + math.prod(series.shape) * self._dtype.itemsize
        if needed > file.filehandle.size:
            raise ImageFileError(
                f"{path} is cut short: {needed} bytes are needed for its shape "
                f"{tuple(series.shape)}, it has {file.filehandle.size}"
            )

    def read(self, numbers: NDArray[np.intp]) -> NDArray[Any]:
        frames = np.empty((numbers.size, *self._frame_shape), self._dtype)
        with self._lock:
            for first, last in _runs(numbers):
                buffer = frames[first:last].reshape(-1).view(np.uint8)
                self._handle.seek(self._start + int(numbers[first]) * self._frame_bytes)
                if self._handle.readinto(buffer) != buffer.nbytes:
                    raise ImageFileError(
                        f"{self._path} became shorter while it was read"
                    )
        return frames


class _PageReader(_Reader):
    def __init__(self, series: Any, path: Path, frames: int) -> None:
        self._pages = series.pages
        self._path = path
        self._frame_shape = tuple(series.keyframe.shape)
        self._dtype = np.dtype(series.dtype)
        self._lock = threading.Lock()
        if len(self._pages) < frames:
            raise ImageFileError(
                f"{path} is cut short: it announces {frames} frames "
                f"but holds {len(self._pages)}"
            )

    def read(self, numbers: NDArray[np.intp]) -> NDArray[Any]:
        frames = np.empty((numbers.size, *self._frame_shape), self._dtype)
        with self._lock, _quiet_tifffile():
            for place, number in enumerate(numbers):
                frames[place] = self._decoded(int(number))
        return frames

    def _decoded(self, number: int) -> NDArray[Any]:
        page = self._pages[number]
        if page is None:
            raise ImageFileError(f"{self._path}: frame {number} is not in the file")
        try:
            size = page.parent.filehandle.size
            ends = zip(page.dataoffsets, page.databytecounts, strict=True)
            if any(start + length > size for start, length in ends):
                raise EOFError("the file is cut short")
            frame: NDArray[Any] = page.asarray()
            return frame.reshape(self._frame_shape)
        except Exception as problem:
            raise ImageFileError(
                f"{self._path}: frame {number} cannot be decoded: {problem}"
            ) from problem


def _runs(numbers: NDArray[np.intp]) -> Iterator[tuple[int, int]]:
    """Yield (first, last) positions of consecutive frame numbers."""
    if numbers.size == 0:
        return
    breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
    edges = [0, *breaks.tolist(), numbers.size]
    yield from itertools.pairwise(edges)


@contextmanager
def _quiet_tifffile() -> Iterator[None]:
    """Keep tifffile's log off the terminal: what matters is raised as an error here."""
    logger = logging.getLogger("tifffile")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before
