"""No implementation computes anything before it has given the reference's numbers."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from wrong_results import Change, changing

from napari_nanopyx import _kernels, engine
from napari_nanopyx._engine import catalogue
from napari_nanopyx._engine.checks import verification
from napari_nanopyx._engine.checks.agreement import Problem, camera_frames, compare
from napari_nanopyx._engine.measurements import history, measuring
from napari_nanopyx._kernels import tasks
from napari_nanopyx._kernels.declaration import Cost
from napari_nanopyx._kernels.warp import maps


def resized(plan: Any, shape: tuple[int, ...]) -> Any:
    segments, cost = [range(shape[0])], Cost(1e3, 1e3)
    return replace(plan, shape=shape, segments=segments, cost=cost)


@pytest.fixture
def checked(toy: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give the toy task checks, with a list of them, and `wrong` to change results."""
    toy.task = replace(toy.task, resized=resized)
    toy.wrong = changing(toy, monkeypatch)
    toy.checks = []
    verify = verification.verify

    def noted(implementation: Any, *given: Any) -> Any:
        toy.checks.append(implementation.name)
        return verify(implementation, *given)

    monkeypatch.setattr(verification, "verify", noted)
    return toy


def off(share: float) -> Change:
    def change(output: Any) -> Any:
        output.flat[3] += share * 300
        return output

    return change


def nan(output: Any) -> Any:
    output.flat[:2] = np.nan
    return output


def flat(output: Any) -> Any:
    return output[:, :1, :1]


def result(frames: int = 20) -> Any:
    return 2 * np.arange(frames * 20, dtype=np.float32).reshape(frames, 4, 5)


WRONG: dict[str, tuple[Change, str]] = {
    "numbers": (off(0.1), "differs from the reference by "),
    "NaN": (nan, "gives NaN or infinity for "),
    "shape": (flat, "gives (2, 1, 1) for 'doubled' of 2 frames, but the shape must be"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_one_never_computes_nor_is_timed(
    checked: Any, arm: Any, kind: str
) -> None:
    change, reason = WRONG[kind]
    checked.arms = {"threads-dynamic": arm(1e-6), "serial": arm(1e-3)}
    checked.wrong |= {"threads-dynamic": change}
    with engine.record() as runs:
        np.testing.assert_array_equal(checked.run(), result())
    assert runs[0].blocks == {"serial": 20}
    timed = {m.implementation for m in engine.history("toy") if m.outcome != "failed"}
    assert timed == {"serial"}
    (found, _) = engine.implementations("toy")
    assert not found.available
    assert reason in found.reason
    assert "update the driver" in found.remedy
    for each in checked.arms.values():
        assert each.opened == each.closed

    checked.run()
    assert checked.checks == ["threads-dynamic", "serial"]


@pytest.mark.parametrize("is_wrong", [False, True])
def test_what_has_to_be_compiled_is_checked_beside_the_run(
    checked: Any, arm: Any, is_wrong: bool
) -> None:
    places: list[str] = []

    def note(_block: Any, _frames: range) -> None:
        places.append(threading.current_thread().name)

    checked.arms = {
        "serial": arm(1e-3, before=lambda *_: time.sleep(0.001)),
        "numba": arm(1e-6, compiling=lambda: None, before=note),
    }
    checked.wrong |= {"numba": off(0.1)} if is_wrong else {}
    with engine.record() as runs:
        checked.run(20_000)
    assert set(places[:2]) == {"nanopyx-compiler"}
    assert ("nanopyx-compiler" in places[2:], len(places) > 2) == (False, not is_wrong)
    assert ("numba" in runs[0].blocks) == (not is_wrong)
    found = {each.name: each.reason for each in engine.implementations("toy")}
    assert ("differs from the reference" in found["numba"]) == is_wrong


def test_the_reason_has_numbers(checked: Any, arm: Any) -> None:
    image = camera_frames((3, 17, 37), "uint16")
    largest = 2.0 * image.max()

    def change(output: Any) -> Any:
        output[0, 0, 0] += 0.032 * largest
        return output

    checked.arms = {"serial": arm()}
    checked.wrong |= {"serial": change}
    with pytest.raises(engine.ImplementationFailed) as raised:
        checked.run(implementation="serial")
    assert isinstance(raised.value.__cause__, engine.WrongResult)
    assert (
        "differs from the reference by 3.2 % of the largest value, allowed 0.001 %"
    ) in str(raised.value)


def test_a_pinned_wrong_one_raises_every_time(checked: Any, arm: Any) -> None:
    checked.arms = {"serial": arm(), "threads-dynamic": arm()}
    checked.wrong |= {"serial": nan}
    for _ in range(2):
        with pytest.raises(engine.ImplementationFailed, match="NaN or infinity"):
            checked.run(implementation="serial")
    assert checked.checks == ["serial", "serial"]


def test_checked_once_on_a_machine(checked: Any, arm: Any) -> None:
    checked.arms = {"serial": arm()}
    for _ in range(3):
        checked.run()
        history.close()  # as another process would find it
    assert checked.checks == ["serial"]


@pytest.mark.parametrize("changed", ["digest", "driver", "version", "kind", "pixels"])
def test_checked_again_when_something_has_changed(
    checked: Any, arm: Any, changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked.arms = {"serial": arm()}
    checked.run()
    plan, image = checked.plan((20, 4, 5)), np.ones((20, 4, 5), np.uint16)
    listed = checked.listed
    if changed == "digest":
        monkeypatch.setattr(_kernels, "digest", lambda name: f"{name} 2")
    elif changed == "driver":
        monkeypatch.setattr(
            checked,
            "listed",
            lambda *given: [replace(i, device="driver 2") for i in listed(*given)],
        )
    elif changed == "version":
        monkeypatch.setattr(verification, "package_version", lambda: "99")
    elif changed == "kind":
        plan = checked.plan((20, 4, 5), parameters={"factor": 2, "kernel": "fancy"})
    else:
        image = image.astype(np.float32)
    checked.run(plan=plan, image=image)
    assert checked.checks == ["serial", "serial"]


def test_another_number_or_size_is_not_checked_again(checked: Any, arm: Any) -> None:
    checked.arms = {"serial": arm()}
    for factor in (2, 3, 50):
        for frames in (5, 20):
            parameters = {"factor": factor, "kernel": "plain"}
            checked.run(plan=checked.plan((frames, 4, 5), parameters=parameters))
    assert checked.checks == ["serial"]


def test_remembered_for_the_process_where_there_is_no_file(
    checked: Any, arm: Any, home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = history.History(home / history.FILE_NAME, use_file=False)
    monkeypatch.setattr(history, "_current", memory)
    checked.arms = {"serial": arm()}
    checked.run()
    checked.run()
    assert checked.checks == ["serial"]
    assert not (home / history.FILE_NAME).exists()


def test_a_file_that_breaks_meanwhile_costs_no_computation(
    checked: Any, arm: Any, home: Any
) -> None:
    checked.arms = {"serial": arm()}
    assert not history.current().in_memory_only
    (home / history.FILE_NAME).write_bytes(b"no history" * 1000)
    with pytest.warns(engine.HistoryWarning, match="cannot be used"):
        np.testing.assert_array_equal(checked.run(), result())
    checked.run()
    assert checked.checks == ["serial"]


def test_a_file_without_the_table_is_taken_as_it_is(
    checked: Any, arm: Any, home: Any
) -> None:
    checked.arms = {"serial": arm()}
    checked.run()
    history.close()
    with closing(sqlite3.connect(home / history.FILE_NAME)) as connection:
        connection.execute("DROP TABLE verified")
        connection.commit()
    checked.run()
    history.close()
    checked.run()
    assert checked.checks == ["serial", "serial"]
    assert history.current().problem == ""


def test_the_time_of_the_check_is_preparation(checked: Any, arm: Any) -> None:
    checked.arms = {"serial": arm(prepare=0.5)}
    checked.run(600)
    first, *others = engine.history("toy")
    assert 0 < first.timing.prepare < 60
    assert first.outcome == "cold" or first.timing.prepare < measuring.COLD_SECONDS
    assert others
    assert all(m.timing.prepare == 0 and m.outcome == "ok" for m in others)


def test_the_reference_is_not_checked(checked: Any, arm: Any) -> None:
    checked.arms = {"reference": arm(kind="reference")}
    checked.run()
    assert checked.checks == []


def test_a_reference_that_fails_is_reported_and_harms_nothing(
    checked: Any, arm: Any
) -> None:
    def refuse(plan: Any, shape: Any) -> Any:
        raise ZeroDivisionError("a bug")

    checked.task = replace(checked.task, resized=refuse)
    checked.arms = {"serial": arm()}
    with pytest.warns(RuntimeWarning, match="could not be checked.*a bug"):
        np.testing.assert_array_equal(checked.run(), result())


PARAMETERS: dict[str, list[dict[str, Any]]] = {
    "magnify": [
        {"factor": (5.0, 5.0)},
        {"factor": (100.0, 100.0)},
        {"factor": (0.01, 0.3), "shift": np.full((40, 2), 300.0)},
    ],
    "warp": [
        {"affine": maps.turned((400, 500), np.full((40, 2), 300.0), (0.1, 9.0), 2.0)},
        {
            "affine": np.array([[[0.0, 0.0, 200.0], [0.0, 0.0, 250.0]]]),
            "field": maps.unrolled((400, 500), (360, 200), "linear")[np.newaxis],
            "output_shape": (360, 200),
        },
        {
            "affine": np.eye(2, 3)[np.newaxis],
            "field": np.full((1, 2, 400, 500), 900.0),
        },
    ],
    "esrrf": [
        {},
        {"magnification": 10, "radius": 5.0, "temporal": "TAC2"},
        {"frames_per_timepoint": 20, "frame_gap": 30, "drift": np.full((40, 2), 99.0)},
    ],
}


@pytest.mark.parametrize("name", tasks())
def test_every_task_has_a_small_problem(name: str, home: Any) -> None:
    """Its reference takes milliseconds, and the serial implementation passes."""
    task = tasks()[name]
    example = task.example()[1]
    for parameters in [example, *PARAMETERS.get(name, [])]:
        plan = task.plan((40, 400, 500), **parameters)
        small = verification._small_problem(task, plan, "uint16")
        work = small.plan.cost.flops * small.plan.shape[0]
        assert work <= 10 * verification.REFERENCE_FLOPS
        assert dict(small.plan.parameters) == dict(plan.parameters)
        assert small.answer.size
        assert np.ptp(small.answer) > 0
        serial = catalogue.named(name, "serial")
        assert verification.verify(serial, task, small).error <= task.tolerance


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_camera_frames_are_the_same_every_time(dtype: str) -> None:
    frames = camera_frames((2, 5, 6), dtype)
    assert frames.dtype == dtype
    assert frames.shape == (2, 5, 6)
    assert np.ptp(frames) > 20
    np.testing.assert_array_equal(frames, camera_frames((2, 5, 6), dtype))


def test_comparing_is_as_strict_as_the_agreement_tests() -> None:
    right = np.array([[1.0, -4.0], [2.0, 0.0]])
    allowed = 1e-5 * 4 + 1e-6 * right.std()
    for share, problem in ((0.99, False), (1.01, True)):
        near = right.copy()
        near[1, 1] += share * allowed
        assert bool(compare(near, right, 1e-5).problem) is problem
    assert compare(right, right, 1e-5).error == 0.0


def test_comparing_looks_at_nan_and_infinity() -> None:
    right = np.array([np.nan, np.inf, 1.0])
    assert compare(right.copy(), right, 1e-5).problem == ""
    for wrong in ([0, np.inf, 1], [np.nan, -np.inf, 1], [np.nan, np.inf, np.nan]):
        found = compare(np.array(wrong, float), right, 1e-5)
        assert "NaN or infinity" in found.problem
        assert found.error == np.inf


def test_comparing_with_nothing_but_zeros() -> None:
    zeros = np.zeros((2, 2))
    assert compare(zeros, zeros, 1e-5).problem == ""
    assert "0 everywhere" in compare(zeros + 1e-9, zeros, 1e-5).problem


def test_merging_is_part_of_the_check(checked: Any, arm: Any) -> None:
    """Two blocks: an implementation that goes wrong in its second one is found."""
    serial = arm()
    checked.arms = {"serial": serial}
    plan = checked.plan((3, 4, 5))
    problem = Problem(plan, camera_frames((3, 4, 5), "uint8"), 1e-5)
    verification.verify(catalogue.named("toy", "serial"), checked.task, problem)
    assert serial.blocks == [range(2), range(2, 3)]
