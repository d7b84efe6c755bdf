"""Plays a trace back: a policy chooses, and a clock goes on as in a real run."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.trace import Trace
from napari_nanopyx._engine.backends.opencl_session import LAUNCH_FRAMES
from napari_nanopyx._engine.measurements.evidence import Evidence
from napari_nanopyx._engine.patience import Part, Watch
from napari_nanopyx._engine.policy.choice import Choice, Look
from napari_nanopyx._engine.policy.probes import LOOK_SHARE
from napari_nanopyx._engine.policy.situation import (
    BACKGROUND_SHARE,
    Policy,
    Situation,
)
from napari_nanopyx._engine.types import Arm, Implementation, Measurement

STOPPING_SHARE = 0.125
"""Of a block's time: what stopping it takes, which waits for parts that have begun."""

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


@dataclass
class _Beside:
    """What a device computes while the others go on."""

    implementation: Implementation
    workload: int
    end: float
    parts: list[Part]
    frames: range = range(0)
    """Those that are still wanted of it, if it was left behind."""


def replay(trace: Trace, player: Player, seed: int = 0) -> Outcome:
    """Let a player compute all runs of a trace, as the runner would."""
    return _Replay(trace, player, seed).outcome()


class _Replay:
    """The state of one replay."""

    def __init__(self, trace: Trace, player: Player, seed: int) -> None:
        self._trace, self._player, self._seed = trace, player, seed
        self._evidence, self._outcome = _remembered(trace), Outcome()
        self._candidates = trace.implementations
        self._preparing = _Preparing(trace)
        self._beside: dict[str, _Beside] = {}
        self._used: set[str] = set()
        self._todo: deque[range] = deque()
        self._raced: _Beside | None = None
        self._workload = 0

    def outcome(self) -> Outcome:
        """Play all runs."""
        start = 0
        for at, steps in self._trace.runs:
            self._workload = at
            stop = start + steps * self._trace.step_frames
            self._used = set()
            self._todo.append(range(start, stop))
            while self._todo or self._is_waited_for():
                self._block()
            start = stop
        return self._outcome

    def _is_waited_for(self) -> bool:
        """Have what was left behind computed once more: the first to be ready wins."""
        self._raced = next((b for b in self._beside.values() if b.frames), None)
        if self._raced is not None:
            self._todo.append(self._raced.frames)
        return self._raced is not None

    def _block(self) -> None:
        """Compute one block of the frames that are left."""
        frames = self._todo.popleft()
        choice = self._choose(len(frames) + sum(map(len, self._todo)))
        name = choice.implementation.name
        wished = len(frames) if self._player.once_a_run else choice.frames
        each = self._seconds(name, frames[:wished])
        if np.isnan(each).any():
            self._todo.appendleft(frames)
            self._fail(choice)
            return
        now, fixed = self._outcome.seconds, self._trace.block_seconds.get(name, 0.0)
        watch, waited = Watch(len(each)), None
        if choice.implementation.ends_early:
            watch = Watch(len(each), choice.patience)
            can_leave = choice.implementation.apart and not self._raced
            waited = _watched(each, fixed, watch, can_leave)
            each = each[: watch.frames]
        seconds = fixed + float(each.sum())
        other = self._raced
        if choice.look is not None:
            other = self._look(choice.look, frames[: len(each)])
            if other is not None:
                meanwhile = min(other.end - now, seconds)
                seconds += meanwhile * LOOK_SHARE / self._trace.cores
        self._preparing.begin(choice.prepare, now)
        prepare = self._preparing.now(name, now)
        disturbed = self._preparing.is_busy(now)
        seconds = self._preparing.beside(seconds, now)
        rest = frames[len(each) :]
        if rest:
            self._todo.appendleft(rest)
        parts = watch.measured(self._trace.timing(name, seconds, prepare))
        if waited is not None:
            self._outcome.seconds += waited
            end, left = now + seconds, frames[: len(each)]
            self._beside[name] = _Beside(
                choice.implementation, self._workload, end, parts, left
            )
            return
        is_compiled = choice.implementation.kind == "compiled"
        if other is not None and other.frames and is_compiled:
            ended = other.end - now + STOPPING_SHARE * seconds
            if ended < seconds:
                self._outcome.seconds += ended
                self._collect()
                return
        self._outcome.seconds += prepare + seconds
        if self._raced is not None and not self._todo:
            self._raced.frames = range(0)
            self._raced = None
        is_noticed = disturbed and choice.implementation.shares_processor
        self._measure(choice.implementation, self._workload, parts, is_noticed)
        self._count(name, len(each))
        if choice.look is not None and other is not None:
            other.frames = range(0)
        self._collect()

    def _choose(self, remaining: int) -> Choice:
        now = self._outcome.seconds
        return self._player.policy(
            Situation(
                self._trace.workloads[self._workload],
                self._candidates,
                self._evidence,
                remaining,
                {*self._used, *self._preparing.finished(now)},
                opened=set(self._used),
                seed=self._seed,
                background_share=BACKGROUND_SHARE / self._trace.cores,
                busy=set(self._beside),
                awaited=any(each.frames for each in self._beside.values()),
                disturbed=self._preparing.is_busy(now),
            )
        )

    def _look(self, look: Look, frames: range) -> _Beside | None:
        """Have a device compute a block as well."""
        name = look.implementation.name
        each = self._seconds(name, frames)
        if np.isnan(each).any():
            return None
        fixed = self._trace.block_seconds.get(name, 0.0)
        watch = Watch(len(each), look.patience, is_look=True)
        _watched(each, fixed, watch, can_leave=False)
        seconds = fixed + float(each[: watch.frames].sum())
        parts = watch.measured(self._trace.timing(name, seconds))
        end = self._outcome.seconds + seconds
        wanted = frames if watch.frames == len(frames) else range(0)
        found = _Beside(look.implementation, self._workload, end, parts, wanted)
        self._beside[name] = found
        return found

    def _collect(self) -> None:
        """Take over what others have finished by now."""
        for name, beside in list(self._beside.items()):
            if beside.end <= self._outcome.seconds:
                del self._beside[name]
                if beside is self._raced:
                    self._raced = None
                    self._todo.clear()
                self._measure(
                    beside.implementation, beside.workload, beside.parts, beside=True
                )
                self._count(name, len(beside.frames))

    def _fail(self, choice: Choice) -> None:
        name = choice.implementation.name
        each = self._seconds(name, self._todo[0][: choice.frames])
        self._outcome.seconds += float(np.nansum(each)) + FAILURE_SECONDS
        self._candidates = [
            replace(c, available=c.available and c.name != name)
            for c in self._candidates
        ]

    def _measure(
        self,
        implementation: Implementation,
        workload: int,
        parts: Iterable[Part],
        disturbed: bool = False,
        beside: bool = False,
    ) -> None:
        warm = "disturbed" if disturbed else "ok"
        for part in parts:
            measurement = Measurement(
                self._trace.workloads[workload],
                implementation.name,
                implementation.device,
                part.frames,
                part.timing,
                "cold" if part.timing.prepare else warm,
                self._outcome.seconds,
                confirmed=part.confirmed,
                beside=beside,
            )
            first = implementation.name not in self._used
            self._evidence.add(measurement, first=first)
            self._used.add(implementation.name)

    def _count(self, name: str, frames: int) -> None:
        if frames:
            self._outcome.frames[name] = self._outcome.frames.get(name, 0) + frames

    def _seconds(self, name: str, frames: range) -> NDArray[np.float64]:
        """Return what each of these frames takes."""
        steps = np.arange(frames.start, frames.stop) // self._trace.step_frames
        return self._trace.seconds[name][steps]


def _watched(
    seconds: NDArray[np.float64], fixed: float, watch: Watch, can_leave: bool
) -> float | None:
    """Compute the frames of a block as a device does, in launches.

    When a launch is ready, the next one is being computed already. Return after what
    time the block is left behind, on a device apart; None if it is waited for.
    """
    each = min(watch.launch_frames, LAUNCH_FRAMES)
    watch.starts(each)
    ready_after = fixed + np.cumsum(seconds)
    now = 0.0
    for begun in range(0, len(seconds), each):
        ready = max(begun - each, 0)
        next_ = float(ready_after[ready - 1]) if ready else 0.0
        if can_leave and next_ > watch.deadline:
            break
        now = next_
        if not watch.goes_on(ready, begun, now):
            break
    end = float(ready_after[watch.frames - 1])
    deadline = max(watch.deadline, now)
    if not can_leave or end <= deadline:
        return None
    watch.leave()
    return deadline


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
