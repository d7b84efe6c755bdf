"""Maps of the resolution: block by block, with a reason where there is none."""

from __future__ import annotations

import math
from threading import Event
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

import napari_nanopyx as nx
from napari_nanopyx import engine

Image = NDArray[np.float64]


def half_sharp(shape: tuple[int, int]) -> list[Image]:
    """Return a scene that is blurred more on the right, twice, with other noise."""
    random = np.random.default_rng(3)
    white = random.normal(size=shape)
    left, right = (10 * s * ndimage.gaussian_filter(white, s) for s in (1.5, 4.0))
    scene = np.where(np.arange(shape[1]) < shape[1] // 2, left, right)
    return [scene + random.normal(size=shape) for _ in range(2)]


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("shape", [(256, 256), (301, 402)])
def test_frc_map_tells_sharp_from_blurred(count: int, shape: tuple[int, int]) -> None:
    images = half_sharp(shape)[:count]
    found = nx.frc_map(*images, blocks=4)
    assert found.resolution.shape == (4, 4)
    assert (found.resolution[:, 2:].min() > 1.5 * found.resolution[:, :2]).all()
    pixels = found.image()
    assert pixels.shape == shape
    assert pixels.dtype == np.float32


def test_each_block_is_measured_on_its_own() -> None:
    a, b = half_sharp((90, 131))
    settings: dict[str, Any] = {"threshold": "half-bit", "window": "hann"}
    found = nx.frc_map(a, b, blocks=3, pixel_size=0.1, units="µm", **settings)
    assert found.row_edges.tolist() == [0, 30, 60, 90]
    assert found.column_edges.tolist() == [0, 44, 87, 131]
    part = (slice(30, 60), slice(87, 131))
    alone = nx.frc(a[part], b[part], pixel_size=0.1, units="µm", **settings)
    assert found.blocks[1][2].resolution == alone.resolution == found.resolution[1, 2]
    np.testing.assert_array_equal(found.blocks[1][2].correlation, alone.correlation)


def test_blocks_without_a_resolution_are_nan_with_a_reason() -> None:
    a, b = half_sharp((128, 128))
    a[:64, :64] = b[:64, :64] = 7.0
    b[64:, 64:] = a[64:, 64:]
    found = nx.frc_map(a, b, blocks=2)
    resolution, reasons = found.resolution, found.reasons
    assert np.isnan(resolution).tolist() == [[True, False], [False, True]]
    assert reasons[0] == ("image_a is constant", "")
    assert "identical" in reasons[1][1]
    pixels = found.image()
    np.testing.assert_array_equal(
        np.isnan(pixels), np.isnan(resolution).repeat(64, 0).repeat(64, 1)
    )
    assert pixels[0, -1] == np.float32(resolution[0, 1])
    assert "2 without a resolution" in str(found)


def test_pixels_between_the_middles_of_blocks() -> None:
    found = nx.frc_map(*half_sharp((128, 128)), blocks=2)
    pixels, (upper, lower) = found.image(), found.resolution
    share = (np.arange(32, 96) + 0.5 - 32) / 64
    np.testing.assert_allclose(
        pixels[32:96, 0], upper[0] + share * (lower[0] - upper[0]), rtol=1e-6
    )
    assert (pixels[:32, 0] == np.float32(upper[0])).all()


def test_decorrelation_map_tells_sharp_from_blurred() -> None:
    random = np.random.default_rng(8)
    white = random.normal(size=(400, 410))
    image = np.empty(white.shape)
    image[:, :205] = ndimage.gaussian_filter(white, 1.5)[:, :205]
    image[:, 205:] = ndimage.gaussian_filter(white, 3.0)[:, 205:]
    found = nx.decorrelation_map(image, pixel_size=0.1, units="µm")
    fwhm = 0.1 * math.sqrt(8 * math.log(2)) * np.array([[1.5, 3.0], [1.5, 3.0]])
    np.testing.assert_allclose(found.resolution, fwhm, rtol=0.08)
    np.testing.assert_allclose(found.of("k_c"), 0.2 / found.resolution)
    alone = nx.decorrelation(image, roi=(200, 205, 400, 410))
    assert found.of("amplitude")[1, 1] == alone.amplitude


def test_tiles_of_noise_have_no_resolution() -> None:
    image = np.random.default_rng(9).normal(size=(200, 400))
    image[:, :200] = 10 * ndimage.gaussian_filter(image[:, :200], 2.0)
    found = nx.decorrelation_map(image)
    assert np.isnan(found.resolution).tolist() == [[False, True]]
    assert found.reasons[0][0] == ""
    assert "only noise" in found.reasons[0][1]
    nothing = nx.decorrelation_map(np.zeros((100, 100)))
    assert str(nothing) == (
        "Decorrelation resolution of 1 blocks: none: the image is constant"
    )


@pytest.mark.parametrize(
    ("tile", "counts"), [(100, (3, 5)), (200, (2, 2)), (999, (1, 1))]
)
def test_tiles_share_out_the_image(tile: int, counts: tuple[int, int]) -> None:
    image = np.random.default_rng(10).normal(size=(310, 470))
    assert nx.decorrelation_map(image, tile=tile).resolution.shape == counts


def test_progress_and_cancel() -> None:
    calls: list[tuple[int, int]] = []
    stop = Event()

    def progress(done: int, total: int) -> None:
        calls.append((done, total))
        if done == 3:
            stop.set()

    a, b = half_sharp((64, 64))
    nx.frc_map(a, b, blocks=2, progress=lambda *call: calls.append(call))
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]
    calls.clear()
    with pytest.raises(engine.Cancelled):
        nx.frc_map(a, b, blocks=2, progress=progress, cancel=stop)
    assert calls[-1] == (3, 4)
    with pytest.raises(engine.Cancelled):
        nx.decorrelation_map(a, cancel=stop)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"blocks": 0}, ValueError, "blocks is 0, .* from 1 to 4"),
        ({"blocks": 5}, ValueError, "blocks is 5, .* from 1 to 4"),
        ({"blocks": 2.5}, ValueError, "blocks is 2.5, but must be a whole number"),
        ({"blocks": "2"}, TypeError, "blocks is '2', a str"),
        ({"blocks": 2, "threshold": 2}, ValueError, "threshold is 2"),
        ({"blocks": 2, "pixel_size": 0}, ValueError, "pixel_size is 0"),
        (
            {"blocks": 2, "implementation": "serial"},
            engine.UnknownImplementation,
            "serial",
        ),
    ],
)
def test_arguments_of_frc_map(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        nx.frc_map(*half_sharp((64, 80)), **arguments)


def test_images_of_frc_map() -> None:
    image = np.eye(20)
    with pytest.raises(ValueError, match=r"image_b has shape \(20, 18\)"):
        nx.frc_map(image, image[:, :18])
    with pytest.raises(ValueError, match=r"image_a has shape .* at least 16 pixels"):
        nx.frc_map(image[:12])
    with pytest.raises(ValueError, match=r"image_a .*NaN"):
        nx.frc_map(image * np.nan)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"tile": 63}, ValueError, "tile is 63, but must be a whole number from 64 up"),
        ({"tile": None}, TypeError, "tile is None"),
        ({"n_r": 5}, ValueError, "n_r is 5"),
        ({"rmax": 2}, ValueError, "rmax is 2"),
        ({"implementation": "serial"}, engine.UnknownImplementation, "serial"),
    ],
)
def test_arguments_of_decorrelation_map(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        nx.decorrelation_map(np.eye(80), **arguments)
    with pytest.raises(ValueError, match=r"image has shape .* at least 64 pixels"):
        nx.decorrelation_map(np.eye(63))


def test_line_and_plot() -> None:
    axes_of = pytest.importorskip("matplotlib.figure").Figure
    found = nx.frc_map(*half_sharp((128, 128)), blocks=2, pixel_size=80, units="nm")
    assert str(found).startswith("FRC resolution of 4 blocks: median ")
    assert str(found).count(" nm") == 2
    assert len(repr(found)) < 300
    ax = axes_of().add_subplot()
    assert found.plot(ax) is ax
    np.testing.assert_array_equal(ax.images[0].get_array(), found.image())
    assert ax.figure.axes[1].get_ylabel() == "resolution (nm)"
