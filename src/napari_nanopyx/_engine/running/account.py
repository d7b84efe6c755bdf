"""Keeps account of a run: counts frames, remembers times, announces both."""

from __future__ import annotations

import time
from typing import Any

from napari_nanopyx._engine import context, events
from napari_nanopyx._engine.events import Run
from napari_nanopyx._engine.measurements import history
from napari_nanopyx._engine.measurements.measuring import NOTICED_SECONDS, measured
from napari_nanopyx._engine.patience import Part
from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.running.beside import Job
from napari_nanopyx._engine.running.sessions import Sessions
from napari_nanopyx._engine.types import Implementation, Timing, Workload


class Account:
    """The account of one run.

    Parameters
    ----------
    run
        What is announced of it.
    workload
        What it computes.
    sessions
        Knows what preparing and opening implementations took.
    """

    def __init__(self, run: Run, workload: Workload, sessions: Sessions) -> None:
        self.run = run
        self.is_aside = context.is_aside()
        """Whether nothing of it is to be remembered or announced."""
        self._workload = workload
        self._sessions = sessions
        self._started = time.perf_counter()
        self._measured: set[str] = set()

    def chose(self, choice: Choice) -> None:
        """Note what computes the next block, and why."""
        self.run.implementation = choice.implementation.name
        self.run.reason = choice.reason

    def count(self, name: str, frames: int) -> None:
        """Count frames of the result that an implementation has computed."""
        self.run.blocks[name] = self.run.blocks.get(name, 0) + frames
        self.run.frames_done += frames

    def finished(
        self,
        choice: Choice,
        part: Part,
        merging: float,
        disturbed: bool,
        *,
        beside: bool = False,
    ) -> None:
        """Remember what frames took that were computed for the result.

        Merging took some seconds more for each.
        """
        name, frames, timing = choice.implementation.name, part.frames, part.timing
        timing = Timing(
            timing.prepare + self._sessions.take_preparation(name),
            timing.transfer,
            timing.compute + merging * frames,
        )
        is_first = name not in self._measured
        self._measured.add(name)
        part = part._replace(timing=timing)
        self.seen(choice, part, disturbed, beside=beside, is_first=is_first)

    def seen(
        self,
        choice: Choice,
        part: Part,
        disturbed: bool = False,
        *,
        beside: bool = True,
        is_first: bool = False,
    ) -> None:
        """Remember what a block took, though it need not count for the result."""
        measurement = measured(
            self._workload,
            choice.implementation,
            part.frames,
            part.timing,
            opening=self._sessions.take_opening(choice.implementation.name),
            disturbed=disturbed,
            confirmed=part.confirmed,
            beside=beside,
        )
        if not self.is_aside:
            history.current().record(measurement, first=is_first)
        done, total = self.run.frames_done, self.run.frames_total
        self.announce(events.block_finished, choice, measurement, done, total)

    def failed(self, failed: Implementation, frames: int, seconds: float) -> None:
        """Remember that an implementation has failed."""
        if self.is_aside:
            return
        timing = Timing(0.0, 0.0, seconds)
        failure = measured(self._workload, failed, frames, timing, failed=True)
        history.current().record(failure)

    def remember(self, job: Job) -> None:
        """Remember what a job took that was over after the run."""
        if job.timing is None:
            self.failed(job.implementation, len(job.frames), job.seconds)
            return
        if self.is_aside:
            return
        about = self._workload, job.implementation
        for frames, timing, confirmed in job.watch.measured(job.timing):
            history.current().record(
                measured(*about, frames, timing, confirmed=confirmed, beside=True)
            )

    def close(self, state: str) -> None:
        """Announce the end; closing sessions will take the next run as long again."""
        closing = [each for each in self._sessions.closing if each[1] > NOTICED_SECONDS]
        if closing and not self.is_aside:
            evidence = history.current().evidence(self._workload)
            for implementation, seconds in closing:
                evidence.closed(implementation.arm, seconds)
        self.run.state = state
        self.announce(events.run_finished)
        for runs in context.recorders():
            runs.append(self.run.snapshot())

    def announce(self, signal: Any, *values: Any) -> None:
        """Tell who listens how far the run has come."""
        self.run.seconds = time.perf_counter() - self._started
        if len(signal) and not self.is_aside:
            events.publish(signal, self.run.snapshot(), *values)
