"""Faults while computing and measuring: a run ends well, or says what to do."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from napari_nanopyx import engine
from napari_nanopyx._engine import catalogue
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.measurements.history import History
from napari_nanopyx._engine.measurements.similarity import features
from napari_nanopyx._engine.running import finite
from napari_nanopyx._engine.running.failures import Fault, fault
from napari_nanopyx._engine.types import Workload

cl = pytest.importorskip("pyopencl")

OUT_OF_DEVICE_MEMORY = -4
INVALID_COMMAND_QUEUE = -36


def opencl_error(code: int) -> Exception:
    """Return an exception as pyopencl raises it."""
    record = cl._cl._ErrorRecord("enqueue_nd_range_kernel", code, "")
    error: Exception = cl.Error(record)
    return error


def doubled(frames: int) -> Any:
    return 2 * np.arange(frames * 20, dtype=np.float32).reshape(frames, 4, 5)


def limit_of(frames: int, error: Callable[[], Exception]) -> Any:
    """Return what makes an implementation fail at larger blocks."""

    def check(block: Any, which: range) -> None:
        if len(which) > frames:
            raise error()

    return check


def available(task: str = "toy") -> set[str]:
    return {found.name for found in engine.implementations(task) if found.available}


def spoil(toy: Any, name: str, change: Callable[[Any], None]) -> None:
    """Let an implementation change what it has computed."""
    usual = toy.open

    def opened(implementation: Any, *given: Any) -> Any:
        session = usual(implementation, *given)
        right = session.run

        def run(block: Any, frames: range, *given: Any) -> Any:
            partial, timing = right(block, frames, *given)
            partial["doubled"] = partial["doubled"].astype(np.float32)
            change(partial["doubled"])
            return partial, timing

        if implementation.name == name:
            session.run = run
        return session

    toy.open = opened


def put_nan(array: Any) -> None:
    array[0, 1, 2] = np.nan


# Memory


@pytest.mark.parametrize(
    "error", [MemoryError, lambda: opencl_error(OUT_OF_DEVICE_MEMORY)]
)
def test_too_little_memory_makes_the_blocks_smaller(
    toy: Any, arm: Any, error: Any
) -> None:
    toy.arms = {"opencl:GPU": arm(1e-6, kind="opencl", before=limit_of(6, error))}
    with engine.record() as runs:
        np.testing.assert_array_equal(toy.run(100), doubled(100))
    gpu = toy.arms["opencl:GPU"]
    assert runs[0].blocks == {"opencl:GPU": 100}
    sizes = [len(block) for block in gpu.blocks]
    assert 3 < max(sizes) <= 6
    assert sizes.count(max(sizes)) > len(sizes) / 2
    failed = [m.frames for m in engine.history("toy") if m.outcome == "failed"]
    assert failed == sorted(failed, reverse=True)
    assert len(set(failed)) == len(failed)  # no size that failed is tried again
    assert gpu.opened == gpu.closed == len(failed) + 1
    assert available() == {"opencl:GPU"}


def test_a_frame_too_large_for_a_device_goes_elsewhere_only_in_this_run(
    toy: Any, arm: Any
) -> None:
    def error() -> Exception:
        return opencl_error(OUT_OF_DEVICE_MEMORY)

    small = limit_of(0, error)
    toy.arms = {
        "threads-dynamic": arm(1e-6, before=small),
        "serial": arm(1e-3),
    }
    with engine.record() as runs:
        np.testing.assert_array_equal(toy.run(20), doubled(20))
    assert runs[0].blocks == {"serial": 20}
    assert available() == {"threads-dynamic", "serial"}
    toy.arms["threads-dynamic"].before = None
    with engine.record() as runs:
        toy.run(200)
    assert runs[0].blocks["threads-dynamic"] > 100


def test_a_pinned_implementation_gets_smaller_blocks_before_it_fails(
    toy: Any, arm: Any
) -> None:
    toy.arms = {"serial": arm(1e-6, before=limit_of(2, MemoryError))}
    result = toy.run(30, implementation="serial")
    np.testing.assert_array_equal(result, doubled(30))
    toy.arms["serial"].before = limit_of(0, MemoryError)
    with pytest.raises(engine.ImplementationFailed, match=r"serial.*MemoryError"):
        toy.run(30, implementation="serial")


def test_errors_of_a_real_device_are_told_apart() -> None:
    context = cl.create_some_context(interactive=False)
    with pytest.raises(cl.Error) as too_large:
        cl.Buffer(context, cl.mem_flags.READ_WRITE, 2**62)
    assert fault(too_large.value) is Fault.MEMORY
    assert fault(opencl_error(INVALID_COMMAND_QUEUE)) is Fault.LOST
    assert fault(opencl_error(-11)) is Fault.OTHER
    assert fault(ValueError()) is Fault.OTHER


# A device that goes


def test_a_lost_context_costs_a_run_nothing_but_time(
    toy: Any, arm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    refreshed: list[int] = []
    monkeypatch.setattr(devices, "refresh", lambda: refreshed.append(1))

    def lose(block: Any, frames: range) -> None:
        if frames.stop > 50:
            raise opencl_error(INVALID_COMMAND_QUEUE)

    toy.arms = {
        "opencl:GPU": arm(1e-4, before=lose),
        "serial": arm(1e-3),
    }
    with engine.record() as runs:
        np.testing.assert_array_equal(toy.run(200), doubled(200))
    assert 0 < runs[0].blocks["opencl:GPU"] <= 50
    assert runs[0].implementation == "serial"
    assert refreshed == [1]
    # The device was found again: a laptop that slept. It gets one more chance.
    assert "opencl:GPU" in available()
    toy.run(200)
    assert refreshed == [1, 1]
    assert "opencl:GPU" not in available()
    toy.arms["opencl:GPU"].before = None
    engine.refresh()
    assert "opencl:GPU" in available()


def test_a_context_lost_while_pinned_is_an_error_and_the_next_call_works(
    toy: Any, arm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "refresh", lambda: None)

    def lose(block: Any, frames: range) -> None:
        raise opencl_error(INVALID_COMMAND_QUEUE)

    toy.arms = {"opencl:GPU": arm(kind="opencl", before=lose), "serial": arm()}
    with pytest.raises(engine.ImplementationFailed, match="INVALID_COMMAND_QUEUE"):
        toy.run(implementation="opencl:GPU")
    toy.arms["opencl:GPU"].before = None
    result = toy.run(20, implementation="opencl:GPU")
    np.testing.assert_array_equal(result, doubled(20))


def test_after_a_lost_context_a_real_device_is_opened_anew() -> None:
    from napari_nanopyx import magnify
    from napari_nanopyx._engine.backends import programs

    found = next(
        each for each in engine.implementations("magnify") if each.kind == "opencl"
    )
    image = np.random.default_rng(1).random((3, 20, 30), np.float32)
    before = magnify(image, 2, implementation=found.name)
    assert programs.context.cache_info().currsize == 1
    catalogue.lose(found, "a test")
    try:
        assert programs.context.cache_info().currsize == 0
        after = magnify(image, 2, implementation=found.name)
    finally:
        engine.refresh()
    np.testing.assert_array_equal(before, after)


# NaN and infinity


def test_an_implementation_that_gives_nan_is_found_out(toy: Any, arm: Any) -> None:
    toy.arms = {"threads-dynamic": arm(1e-4), "serial": arm(1e-3)}
    spoil(toy, "threads-dynamic", put_nan)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(toy.run(40), doubled(40))
    (guilty,) = (f for f in engine.implementations("toy") if not f.available)
    assert guilty.name == "threads-dynamic"
    assert "NaN or infinity for 1 value, where 'serial' gives numbers" in guilty.reason
    outcomes = {m.outcome for m in engine.history("toy")}
    assert outcomes == {"failed", "ok"}


def test_a_pinned_implementation_that_gives_nan_raises(toy: Any, arm: Any) -> None:
    toy.arms = {"serial": arm(), "threads-dynamic": arm()}
    spoil(toy, "serial", put_nan)
    with pytest.raises(engine.ImplementationFailed, match="where 'threads-dynamic'"):
        toy.run(implementation="serial")


@pytest.mark.parametrize("pinned", [None, "serial"])
def test_an_image_that_overflows_condemns_nobody(
    toy: Any, arm: Any, pinned: str | None
) -> None:
    toy.arms = {"threads-dynamic": arm(1e-4), "serial": arm(1e-3)}

    for name in toy.arms:
        spoil(toy, name, lambda array: None)  # in float32, as all but the reference
    image = np.ones((40, 4, 5), np.float32)
    image[3:] = 3e38
    with (
        np.errstate(over="ignore"),
        pytest.warns(engine.NotFiniteWarning, match="is 3e.38") as given,
    ):
        result = toy.run(image=image, plan=toy.plan((40, 4, 5)), implementation=pinned)
    assert len(given) == 1
    assert np.isinf(result[3:]).all()
    np.testing.assert_array_equal(result[:3], 2)
    assert available() == {"threads-dynamic", "serial"}


def test_without_a_second_opinion_the_answer_is_given_with_a_warning(
    toy: Any, arm: Any
) -> None:
    toy.arms = {"serial": arm()}
    spoil(toy, "serial", put_nan)
    with pytest.warns(engine.NotFiniteWarning, match="'serial' computed it"):
        result = toy.run(3)
    assert np.isnan(result[0, 1, 2])
    assert available() == {"serial"}


def test_later_blocks_are_looked_at_a_few_rows_at_a_time(toy: Any) -> None:
    """A bad row is found within as many blocks as there are rows left out."""
    workload = Workload("toy", "rows", (100, 1000), "uint16", {}, 1.0, 1.0)
    looks = finite.Finite(workload, toy.plan((1, 100, 1000)), None)  # type: ignore[arg-type]
    found: list[int] = []
    looks._find_the_cause = lambda *_: found.append(looks._blocks)  # type: ignore[method-assign]
    good = {"doubled": np.ones((1, 100, 1000), np.float32)}
    bad = {"doubled": good["doubled"].copy()}
    bad["doubled"][0, 37, 500] = np.inf
    name = engine.Implementation("toy", "serial", "compiled", "cpu")
    looks.check(name, None, range(1), good, 0.004)  # type: ignore[arg-type]
    for _ in range(5):  # 20 000 values a block: each fifth row
        looks.check(name, None, range(1), bad, 0.004)  # type: ignore[arg-type]
    assert len(found) == 1


def test_the_first_block_of_an_implementation_is_looked_at_as_a_whole(
    toy: Any, arm: Any
) -> None:
    def spoil_one(array: Any) -> None:
        array[:, 313, 500] = np.nan

    toy.arms = {"threads-dynamic": arm(1e-9), "serial": arm(1e-9)}
    spoil(toy, "threads-dynamic", spoil_one)
    image = np.ones((2, 1000, 1000), np.uint8)
    result = toy.run(image=image, plan=toy.plan(image.shape))
    np.testing.assert_array_equal(result, 2)
    assert available() == {"serial"}


# The clock


class Clock:
    """A wall clock that is set back by an hour each time somebody looks."""

    def __init__(self) -> None:
        self._now = 2e9

    def __call__(self) -> float:
        """Return the time, an hour earlier than the last."""
        self._now -= 3600.0
        return self._now


def test_a_clock_that_goes_backwards_changes_no_order(
    toy: Any, arm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", Clock())
    toy.arms = {"serial": arm(0.1)}
    toy.run(12)
    toy.arms["serial"].seconds = 0.3
    toy.run(12)
    stored = engine.history("toy")
    order = [round(m.timing.compute / m.frames, 2) for m in stored]
    assert order == sorted(order)
    assert [m.at for m in stored] == sorted((m.at for m in stored), reverse=True)
    assert engine.history("toy", newest=1) == stored[-1:]


def test_evidence_without_a_file_keeps_its_order_too(
    toy: Any, arm: Any, home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", Clock())
    toy.arms = {"serial": arm(0.1)}
    toy.run(12)
    made = engine.history("toy")
    memory = History(home / "none.sqlite", use_file=False)
    for measurement in made:
        memory.record(measurement)
    assert memory.measurements("toy") == made


def test_what_is_read_late_from_the_file_comes_before_what_is_known(
    toy: Any, arm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workload that is read in full later takes its old place among the runs."""
    from napari_nanopyx._engine.measurements import history as histories

    monkeypatch.setattr(time, "time", Clock())
    toy.arms = {"serial": arm(0.1)}
    plans = [toy.plan((6, 4, 5)), toy.plan((6, 4, 6))]
    for number in range(6):
        toy.arms["serial"].seconds = 0.1 + number / 1000
        toy.run(plan=plans[number % 2])
    made = engine.history("toy")
    histories.close()
    monkeypatch.setattr(histories, "_LOADED_PER_TASK", 8)
    opened = histories.current()
    evidence = opened.known("toy", "toy 1")
    ((partly,),) = ([list(runs)] for runs in evidence._runs.values())
    assert [run.measurement for run in partly] == made[-8:]
    first = made[0].workload
    ((fully,),) = ([list(runs)] for runs in opened.evidence(first)._runs.values())
    earlier = [m for m in made[:-8] if features(m.workload) == features(first)]
    assert earlier
    assert [run.measurement for run in fully] == [*earlier, *made[-8:]]
    assert evidence.measurements() == [
        *[m for m in made if features(m.workload) == features(first)],
        *[m for m in made[-8:] if features(m.workload) != features(first)],
    ]


# The block


def test_the_size_of_a_block_is_recorded(toy: Any, arm: Any) -> None:
    toy.arms = {"serial": arm(0.01)}
    toy.run(50)
    sizes = [len(block) for block in toy.arms["serial"].blocks]
    assert len(set(sizes)) > 1
    assert [m.frames for m in engine.history("toy")] == sizes
