"""``python -m benchmarks.replay``: policies beside an oracle that knows the future."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import trace as traces
from benchmarks.made_traces import made
from benchmarks.trace import Trace
from benchmarks.varied_traces import varied
from napari_nanopyx._engine import agent, paper
from napari_nanopyx._engine.backends.opencl import LAUNCH_FRAMES
from napari_nanopyx._engine.evidence import Evidence
from napari_nanopyx._engine.patience import Watch
from napari_nanopyx._engine.record import Arm
from napari_nanopyx._engine.situation import (
    BACKGROUND_SHARE,
    Policy,
    Situation,
    shares_processor,
)
from napari_nanopyx._engine.types import Implementation, Measurement

FAILURE_SECONDS = 0.1
"""What it costs to notice that an implementation has failed."""


@dataclass(frozen=True)
class Player:
    """A policy, and whether it decides once a run instead of once a block."""

    policy: Policy
    once_a_run: bool = False


@dataclass
class Outcome:
    """What a player took for a trace."""

    seconds: float = 0.0
    frames: dict[str, int] = field(default_factory=dict)
    """By implementation."""


PLAYERS: Mapping[str, Player] = {
    "default": Player(agent.choose),
    "paper": Player(paper.choose),
    "paper, k=2": Player(partial(paper.choose, deviations=2.0)),
    "paper, once a run": Player(paper.choose, once_a_run=True),
    "no delays": Player(partial(paper.choose, deviations=inf)),
}


def replay(trace: Trace, player: Player, seed: int = 0) -> Outcome:
    """Let a player compute all runs of a trace, as the runner would."""
    evidence, outcome = _remembered(trace), Outcome()
    candidates, start = trace.implementations, 0
    preparing = _Preparing(trace)
    for at, steps in trace.runs:
        stop = start + steps * trace.step_frames
        used: dict[str, int] = {}
        while start < stop:
            remaining = stop - start
            choice = player.policy(
                Situation(
                    trace.workloads[at],
                    candidates,
                    evidence,
                    remaining,
                    {*used, *preparing.finished(outcome.seconds)},
                    opened=set(used),
                    seed=seed,
                    background_share=BACKGROUND_SHARE / trace.cores,
                    disturbed=preparing.is_busy(outcome.seconds),
                )
            )
            name = choice.implementation.name
            frames = remaining if player.once_a_run else choice.frames
            each = _frames(trace, name)[start : start + min(frames, remaining)]
            fixed, watch = trace.block_seconds.get(name, 0.0), Watch(len(each))
            if choice.implementation.ends_early:
                watch = Watch(len(each), choice.patience)
                each = each[: _watched(each, fixed, watch)]
            seconds = fixed + float(np.nansum(each))
            preparing.begin(choice.prepare, outcome.seconds)
            prepare = preparing.now(name, outcome.seconds)
            disturbed = preparing.is_busy(outcome.seconds)
            seconds = preparing.beside(seconds, outcome.seconds)
            outcome.seconds += prepare + seconds
            if np.isnan(each).any():
                outcome.seconds += FAILURE_SECONDS
                candidates = [
                    replace(c, available=c.available and c.name != name)
                    for c in candidates
                ]
                continue
            is_noticed = disturbed and shares_processor(choice.implementation)
            warm = "disturbed" if is_noticed else "ok"
            for part in watch.measured(trace.timing(name, seconds, prepare)):
                measurement = Measurement(
                    trace.workloads[at],
                    name,
                    trace.device(name),
                    part.frames,
                    part.timing,
                    "cold" if part.timing.prepare else warm,
                    outcome.seconds,
                    confirmed=part.confirmed,
                )
                evidence.add(measurement, first=name not in used)
                used[name] = used.get(name, 0) + part.frames
            outcome.frames[name] = outcome.frames.get(name, 0) + len(each)
            start += len(each)
    return outcome


def _watched(seconds: NDArray[np.float64], fixed: float, watch: Watch) -> int:
    """Return how many of the frames of a block are computed, as those of OpenCL are.

    When a launch is ready, the next one is being computed already.
    """
    each = min(watch.launch_frames, LAUNCH_FRAMES)
    ready_after = fixed + np.cumsum(seconds)
    for begun in range(2 * each, len(seconds), each):
        ready = begun - each
        if not watch.goes_on(ready, begun, float(ready_after[ready - 1])):
            break
    return watch.frames


class _Preparing:
    """What has been compiled and set up so far, at once or in the background.

    One thing at a time, which takes a part of one core from the computation meanwhile.
    """

    def __init__(self, trace: Trace) -> None:
        self._seconds, self._cores = trace.prepare_seconds, trace.cores
        costs = trace.prepare_seconds.items()
        self._ready = {*trace.prepared, *(name for name, cost in costs if cost <= 0)}
        self._ends: dict[str, float] = {}

    def finished(self, now: float) -> set[str]:
        """Return what is ready by now."""
        ended = {name for name, end in self._ends.items() if end <= now}
        self._ready |= ended
        self._ends = {n: end for n, end in self._ends.items() if n not in ended}
        return self._ready

    def begin(self, wanted: Iterable[Implementation], now: float) -> None:
        """Prepare something beside the blocks that follow."""
        for chosen in wanted:
            if chosen.name not in self._ready and chosen.name not in self._ends:
                begin = max([now, *self._ends.values()])
                self._ends[chosen.name] = begin + self._seconds[chosen.name]

    def now(self, name: str, now: float) -> float:
        """Return what it costs to have this one ready at once."""
        if name in self.finished(now):
            return 0.0
        self._ends.pop(name, None)
        self._ready.add(name)
        return self._seconds[name]

    def is_busy(self, now: float) -> bool:
        """Tell whether something is being prepared in the background."""
        return any(end > now for end in self._ends.values())

    def beside(self, seconds: float, now: float) -> float:
        """Return what a block takes while something else is being prepared."""
        busy = max([end - now for end in self._ends.values()], default=0.0)
        return seconds + min(seconds, max(busy, 0.0)) * BACKGROUND_SHARE / self._cores


def main() -> None:
    """Run the command line."""
    from benchmarks import replay_report

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.replay", description=__doc__
    )
    parser.add_argument("--seeds", type=int, default=5, help="made traces of each sort")
    parser.add_argument("--traces", type=Path, default=Path(__file__).parent / "traces")
    parser.add_argument("--results", type=Path, default=replay_report.RESULTS)
    parser.add_argument("--write", type=Path, help="write the made traces here as JSON")
    options = parser.parse_args()
    groups: dict[str, list[Trace]] = {}
    for seed in range(options.seeds):
        for trace in (*made(seed), *varied(seed)):
            groups.setdefault(trace.name, []).append(trace)
    if options.write is not None:
        options.write.mkdir(parents=True, exist_ok=True)
        for name, listed in groups.items():
            traces.write(listed[0], options.write / f"{name}.json")
    for path in sorted(options.traces.glob("*.json")):
        groups.setdefault(path.stem, []).append(traces.read(path))
    scores = replay_report.scores(groups)
    replay_report.write(scores, options.results)
    print("\n".join(replay_report.table(scores)))


def _remembered(trace: Trace) -> Evidence:
    """Return the history: each implementation was cold once, and then warm.

    Warm blocks were one step and four steps long, in turn.
    """
    evidence = Evidence()
    for row, (name, at, each) in enumerate(trace.history):
        workload, fixed = trace.workloads[at], trace.block_seconds.get(name, 0.0)
        prepare, device = trace.prepare_seconds[name], trace.device(name)
        if prepare and evidence.preparation(Arm(name, device)) is None:
            timing = trace.timing(name, fixed + each, prepare)
            evidence.add(Measurement(workload, name, device, 1, timing, "cold"))
        frames = trace.step_frames * (1, 4)[row // len(trace.seconds) % 2]
        timing = trace.timing(name, fixed + frames * each)
        warm = Measurement(workload, name, device, frames, timing)
        evidence.add(warm, first=name in trace.prepared)
    return evidence


def _frames(trace: Trace, name: str) -> NDArray[np.float64]:
    return np.repeat(trace.seconds[name], trace.step_frames)


if __name__ == "__main__":
    main()
