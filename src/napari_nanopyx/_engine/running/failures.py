"""What a run does about a failure: smaller blocks, other implementations, the end."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from enum import Enum

from napari_nanopyx._engine import catalogue, events
from napari_nanopyx._engine.errors import (
    ImplementationFailed,
    NoImplementationLeft,
    describe,
)
from napari_nanopyx._engine.types import Implementation
from napari_nanopyx._kernels.declaration import Plan

_MEMORY_CODES = (-4, -5, -6, -61)
"""OpenCL: memory of the device, its resources, memory of the host, size of a buffer."""

_LOST_CODES = (-1, -2, -33, -34, -36, -9999)
"""OpenCL: no such device or context any more; the last is NVIDIA's own."""


class Fault(Enum):
    """What kind of failure an exception tells of."""

    MEMORY = "memory"
    """It may succeed with less at a time."""
    LOST = "lost"
    """The device has gone, or must be opened anew."""
    OTHER = "other"


def fault(error: BaseException) -> Fault:
    """Tell what kind of failure an exception is."""
    if isinstance(error, MemoryError):
        return Fault.MEMORY
    # pyopencl need not be installed, and its exceptions have numbers.
    if type(error).__module__.partition(".")[0] != "pyopencl":
        return Fault.OTHER
    code = getattr(error, "code", None)
    if code in _MEMORY_CODES:
        return Fault.MEMORY
    return Fault.LOST if code in _LOST_CODES else Fault.OTHER


class Failures:
    """The failures of one run of a task."""

    def __init__(self, task_name: str, plan: Plan, pinned: bool) -> None:
        self._task_name = task_name
        self._plan = plan
        self._pinned = pinned
        self._most_frames: dict[str, int] = {}
        self._reasons: dict[str, str] = {}
        self._left_out: dict[str, str] = {}
        self._last: Exception | None = None

    def most_frames(self, name: str, frames: int) -> int:
        """Return the largest block that an implementation may be given."""
        return min(frames, self._most_frames.get(name, frames))

    def candidates(self, pending: Collection[str]) -> list[Implementation]:
        """Return what to choose from.

        Those that are being compiled are left to themselves if anything but the
        reference can go on. If nothing is available, the search for OpenCL devices is
        waited for.

        Raises
        ------
        NoImplementationLeft
            If nothing is available then either.
        """
        listed = self._listed()
        if not any(candidate.available for candidate in listed):
            listed = self._listed(wait=True)
            if not any(candidate.available for candidate in listed):
                raise self._none_left(listed) from self._last
        if not pending:
            return listed
        others = [each for each in listed if each.name not in pending]
        useful = any(each.available and each.kind != "reference" for each in others)
        return others if useful else listed

    def add(self, failed: Implementation, frames: int, error: Exception) -> None:
        """Decide what follows from a failure with so many frames.

        Raises
        ------
        ImplementationFailed
            If it was asked for by name, and a smaller block cannot help.
        """
        kind, reason = fault(error), describe(error)
        if kind is Fault.MEMORY and frames > 1:
            self._most_frames[failed.name] = frames // 2
            return
        if kind is Fault.LOST:
            catalogue.lose(failed, reason)
        if self._pinned:
            raise ImplementationFailed(failed.name, failed.task, reason) from error
        self._reasons[failed.name], self._last = reason, error
        # Other images may need less memory, and a device may come back.
        self._left_out[failed.name] = reason
        if kind is Fault.OTHER:
            catalogue.quarantine(failed, reason, getattr(error, "remedy", ""))
        events.publish(events.implementation_quarantined, failed, reason)

    def _listed(self, wait: bool = False) -> list[Implementation]:
        candidates = catalogue.candidates(self._task_name, wait, self._plan)
        if not self._left_out:
            return candidates
        return [
            replace(candidate, available=False, reason=self._left_out[candidate.name])
            if candidate.available and candidate.name in self._left_out
            else candidate
            for candidate in candidates
        ]

    def _none_left(self, candidates: list[Implementation]) -> NoImplementationLeft:
        # If all fail in one run, its input is the likelier cause: condemn none of them.
        for name in self._reasons:
            catalogue.release(self._task_name, name)
        reasons = {missing.name: missing.reason for missing in candidates}
        return NoImplementationLeft(self._task_name, reasons | self._reasons)
