"""The runner: blocks, failures, cancelling, and what it announces."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from recording import PATIENCE_SECONDS, Recording

from napari_nanopyx import engine
from napari_nanopyx._engine.running import runner
from napari_nanopyx._engine.running.reader import Reader


def doubled(frames: int) -> Any:
    return 2 * np.arange(frames * 20, dtype=np.float32).reshape(frames, 4, 5)


def covered(*arms: Any) -> list[int]:
    return sorted(frame for arm in arms for block in arm.blocks for frame in block)


class Image:
    """An array that notes what is read, and can fail to."""

    def __init__(self, frames: int, bad_from: int | None = None) -> None:
        self.array = np.ones((frames, 4, 5), np.float32)
        self.shape, self.dtype = self.array.shape, self.array.dtype
        self.bad_from = bad_from
        self.threads: list[str] = []

    def __getitem__(self, frames: Any) -> Any:
        self.threads.append(threading.current_thread().name)
        if self.bad_from is not None and frames.stop > self.bad_from:
            raise OSError("the disk is gone")
        return self.array[frames]


def test_computes_every_frame_once(toy: Any, arm: Any) -> None:
    toy.arms = {"serial": arm(1e-3), "threads-dynamic": arm(2e-3)}
    np.testing.assert_array_equal(toy.run(200), doubled(200))
    assert covered(*toy.arms.values()) == list(range(200))


def test_a_block_never_straddles_a_segment_and_skips_what_is_in_none(
    toy: Any, arm: Any
) -> None:
    toy.arms = {"serial": arm(1e-6)}
    segments = [range(3), range(3, 10), range(15, 40)]
    plan = toy.plan((50, 4, 5), segments=segments)
    result = toy.run(plan=plan)
    serial = toy.arms["serial"]
    assert covered(serial) == [frame for segment in segments for frame in segment]
    for block in serial.blocks:
        assert any(set(block) <= set(segment) for segment in segments)
    assert np.isnan(result[10:15]).all()


def test_a_block_fits_the_memory_the_session_and_a_quarter_of_a_second(
    toy: Any, arm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "BLOCK_BYTES", 1000)
    toy.arms = {"serial": arm(1e-6)}
    toy.run(plan=toy.plan((40, 4, 5), block_bytes_per_frame=130))
    assert max(map(len, toy.arms["serial"].blocks)) == 7

    toy.arms = {"serial": arm(1e-6, preferred_frames=5)}
    toy.run(40)
    assert max(map(len, toy.arms["serial"].blocks)) == 5

    toy.arms = {"threads-static": arm(0.05)}
    toy.run(40)
    lengths = set(map(len, toy.arms["threads-static"].blocks[1:-1]))
    assert all(0.1 <= 0.05 * length <= 0.25 for length in lengths)

    toy.arms = {"threads-dynamic": arm(10.0)}
    toy.run(3)
    assert list(map(len, toy.arms["threads-dynamic"].blocks)) == [1, 1, 1]


def test_once_the_last_frame_is_recorded_a_quarter_of_a_second_is_left(
    toy: Any, arm: Any
) -> None:
    frames, each = 200, 0.01
    toy.arms = {"serial": arm(each)}
    expected = toy.run(frames)
    reached, left = threading.Event(), round(0.25 / each)

    def progress(done: int, _total: int) -> None:
        if done >= frames - left:
            reached.set()

    image = np.arange(frames * 20, dtype=np.uint16).reshape(frames, 4, 5)
    recording = Recording(image)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(toy.run, frames, image=recording, progress=progress)
        recording.record(frames - 1)
        assert reached.wait(PATIENCE_SECONDS)
        assert not running.done()
        recording.record(frames)
        result = running.result(PATIENCE_SECONDS)
    np.testing.assert_array_equal(result, expected)
    assert max(map(len, toy.arms["serial"].blocks)) <= left


def test_each_implementation_is_tried_and_the_fastest_does_the_rest(
    toy: Any, arm: Any
) -> None:
    toy.arms = {
        "serial": arm(8e-3),
        "threads-static": arm(2e-3),
        "threads-dynamic": arm(4e-3),
        "opencl:GPU": arm(1e-3, prepare=0.1, kind="opencl"),
        "reference": arm(1e-4, kind="reference"),
    }
    with engine.record() as runs:
        toy.run(20_000)
    (run,) = runs
    assert run.implementation == "opencl:GPU"
    assert run.reason.startswith("fastest so far: 1 ms a frame, next best threads-st")
    assert run.blocks["opencl:GPU"] > 19_000
    assert set(run.blocks) == set(toy.arms) - {"reference"}
    assert toy.arms["reference"].opened == 0


def test_only_reference_left_is_used(toy: Any, arm: Any) -> None:
    toy.arms = {
        "serial": arm(reason="not built"),
        "reference": arm(kind="reference"),
    }
    with engine.record() as runs:
        toy.run(4)
    assert runs[0].reason == "the only one available"


def test_a_failed_block_is_run_again_by_the_next(toy: Any, arm: Any) -> None:
    def fail(block: Any, frames: range) -> None:
        if frames.stop > 10:
            raise RuntimeError("out of resources\nmore lines")

    toy.arms = {"threads-dynamic": arm(before=fail), "serial": arm(5e-3)}
    quarantined: list[tuple[str, str]] = []

    def note(implementation: engine.Implementation, reason: str) -> None:
        quarantined.append((implementation.name, reason))

    engine.events.implementation_quarantined.connect(note)
    try:
        np.testing.assert_array_equal(toy.run(60), doubled(60))
    finally:
        engine.events.implementation_quarantined.disconnect(note)
    assert covered(*toy.arms.values()) == list(range(60))
    assert quarantined == [("threads-dynamic", "RuntimeError: out of resources")]
    failed = [m for m in engine.history("toy") if m.outcome == "failed"]
    assert [m.implementation for m in failed] == ["threads-dynamic"]

    listed = {found.name: found for found in engine.implementations("toy")}
    assert not listed["threads-dynamic"].available
    assert "out of resources" in listed["threads-dynamic"].reason
    assert listed["threads-dynamic"].remedy
    for each in toy.arms.values():
        assert each.opened == each.closed

    engine.refresh()
    assert all(found.available for found in engine.implementations("toy"))


def test_an_implementation_that_cannot_be_opened_is_left_out(
    toy: Any, arm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.arms = {"threads-dynamic": arm(), "serial": arm()}
    usual = toy.open

    def refuse(implementation: Any, task: Any, plan: Any) -> Any:
        if implementation.name == "threads-dynamic":
            raise OSError("no context")
        return usual(implementation, task, plan)

    monkeypatch.setattr(toy, "open", refuse)
    np.testing.assert_array_equal(toy.run(12), doubled(12))
    assert covered(toy.arms["serial"]) == list(range(12))


def test_a_bigger_block_is_cut_for_the_next_implementation(toy: Any, arm: Any) -> None:
    def fail(block: Any, frames: range) -> None:
        if len(frames) > 8:
            raise RuntimeError("too much")

    toy.arms = {
        "threads-dynamic": arm(1e-4, before=fail),
        "serial": arm(preferred_frames=3),
    }
    np.testing.assert_array_equal(toy.run(300), doubled(300))
    assert max(map(len, toy.arms["serial"].blocks)) == 3


def test_a_pinned_implementation_that_fails_raises(toy: Any, arm: Any) -> None:
    def fail(block: Any, frames: range) -> None:
        raise ZeroDivisionError("a bug")

    toy.arms = {"serial": arm(before=fail), "threads-dynamic": arm()}
    with engine.record() as runs, pytest.raises(engine.ImplementationFailed) as raised:
        toy.run(implementation="serial")
    assert isinstance(raised.value.__cause__, ZeroDivisionError)
    assert "'serial' of toy failed: ZeroDivisionError: a bug" in str(raised.value)
    assert runs[0].state == "failed"
    assert toy.arms["serial"].closed == 1
    assert all(found.available for found in engine.implementations("toy"))


def test_when_all_fail_the_error_lists_each_and_none_is_condemned(
    toy: Any, arm: Any
) -> None:
    def fail(block: Any, frames: range) -> None:
        raise RuntimeError(f"cannot do {len(block)}")

    toy.arms = {
        "serial": arm(before=fail),
        "threads-static": arm(before=fail),
        "numba": arm(reason="numba is not installed"),
    }
    with pytest.raises(engine.NoImplementationLeft) as raised:
        toy.run(1)
    assert isinstance(raised.value.__cause__, RuntimeError)
    text = str(raised.value)
    for line in (
        "serial: RuntimeError: cannot do 1",
        "threads-static: RuntimeError: cannot do 1",
        "numba: numba is not installed",
    ):
        assert line in text
    for each in toy.arms.values():
        each.before = None
    np.testing.assert_array_equal(toy.run(2), doubled(2))


def test_names_that_cannot_be_pinned(toy: Any, arm: Any) -> None:
    toy.arms = {"serial": arm(), "numba": arm(reason="numba is not installed")}
    with pytest.raises(ValueError, match=r"'fastest'.*use one of serial, numba"):
        toy.run(implementation="fastest")
    with pytest.raises(engine.ImplementationUnavailable, match="add it to the test"):
        toy.run(implementation="numba")


def test_pinning_by_argument_by_context_and_by_environment(
    toy: Any, arm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.arms = {"serial": arm(), "threads-static": arm(), "threads-dynamic": arm()}
    with engine.record() as runs:
        monkeypatch.setenv("NAPARI_NANOPYX_IMPLEMENTATION", "serial")
        toy.run()
        with engine.use("threads-static"):
            toy.run()
            toy.run(implementation="threads-dynamic")
    used = [run.implementation for run in runs]
    assert used == ["serial", "threads-static", "threads-dynamic"]
    assert {run.reason for run in runs} == {"asked for by name"}


def test_pinning_for_one_task_leaves_others_alone(toy: Any, arm: Any) -> None:
    toy.arms = {"serial": arm(), "threads-static": arm()}
    with engine.record() as runs, engine.use("serial"):
        with engine.use("threads-static", task=toy.task.name):
            toy.run()
        with engine.use("threads-static", task="another"):
            toy.run()
        with engine.use("threads-static", task=toy.task.name), engine.use("serial"):
            toy.run()
    used = [run.implementation for run in runs]
    assert used == ["threads-static", "serial", "serial"]


def test_what_is_computed_aside_leaves_no_trace(toy: Any, arm: Any) -> None:
    toy.arms = {"serial": arm(0.001), "threads-static": arm(0.0001)}
    for name in toy.arms:
        toy.run(20, implementation=name)
    before = engine.history(toy.task.name)
    heard: list[Any] = []
    events = (
        engine.events.run_started,
        engine.events.block_finished,
        engine.events.run_finished,
    )
    for signal in events:
        signal.connect(lambda *_values: heard.append(1))
    try:
        with engine.aside(), engine.record() as runs:
            result = toy.run(20)
            toy.run(20, implementation="serial")
    finally:
        for signal in events:
            signal.disconnect()
    np.testing.assert_array_equal(result, doubled(20))
    assert [run.blocks for run in runs] == [{"threads-static": 20}, {"serial": 20}]
    assert heard == []
    assert engine.history(toy.task.name) == before


def test_a_failure_aside_is_made_good_and_not_recorded(toy: Any, arm: Any) -> None:
    def fail(_block: Any, _frames: range) -> None:
        raise ValueError("odd")

    toy.arms = {"threads-dynamic": arm(before=fail), "serial": arm()}
    with engine.aside(), engine.record() as runs:
        toy.run(5)
    assert runs[0].blocks == {"serial": 5}
    assert engine.history(toy.task.name) == []


def test_cancel_between_blocks(toy: Any, arm: Any) -> None:
    cancel = threading.Event()
    seen: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        seen.append((done, total))
        if done >= 5:
            cancel.set()

    toy.arms = {"serial": arm(0.2)}
    with engine.record() as runs, pytest.raises(engine.Cancelled):
        toy.run(20, progress=progress, cancel=cancel)
    assert seen[-1] == (5, 20)
    assert runs[0].state == "cancelled"
    assert runs[0].frames_done == 5
    assert toy.arms["serial"].closed == 1
    assert sum(m.frames for m in engine.history("toy")) == 5


def test_cancel_before_the_first_block(toy: Any, arm: Any) -> None:
    toy.arms = {"serial": arm()}
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(engine.Cancelled):
        toy.run(cancel=cancel)
    assert toy.arms["serial"].opened == 0
    assert engine.history() == []


def test_progress_counts_the_frames_that_are_used(toy: Any, arm: Any) -> None:
    toy.arms = {"serial": arm(0.1)}
    seen: list[tuple[int, int]] = []
    plan = toy.plan((20, 4, 5), segments=[range(2, 7), range(7, 12)])
    toy.run(plan=plan, progress=lambda *counts: seen.append(counts))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert seen[-1] == (10, 10)


def test_events_tell_the_story_of_a_run(toy: Any, arm: Any) -> None:
    toy.arms = {"serial": arm(0.1)}
    told: list[tuple[Any, ...]] = []
    listeners = {
        engine.events.run_started: lambda run: told.append(("started", run)),
        engine.events.block_finished: lambda *all_: told.append(("block", *all_)),
        engine.events.run_finished: lambda run: told.append(("finished", run)),
    }
    for signal, listener in listeners.items():
        signal.connect(listener)
    try:
        toy.run(6)
    finally:
        for signal, listener in listeners.items():
            signal.disconnect(listener)
    assert [item[0] for item in told[:2]] == ["started", "block"]
    assert told[0][1].state == "running"
    assert told[0][1].frames_done == 0
    _, run, choice, measurement, done, total = told[-2]
    assert (done, total) == (6, 6)
    assert run.blocks == {"serial": 6}
    assert choice.implementation.name == measurement.implementation == "serial"
    assert told[-1][1].state == "finished"
    assert told[-1][1].id == told[0][1].id


def test_a_listener_that_raises_harms_no_computation(toy: Any, arm: Any) -> None:
    def broken(run: engine.Run) -> None:
        raise KeyError("panel")

    toy.arms = {"serial": arm()}
    engine.events.run_started.connect(broken)
    try:
        with pytest.warns(RuntimeWarning, match="listener of run_started"):
            result = toy.run(3)
    finally:
        engine.events.run_started.disconnect(broken)
    np.testing.assert_array_equal(result, doubled(3))


def test_an_error_of_the_input_blames_no_implementation(toy: Any, arm: Any) -> None:
    toy.arms = {"serial": arm(0.1), "threads-dynamic": arm(0.1)}
    with engine.record() as runs, pytest.raises(OSError, match="the disk is gone"):
        toy.run(image=Image(20, bad_from=9))
    assert runs[0].state == "failed"
    assert runs[0].frames_done > 0
    assert all(found.available for found in engine.implementations("toy"))
    assert all(m.outcome == "ok" for m in engine.history())


def test_the_next_block_is_read_in_another_thread(toy: Any, arm: Any) -> None:
    toy.arms = {"serial": arm(0.1)}
    image = Image(20)
    toy.run(image=image)
    assert any(name.startswith("nanopyx-reader") for name in image.threads)
    assert not any(t.name.startswith("nanopyx-reader") for t in threading.enumerate())


def test_cold_blocks_are_kept_apart(toy: Any, arm: Any) -> None:
    toy.arms = {"serial": arm(0.1, prepare=2.0)}
    toy.run(10)
    first, *others = engine.history("toy")
    assert (first.outcome, first.timing.prepare) == ("cold", 2.0)
    assert {m.outcome for m in others} == {"ok"}
    assert engine.expected("toy") == {"serial": pytest.approx(0.1, rel=0.01)}


def test_two_runs_take_turns_and_never_compute_together(toy: Any, arm: Any) -> None:
    together: list[int] = []
    inside = 0

    def enter(block: Any, frames: range) -> None:
        nonlocal inside
        inside += 1
        threading.Event().wait(0.002)
        together.append(inside)
        inside -= 1

    toy.arms = {"serial": arm(0.3, before=enter)}
    threads = [threading.Thread(target=toy.run, args=(15,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [1] * 45


def test_record_nests_and_sees_only_the_runs_inside(toy: Any, arm: Any) -> None:
    toy.arms = {"serial": arm()}
    with engine.record() as outer:
        toy.run(2)
        with engine.record() as inner:
            toy.run(3)
    toy.run(4)
    assert [run.frames_done for run in outer] == [2, 3]
    assert [run.frames_done for run in inner] == [3]
    assert outer[0].shape == (2, 4, 5)
    assert outer[0].parameters == {"factor": 2, "kernel": "plain"}


def test_a_policy_that_does_not_exist(toy: Any) -> None:
    with pytest.raises(ValueError, match="policy is 'luck', but must be one of 'defa"):
        engine.policy("luck")


def test_a_task_that_does_not_exist(toy: Any) -> None:
    with pytest.raises(ValueError, match="task is 'srff', but must be one of toy"):
        engine.implementations("srff")


def test_a_session_that_fails_to_close_does_not_cost_the_result(
    toy: Any, arm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.arms = {"serial": arm()}
    usual = toy.open

    def fail() -> None:
        raise OSError("context lost")

    def opened(*given: Any) -> Any:
        session = usual(*given)
        session.close = fail
        return session

    monkeypatch.setattr(toy, "open", opened)
    with pytest.warns(RuntimeWarning, match="closing serial after toy failed: OSError"):
        np.testing.assert_array_equal(toy.run(3), doubled(3))


def test_reader_returns_what_is_given_back_first() -> None:
    class Numbers:
        def read(self, frames: range) -> Any:
            return np.array(frames, np.float32)

    reader = Reader(Numbers(), [range(6), range(0), range(8, 12)])
    frames, block = reader.take(4, 4)
    reader.read_ahead(4)
    reader.give_back(frames, block)
    taken = []
    while reader.remaining:
        frames, block = reader.take(3, 3)
        assert list(block) == list(frames)
        taken.append((frames.start, frames.stop))
    reader.close()
    assert taken == [(0, 3), (3, 4), (4, 6), (8, 11), (11, 12)]
