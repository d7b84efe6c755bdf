"""Reading movies frame by frame and writing files in one piece."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_nanopyx.data import telomeres, telomeres_path
from napari_nanopyx.io import (
    ImageFileError,
    ImageMetadata,
    check_output,
    open_image,
    open_movie,
    temporary_beside,
    write_image,
    write_tiff,
    write_zarr,
)

MOVIE = np.random.default_rng(1).integers(0, 4000, (7, 12, 9)).astype(np.uint16)
HYPERSTACK = np.random.default_rng(2).random((4, 3, 2, 12, 9)).astype(np.float32)


def save(path: Path, image: NDArray[Any] = MOVIE, **options: Any) -> Path:
    tifffile.imwrite(path, image, **options)
    return path


def read_all(path: Path) -> NDArray[Any]:
    with open_movie(path) as movie:
        return movie[...]


TIFF_KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "imagej": {"imagej": True, "metadata": {"axes": "TYX"}},
    "big-endian": {"byteorder": ">"},
    "bigtiff": {"bigtiff": True},
    "ome": {"ome": True, "metadata": {"axes": "TYX"}},
    "compressed": {"compression": "zlib", "predictor": True},
    "tiled": {"tile": (16, 16), "compression": "zlib"},
    "pages apart": {"metadata": None, "contiguous": False},
}


@pytest.fixture(params=TIFF_KINDS)
def tiff_kind(request: pytest.FixtureRequest) -> dict[str, Any]:
    return TIFF_KINDS[request.param]


KEYS = {
    "one frame": 3,
    "last frame": -1,
    "block": slice(2, 5),
    "every other": slice(None, None, 2),
    "backwards": slice(5, 1, -2),
    "list": [4, 0, 0],
    "region": (slice(1, 6), slice(3, 9), slice(None, None, -1)),
    "ellipsis": (..., 4),
    "pixel": (2, 3, 4),
    "nothing": slice(3, 3),
}


@pytest.mark.parametrize("key", KEYS.values(), ids=list(KEYS))
def test_tiff_indexes_like_an_array(
    tmp_path: Path, tiff_kind: dict[str, Any], key: Any
) -> None:
    """Any index of any kind of TIFF gives what NumPy gives, in native byte order."""
    path = save(tmp_path / "movie.tif", **tiff_kind)
    with open_movie(path) as movie:
        assert movie.shape == MOVIE.shape
        assert movie.dtype == np.uint16
        found = movie[key]
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, MOVIE[key])


@pytest.mark.parametrize("chunks", [(1, 12, 9), (3, 5, 9)])
@pytest.mark.parametrize("key", KEYS.values(), ids=list(KEYS))
def test_zarr_indexes_like_an_array(
    tmp_path: Path, key: Any, chunks: tuple[int, ...]
) -> None:
    """Any index of a Zarr array gives what NumPy gives."""
    zarr = pytest.importorskip("zarr")
    path = tmp_path / "movie.zarr"
    zarr.open_array(
        str(path), mode="w", shape=MOVIE.shape, chunks=chunks, dtype=MOVIE.dtype
    )[:] = MOVIE
    with open_movie(path) as movie:
        np.testing.assert_array_equal(movie[key], MOVIE[key])


def test_channel_and_plane_of_a_hyperstack(tmp_path: Path) -> None:
    """One channel of one plane is the movie; without the choice the sizes are named."""
    path = save(
        tmp_path / "stack.ome.tif", HYPERSTACK, metadata={"axes": "TCZYX"}, ome=True
    )
    with open_movie(path, channel=2, plane=1) as movie:
        np.testing.assert_array_equal(movie[1:3], HYPERSTACK[1:3, 2, 1])
    with pytest.raises(ImageFileError, match=r"T=4, C=3, Z=2, Y=12, X=9"):
        open_movie(path)
    with pytest.raises(ImageFileError, match=r"channel is 3, .* give 0 to 2"):
        open_movie(path, channel=3, plane=0)


def test_channel_of_a_file_without_channels(tmp_path: Path) -> None:
    """Asking for a channel that the file does not have is an error."""
    path = save(tmp_path / "movie.ome.tif", metadata={"axes": "TYX"}, ome=True)
    with pytest.raises(ImageFileError, match=r"channel 0 was asked for"):
        open_movie(path, channel=0)


def test_channel_of_a_zarr_hyperstack(tmp_path: Path) -> None:
    """A channel of an OME-Zarr image is read with its calibration."""
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(str(tmp_path / "image.zarr"), mode="w")
    array = group.create_array(
        "0", shape=(4, 3, 12, 9), chunks=(2, 1, 12, 9), dtype="f4"
    )
    array[:] = HYPERSTACK[:, :, 0]
    group.attrs["multiscales"] = [
        {
            "axes": [
                {"name": "t", "type": "time", "unit": "second"},
                {"name": "c", "type": "channel"},
                {"name": "y", "type": "space", "unit": "micrometer"},
                {"name": "x", "type": "space", "unit": "micrometer"},
            ],
            "datasets": [
                {
                    "path": "0",
                    "coordinateTransformations": [
                        {"type": "scale", "scale": [0.5, 1, 0.1, 0.2]}
                    ],
                }
            ],
        }
    ]
    with open_movie(tmp_path / "image.zarr", channel=1) as movie:
        np.testing.assert_array_equal(movie[...], HYPERSTACK[:, 1, 0])
        assert movie.metadata == ImageMetadata("TYX", (0.1, 0.2), "µm", 0.5)


def test_a_stack_of_slices_is_a_movie(tmp_path: Path) -> None:
    """The only axis beside Y and X is time, whatever the file calls it."""
    path = save(tmp_path / "slices.tif", imagej=True, metadata={"axes": "ZYX"})
    with open_movie(path) as movie:
        assert movie.metadata.axes == "TYX"
        assert movie.shape == MOVIE.shape


def test_one_image_is_a_movie_of_one_frame(tmp_path: Path) -> None:
    """A single image gets a time axis of length 1."""
    with open_movie(save(tmp_path / "image.tif", MOVIE[0])) as movie:
        np.testing.assert_array_equal(movie[...], MOVIE[:1])


def test_only_the_frames_asked_for_are_read(tmp_path: Path) -> None:
    """Reading a block of a large file does not read the file."""
    path = tmp_path / "large.tif"
    frames = np.zeros((400, 64, 64), np.uint16)
    frames[200] = 7
    tifffile.imwrite(path, frames)
    reads: list[list[int]] = []
    with open_movie(path) as movie:
        original = movie._read

        def counted(numbers: NDArray[np.intp]) -> NDArray[Any]:
            reads.append(numbers.tolist())
            return original(numbers)

        movie._read = counted
        assert movie[199:202].max() == 7
    assert reads == [[199, 200, 201]]


def test_threads_may_read_together(tmp_path: Path) -> None:
    """Frames read by several threads at once are not mixed up."""
    frames = np.arange(64, dtype=np.uint16)[:, None, None].repeat(40, 1).repeat(40, 2)
    wrong: list[int] = []
    with open_movie(save(tmp_path / "movie.tif", frames)) as movie:

        def read(start: int) -> None:
            wrong.extend(
                number
                for number in range(start, 64, 4)
                if not (movie[number] == number).all()
            )

        threads = [threading.Thread(target=read, args=(start,)) for start in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_dask_takes_a_stack() -> None:
    """The lazy stack is good enough for Dask."""
    array = pytest.importorskip("dask.array")
    with open_movie(telomeres_path()) as movie:
        lazy = array.from_array(movie, chunks=(50, -1, -1))
        assert lazy[::40].mean().compute() == pytest.approx(movie[::40].mean())


def test_bundled_movie() -> None:
    """The bundled movie has the shape and calibration that its source states."""
    movie, metadata = telomeres()
    assert movie.shape == (200, 133, 162)
    assert (movie.min(), movie.max()) == (90, 180)
    assert metadata.pixel_size == pytest.approx((0.11, 0.11), rel=1e-6)
    assert (metadata.unit, metadata.frame_interval) == ("µm", 0.05)


@pytest.mark.parametrize("name", ["result.tif", "result.ome.tif"])
def test_written_file_reads_back(tmp_path: Path, name: str) -> None:
    """Values, axes, pixel size and frame interval survive writing and reading."""
    metadata = ImageMetadata("TYX", (0.02, 0.03), "µm", 1.5)
    image = MOVIE.astype(np.float32) / 7
    path = write_tiff(tmp_path / name, image, metadata, provenance={"radius": 1.5})
    with open_movie(path) as found:
        np.testing.assert_array_equal(found[...], image)
        assert found.dtype == np.float32
        assert found.metadata.pixel_size == pytest.approx((0.02, 0.03), rel=1e-5)
        assert found.metadata.unit == "µm"
        assert found.metadata.frame_interval == pytest.approx(1.5)
    with tifffile.TiffFile(path) as file:
        note = file.ome_metadata or str((file.imagej_metadata or {})["Info"])
    assert json.dumps({"radius": 1.5}) in unescape(note)


def test_written_file_opens_in_other_readers(tmp_path: Path) -> None:
    """The file is an ImageJ hyperstack of frames, as tifffile sees it."""
    path = write_tiff(tmp_path / "result.tif", MOVIE, ImageMetadata("TYX"))
    with tifffile.TiffFile(path) as file:
        assert file.is_imagej
        assert file.series[0].axes == "TYX"
        assert file.imagej_metadata is not None
        assert file.imagej_metadata["frames"] == len(MOVIE)


def test_large_files_become_bigtiff(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond what classic TIFF holds, the file is BigTIFF with OME metadata."""
    monkeypatch.setattr("napari_nanopyx.io.writing.CLASSIC_TIFF_BYTES", 100)
    path = write_tiff(
        tmp_path / "result.tif", MOVIE, ImageMetadata("TYX", (1, 1), "µm")
    )
    with tifffile.TiffFile(path) as file:
        assert file.is_bigtiff
        assert file.is_ome
        np.testing.assert_array_equal(file.asarray(), MOVIE)


def test_frames_may_come_one_by_one(tmp_path: Path) -> None:
    """A generator of frames gives the same file as the array."""
    path = write_tiff(
        tmp_path / "result.tif",
        (frame for frame in MOVIE),
        ImageMetadata("TYX"),
        shape=MOVIE.shape,
    )
    np.testing.assert_array_equal(tifffile.imread(path), MOVIE)


@pytest.mark.parametrize("frames", [2, 9])
def test_wrong_number_of_frames_leaves_no_file(tmp_path: Path, frames: int) -> None:
    """Too few or too many frames are an error, and nothing is left behind."""
    with pytest.raises(ValueError, match="than the 7 announced"):
        write_tiff(
            tmp_path / "result.tif",
            (MOVIE[0] for _ in range(frames)),
            ImageMetadata("TYX"),
            shape=MOVIE.shape,
        )
    assert list(tmp_path.iterdir()) == []


class _Stop(BaseException):
    """Stands for Ctrl-C and a request to terminate."""


@pytest.mark.parametrize("problem", [_Stop, MemoryError, OSError])
def test_interrupted_writing_leaves_the_old_file(
    tmp_path: Path, problem: type[BaseException]
) -> None:
    """Whatever ends the writing, the earlier file stays and no part of a new one."""
    target = tmp_path / "result.tif"
    target.write_bytes(b"the earlier result")

    def frames() -> Iterator[NDArray[Any]]:
        yield MOVIE[0]
        raise problem

    with pytest.raises(problem):
        write_tiff(target, frames(), ImageMetadata("TYX"), shape=MOVIE.shape)
    assert target.read_bytes() == b"the earlier result"
    assert list(tmp_path.iterdir()) == [target]


def test_temporary_file_is_invisible_until_complete(tmp_path: Path) -> None:
    """The target appears only when everything has been written."""
    target = tmp_path / "result.bin"
    with temporary_beside(target) as part:
        part.write_bytes(b"all of it")
        assert not target.exists()
    assert target.read_bytes() == b"all of it"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("result.png", "must end in .tif or .tiff"),
        ("nowhere/result.tif", "does not exist"),
        ("folder.tif", "is a folder"),
        ("input.tif", "is the input itself"),
    ],
)
def test_outputs_that_cannot_be_written(
    tmp_path: Path, name: str, message: str
) -> None:
    """A bad output path is refused with its reason."""
    (tmp_path / "folder.tif").mkdir()
    source = save(tmp_path / "input.tif")
    with pytest.raises(ValueError, match=message):
        check_output(tmp_path / name, source)


def test_unwritable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without write permission is refused before anything is computed."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ValueError, match="is not writable"):
        check_output(tmp_path / "result.tif")


def test_missing_file(tmp_path: Path) -> None:
    """A path with nothing there says so."""
    with pytest.raises(FileNotFoundError, match=r"gone\.tif does not exist"):
        open_movie(tmp_path / "gone.tif")


@pytest.mark.parametrize(
    "content", [b"", b"II", b"not an image at all", b"\x89PNG\r\n\x1a\n" + bytes(64)]
)
def test_file_that_is_no_image(tmp_path: Path, content: bytes) -> None:
    """Other files are refused by their first bytes, with what can be read."""
    path = tmp_path / "notes.tif"
    path.write_bytes(content)
    with pytest.raises(ImageFileError, match="not an image that can be read here"):
        open_movie(path)


def test_folder_that_is_no_image(tmp_path: Path) -> None:
    """A folder without Zarr metadata is refused."""
    pytest.importorskip("zarr")
    with pytest.raises(ImageFileError, match="not a Zarr image"):
        open_movie(tmp_path)


@pytest.mark.parametrize("kind", ["imagej", "plain", "pages apart", "compressed"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_truncated_tiff(
    tmp_path: Path, kind: str, share: float, capfd: pytest.CaptureFixture[str]
) -> None:
    """A cut file is refused and not taken for a shorter movie; nothing is printed."""
    whole = save(tmp_path / "whole.tif", **TIFF_KINDS[kind]).read_bytes()
    path = tmp_path / "cut.tif"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ImageFileError, match=r"cut short|damaged|not an image|decoded"):
        read_all(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", ["imagej", "pages apart", "compressed"])
def test_scrambled_tiff_never_escapes(tmp_path: Path, kind: str) -> None:
    """Whatever bytes of the header change: an image or an ImageFileError, no crash."""
    whole = save(tmp_path / "whole.tif", **TIFF_KINDS[kind]).read_bytes()
    random = np.random.default_rng(3)
    path = tmp_path / "scrambled.tif"
    refused = 0
    for _ in range(200):
        content = bytearray(whole)
        for place in random.integers(4, 400, 4):
            content[place] = random.integers(256)
        path.write_bytes(content)
        try:
            with open_movie(path) as movie:
                movie[-1]
        except ImageFileError:
            refused += 1
    assert 0 < refused < 200


@pytest.mark.parametrize(
    ("shape", "message"),
    [((3, 2**20, 2**20), "would take"), ((2**40, 8, 8), "claims 1099511627776 frames")],
)
def test_absurd_sizes(tmp_path: Path, shape: tuple[int, ...], message: str) -> None:
    """A header that claims an absurd size is refused before memory is asked for."""
    zarr = pytest.importorskip("zarr")
    zarr.open_array(
        str(tmp_path / "huge.zarr"), mode="w", shape=shape, chunks=(1, 8, 8), dtype="u2"
    )
    with pytest.raises(ImageFileError, match=message):
        open_movie(tmp_path / "huge.zarr")


def test_damaged_zarr_chunk(tmp_path: Path) -> None:
    """A chunk that cannot be decoded is named as the file's fault."""
    zarr = pytest.importorskip("zarr")
    path = tmp_path / "movie.zarr"
    zarr.open_array(
        str(path), mode="w", shape=MOVIE.shape, chunks=(7, 12, 9), dtype="u2"
    )[:] = MOVIE
    chunks = [
        file for file in path.rglob("*") if file.is_file() and "zarr" not in file.name
    ]
    for chunk in chunks:
        chunk.write_bytes(b"rubbish")
    assert chunks
    with (
        open_movie(path) as movie,
        pytest.raises(ImageFileError, match="cannot be read"),
    ):
        movie[0]


def test_colour_images_are_refused(tmp_path: Path) -> None:
    """Colour frames are no movie for a fluorescence method."""
    path = save(
        tmp_path / "colour.tif", np.zeros((16, 16, 3), np.uint8), photometric="rgb"
    )
    with open_image(path) as image:
        assert image.metadata.axes == "YXS"
    with pytest.raises(ImageFileError, match="colour images"):
        open_movie(path)


@pytest.mark.parametrize("name", ["image.ome.zarr", "image.zarr", "image.tif"])
@pytest.mark.parametrize("axes", ["YX", "TYX", "TCYX", "TZYX", "CYX"])
def test_an_image_and_its_calibration_come_back(
    tmp_path: Path, name: str, axes: str
) -> None:
    """What is written as TIFF or OME-Zarr is read again, with axes and scales."""
    if name.endswith("zarr"):
        pytest.importorskip("zarr")
    shape = (3, 2, 12, 9)[-len(axes) :] if len(axes) < 4 else (3, 2, 12, 9)
    image = np.random.default_rng(4).random(shape).astype(np.float32)
    metadata = ImageMetadata(
        axes,
        (0.1, 0.2),
        "µm",
        0.5 if "T" in axes else None,
        depth=0.3 if "Z" in axes else None,
    )
    note = {"function": "esrrf", "parameters": {"radius": 1.5}}
    path = write_image(tmp_path / name, image, metadata, provenance=note)
    assert list(tmp_path.iterdir()) == [path]
    with open_image(path) as read:
        np.testing.assert_array_equal(read[...], image)
        assert read.metadata.axes == axes
        assert read.metadata.pixel_size == pytest.approx((0.1, 0.2), rel=1e-6)
        assert read.metadata.unit == "µm"
        assert read.metadata.frame_interval == metadata.frame_interval
        assert read.metadata.depth == metadata.depth
        assert json.loads(read.metadata.description) == note


def test_an_ome_zarr_says_what_ngff_asks_for(tmp_path: Path) -> None:
    """The attributes are those of NGFF 0.4, and the arrays of Zarr format 2."""
    pytest.importorskip("zarr")
    metadata = ImageMetadata("TYX", (100.0, 100.0), "nm", 0.5)
    path = write_zarr(tmp_path / "a.ome.zarr", MOVIE.astype(np.float32), metadata)
    attributes = json.loads((path / ".zattrs").read_text())
    (multiscale,) = attributes["multiscales"]
    assert multiscale["version"] == "0.4"
    assert multiscale["name"] == "a"
    assert multiscale["axes"] == [
        {"name": "t", "type": "time", "unit": "second"},
        {"name": "y", "type": "space", "unit": "nanometer"},
        {"name": "x", "type": "space", "unit": "nanometer"},
    ]
    (level,) = multiscale["datasets"]
    assert level["coordinateTransformations"] == [
        {"type": "scale", "scale": [0.5, 100.0, 100.0]}
    ]
    array = json.loads((path / level["path"] / ".zarray").read_text())
    assert (array["zarr_format"], array["dimension_separator"]) == (2, "/")
    with open_image(path) as read:
        assert (read.metadata.pixel_size, read.metadata.unit) == ((100.0, 100.0), "nm")


def test_a_zarr_is_complete_or_not_there(tmp_path: Path) -> None:
    """An error while frames come leaves nothing; an existing image is not replaced."""
    pytest.importorskip("zarr")

    def frames() -> Iterator[NDArray[np.float32]]:
        yield np.zeros((4, 5), np.float32)
        raise RuntimeError("the camera is gone")

    path = tmp_path / "a.zarr"
    with pytest.raises(RuntimeError, match="the camera is gone"):
        write_zarr(path, frames(), ImageMetadata("TYX"), shape=(2, 4, 5))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="fewer frames were given"):
        write_zarr(path, [np.zeros((4, 5))], ImageMetadata("TYX"), shape=(2, 4, 5))
    assert list(tmp_path.iterdir()) == []
    write_zarr(path, np.ones((2, 4, 5), np.float32), ImageMetadata("TYX"))
    with pytest.raises(ValueError, match="is there already"):
        write_zarr(path, np.zeros((2, 4, 5), np.float32), ImageMetadata("TYX"))
    with open_image(path) as read:
        assert read[...].min() == 1
