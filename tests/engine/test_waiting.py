"""What is chosen while a device apart is slow, or seems so after a single block."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import made_evidence
import pytest

from napari_nanopyx._engine.measurements.evidence import Evidence
from napari_nanopyx._engine.policy.agent import choose
from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.policy.probes import PROBING
from napari_nanopyx._engine.policy.situation import Situation
from napari_nanopyx._engine.types import Implementation, Measurement, Workload

WORKLOAD = Workload("toy", "1", (9, 9), "uint16", {"radius": 1.5}, 1e6, 1e4)
GPU = Implementation("toy", "opencl:GPU", "opencl", "a GPU", apart=True)
THREADS = Implementation("toy", "threads-dynamic", "compiled", "processor")
SERIAL = Implementation("toy", "serial", "compiled", "processor")
SECONDS = {GPU: 0.001, THREADS: 0.005, SERIAL: 0.006}
ALL = tuple(SECONDS)


def block(of: Implementation, times: float = 1.0, frames: int = 20) -> Measurement:
    """Return a block that took so many times as long as usual."""
    return made_evidence.measurement(WORKLOAD, of.arm, times * SECONDS[of], frames)


def known() -> Evidence:
    """Return ten undelayed blocks of each, of two lengths."""
    blocks = [block(of, frames=frames) for frames in (5, 20) * 5 for of in ALL]
    return made_evidence.evidence(blocks)


def ask(
    evidence: Evidence,
    remaining: int = 10_000,
    busy: Collection[str] = (),
    awaited: bool = False,
) -> Choice:
    names = [each.name for each in ALL]
    return choose(
        Situation(
            WORKLOAD,
            ALL,
            evidence,
            remaining,
            names,
            names,
            busy=busy,
            awaited=awaited,
        )
    )


def test_while_a_block_is_awaited_others_are_short_but_for_the_last() -> None:
    """It may be ready any moment, and then its device has nothing to do."""
    evidence = known()
    for remaining, frames in ((1000, 2), (5, 2), (4, 4), (3, 3)):
        choice = ask(evidence, remaining, [GPU.name], awaited=True)
        assert (choice.implementation, choice.frames) == (THREADS, frames)
    assert ask(evidence, busy=[GPU.name]).frames >= 20


def test_a_block_beside_a_look_takes_no_longer_than_the_delay_has_lasted() -> None:
    evidence = known()
    for _ in range(2):
        evidence.add(block(GPU, 20, frames=5))
    looked = []
    for _ in range(100):
        choice = ask(evidence)
        if choice.implementation == GPU:
            assert choice.reason == PROBING  # what is seen beside others may mislead
            evidence.add(block(GPU, 20, frames=choice.frames))
            continue
        assert choice.implementation == THREADS
        if choice.look is not None:
            assert choice.look.implementation == GPU
            lasted = max(evidence.delayed_seconds(GPU.arm), 0.01)
            looked.append(choice.frames)
            assert choice.frames * SECONDS[THREADS] <= lasted + SECONDS[THREADS] / 2
            evidence.add(replace(block(GPU, 20, frames=1), beside=True))
        evidence.add(block(THREADS, frames=choice.frames))
    assert looked == sorted(looked)
    assert looked[-1] * SECONDS[THREADS] >= 0.1 > 2 * looked[0] * SECONDS[THREADS]


@pytest.mark.parametrize("blocks", [1, 2])
def test_others_are_looked_at_only_once_two_blocks_of_the_best_were_slow(
    blocks: int,
) -> None:
    """A device apart may have been slow by accident, which its next block tells."""
    evidence = known()
    for _ in range(2):
        evidence.add(block(THREADS, 3))
    assert ask(evidence).implementation == GPU
    for _ in range(blocks):
        evidence.add(replace(block(GPU, 9), confirmed=True))
    choice = ask(evidence)
    if blocks == 1:
        assert choice.implementation == GPU
        assert choice.patience is not None
    else:
        assert (choice.implementation, choice.reason) == (SERIAL, PROBING)
