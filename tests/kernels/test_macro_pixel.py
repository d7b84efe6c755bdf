"""The macro-pixel correction removes the grid and nothing else."""

from __future__ import annotations

import numpy as np
from phases import interleave

from napari_nanopyx._kernels import macro_pixel


def test_removes_a_gain_per_phase_and_keeps_the_scale() -> None:
    rng = np.random.default_rng(1)
    scene = np.broadcast_to(rng.uniform(1, 2, (5, 7)), (9, 5, 7))
    gain = rng.uniform(0.5, 2.0, (9, 1, 1))
    planes = scene * gain
    macro_pixel.correct(planes)
    np.testing.assert_allclose(planes, scene * gain.mean(), rtol=1e-13)


def test_counts_only_pixels_inside_the_margin() -> None:
    rng = np.random.default_rng(2)
    image = rng.uniform(1, 2, (18, 21))
    margin = 4
    image[:margin] = image[-margin:] = 0
    image[:, :margin] = image[:, -margin:] = 0
    planes = np.ascontiguousarray(
        image.reshape(6, 3, 7, 3).transpose(1, 3, 0, 2).reshape(9, 6, 7)
    )
    for phase, plane in enumerate(planes):
        valid = image[phase // 3 :: 3, phase % 3 :: 3]
        mean = macro_pixel.phase_mean(plane, phase, 9, margin)
        np.testing.assert_allclose(mean, valid[valid > 0].mean(), rtol=1e-13)


def test_margin_that_leaves_nothing_changes_nothing() -> None:
    planes = np.random.default_rng(3).uniform(size=(4, 2, 2))
    before = planes.copy()
    macro_pixel.correct(planes, margin=5)
    np.testing.assert_array_equal(planes, before)


def test_never_inverts_a_phase() -> None:
    planes = np.array([1.0, 2.0, 3.0, -1.0]).reshape(4, 1, 1)
    macro_pixel.correct(planes)
    np.testing.assert_allclose(planes.ravel(), [1.25, 1.25, 1.25, -1.0])


def test_interleave_puts_phases_side_by_side() -> None:
    image = np.arange(12 * 6, dtype=np.float64).reshape(12, 6)
    planes = image.reshape(4, 3, 2, 3).transpose(1, 3, 0, 2).reshape(9, 4, 2)
    np.testing.assert_array_equal(interleave(planes), image)
