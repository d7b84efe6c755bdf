"""A result lies exactly over the layer that it was made from."""

from __future__ import annotations

from typing import Any

import dask.array
import numpy as np
import pytest
from napari.layers import Image

from napari_nanopyx.widgets.layers import (
    Placement,
    flatten,
    layer_options,
    read,
)


def result(layer: Image, shape: tuple[int, ...], placement: Placement) -> Image:
    options = layer_options(read(layer), placement, len(shape))
    return Image(np.zeros(shape, np.float32), **options)


@pytest.mark.parametrize("factor", [1, 2, 5, 0.5, 2.5])
@pytest.mark.parametrize(
    "place",
    [
        {},
        {"scale": (0.2, 0.3), "translate": (7.0, -2.0)},
        {"scale": (2, 1), "rotate": 30, "shear": [0.4], "translate": (1.0, 5.0)},
        {"affine": [[0.5, 0.2, 3], [-0.1, 0.8, 9], [0, 0, 1]], "scale": (0.1, 0.2)},
    ],
    ids=["plain", "scaled", "turned and sheared", "affine"],
)
def test_a_magnified_image_covers_the_same_field(
    factor: float, place: dict[str, Any]
) -> None:
    layer = Image(np.zeros((8, 12)), **place)
    shape = (int(8 * factor), int(12 * factor))
    larger = result(layer, shape, Placement.magnified(2, factor))
    for corner in ((0, 0), (0, 1), (1, 0), (1, 1)):
        of_layer = np.array(corner) * (8, 12) - 0.5
        of_result = np.array(corner) * shape - 0.5
        np.testing.assert_allclose(
            larger.data_to_world(of_result), layer.data_to_world(of_layer), atol=1e-9
        )


def test_row_and_column_factors_may_differ() -> None:
    layer = Image(np.zeros((8, 12)), scale=(0.1, 0.1))
    larger = result(layer, (16, 48), Placement.magnified(2, (2, 4)))
    np.testing.assert_allclose(larger.scale, (0.05, 0.025))


def test_a_time_point_lies_in_the_middle_of_its_frames() -> None:
    movie = Image(np.zeros((12, 4, 4)), scale=(0.5, 1, 1), translate=(100, 0, 0))
    placement = Placement.magnified(3, 2).windowed(frames=4, gap=3)
    points = result(movie, (3, 8, 8), placement)
    times = [points.data_to_world((n, 0, 0))[0] for n in range(3)]
    middles = [movie.data_to_world((3 * n + 1.5, 0, 0))[0] for n in range(3)]
    np.testing.assert_allclose(times, middles)


def test_one_image_of_a_movie_loses_the_time_axis() -> None:
    movie = Image(
        np.zeros((12, 4, 4)),
        scale=(0.5, 0.11, 0.13),
        units=("second", "micrometer", "micrometer"),
        axis_labels=("T", "Y", "X"),
    )
    placement = Placement.magnified(3, 5).windowed(frames=12, gap=12)
    image = result(movie, (20, 20), placement)
    np.testing.assert_allclose(image.scale, (0.022, 0.026))
    np.testing.assert_allclose(image.translate, (-0.4 * 0.11, -0.4 * 0.13))
    assert [str(unit) for unit in image.units] == ["micrometer", "micrometer"]
    assert image.axis_labels == ("Y", "X")


def test_flatten_takes_only_a_single_image_out_of_its_stack() -> None:
    assert flatten(np.zeros((1, 3, 4))).shape == (3, 4)
    assert flatten(np.zeros((2, 3, 4))).shape == (2, 3, 4)
    assert flatten(np.zeros((1, 4))).shape == (1, 4)


def test_the_highest_resolution_of_a_multiscale_layer_is_read() -> None:
    layer = Image([np.ones((4, 16, 16)), np.ones((4, 8, 8))], scale=(1, 0.2, 0.2))
    source = read(layer)
    assert source.shape == (4, 16, 16)
    np.testing.assert_allclose(source.scale, (1, 0.2, 0.2))


def test_lazy_data_stays_lazy() -> None:
    computed: list[Any] = []

    def block(block_info: Any = None) -> Any:
        computed.append(block_info)
        return np.zeros((1, 4, 4))

    lazy = dask.array.map_blocks(  # type: ignore[no-untyped-call]
        block, chunks=((1,) * 6, (4,), (4,)), dtype=float, meta=np.zeros((0, 0, 0))
    )
    layer = Image(lazy, contrast_limits=(0, 1))
    before = len(computed)
    source = read(layer)
    assert source.data is layer.data
    assert len(computed) == before
