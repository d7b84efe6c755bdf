"""Frames are read from any array-like as blocks a kernel can take, or refused."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from napari_nanopyx._engine.running.source import Source, as_source


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("uint8", "uint8"),
        ("uint16", "uint16"),
        (">u2", "uint16"),
        ("float32", "float32"),
        (">f4", "float32"),
        ("bool", "uint8"),
        ("int8", "float32"),
        ("int16", "float32"),
        ("uint32", "float32"),
        ("int64", "float32"),
        ("float16", "float32"),
        (">f8", "float32"),
    ],
)
def test_dtypes_keep_their_values(given: str, read: str) -> None:
    image = np.arange(24).reshape(2, 3, 4).astype(given)
    block = Source(image).read(range(2))
    assert block.dtype == np.dtype(read)
    assert block.dtype.isnative
    np.testing.assert_array_equal(block, image)


def test_blocks_are_contiguous_whatever_the_input() -> None:
    image = np.arange(120, dtype=np.uint16).reshape(4, 5, 6).transpose(0, 2, 1)[:, ::2]
    image.flags.writeable = False
    block = Source(image).read(range(1, 3))
    assert block.flags.c_contiguous
    np.testing.assert_array_equal(block, image[1:3])


@pytest.mark.parametrize("kind", ["dask", "zarr", "memmap", "list"])
def test_array_likes(kind: str, tmp_path: Any) -> None:
    image = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
    like: Any = image.tolist()
    if kind == "dask":
        like = pytest.importorskip("dask.array").from_array(image, chunks=2)
    elif kind == "zarr":
        like = pytest.importorskip("zarr").array(image, chunks=(2, 4, 5))
    elif kind == "memmap":
        path = tmp_path / "image.raw"
        image.tofile(path)
        like = np.memmap(path, image.dtype, "r", shape=image.shape)
    source = Source(like)
    assert source.shape == image.shape
    np.testing.assert_array_equal(source[1:3], image[1:3])
    np.testing.assert_array_equal(source.read(range(3)), image)


def test_only_the_frames_asked_for_are_read() -> None:
    class Stack:
        shape = (1000, 2, 2)
        dtype = np.dtype("uint8")
        asked: slice

        def __getitem__(self, frames: slice) -> Any:
            self.asked = frames
            return np.zeros((frames.stop - frames.start, 2, 2), np.uint8)

    stack: Any = Stack()
    assert Source(stack).read(range(7, 9)).shape == (2, 2, 2)
    assert (stack.asked.start, stack.asked.stop) == (7, 9)


def test_one_image_is_one_frame() -> None:
    source = as_source(np.ones((3, 4)))
    assert source.shape == (1, 3, 4)
    assert source.is_single
    assert source.read(range(1)).shape == (1, 3, 4)
    assert as_source(source) is source


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_values_that_are_not_finite_name_their_frames(value: float) -> None:
    image = np.zeros((5, 2, 2))
    image[[2, 4], 1, 1] = value
    source = Source(image, "movie")
    assert not source.read(range(2)).any()
    with pytest.raises(ValueError, match=r"movie holds NaN.* in frame 2, 4 "):
        source.read(range(1, 5))


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((2, 3, 3), complex),
        np.zeros((2, 3, 3), object),
        np.zeros((2, 3), [("a", "f4")]),
        np.zeros((2, 3), "datetime64[s]"),
        "movie.tif",
        None,
        [[1, 2], [3]],
    ],
)
def test_anything_but_real_numbers_is_refused(image: Any) -> None:
    with pytest.raises(TypeError, match=r"image .* but must"):
        Source(image)


@pytest.mark.parametrize("shape", [(), (5,), (1, 2, 3, 4), (1, 1, 2, 3, 4)])
def test_axes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=re.escape(f"shape {shape}")):
        Source(np.zeros(shape))


@pytest.mark.parametrize("shape", [(0, 3, 3), (2, 0, 3), (3, 0)])
def test_empty_images(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="image is empty"):
        Source(np.zeros(shape))
