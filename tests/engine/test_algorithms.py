"""A task's other algorithms: offered where they fit, expected by their work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_nanopyx import engine
from napari_nanopyx._engine import catalogue
from napari_nanopyx._engine.backends import python
from napari_nanopyx._kernels import tasks
from napari_nanopyx._kernels.declaration import Algorithm, Task


def too_tall(plan: Any) -> str:
    """Say that an image of more than four rows does not fit."""
    return "the image has more than 4 rows" if plan.shape[1] > 4 else ""


@pytest.fixture
def offer(toy: Any, arm: Any) -> Callable[[Algorithm, Any], None]:
    """Return what gives the toy task an algorithm, beside one slow implementation."""

    def give(algorithm: Algorithm, special: Any) -> None:
        toy.task = replace(toy.task, algorithms=(algorithm,))
        toy.arms = {"serial": arm(0.01), algorithm.name: special}

    return give


def test_one_that_does_not_fit_is_not_offered(toy: Any, arm: Any, offer: Any) -> None:
    offer(Algorithm("special", "", unfit=too_tall), arm(1e-4))
    with engine.record() as runs:
        toy.run(200)
        toy.run(200, toy.plan((200, 6, 5)))
    assert runs[0].implementation == "special"
    assert set(runs[1].blocks) == {"serial"}


def test_asking_for_one_that_does_not_fit_is_an_error(
    toy: Any, arm: Any, offer: Any
) -> None:
    offer(Algorithm("special", "", unfit=too_tall), arm())
    with pytest.raises(
        engine.ImplementationUnavailable, match=r"more than 4 rows.*ask"
    ):
        toy.run(2, toy.plan((2, 6, 5)), implementation="special")
    np.testing.assert_array_equal(
        toy.run(2, implementation="special"), toy.run(2, implementation="serial")
    )


def test_a_kernel_that_does_not_fit_leaves_the_algorithms(
    toy: Any, arm: Any, offer: Any
) -> None:
    offer(Algorithm("special", ""), arm(0.02))
    toy.task = replace(toy.task, unfit=too_tall)
    with engine.record() as runs:
        toy.run(200)
        toy.run(200, toy.plan((200, 6, 5)))
    assert runs[0].implementation == "serial"
    assert set(runs[1].blocks) == {"special"}
    with pytest.raises(engine.ImplementationUnavailable, match="more than 4 rows"):
        toy.run(2, toy.plan((2, 6, 5)), implementation="serial")


def test_nothing_left_tells_why_an_algorithm_did_not_fit(
    toy: Any, arm: Any, offer: Any
) -> None:
    offer(Algorithm("special", "", unfit=too_tall), arm())
    del toy.arms["serial"]
    with pytest.raises(engine.NoImplementationLeft, match="more than 4 rows"):
        toy.run(2, toy.plan((2, 6, 5)))


@pytest.mark.parametrize(("share", "first"), [(0.01, "special"), (0.8, "serial")])
def test_the_first_guess_is_one_with_much_less_work(
    toy: Any, arm: Any, offer: Any, share: float, first: str
) -> None:
    flops = lambda plan: share * plan.cost.flops  # noqa: E731
    offer(Algorithm("special", "", flops=flops), arm(kind="python"))
    with engine.record() as runs:
        toy.run(1)
    assert set(runs[0].blocks) == {first}


def test_one_with_much_less_work_is_tried_even_when_trials_were_dear(
    toy: Any, arm: Any, offer: Any
) -> None:
    special = arm(1e-4, reason="not yet")
    offer(Algorithm("special", "", flops=lambda plan: 0.1 * plan.cost.flops), special)
    toy.arms["threads-static"] = arm(5.0)
    toy.run(60)
    assert toy.arms["threads-static"].blocks
    special.reason = ""
    with engine.record() as runs:
        toy.run(60)
    assert "special" in runs[0].blocks


def test_one_with_a_thousand_times_the_work_is_not_tried(
    toy: Any, arm: Any, offer: Any
) -> None:
    offer(Algorithm("special", "", flops=lambda plan: 1e3 * plan.cost.flops), arm(30.0))
    with engine.record() as runs:
        toy.run(200)
    assert set(runs[0].blocks) == {"serial"}


def test_a_function_is_prepared_once_a_session() -> None:
    prepared: list[int] = []

    def start(plan: Any, threads: int) -> Any:
        prepared.append(threads)

        def compute(block: Any, frames: range, outputs: Any) -> None:
            outputs["convolved"][:] = 3 * block

        return compute

    plan = tasks()["convolve"].plan((4, 2, 3), kernel=np.ones((1, 1), np.float32))
    session = python.PythonSession(Algorithm("three times", "", start=start), plan)
    image = np.arange(24, dtype=np.uint16).reshape(4, 2, 3)
    for frames in (range(2), range(2, 4)):
        partial, timing = session.run(image[frames.start : frames.stop], frames)
        expected = 3.0 * image[frames.start : frames.stop]
        np.testing.assert_array_equal(partial["convolved"], expected)
        assert timing.compute > 0
    assert len(prepared) == 1
    assert prepared[0] >= 1


def test_a_function_that_a_task_does_not_have() -> None:
    task: Task = tasks()["magnify"]
    implementation = replace(python.implementations("convolve")[0], name="wavelets")
    with pytest.raises(LookupError, match="magnify has no algorithm 'wavelets'"):
        python.open(implementation, task, task.plan((1, 2, 2), factor=(1.0, 1.0)))


def test_only_tasks_with_functions_have_them() -> None:
    assert [each.name for each in python.implementations("convolve")] == ["fft"]
    assert [n.name for n in python.implementations("magnify")] == ["matrix", "dct"]
    assert python.implementations("esrrf") == []


@pytest.mark.parametrize("side", [3, 21, 101])
def test_declared_work_of_convolution_orders_its_algorithms(side: int) -> None:
    """Transforms win for large kernels only, two passes for all but the smallest."""
    plan = tasks()["convolve"].plan(
        (1, 500, 500), kernel=np.ones((side, side), np.float32)
    )
    work = {
        each.name: catalogue.fitting(each, plan).work
        for each in engine.implementations("convolve")
    }
    assert work["serial"] == 1
    assert (work["fft"] < 1) == (side > 21)
    assert (work["separable"] < 1) == (side > 3)


def test_fourier_magnification_has_algorithms_only() -> None:
    """Transforms take less than products; for factors that are not whole, none fit."""
    task = tasks()["magnify"]

    def fitting(factor: float) -> dict[str, Any]:
        plan = task.plan((1, 300, 300), factor=(factor, factor), kernel="fourier")
        found = engine.implementations("magnify")
        fitted = [catalogue.fitting(each, plan) for each in found]
        return {each.name: each for each in fitted if each.available}

    whole = fitting(5.0)
    assert set(whole) == {"matrix", "dct", "reference"}
    assert whole["dct"].work < whole["matrix"].work
    assert set(fitting(2.5)) == {"matrix", "reference"}
