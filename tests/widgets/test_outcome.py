"""A result is shown so that one sees something."""

from __future__ import annotations

import numpy as np
import pytest

from napari_nanopyx.widgets.outcome import MOST_SAMPLES, display_range


def test_a_few_bright_points_leave_the_rest_visible() -> None:
    image = np.linspace(1, 2, 10_000, dtype=np.float32)
    image[:5] = 1000
    limits, contrast = display_range(image)
    assert limits == pytest.approx((1, 1000), abs=1e-3)
    assert contrast == pytest.approx((1.01, 2.0), abs=0.01)


def test_negative_values_are_black() -> None:
    image = np.linspace(-3, 3, 1000, dtype=np.float32)
    limits, contrast = display_range(image)
    assert limits == (-3, 3)
    assert contrast[0] == 0


def test_an_image_without_contrast_gets_a_range() -> None:
    limits, contrast = display_range(np.full((4, 4), 2.5))
    assert limits == contrast == (2.5, 3.5)


def test_one_point_in_a_flat_image_is_shown() -> None:
    image = np.zeros((100, 100))
    image[50, 50] = 7
    assert display_range(image) == ((0, 7), (0, 7))


def test_an_image_below_zero_is_shown() -> None:
    (low, high), (dark, bright) = display_range(np.linspace(-5, -1, 1000))
    assert low <= dark < bright <= high < 0


def test_large_images_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = np.percentile

    def counting(values: np.ndarray, *rest: object) -> object:
        seen.append(values.size)
        return real(values, *rest)  # type: ignore[call-overload]

    monkeypatch.setattr(np, "percentile", counting)
    display_range(np.arange(3 * MOST_SAMPLES, dtype=np.float32))
    assert seen[0] <= MOST_SAMPLES * 1.5
