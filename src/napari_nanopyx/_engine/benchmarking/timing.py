"""Checks and times the implementations of a task on one input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from numpy.typing import NDArray

from napari_nanopyx._engine import catalogue, events
from napari_nanopyx._engine.benchmarking.cells import Cell
from napari_nanopyx._engine.benchmarking.result import BenchmarkRow
from napari_nanopyx._engine.benchmarking.steps import Steps, steps_of
from napari_nanopyx._engine.checks import verification
from napari_nanopyx._engine.checks.agreement import Problem
from napari_nanopyx._engine.errors import Cancelled, WrongResult, describe
from napari_nanopyx._engine.measurements import history
from napari_nanopyx._engine.measurements.blocks import LONGEST_SECONDS
from napari_nanopyx._engine.measurements.measuring import measured, workload_of
from napari_nanopyx._engine.policy import agent
from napari_nanopyx._engine.policy.situation import Situation
from napari_nanopyx._engine.policy.trials import frames_in
from napari_nanopyx._engine.running.sessions import Sessions
from napari_nanopyx._engine.running.turns import computing
from napari_nanopyx._engine.session import Session
from napari_nanopyx._engine.types import Implementation, Timing

_GROWTH = 8
_LONG_RUN = 1_000_000


@dataclass
class _Arm:
    """What is known so far of one implementation in one cell."""

    implementation: Implementation
    status: str = "ok"
    reason: str = ""
    error: float | None = None
    frames: int = 0
    prepare: float = 0.0
    seconds: list[float] = field(default_factory=list)
    """For a frame, of each timed block."""

    @property
    def median(self) -> float | None:
        """Median of the seconds, if it has run at all."""
        return median(self.seconds) if self.seconds else None


class CellBench:
    """Measures the implementations in one cell, one after the other."""

    def __init__(
        self, cell: Cell, wanted: Sequence[str], repeats: int, steps: Steps
    ) -> None:
        self._cell = cell
        self._wanted = wanted
        self._repeats = repeats
        self._steps = steps
        self._workload = workload_of(cell.task, cell.plan, cell.dtype)
        self._arms: list[_Arm] = []
        self._checked_on: tuple[int, ...] = ()

    def measure(self) -> bool:
        """Check and time whatever can run; return False if cancelled."""
        try:
            self._measure()
        except Cancelled:
            return False
        return True

    def rows(self) -> list[BenchmarkRow]:
        """Return a row for each implementation of which anything is known."""
        medians = [arm.median for arm in self._arms if arm.median is not None]
        return [
            self._row(arm, min(medians, default=0.0))
            for arm in self._arms
            if arm.status != "ok" or arm.seconds
        ]

    def choice(self) -> tuple[str, str]:
        """Return what the agent would take for a long run, and why.

        It chooses from those that were measured, all of them prepared.
        """
        candidates = [arm.implementation for arm in self._arms if arm.seconds]
        situation = Situation(
            self._workload,
            candidates,
            history.current().evidence(self._workload),
            _LONG_RUN,
            ready=[candidate.name for candidate in candidates],
        )
        choice = agent.choose(situation)
        taken, known = choice.implementation.name, choice.expected
        fastest = min(known, key=lambda name: known[name], default=taken)
        if fastest == taken:
            return taken, choice.reason
        return fastest, "expected to be the fastest, once others are measured again"

    def _measure(self) -> None:
        self._steps.begin()
        frames = self._cell.frames()
        problem = self._cell.problem(frames)
        self._checked_on = tuple(problem.plan.shape)
        listed = catalogue.candidates(
            self._cell.task.name, wait=True, plan=self._cell.plan
        )
        for candidate in listed:
            if candidate.name not in self._wanted:
                continue
            arm = _Arm(candidate)
            self._arms.append(arm)
            if not candidate.available:
                arm.status = "unavailable"
                arm.reason = f"{candidate.reason}. What to do: {candidate.remedy}"
                continue
            until = self._steps.done + steps_of(self._repeats)
            try:
                self._check(arm, problem)
                self._time(arm, frames)
            except Cancelled:
                raise
            except Exception as error:  # noqa: BLE001 - reported in the row
                self._failed(arm, error)
            self._steps.go_to(until)

    def _check(self, arm: _Arm, problem: Problem) -> None:
        self._steps.begin()
        if arm.implementation.kind == "reference":
            arm.error = 0.0
        else:
            arm.prepare = self._compile(arm.implementation)
            with computing():
                found = verification.verify(
                    arm.implementation, self._cell.task, problem, self._steps.begin
                )
            arm.error = found.error
            arm.prepare += found.prepare
        self._steps.go_to(self._steps.done + 1)

    def _compile(self, implementation: Implementation) -> float:
        """Wait for the compiler, safe from its crashes; return what it took."""
        cell = self._cell
        sessions = Sessions(cell.task, cell.plan, cell.dtype)
        while not sessions.is_ready(implementation):
            self._steps.begin()
            for _, error in sessions.take_failed():
                raise error
        return sessions.take_preparation(implementation.name)

    def _time(self, arm: _Arm, frames: NDArray[Any]) -> None:
        """Warm up with more and more frames, then time blocks as long as in a run."""
        self._steps.begin()
        plan = self._cell.plan
        with computing():
            session = catalogue.open_session(arm.implementation, self._cell.task, plan)
        try:
            most = min(len(plan.segments[0]), session.preferred_frames)
            count = 1
            timing = self._block(arm, session, frames, count, warm_up=True)
            while count < most and timing.warm < LONGEST_SECONDS / _GROWTH:
                self._steps.begin()
                count = min(most, count * _GROWTH)
                timing = self._block(arm, session, frames, count)
            count = min(most, frames_in(LONGEST_SECONDS, timing.warm / count))
            self._steps.go_to(self._steps.done + 1)
            arm.frames = count
            for _ in range(self._repeats):
                self._steps.begin()
                timing = self._block(arm, session, frames, count)
                arm.seconds.append(timing.warm / count)
                self._steps.go_to(self._steps.done + 1)
        finally:
            session.close()

    def _block(
        self,
        arm: _Arm,
        session: Session,
        frames: NDArray[Any],
        count: int,
        warm_up: bool = False,
    ) -> Timing:
        """Compute the first frames, into new memory as in a run, and record it."""
        which = self._cell.plan.segments[0][:count]
        places = self._cell.plan.merger().places(which)
        block = frames[which.start : which.stop]
        with computing():
            _, timing = session.run(block, which, places)
        if warm_up:
            arm.prepare += timing.prepare
            timing = replace(timing, prepare=arm.prepare)
        found = measured(self._workload, arm.implementation, count, timing)
        if warm_up:
            found = replace(found, outcome="cold")
        history.current().record(found, first=warm_up)
        return timing

    def _failed(self, arm: _Arm, error: Exception) -> None:
        """Note what went wrong; one that computes wrong numbers is quarantined."""
        arm.status, arm.reason, arm.seconds = "failed", describe(error), []
        chosen, nothing = arm.implementation, Timing(0.0, 0.0, 0.0)
        failure = measured(self._workload, chosen, 0, nothing, failed=True)
        history.current().record(failure)
        if isinstance(error, WrongResult):
            arm.status, arm.reason = "wrong", str(error)
            catalogue.quarantine(chosen, describe(error), error.remedy)
            events.publish(events.implementation_quarantined, chosen, describe(error))

    def _row(self, arm: _Arm, fastest: float) -> BenchmarkRow:
        cell, middle = self._cell, arm.median
        return BenchmarkRow(
            cell.task.name,
            cell.shape,
            cell.dtype,
            cell.varied,
            arm.implementation.name,
            arm.implementation.device,
            arm.status,
            arm.reason,
            arm.frames,
            len(arm.seconds),
            arm.prepare,
            min(arm.seconds, default=None),
            middle,
            middle / fastest if middle is not None and fastest > 0 else None,
            arm.error,
            self._checked_on if arm.error is not None else (),
        )
