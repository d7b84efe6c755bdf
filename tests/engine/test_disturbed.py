"""Blocks timed while this program prepares something beside them."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import made_evidence
import pytest

from napari_nanopyx import engine
from napari_nanopyx._engine.measurements import history
from napari_nanopyx._engine.measurements.evidence import Evidence
from napari_nanopyx._engine.measurements.record import TRIALS
from napari_nanopyx._engine.policy.agent import choose
from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.policy.situation import Situation
from napari_nanopyx._engine.policy.trials import EXPLORATION_SHARE, TRYING, TRYING_AGAIN
from napari_nanopyx._engine.types import Arm, Implementation, Measurement, Workload

WORKLOAD = Workload("toy", "1", (9, 9), "uint16", {"radius": 1.5}, 1e6, 1e4)
THREADS = Implementation("toy", "threads-dynamic", "compiled", "processor")
SERIAL = Implementation("toy", "serial", "compiled", "processor")
FOURIER = Implementation("toy", "fft", "python", "processor", work=0.4)
GUIDED = Implementation("toy", "threads-guided", "compiled", "processor")
GPU = Implementation("toy", "opencl:GPU", "opencl", "a GPU")


def block(
    of: Implementation, seconds: float, outcome: str = "ok", frames: int = 10
) -> Measurement:
    arm = Arm(of.name, of.device)
    return made_evidence.measurement(WORKLOAD, arm, seconds, frames, outcome=outcome)


def known(*measurements: Measurement) -> Evidence:
    return made_evidence.evidence(measurements)


def ask(
    evidence: Evidence,
    candidates: Sequence[Implementation],
    disturbed: bool = True,
    remaining: int = 10_000,
) -> Choice:
    ready = [candidate.name for candidate in candidates]
    situation = Situation(
        WORKLOAD, candidates, evidence, remaining, ready, disturbed=disturbed
    )
    return choose(situation)


def test_a_trial_on_the_processor_waits_until_nothing_is_prepared() -> None:
    evidence = known(*[block(THREADS, 0.01)] * 5)
    assert ask(evidence, [THREADS, SERIAL]).implementation == THREADS
    choice = ask(evidence, [THREADS, SERIAL], disturbed=False)
    assert (choice.implementation, choice.reason) == (SERIAL, TRYING)


@pytest.mark.parametrize("promising", [GPU, FOURIER])
def test_what_may_be_much_faster_does_not_wait(promising: Implementation) -> None:
    evidence = known(*[block(THREADS, 0.01)] * 5)
    choice = ask(evidence, [THREADS, SERIAL, promising])
    assert (choice.implementation, choice.reason) == (promising, TRYING)


def test_who_looked_slow_while_disturbed_is_tried_once_more() -> None:
    """The first guess, say, before another was the best: it was twice as fast."""
    evidence = known(
        *[block(THREADS, 0.02, "disturbed")] * 5, *[block(SERIAL, 0.015)] * 5
    )
    both = [THREADS, SERIAL]
    assert ask(evidence, both).implementation == SERIAL
    choice = ask(evidence, both, disturbed=False)
    assert (choice.implementation, choice.reason) == (THREADS, TRYING_AGAIN)
    for _ in range(TRIALS):
        evidence.add(block(THREADS, 0.01))
    choice = ask(evidence, both, disturbed=False)
    assert choice.implementation == THREADS
    assert choice.expected_seconds == pytest.approx(0.01)


def test_a_disturbed_block_begins_no_delay_but_may_end_one() -> None:
    evidence = known(*[block(THREADS, 0.01)] * 10)
    arm = Arm(THREADS.name, THREADS.device)
    for _ in range(5):
        evidence.add(block(THREADS, 0.03, "disturbed"))
    assert evidence.pace(arm).slowdown == 1
    for _ in range(2):
        evidence.add(block(THREADS, 0.03))
    assert evidence.pace(arm).slowdown == pytest.approx(3)
    evidence.add(block(THREADS, 0.01, "disturbed"))
    assert evidence.pace(arm).slowdown == 1


def test_another_device_that_is_ready_is_tried_first() -> None:
    """Even if a trial of it may cost more: all others are on the same processor."""
    evidence = known(*[block(THREADS, 0.01)] * 5, block(SERIAL, 0.011))
    listed = [THREADS, SERIAL, GPU]
    assert ask(evidence, listed, disturbed=False).implementation == GPU


def test_what_was_the_best_for_a_while_was_not_lost() -> None:
    """When a faster one is found, there is something left to try the next one."""
    evidence = known(*[block(SERIAL, 0.04)] * 100, *[block(THREADS, 0.01)] * 2)
    choice = ask(evidence, [SERIAL, THREADS, GUIDED], disturbed=False, remaining=100)
    assert (choice.implementation, choice.reason) == (GUIDED, TRYING)


def test_what_a_trial_may_cost_goes_by_others_on_its_device() -> None:
    """Where all on the processor are slow, the next one will hardly be fast."""
    evidence = known(*[block(GPU, 0.001)] * 10, *[block(THREADS, 0.02)] * 2)
    spent = 10 * 10 * 0.001 + 2 * 10 * 0.02
    lost = 2 * 10 * (0.02 - 0.001)
    frame = 2 * 0.02 - 0.001
    listed = [GPU, THREADS, SERIAL]
    for frames, expected in ((0.9, GPU), (1.1, SERIAL)):
        needed = (lost + frames * frame) / EXPLORATION_SHARE - spent
        choice = ask(evidence, listed, remaining=round(needed / 0.001), disturbed=False)
        assert choice.implementation == expected


def test_blocks_beside_a_compiler_are_marked(toy: Any, arm: Any) -> None:
    compiling, may_end = threading.Event(), threading.Event()

    def compile_() -> None:
        compiling.set()
        assert may_end.wait(30)

    def compute(_block: Any, frames: range) -> None:
        if compiling.wait(0.001) and frames.stop > 10_000:
            may_end.set()
            time.sleep(0.01)

    toy.arms = {
        "serial": arm(1e-4, before=compute),
        "numba": arm(1.0, compiling=compile_),
    }
    toy.run(40_000)
    found = [m.outcome for m in engine.history("toy") if m.implementation == "serial"]
    assert "disturbed" in found
    assert found[-1] == "ok"


def test_a_disturbed_block_is_known_to_later_processes(toy: Any) -> None:
    history.current().record(block(THREADS, 0.02, "disturbed"))
    history.close()
    (found,) = engine.history("toy")
    assert found.outcome == "disturbed"
    assert history.current().evidence(WORKLOAD).exact(WORKLOAD)


def test_in_short_runs_what_comes_besides_the_frames_counts() -> None:
    """Where a run has 50 frames, 12 ms for each block are not shared by more."""
    lengths = (5, 10, 20, 40, 50, 50, 50, 50)
    evidence = known(
        *[block(FOURIER, (0.012 + 1e-4 * n) / n, frames=n) for n in lengths],
        block(SERIAL, 5e-4, frames=9),
    )
    choice = ask(evidence, [FOURIER, SERIAL], disturbed=False, remaining=50)
    assert (choice.implementation, choice.reason) == (SERIAL, TRYING_AGAIN)


def test_the_work_of_another_algorithm_is_not_guessed_from_workloads_unlike() -> None:
    """It was slow where there was little to do, which says nothing."""
    evidence = known(*[block(THREADS, 0.01)] * 5)
    small = replace(WORKLOAD, shape=(3, 3), flops=1e3)
    for _ in range(5):
        evidence.add(replace(block(FOURIER, 0.001), workload=small))
    choice = ask(evidence, [THREADS, FOURIER], disturbed=False, remaining=50)
    assert (choice.implementation, choice.reason) == (FOURIER, TRYING)
