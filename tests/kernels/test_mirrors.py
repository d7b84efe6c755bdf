"""The compiled 3-D eSRRF kernel's tables hold each sample of each voxel once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_nanopyx._kernels.esrrf.sums import FEW_FRAMES
from napari_nanopyx._kernels.esrrf_3d.mirrors import Mirrors, mirrors
from napari_nanopyx._kernels.esrrf_3d.plan import Esrrf3dPlan
from napari_nanopyx._kernels.esrrf_3d.tables import Neighbourhood, neighbourhood

CASES: dict[str, dict[str, Any]] = {
    "even": {"magnification": 2, "magnification_z": 2},
    "odd": {"magnification": 3, "magnification_z": 1},
    "mixed": {"magnification": 4, "magnification_z": 3, "radius": 2.3},
    "none": {"magnification": 1, "magnification_z": 1, "radius": 0.7},
    "root": {"magnification": 3, "magnification_z": 2, "sensitivity": 0.5},
    "one plane": {"shape": (1, 1, 20, 20), "magnification_z": 3},
}


def tables_of(case: str) -> tuple[Neighbourhood, Mirrors]:
    """Return the same samples by voxel, and by lattice point."""
    plan = Esrrf3dPlan(**{"shape": (1, 6, 20, 20), **CASES[case]})
    about = (plan.magnification_z, plan.magnification, plan.window, plan.sensitivity)
    return neighbourhood(*about), mirrors(*about)


@pytest.mark.parametrize("case", CASES)
def test_every_sample_is_an_end_once(case: str) -> None:
    points, found = tables_of(case)
    mirror, end = np.nonzero(found.ends["phase"] >= 0)
    ends, table = found.ends[mirror, end], found.mirrors[mirror]
    actual = np.stack(
        [
            ends["phase"],
            (table["sublattice"] & 1) - 2 * ends["column"],
            (table["sublattice"] >> 1) - 2 * ends["row"],
            -ends["plane"],
        ]
    )
    number = np.arange(points.weight.shape[1])
    phase, sample = np.nonzero(number < points.counts[:, None])
    expected = np.stack([phase, *(each[phase, sample] for each in points.places)])
    ours, theirs = np.lexsort(actual), np.lexsort(expected)
    np.testing.assert_array_equal(actual[:, ours], expected[:, theirs])
    np.testing.assert_allclose(
        table["weight"][ours], points.weight[phase, sample][theirs], rtol=1e-6
    )


def test_all_ends_are_taken_where_no_voxel_is_on_a_lattice_line() -> None:
    points, found = tables_of("even")
    assert (found.ends["phase"] >= 0).all()
    assert 8 * found.used == points.counts.sum()


@pytest.mark.parametrize("case", CASES)
def test_samples_that_weigh_the_same_count_alike(case: str) -> None:
    """A mirrored image then gives a mirrored result."""
    points, _ = tables_of(case)

    def by_axes(values: NDArray[Any]) -> NDArray[Any]:
        m = CASES[case].get("magnification", 2)
        return values.reshape(CASES[case]["magnification_z"], m, m)

    for values in (points.counts, points.rough):
        for axis in range(3):
            phases = by_axes(values)
            np.testing.assert_array_equal(phases, np.flip(phases, axis))
        np.testing.assert_array_equal(by_axes(values), by_axes(values).swapaxes(1, 2))


@pytest.mark.parametrize(
    ("frames", "length", "has_error"),
    [
        (FEW_FRAMES, 0, False),
        (FEW_FRAMES + 1, 0, True),
        (5 * FEW_FRAMES, FEW_FRAMES, False),
    ],
)
def test_only_means_of_many_frames_need_an_error(
    frames: int, length: int, has_error: bool
) -> None:
    for temporal in ("AVG", "VAR"):
        plan = Esrrf3dPlan(
            (frames, 2, 9, 9), temporal=temporal, frames_per_timepoint=length
        )
        expected = has_error or temporal != "AVG"
        assert ("sum_error" in plan.outputs(range(1))) == expected
        assert plan.scalars(9)["compensated"] == int(expected)
