"""The OpenCL backend on devices this machine lacks, played by the one it has."""

from __future__ import annotations

from dataclasses import replace
from mmap import PAGESIZE
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_nanopyx._engine.backends import opencl
from napari_nanopyx._engine.backends.opencl_session import OpenCLSession
from napari_nanopyx._engine.backends.pages import touch
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.types import Device
from napari_nanopyx._kernels import tasks


def cpu_device(**details: Any) -> Device:
    """Return the CPU OpenCL device of the test environment, altered."""
    device = devices.opencl_devices()[0]
    return replace(device, details={**device.details, **details})


def compare_with_reference(
    device: Device,
    name: str = "esrrf",
    image: NDArray[Any] | None = None,
    **parameters: Any,
) -> None:
    """Run a task's example on a device and hold it to the accuracy budget."""
    task = tasks()[name]
    given, example = task.example()
    image = given if image is None else image
    image = np.concatenate([image] * 9)
    plan = task.plan(image.shape, **{**example, **parameters})
    frames = range(len(image))
    session = OpenCLSession(device, name, plan)
    try:
        partial, _ = session.run(image, frames)
    finally:
        session.close()
    expected, merger = plan.merger(), plan.merger()
    expected.add(frames, plan.reference(image, frames))
    merger.add(frames, partial)
    reference = expected.result()
    allowed = 1e-5 * np.abs(reference).max() + 1e-6 * reference.std()
    assert np.abs(merger.result() - reference).max() <= allowed


@pytest.mark.parametrize(
    ("task", "temporal"),
    [
        ("esrrf", "AVG"),
        ("esrrf", "TAC2"),
        ("esrrf_3d", "AVG"),
        ("srrf", "TRA"),
        ("srrf", "TRAC2"),
    ],
)
def test_a_device_without_doubles_uses_pairs_of_floats(
    task: str, temporal: str
) -> None:
    """Sums that make gradients are exact, so vanishing ones stay zero."""
    compare_with_reference(cpu_device(double_precision=False), task, temporal=temporal)


@pytest.mark.parametrize(
    ("task", "options"),
    [
        ("esrrf", {"gradient": "roberts"}),
        ("esrrf", {"gradient": "two_point"}),
        ("esrrf_3d", {}),
        ("srrf", {"gradient_smoothing": False}),
        ("srrf", {"gradient_smoothing": True}),
    ],
)
@pytest.mark.parametrize(
    ("is_gpu", "brightest"), [(True, 1.0), (False, 1.0), (False, 1e30), (False, 1e-30)]
)
def test_faint_gradients_without_doubles(
    task: str, options: dict[str, Any], is_gpu: bool, brightest: float
) -> None:
    """The flanks of a spot without noise have directions however faint they are."""
    rows, columns = np.mgrid[-11:12, -12:13] + 0.3
    spot = brightest * np.exp(-(rows**2 + columns**2) / 4.0)
    image = np.stack([spot, spot[::-1]]).astype(np.float32)
    if task == "esrrf_3d":
        image = np.stack([image, 0.1 * image], axis=1)[:1, :, 6:]
    device = replace(cpu_device(double_precision=False), is_gpu=is_gpu)
    compare_with_reference(device, task, image, intensity_weighting=False, **options)


@pytest.mark.parametrize("temporal", ["TRAC2", "TRAC3", "TRAC4"])
def test_small_fluctuations_without_doubles(temporal: str) -> None:
    """The radiality of a spot without noise varies by less than a percent."""
    rows, columns = np.mgrid[-11:12, -12:13]
    spot = np.exp(-(rows**2 + columns**2) / 6.0)
    light = np.array([1000, 300, 900, 850, 100, 500])
    image = np.round(light[:, np.newaxis, np.newaxis] * spot).astype(np.uint16)
    compare_with_reference(
        cpu_device(double_precision=False), "srrf", image, temporal=temporal
    )


@pytest.mark.parametrize(
    ("task", "temporal"),
    [
        ("esrrf", "AVG"),
        ("esrrf", "VAR"),
        ("esrrf", "TAC2"),
        ("srrf", "TRM"),
        ("srrf", "VAR"),
        ("srrf", "TRPPM"),
        ("srrf", "TRAC2"),
    ],
)
def test_a_gpu_takes_one_pixel_a_work_item(task: str, temporal: str) -> None:
    """One lane, work-groups larger than the image, several launches a block."""
    device = replace(cpu_device(), is_gpu=True)
    compare_with_reference(device, task, temporal=temporal)


@pytest.mark.parametrize("name", list(tasks()))
def test_every_task_runs_on_a_gpu(name: str) -> None:
    """The example, as a GPU takes it."""
    compare_with_reference(replace(cpu_device(), is_gpu=True), name)


def test_every_frame_shifted_over_several_launches() -> None:
    """Each launch gets the tables of its own frames."""
    drift = np.random.default_rng(3).normal(0, 2, (45, 2))
    compare_with_reference(cpu_device(), drift=drift, temporal="TAC2")


def test_little_memory_means_fewer_frames_at_a_time() -> None:
    """What does not fit at once goes to the device in smaller launches."""
    device = cpu_device(max_allocation_bytes=1)
    compare_with_reference(device)


def test_a_device_that_has_gone_is_named() -> None:
    """A choice made before a laptop was undocked fails with a sentence."""
    task = tasks()["esrrf"]
    image, parameters = task.example()
    implementation = replace(opencl.implementations("esrrf")[0], name="opencl:gone")
    with pytest.raises(LookupError, match="opencl:gone"):
        opencl.open(implementation, task, task.plan(image.shape, **parameters))


def test_a_session_takes_kernels_that_another_has_given_back() -> None:
    """Two that are open have kernels of their own, for these keep their arguments."""
    task = tasks()["magnify"]
    image, parameters = task.example()
    plan = task.plan(image.shape, **parameters)
    pixel, device = image.dtype.name, devices.opencl_devices()[0]
    first, second = (OpenCLSession(device, "magnify", plan) for _ in range(2))
    of_first, of_second = (
        {id(k) for _, k in s.kernels(pixel)} for s in (first, second)
    )
    assert not of_first & of_second
    first.close()
    third = OpenCLSession(device, "magnify", plan)
    assert {id(k) for _, k in third.kernels(pixel)} == of_first
    second.close()
    third.close()


@pytest.mark.parametrize("shape", [(0,), (1,), (3, 5), (7, 1000, 1000)])
def test_new_memory_is_touched_whatever_its_size(shape: tuple[int, ...]) -> None:
    arrays = [np.empty(shape, np.float32), np.empty(shape, np.float64)]
    touch(arrays, threads=2)
    for array in arrays:
        assert (array.reshape(-1).view(np.uint8)[::PAGESIZE] == 0).all()
