"""Devices apart: what is slow there is left behind, and looked at beside the others."""

from __future__ import annotations

import gc
import random
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Event, Timer
from typing import Any

import numpy as np
import pytest

from napari_nanopyx import engine
from napari_nanopyx._engine import catalogue
from napari_nanopyx._engine.context import choose_by
from napari_nanopyx._engine.errors import Cancelled
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.measurements import history
from napari_nanopyx._engine.patience import Patience, Watch
from napari_nanopyx._engine.policy.choice import Choice, Look
from napari_nanopyx._engine.policy.situation import Situation
from napari_nanopyx._engine.running import beside, runner
from napari_nanopyx._kernels import tasks
from tests.closeness import assert_close

GPU, CPU = "opencl:GPU", "serial"
SOON = 20.0
FRAMES = 40


@pytest.fixture
def release() -> Iterator[Event]:
    """Return what a stalled device waits for; it never outlives the test."""
    event = Event()
    yield event
    event.set()
    until(lambda: not beside.busy_devices())


@pytest.fixture
def known(toy: Any, arm: Any) -> Any:
    """Return the toy task with a GPU that is known to be the fastest."""
    toy.arms = {
        GPU: arm(1e-4, kind="opencl", device="a GPU", apart=True),
        CPU: arm(4e-4),
    }
    for frames in (5, FRAMES) * 4:
        for name in toy.arms:
            toy.run(frames, implementation=name)
    for each in toy.arms.values():
        each.blocks.clear()
    return toy


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + SOON
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(1e-3)


def doubled(frames: int) -> Any:
    return 2 * np.arange(frames * 20, dtype=np.float32).reshape(frames, 4, 5)


def waiting_for(event: Event) -> Any:
    return lambda _block, _frames: event.wait(SOON)


def measured(name: str) -> list[Any]:
    return [m for m in engine.history() if m.implementation == name]


def test_a_run_does_not_wait_for_a_device_that_is_stalled(
    known: Any, release: Event
) -> None:
    """All is computed by the other; the next run leaves the busy device alone."""
    before = len(measured(GPU))
    known.arms[GPU].before = waiting_for(release)
    with engine.record() as runs:
        result = known.run(FRAMES)
        again = known.run(FRAMES)
    for each in (result, again):
        np.testing.assert_array_equal(each, doubled(FRAMES))
    assert [run.frames_done for run in runs] == [FRAMES, FRAMES]
    assert [set(run.blocks) for run in runs] == [{CPU}, {CPU}]
    assert beside.busy_devices() == {"a GPU"}
    assert len(measured(GPU)) == before
    assert known.arms[GPU].closed == known.arms[GPU].opened - 1
    release.set()
    until(lambda: known.arms[GPU].closed == known.arms[GPU].opened)
    assert not beside.busy_devices()
    assert len(measured(GPU)) == before + 1


def test_what_was_left_behind_is_used_if_it_is_there_in_time(
    known: Any, release: Event
) -> None:
    """The frames after it are computed meanwhile, and merged after it."""
    segments = [range(FRAMES // 2), range(FRAMES // 2, FRAMES)]
    gpu, cpu = known.arms[GPU], known.arms[CPU]

    def released(_block: Any, frames: range) -> None:
        release.set()
        until(lambda: not beside.busy_devices())

    gpu.before, cpu.before = waiting_for(release), released
    order: list[range] = []
    plan = known.plan((FRAMES, 4, 5), segments=segments)
    merger = plan.merger()
    add = merger.add
    merger.add = lambda frames, *rest: (order.append(frames), add(frames, *rest))
    plan.merger = lambda: merger
    with engine.record() as runs:
        result = known.run(plan=plan)
    np.testing.assert_array_equal(result, doubled(FRAMES))
    assert gpu.blocks[0] == segments[0]
    assert cpu.blocks
    assert all(block.start >= FRAMES // 2 for block in cpu.blocks)
    assert [frame for frames in order for frame in frames] == list(range(FRAMES))
    assert sum(runs[0].blocks.values()) == runs[0].frames_done == FRAMES
    assert measured(GPU)


def test_what_is_computed_once_more_stops_when_the_first_is_ready(
    known: Any, release: Event
) -> None:
    """Here the stalled device wins, as it goes on while the other one computes."""
    cpu = known.arms[CPU]
    stopped: list[bool] = []
    watches: list[Any] = []
    original = beside.Job.stops

    def stops(job: Any, rival: Any) -> None:
        watches.append(rival)
        original(job, rival)

    def released(_block: Any, _frames: range) -> None:
        release.set()
        until(lambda: bool(watches[-1].stop[0]))
        stopped.append(True)

    known.arms[GPU].before, cpu.before = waiting_for(release), released
    with pytest.MonkeyPatch.context() as patch, engine.record() as runs:
        patch.setattr(beside.Job, "stops", stops)
        result = known.run(FRAMES)
    np.testing.assert_array_equal(result, doubled(FRAMES))
    assert stopped == [True]
    assert runs[0].blocks == {GPU: FRAMES}


def test_what_others_have_computed_counts_no_more_if_the_first_is_ready(
    known: Any, release: Event
) -> None:
    """Of the frames computed once more, some are ready before the stalled ones."""
    gpu, cpu = known.arms[GPU], known.arms[CPU]
    cpu.preferred_frames = 5

    def released(_block: Any, _frames: range) -> None:
        if len(cpu.blocks) == 2:
            release.set()
            until(lambda: not beside.busy_devices())

    gpu.before, cpu.before = waiting_for(release), released
    with engine.record() as runs:
        result = known.run(FRAMES)
    np.testing.assert_array_equal(result, doubled(FRAMES))
    assert len(cpu.blocks) >= 2
    assert runs[0].blocks == {GPU: FRAMES}
    assert runs[0].frames_done == FRAMES


def test_a_stalled_block_that_fails_is_computed_by_the_other(
    known: Any, release: Event
) -> None:
    def fails(_block: Any, _frames: range) -> None:
        release.wait(SOON)
        raise RuntimeError("the device has gone")

    def released(_block: Any, _frames: range) -> None:
        release.set()
        until(lambda: not beside.busy_devices())

    known.arms[GPU].before, known.arms[CPU].before = fails, released
    plan = known.plan((FRAMES, 4, 5), segments=[range(10), range(10, FRAMES)])
    with engine.record() as runs:
        result = known.run(plan=plan)
    np.testing.assert_array_equal(result, doubled(FRAMES))
    assert runs[0].frames_done == FRAMES
    (gpu,) = [i for i in engine.implementations("toy") if i.name == GPU]
    assert not gpu.available
    assert "the device has gone" in gpu.reason


def test_a_stalled_device_is_waited_for_if_nothing_else_is_left(
    known: Any, release: Event
) -> None:
    def fails(_block: Any, _frames: range) -> None:
        Timer(0.1, release.set).start()
        raise RuntimeError("no other way")

    known.arms[GPU].before, known.arms[CPU].before = waiting_for(release), fails
    with engine.record() as runs:
        result = known.run(FRAMES)
    np.testing.assert_array_equal(result, doubled(FRAMES))
    assert runs[0].blocks == {GPU: FRAMES}


def test_cancelling_does_not_wait_for_a_stalled_device(
    known: Any, release: Event
) -> None:
    cancel, gpu = Event(), known.arms[GPU]

    def cancelled(_block: Any, _frames: range) -> None:
        cancel.set()
        release.wait(SOON)

    gpu.before = cancelled
    known.arms[CPU].seconds = 1e3  # nothing is left behind for its sake
    with pytest.raises(Cancelled):
        known.run(FRAMES, cancel=cancel)
    assert not release.is_set()
    release.set()
    until(lambda: gpu.closed == gpu.opened)


def test_an_abandoned_block_keeps_no_image_alive(known: Any, release: Event) -> None:
    known.arms[GPU].before = waiting_for(release)
    image = np.arange(FRAMES * 20, dtype=np.uint16).reshape(FRAMES, 4, 5).copy()
    gone = weakref.ref(image)
    known.run(FRAMES, image=image)
    del image
    release.set()
    until(lambda: not beside.busy_devices())
    until(lambda: gc.collect() >= 0 and gone() is None)


def delayed(known: Any) -> Any:
    """Have the GPU seen slow in two runs."""
    gpu = known.arms[GPU]
    gpu.seconds = 0.01
    for _ in range(6):
        known.run(FRAMES)
        until(lambda: not beside.busy_devices())
        if not gpu.blocks or measured(CPU)[-1].at > measured(GPU)[-1].at:
            break
    gpu.blocks.clear()
    known.arms[CPU].blocks.clear()
    return gpu


def test_a_delayed_device_is_looked_at_beside_what_the_other_computes(
    known: Any,
) -> None:
    gpu = delayed(known)
    with engine.record() as runs:
        for _ in range(5):
            known.run(FRAMES)
            until(lambda: not beside.busy_devices())
    assert gpu.blocks  # it was looked at
    used = [name for run in runs for name in run.blocks]
    assert CPU in used
    assert all(run.frames_done == FRAMES for run in runs)
    gpu.seconds = 1e-4
    with engine.record() as runs:
        for _ in range(20):
            known.run(FRAMES)
            until(lambda: not beside.busy_devices())
    assert set(runs[-1].blocks) == {GPU}  # the end was noticed


def test_nothing_is_left_behind_where_nothing_could_take_over(
    known: Any, release: Event
) -> None:
    known.arms[GPU].before = lambda *_: time.sleep(0.2)
    with engine.record() as runs:
        known.run(FRAMES, implementation=GPU)
    assert runs[0].blocks == {GPU: FRAMES}


def test_history_is_written_though_a_job_ends_after_the_run(
    known: Any, release: Event
) -> None:
    known.arms[GPU].before = waiting_for(release)
    known.run(FRAMES)
    count = len(measured(GPU))
    release.set()
    until(lambda: len(measured(GPU)) > count)
    history.current().flush()
    assert measured(GPU)[-1].outcome == "ok"


TASKS = [
    ("esrrf", {"temporal": "AVG"}),
    ("esrrf", {"temporal": "TAC2"}),
    ("srrf", {"temporal": "TRAC2"}),
    ("magnify", {}),
    ("convolve", {}),
    ("nlm", {}),
]


@pytest.mark.parametrize(("name", "parameters"), TASKS)
@pytest.mark.parametrize("seed", range(3))
def test_whoever_is_first_the_result_is_the_same(
    home: Any, name: str, parameters: dict[str, Any], seed: int
) -> None:
    """Blocks are left behind, raced and looked at, as lots decide."""
    device = devices.opencl_devices()[0].name
    task, lots = tasks()[name], random.Random(seed)
    image, example = task.example()
    image = np.concatenate([image] * 9)
    plan = task.plan(image.shape, **{**example, **parameters})

    def choose(situation: Situation) -> Choice:
        listed = {c.name: c for c in situation.candidates if c.available}
        apart = replace(listed[device], apart=True)
        frames = lots.randint(1, 9)
        impatient = Patience(lots.randint(1, 4), 0.0, lots.choice([0.0, 1.0]))
        if situation.awaited or lots.random() < 0.5:
            look = Look(apart, lots.choice([None, impatient]), "for a test")
            look = None if situation.awaited else look
            name = lots.choice(["serial", "threads-dynamic"])
            return Choice(listed[name], frames, None, "for a test", look=look)
        return Choice(apart, frames, None, "for a test", patience=impatient)

    whole = runner.run(task, image, plan, implementation=device)
    with choose_by(choose), engine.record() as runs:
        found = runner.run(task, image, plan)
    assert_close(found, whole)
    assert runs[0].frames_done == runs[0].frames_total
    assert sum(runs[0].blocks.values()) == runs[0].frames_total
    until(lambda: not beside.busy_devices())


@pytest.mark.parametrize("implementation", ["serial", "threads-dynamic"])
def test_a_compiled_block_stops_between_its_parts(
    home: Any, implementation: str
) -> None:
    """Told so before it begins, it computes nothing at all."""
    task = tasks()["magnify"]
    image, example = task.example()
    plan = task.plan(image.shape, **example)
    frames = range(len(image))
    (found,) = [
        i for i in engine.implementations("magnify") if i.name == implementation
    ]
    session = catalogue.open_session(found, task, plan)
    watch = Watch(len(image))
    whole, _ = session.run(image, frames, None, watch)
    watch.stop[0] = 1
    places = {name: np.full_like(array, -7.0) for name, array in whole.items()}
    session.run(image, frames, places, watch)
    session.close()
    assert all((array == -7.0).all() for array in places.values())
    assert all((array != -7.0).any() for array in whole.values())
