"""Blocks that end early: what ends them, and that no frame is lost by it."""

from __future__ import annotations

from threading import Event
from typing import Any

import numpy as np
import pytest

from napari_nanopyx import engine
from napari_nanopyx._engine.context import choose_by
from napari_nanopyx._engine.errors import Cancelled
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.patience import Part, Patience, Watch
from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.policy.situation import Situation
from napari_nanopyx._engine.running import runner
from napari_nanopyx._engine.types import Timing
from napari_nanopyx._kernels import tasks
from tests.closeness import assert_close


def test_patience_runs_out_by_what_is_lost_and_gains_do_not_count() -> None:
    fresh = Patience(launch_frames=4, frame_seconds=1.0, spare_seconds=2.5)
    rested = fresh.after(4, 0.1)
    assert rested == fresh
    once = fresh.after(4, 6.0)
    assert once is not None
    assert once.after(4, 6.0) is None
    forgiven = once.after(4, 1.0)
    assert forgiven is not None
    assert forgiven.after(4, 6.0) is not None
    assert fresh.after(4, 6.6) is None


def test_without_patience_a_block_ends_early_only_if_cancelled() -> None:
    cancel = Event()
    watch = Watch(10, is_cancelled=cancel.is_set)
    assert watch.launch_frames == 10
    assert watch.goes_on(0, 0, 0.0)
    assert watch.goes_on(2, 4, 1e9)
    cancel.set()
    assert not watch.goes_on(4, 6, 2e9)
    assert watch.frames == 6
    took = Timing(0.0, 1.0, 3e9)
    assert watch.measured(took) == [Part(6, took)]


@pytest.mark.parametrize(("last", "confirmed"), [(1.9, False), (2.1, True)])
def test_a_block_that_ends_early_is_measured_before_and_since(
    last: float, confirmed: bool
) -> None:
    """The delay is confirmed by the launch that had been begun when it was noticed."""
    watch = Watch(100, Patience(2, frame_seconds=1.0, spare_seconds=0.5))
    for ready, seconds in enumerate([0.0, 0.0, 1.0, 3.0]):
        assert watch.goes_on(2 * max(ready - 1, 0), 2 * ready, seconds)
    assert not watch.goes_on(6, 8, 6.0)
    assert watch.frames == 8
    warm = 6.0 + last
    before, since = watch.measured(Timing(9.0, 0.1 * warm, 0.9 * warm))
    assert (before.frames, since.frames) == (4, 4)
    assert before.timing.warm == pytest.approx(3.0)
    assert before.timing.transfer == pytest.approx(0.3)
    assert since.timing.warm == pytest.approx(3.0 + last)
    assert (before.timing.prepare, since.timing.prepare) == (9.0, 0.0)
    assert (before.confirmed, since.confirmed) == (False, confirmed)


def test_a_block_that_is_slow_from_the_start_is_measured_as_one() -> None:
    watch = Watch(100, Patience(2, frame_seconds=1.0, spare_seconds=0.5))
    assert watch.goes_on(0, 2, 0.0)
    assert not watch.goes_on(2, 4, 5.0)
    took = Timing(0.0, 0.0, 10.0)
    assert watch.measured(took) == [Part(4, took, confirmed=True)]


def doubled(frames: int) -> Any:
    return 2 * np.arange(frames * 20, dtype=np.float32).reshape(frames, 4, 5)


SLOW_FROM = 2010


@pytest.fixture
def delayed(toy: Any, arm: Any) -> Any:
    """Return the toy task, known, with a GPU that gets slow within a block."""

    def seconds_of(frame: int) -> float:
        return 1e-3 if frame < SLOW_FROM else 40e-3

    toy.arms = {
        "opencl:GPU": arm(kind="opencl", device="a GPU", seconds_of=seconds_of),
        "serial": arm(5e-3),
    }
    toy.run(2000)
    for each in toy.arms.values():
        each.blocks.clear()
    return toy


def test_the_block_in_which_a_delay_begins_ends_early(delayed: Any) -> None:
    with engine.record() as runs:
        result = delayed.run(3000)
    np.testing.assert_array_equal(result, doubled(3000))
    gpu, cpu = (delayed.arms[name].blocks for name in ("opencl:GPU", "serial"))
    assert sorted(f for block in (*gpu, *cpu) for f in block) == list(range(3000))
    (begins,) = [block for block in gpu if SLOW_FROM in block]
    usual = max(map(len, gpu))
    # The launch in which it begins, that begun by then, and perhaps another.
    assert begins.stop - SLOW_FROM <= 3 * -(-usual // 32)
    after = [block for block in gpu if block.start >= begins.stop]
    assert all(len(block) <= 2 for block in after)  # it is looked for, not used
    assert runs[0].frames_done == 3000
    before, since = SLOW_FROM - begins.start, begins.stop - SLOW_FROM
    measured = [m for m in engine.history() if m.implementation == "opencl:GPU"]
    slow = next(place for place, m in enumerate(measured) if m.frame_seconds > 0.03)
    assert measured[slow - 1].frame_seconds < 0.0011
    assert measured[slow - 1].frames + measured[slow].frames == before + since


def test_cancelling_is_answered_between_the_launches_of_a_block(delayed: Any) -> None:
    cancel = Event()
    gpu = delayed.arms["opencl:GPU"]
    usual = gpu.seconds_of

    def cancelled(frame: int) -> float:
        if frame == 200:
            cancel.set()
        return usual(frame)  # type: ignore[no-any-return]

    gpu.seconds_of = cancelled
    with pytest.raises(Cancelled):
        delayed.run(3000, cancel=cancel)
    assert sum(map(len, gpu.blocks)) < 300


def test_who_has_no_rival_has_patience(toy: Any, arm: Any) -> None:
    toy.arms = {"opencl:GPU": arm(kind="opencl", seconds_of=lambda _: 1e-3)}
    toy.run(1000)
    toy.arms["opencl:GPU"].seconds_of = lambda _: 40e-3
    toy.arms["opencl:GPU"].blocks.clear()
    toy.run(1000)
    assert len(toy.arms["opencl:GPU"].blocks[0]) >= 50


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("esrrf", {"temporal": "AVG"}),
        ("esrrf", {"temporal": "VAR"}),
        ("esrrf", {"temporal": "TAC2"}),
        ("srrf", {"temporal": "TRPPM"}),
        ("srrf", {"temporal": "TRAC2"}),
        ("magnify", {}),
        ("convolve", {}),
    ],
)
def test_opencl_blocks_that_end_early_add_up_to_the_same(
    home: Any, name: str, parameters: dict[str, Any]
) -> None:
    """With no patience at all, each block ends after two launches."""
    device = devices.opencl_devices()[0].name
    task = tasks()[name]
    image, example = task.example()
    image = np.concatenate([image] * 9)
    plan = task.plan(image.shape, **{**example, **parameters})
    blocks: list[int] = []

    def choose(situation: Situation) -> Choice:
        blocks.append(situation.remaining)
        (found,) = [c for c in situation.candidates if c.name == device]
        patience = Patience(2, frame_seconds=0.0, spare_seconds=0.0)
        return Choice(found, 20, None, "for a test", patience=patience)

    whole = runner.run(task, image, plan, implementation=device)
    with choose_by(choose):
        early = runner.run(task, image, plan)
    assert set(-np.diff([*blocks, 0])[:-1]) == {4}
    assert_close(early, whole)
