"""The correlation finds how far a scene has moved, whatever leaves the view."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_nanopyx._kernels.correlation import Correlator

Image = NDArray[np.float64]

SPOTS = np.random.default_rng(5).uniform(-8, 72, (150, 2))


def scene(shape: tuple[int, int], moved: Any = (0.0, 0.0)) -> Image:
    """Return blurred spots, some of them beyond the edges."""
    row, column = np.indices(shape)
    image = np.full(shape, 20.0)
    for y, x in SPOTS + moved:
        image += 100 * np.exp(-((row - y) ** 2 + (column - x) ** 2) / (2 * 1.5**2))
    return image


def peaks(correlator: Correlator, reference: Image, *moved: Image) -> Any:
    """Correlate images with one."""
    first = correlator.prepare(reference[np.newaxis])
    return correlator.compare(first, correlator.prepare(np.stack(moved)))


@pytest.mark.parametrize("shape", [(64, 64), (48, 61)])
@pytest.mark.parametrize("settings", [{}, {"window": "hann"}, {"background": 8.0}])
def test_displacements_between_pixels(
    shape: tuple[int, int], settings: dict[str, Any]
) -> None:
    moves = np.array([[0, 0], [1, -2], [2.5, 1.25], [-3.3, 0.7], [0.4, -0.45]])
    correlator = Correlator(shape, (8, 8), **settings)
    found = peaks(correlator, scene(shape), *(scene(shape, move) for move in moves))
    np.testing.assert_allclose(found.displacements, moves, atol=0.01)
    assert found.inside.all()
    assert found.similarity.min() > 0.99
    assert found.similarity[0] == pytest.approx(1, abs=1e-4)


def test_similarity_is_the_correlation_of_the_overlap() -> None:
    random = np.random.default_rng(1)
    first, second = (scene((40, 50)) + random.normal(0, 30, (40, 50)) for _ in "ab")
    moved = np.roll(second, (2, -3), (0, 1))
    found = peaks(Correlator((40, 50), (5, 5)), first, moved)
    shown = np.corrcoef(first[:-2, 3:].ravel(), moved[2:, :-3].ravel())[0, 1]
    assert found.displacements[0] == pytest.approx([2, -3], abs=0.3)
    assert found.similarity[0] == pytest.approx(shown, abs=0.03)


def test_images_without_contrast_are_like_nothing() -> None:
    image = scene((32, 32))
    found = peaks(Correlator((32, 32), (4, 4)), image, np.full((32, 32), 7.0))
    assert found.similarity[0] == 0
    assert not found.inside[0]


def test_volumes_are_correlated_too() -> None:
    volume = np.random.default_rng(2).normal(size=(16, 20, 22))
    moved = np.roll(volume, (1, -2, 3), (0, 1, 2))
    correlator = Correlator(volume.shape, (3, 4, 4))
    found = peaks(correlator, volume, moved)
    np.testing.assert_allclose(found.displacements, [[1, -2, 3]], atol=0.02)
