"""Volumes that memory does not hold are reconstructed in slabs, to the same values."""

from __future__ import annotations

import tracemalloc
from threading import Event
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import napari_nanopyx as nx
from napari_nanopyx import engine
from napari_nanopyx._engine.backends import compiled
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.types import Device
from napari_nanopyx._kernels.esrrf_3d.plan import Esrrf3dPlan
from napari_nanopyx.methods import _slabs

SERIES = np.random.default_rng(3).poisson(90, (3, 11, 7, 9)).astype(np.uint16)

NAMES = [each.name for each in engine.implementations("esrrf_3d") if each.available]


def give_memory_for(
    planes: int,
    monkeypatch: pytest.MonkeyPatch,
    name: str = "serial",
    **parameters: Any,
) -> int:
    """Let the computer have just the memory for so many planes at a time."""
    plan = Esrrf3dPlan(SERIES.shape, **parameters)
    needed = int(_slabs._needed(plan, planes, name) / _slabs.USED) + 1
    monkeypatch.setattr(devices, "memory_bytes", lambda: needed)
    return needed


def assert_same(actual: NDArray[Any], expected: NDArray[Any]) -> None:
    assert actual.shape == expected.shape
    scale = np.abs(expected).max()
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6 * scale)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"temporal": "TAC2", "magnification_z": 3, "macro_pixel_correction": False},
        {"temporal": "VAR", "radius": 2.0},
        {"sensitivity": 0.5, "voxel_ratio": 2.0, "frames_per_timepoint": 2},
    ],
    ids=lambda parameters: "-".join(parameters) or "defaults",
)
def test_slabs_give_what_whole_volumes_give(
    name: str, parameters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = nx.esrrf_3d(SERIES, implementation=name, **parameters)
    give_memory_for(3, monkeypatch, name, **parameters)
    with engine.record() as runs:
        slabs = nx.esrrf_3d(SERIES, implementation=name, **parameters)
    assert len(runs) == 4
    assert_same(slabs, whole)


@pytest.mark.parametrize("planes", [1, 2, 6])
def test_slabs_of_any_size(planes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = nx.esrrf_3d(SERIES, implementation="serial")
    give_memory_for(planes, monkeypatch)
    with engine.record() as runs:
        slabs = nx.esrrf_3d(SERIES, implementation="serial")
    assert len(runs) >= -(-11 // planes)
    assert_same(slabs, whole)


@pytest.mark.parametrize(
    ("name", "threads", "parameters"),
    [
        ("serial", 8, {"temporal": "VAR"}),
        ("threads-dynamic", 8, {"temporal": "VAR"}),
        ("threads-static", 3, {"radius": 3.0, "magnification_z": 4}),
    ],
)
def test_no_more_memory_is_taken_than_there_is(
    name: str,
    threads: int,
    parameters: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(devices, "thread_count", lambda: threads)
    series = np.resize(SERIES, (3, 40, 32, 32))

    def most() -> int:
        nx.esrrf_3d(series, implementation=name, **parameters)
        tracemalloc.start()
        nx.esrrf_3d(series, implementation=name, **parameters)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    whole = most()
    plan = Esrrf3dPlan(series.shape, **parameters)
    memory = int(_slabs._needed(plan, 5, name) / _slabs.USED) + 1
    monkeypatch.setattr(devices, "memory_bytes", lambda: memory)
    in_slabs = most()
    assert in_slabs < memory < whole


def test_what_many_threads_take_is_refused_with_fewer_threads_as_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = nx.esrrf_3d(SERIES, implementation="serial")
    plan = Esrrf3dPlan(SERIES.shape)
    needed = int(_slabs._needed(plan, 1, "serial") / _slabs.USED) + 1
    monkeypatch.setattr(devices, "memory_bytes", lambda: needed)
    assert_same(nx.esrrf_3d(SERIES, implementation="serial"), whole)
    monkeypatch.setattr(devices, "thread_count", lambda: 64)
    with pytest.raises(MemoryError, match=r"fewer threads \(NAPARI_NANOPYX_THREADS"):
        nx.esrrf_3d(SERIES)
    assert_same(nx.esrrf_3d(SERIES, implementation="serial"), whole)


def test_progress_goes_on_from_slab_to_slab(monkeypatch: pytest.MonkeyPatch) -> None:
    give_memory_for(3, monkeypatch)
    calls: list[tuple[int, int]] = []
    nx.esrrf_3d(
        SERIES,
        implementation="serial",
        progress=lambda done, total: calls.append((done, total)),
    )
    done = [each for each, _ in calls]
    assert done == sorted(done)
    assert calls[-1] == (3, 3)


def test_cancelling_between_slabs(monkeypatch: pytest.MonkeyPatch) -> None:
    give_memory_for(3, monkeypatch)
    cancel = Event()
    with engine.record() as runs, pytest.raises(engine.Cancelled):
        nx.esrrf_3d(
            SERIES,
            implementation="serial",
            progress=lambda done, total: cancel.set(),
            cancel=cancel,
        )
    assert len(runs) == 1


def test_bad_frames_are_named_as_in_whole_volumes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    series = SERIES.astype(np.float32)
    series[2, 10, 1, 1] = np.nan
    give_memory_for(3, monkeypatch)
    with pytest.raises(ValueError, match=r"image .*NaN.* frame 2 "):
        nx.esrrf_3d(series, implementation="serial")


def test_a_slab_that_a_device_has_no_memory_for_is_halved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = nx.esrrf_3d(SERIES, implementation="serial")
    original = compiled.CompiledSession.run

    def run(self: Any, *arguments: Any) -> Any:
        if self._plan.size[0] > 3:
            raise MemoryError("no room")
        return original(self, *arguments)

    monkeypatch.setattr(compiled.CompiledSession, "run", run)
    assert_same(nx.esrrf_3d(SERIES, implementation="serial"), whole)


def test_a_failure_of_another_kind_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(self: Any, *arguments: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr(compiled.CompiledSession, "run", run)
    with pytest.raises(engine.ImplementationFailed, match="broken"):
        nx.esrrf_3d(SERIES, implementation="serial")


def test_slabs_are_as_small_as_a_device_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Esrrf3dPlan((2, 64, 256, 256))
    assert _slabs.planes_that_fit(plan, "serial") == 64

    def with_allocations_of(most: int) -> int:
        device = Device(
            "opencl:small", "opencl", "", 2**33, details={"max_allocation_bytes": most}
        )
        monkeypatch.setattr(devices, "opencl_devices", lambda: [device])
        return _slabs.planes_that_fit(plan)

    lattice = 4 * max(plan.work_floats(256).values())
    assert with_allocations_of(lattice) == 64
    assert with_allocations_of(lattice - 1) == 32
    assert with_allocations_of(lattice // 3) == 16


def test_reading_holds_one_whole_volume(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames of a file come as whole volumes, however few planes are wanted."""
    asked: list[int] = []

    class Recorded:
        shape, dtype = SERIES.shape, SERIES.dtype

        def __getitem__(self, frames: slice) -> NDArray[Any]:
            block: NDArray[Any] = SERIES[frames]
            asked.append(len(block))
            return block

    image: Any = Recorded()
    give_memory_for(3, monkeypatch)
    result = nx.esrrf_3d(image, implementation="serial")
    assert set(asked) == {1}
    monkeypatch.undo()
    assert_same(result, nx.esrrf_3d(SERIES, implementation="serial"))
