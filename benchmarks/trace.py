"""Traces: what each implementation would have taken, frame after frame."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine.types import Implementation, Timing, Workload

PROCESSOR = "traced processor"

_ON_PROCESSOR = re.compile("opencl:(cpu|pthread)")  # as PoCL names it


@dataclass(frozen=True)
class Trace:
    """Runs of one task, with the times of all implementations at every step.

    A step is a few frames. Times belong to steps and not to the clock: whatever a
    policy chooses, it meets the same delays at the same frames.
    """

    name: str
    summary: str
    step_frames: int
    kinds: Mapping[str, str]
    """Kind of each implementation, by name."""
    prepare_seconds: Mapping[str, float]
    workloads: Sequence[Workload]
    runs: Sequence[tuple[int, int]]
    """Number of the workload and steps, of each run."""
    seconds: Mapping[str, NDArray[np.float64]]
    """Seconds a frame at each step; NaN where the implementation fails."""
    history: Sequence[tuple[str, int, float]] = field(default=())
    """What was measured before: implementation, workload, seconds a frame."""
    prepared: Sequence[str] = ()
    """What this process has prepared before the first run."""
    block_seconds: Mapping[str, float] = field(default_factory=dict)
    """What each block takes besides its frames, by implementation."""
    cores: int = 4
    """Of which preparing something in the background takes one."""
    machine: Mapping[str, str] = field(default_factory=dict)
    """Where it was recorded; empty for a made trace."""
    copied: Mapping[str, float] = field(default_factory=dict)
    """The part of a frame's time that copying takes, by implementation."""

    def __post_init__(self) -> None:
        steps = sum(count for _, count in self.runs)
        for name, seconds in self.seconds.items():
            if len(seconds) != steps:
                raise ValueError(
                    f"trace {self.name!r} has {len(seconds)} steps of {name}, "
                    f"but its runs have {steps}"
                )

    @property
    def implementations(self) -> list[Implementation]:
        """What a policy may choose from."""
        task = self.workloads[0].task
        return [
            Implementation(
                task,
                name,
                self.kinds[name],
                self.device(name),
                apart=self.kinds[name] == "opencl" and not _ON_PROCESSOR.search(name),
            )
            for name in self.seconds
        ]

    def device(self, name: str) -> str:
        """Return what an implementation runs on: those of OpenCL have their own."""
        return name if self.kinds[name] == "opencl" else PROCESSOR

    def timing(self, name: str, seconds: float, prepare: float = 0.0) -> Timing:
        """Return what a block took.

        Of what it takes besides its frames, half is copies; of the frames, as much as
        `copied` says. Only a device of its own is copied to.
        """
        is_copied = self.kinds[name] == "opencl"
        fixed = self.block_seconds.get(name, 0.0) if is_copied else 0.0
        copies = fixed / 2 + self.copied.get(name, 0.0) * (seconds - fixed)
        return Timing(prepare, copies, seconds - copies)


def write(trace: Trace, path: Path) -> None:
    """Write a trace as JSON, with four digits."""
    workloads = [
        {
            "task": at.task,
            "digest": at.digest,
            "shape": list(at.shape),
            "dtype": at.dtype,
            "parameters": dict(at.parameters),
            "flops": at.flops,
            "bytes": at.bytes,
        }
        for at in trace.workloads
    ]
    content: dict[str, Any] = {
        "name": trace.name,
        "summary": trace.summary,
        "machine": dict(trace.machine),
        "step_frames": trace.step_frames,
        "kinds": dict(trace.kinds),
        "prepare_seconds": {
            name: _rounded(seconds) for name, seconds in trace.prepare_seconds.items()
        },
        "workloads": workloads,
        "runs": [list(run) for run in trace.runs],
        "history": [[name, at, _rounded(s)] for name, at, s in trace.history],
        "prepared": list(trace.prepared),
        "block_seconds": {
            name: _rounded(seconds) for name, seconds in trace.block_seconds.items()
        },
        "copied": dict(trace.copied),
        "cores": trace.cores,
        "seconds": {
            name: [None if np.isnan(s) else _rounded(s) for s in seconds]
            for name, seconds in trace.seconds.items()
        },
    }
    path.write_text(json.dumps(content) + "\n", encoding="utf-8")


def read(path: Path) -> Trace:
    """Read a trace that `write` has written."""
    content = json.loads(path.read_text(encoding="utf-8"))
    workloads = [
        Workload(**(given | {"shape": tuple(given["shape"])}))
        for given in content.pop("workloads")
    ]
    seconds = {
        name: np.array(values, np.float64)  # None becomes NaN
        for name, values in content.pop("seconds").items()
    }
    runs = [(at, steps) for at, steps in content.pop("runs")]
    history = [(name, at, s) for name, at, s in content.pop("history")]
    return Trace(
        workloads=workloads, seconds=seconds, runs=runs, history=history, **content
    )


def _rounded(seconds: float) -> float:
    return float(f"{seconds:.4g}")
