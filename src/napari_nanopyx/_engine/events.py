"""Announces what the engine does while it does it, to whoever listens."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from psygnal import EmitLoopError, SignalInstance

from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.types import Implementation, Measurement


@dataclass(slots=True)
class Run:
    """One call of a task, as far as it has come.

    Listeners receive copies, so a run that they hold never changes under them.
    """

    id: int
    task: str
    parameters: Mapping[str, float | str | bool]
    shape: tuple[int, ...]
    """Shape of the input, frames first."""
    dtype: str
    frames_total: int
    frames_done: int = 0
    seconds: float = 0.0
    state: str = "running"
    """``"running"``, ``"finished"``, ``"cancelled"`` or ``"failed"``."""
    blocks: dict[str, int] = field(default_factory=dict)
    """How many frames each implementation has computed, by name."""
    implementation: str = ""
    """The implementation chosen last."""
    reason: str = ""
    """Why it was chosen."""

    def snapshot(self) -> Run:
        """Return a copy that later blocks do not change."""
        return replace(self, blocks=dict(self.blocks))


run_started = SignalInstance((Run,), name="run_started")
"""Emitted with the `Run` before its first block."""

block_finished = SignalInstance(
    (Run, Choice, Measurement, int, int), name="block_finished"
)
"""Emitted with the `Run`, `Choice`, `Measurement`, frames done and frames in all."""

run_finished = SignalInstance((Run,), name="run_finished")
"""Emitted with the `Run` when it has finished, failed or been cancelled."""

implementation_quarantined = SignalInstance(
    (Implementation, str), name="implementation_quarantined"
)
"""Emitted with an `Implementation` that failed, and the reason."""

_ids = count(1)


def next_run_id() -> int:
    """Return a number that no other run of this process has."""
    return next(_ids)


def publish(signal: SignalInstance, *values: Any) -> None:
    """Emit a signal; a listener that raises is reported and harms no computation."""
    if not len(signal):
        return
    try:
        signal.emit(*values)
    except EmitLoopError as error:
        warnings.warn(
            f"a listener of {signal.name} raised {error.__cause__!r}; "
            "the computation goes on without it",
            RuntimeWarning,
            stacklevel=3,
        )
