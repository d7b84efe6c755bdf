"""Times every implementation, one after the other, while a load comes and goes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks import machine
from benchmarks.jobs import Job
from benchmarks.load import Load
from benchmarks.trace import Trace
from napari_nanopyx import engine
from napari_nanopyx._engine import catalogue
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.measurements.measuring import COLD_SECONDS, workload_of
from napari_nanopyx._engine.running.sessions import Sessions
from napari_nanopyx._engine.session import Session
from napari_nanopyx._engine.types import Implementation, Timing, Workload
from napari_nanopyx._kernels.declaration import Plan

SHORTEST_SECONDS = 1e-7
HISTORY = 12
"""Measurements of each implementation before the first step."""

LONGER = 4
"""How many times a step's frames are in a block that shows what each block costs."""

HOPELESS = 5.0
"""How many times slower than the best, with the load or without, one is left out."""

UNIT_STEPS = 20
"""Traces have a multiple of so many steps."""

FEWEST_STEPS = 60
MOST_STEPS = 600


@dataclass(frozen=True)
class Schedule:
    """When the load is on, and what is known before."""

    name: str
    summary: str
    is_loaded: Callable[[float], bool]
    """Told the part of the trace that has passed, 0 to 1."""
    is_known: bool = True
    """Whether everything was prepared and measured before the first step."""
    run_steps: int = 2
    """Steps of each run; a policy's block is not longer, so that what a block suffers
    from the load is not taken for what each of its frames does."""
    sizes: Sequence[float] = (1.0,)
    """What the side of the job's frames is multiplied by, one run after the other."""


SCHEDULES = (
    Schedule("cold start", "nothing known, no load", lambda _: False, False, 20),
    Schedule("steady", "all known, no load", lambda _: False),
    Schedule("load that stays", "from one third on", lambda part: part >= 1 / 3),
    Schedule(
        "load that ends", "in the middle third", lambda part: 1 / 3 <= part < 2 / 3
    ),
    Schedule("bursts of load", "five of them", lambda part: int(15 * part) % 3 == 1),
    Schedule(
        "sizes in turn",
        "all known, no load",
        lambda _: False,
        run_steps=20,
        sizes=(0.5, 1.0, 2.0),
    ),
)


@dataclass
class Bench:
    """One size of a job, with an open session for each implementation."""

    plan: Plan
    """For `LONGER` times the frames of a step."""
    block: NDArray[np.uint16]
    workload: Workload
    opened: Sessions
    sessions: dict[str, Session] = field(default_factory=dict)

    def timed(self, name: str, count: int) -> Timing:
        """Let one implementation compute so many frames, as the runner would."""
        session, merger, taken = self.sessions[name], self.plan.merger(), []
        at_most = max(1, session.preferred_frames)
        for start in range(0, count, at_most):
            frames = range(start, min(start + at_most, count))
            block = self.block[frames.start : frames.stop]
            taken.append(session.run(block, frames, merger.places(frames))[1])
        return Timing(
            sum(each.prepare for each in taken),
            sum(each.transfer for each in taken),
            sum(each.compute for each in taken),
        )


class Recorder:
    """Records traces of one job; what they have in common is measured once.

    Preparation is what the first block of this process needs: start it with empty
    caches to learn what it costs a new user.
    """

    def __init__(self, job: Job, load: Load) -> None:
        self._job = job
        self._load = load
        self._prepare: dict[str, float] = {}
        listed = catalogue.candidates(job.task_name, wait=True, plan=job.plan())
        self._found = [
            each for each in listed if each.available and each.kind != "reference"
        ]
        self._kinds = {each.name: each.kind for each in self._found}
        self._benches: dict[int, Bench] = {}
        self._fixed: dict[str, float] = {}
        self._random = np.random.default_rng(0)

    def record(self, schedule: Schedule, seconds: float, tag: str = "") -> Trace:
        """Record one trace in about so many seconds."""
        benches = [self._bench(size) for size in schedule.sizes]
        steps = self._steps(schedule, benches, seconds)
        history = self._history(benches) if schedule.is_known else []
        each = schedule.run_steps
        runs = [(n % len(benches), each) for n in range(steps // each)]
        times: dict[str, list[float]] = {name: [] for name in self._kinds}
        for step in range(steps):
            self._load.switch(schedule.is_loaded(step / steps))
            at, _ = runs[step // each]
            for name, taken in self._round(benches[at]).items():
                times[name].append(taken)
        self._load.switch(on=False)
        name = f"{tag} {self._job.task_name}, {schedule.name}".strip()
        return Trace(
            name,
            f"{schedule.summary}; {self._load.summary}",
            self._job.frames,
            dict(self._kinds),
            {name: self._prepare[name] for name in self._kinds},
            [bench.workload for bench in benches],
            runs,
            {name: np.array(taken) for name, taken in times.items()},
            history,
            tuple(self._kinds) if schedule.is_known else (),
            dict(self._fixed),
            int(devices.cpu().details["cores"]),
            described(),
        )

    def close(self) -> None:
        """Close all sessions."""
        for bench in self._benches.values():
            bench.opened.close_all()

    def _bench(self, size: float) -> Bench:
        side = round(self._job.side * size)
        if side not in self._benches:
            job = replace(self._job, frames=LONGER * self._job.frames, side=side)
            plan, block = job.plan(), job.movie()
            workload = workload_of(self._job.task, plan, block.dtype.name)
            opened = Sessions(job.task, plan, block.dtype.name)
            bench = self._benches[side] = Bench(plan, block, workload, opened)
            for found in self._found:
                if found.name in self._kinds:
                    self._open(bench, found)
            if not self._fixed:
                self._fixed = dict.fromkeys(self._kinds, 0.0)
                self._leave_out_the_hopeless(bench)
                self._fixed = {
                    name: self._fixed_seconds(bench, name) for name in self._kinds
                }
        return self._benches[side]

    def _open(self, bench: Bench, found: Implementation) -> None:
        """Open one and compute twice; what fails already is left out from now on."""
        name = found.name
        try:
            while not bench.opened.is_ready(found):
                for _, problem in bench.opened.take_failed():
                    raise problem
            bench.sessions[name] = bench.opened.get(found)
            prepare = bench.opened.take_preparation(name)
            prepare += bench.timed(name, self._job.frames).prepare
            bench.timed(name, self._job.frames)
        except Exception as error:  # noqa: BLE001 - reported
            print(f"{name} is left out: {error}", file=sys.stderr)
            self._kinds.pop(name)
            return
        self._prepare.setdefault(name, prepare if prepare > COLD_SECONDS else 0.0)

    def _leave_out_the_hopeless(self, bench: Bench) -> None:
        """Drop what is near the best neither with the load nor without it."""
        wanted: set[str] = set()
        for is_loaded in (False, True):
            self._load.switch(is_loaded)
            rounds = [self._round(bench) for _ in range(3)]
            best = {name: min(each[name] for each in rounds) for name in self._kinds}
            limit = HOPELESS * min(best.values())
            wanted |= {name for name, seconds in best.items() if seconds <= limit}
        self._load.switch(on=False)
        for name in self._kinds.keys() - wanted:
            print(f"{name} is left out: {HOPELESS:g} times slower", file=sys.stderr)
            self._kinds.pop(name)

    def _round(self, bench: Bench) -> Mapping[str, float]:
        """Time all once, in an order by lot: each suffers from what went before."""
        times = dict.fromkeys(self._kinds, float("nan"))
        for name in self._random.permutation(list(self._kinds)):
            try:
                taken = bench.timed(name, self._job.frames).warm - self._fixed[name]
                times[name] = max(taken, SHORTEST_SECONDS) / self._job.frames
            except Exception as error:  # noqa: BLE001 - a failure is part of a trace
                print(f"{name} has failed: {error}", file=sys.stderr)
        return times

    def _fixed_seconds(self, bench: Bench, name: str) -> float:
        """Return what a block takes besides its frames: what four times as many show.

        By the shortest of seven, because times scatter, and no more than half of it.
        """
        count = self._job.frames
        short, long = (
            min(bench.timed(name, frames).warm for _ in range(7))
            for frames in (count, LONGER * count)
        )
        return float(np.clip((LONGER * short - long) / (LONGER - 1), 0.0, short / 2))

    def _history(self, benches: Sequence[Bench]) -> list[tuple[str, int, float]]:
        return [
            (name, at, taken)
            for at, bench in enumerate(benches)
            for _ in range(HISTORY)
            for name, taken in self._round(bench).items()
            if taken > 0
        ]

    def _steps(
        self, schedule: Schedule, benches: Sequence[Bench], seconds: float
    ) -> int:
        """Return how many steps the time allows, after trying a few."""
        share = float(np.mean([schedule.is_loaded(n / 150) for n in range(150)]))
        typical = 0.0
        for is_loaded, part in ((False, 1 - share), (True, share)):
            if part:
                self._load.switch(is_loaded)
                rounds = [self._round(bench) for bench in benches for _ in range(3)]
                typical += part * float(np.mean([sum(r.values()) for r in rounds]))
        self._load.switch(on=False)
        round_seconds = typical * self._job.frames
        steps = int(np.clip(seconds / round_seconds, FEWEST_STEPS, MOST_STEPS))
        return steps - steps % UNIT_STEPS


def described() -> dict[str, str]:
    """Return what matters of this machine for a trace; its name is left out."""
    known = machine.describe()
    names = ("Processor", "Cores available", "Instruction set", "System", "Python")
    found = {name: known[name] for name in names}
    identities = [each.identity for each in engine.devices() if each.kind == "opencl"]
    found["OpenCL devices"] = "; ".join(identities) or "none"
    found["napari-nanopyx"] = known["napari-nanopyx"]
    if hasattr(os, "getloadavg"):
        found["Load of the last minute"] = f"{os.getloadavg()[0]:.2f}"
    return found
