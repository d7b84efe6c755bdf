"""What can go wrong in the engine, as one tree of exceptions and two warnings.

NanoPyxError
├── Cancelled
│   └── BenchmarkCancelled
├── MissingPackage (also an ImportError)
├── WrongResult
├── ImplementationUnavailable
│   └── UnknownImplementation (also a ValueError)
├── PreparationFailed
├── NotFinite
└── ImplementationFailed
    └── NoImplementationLeft
HistoryWarning (a UserWarning)
NotFiniteWarning (a RuntimeWarning)
"""

# ruff: noqa: N818 - these names say what happened

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class NanoPyxError(Exception):
    """Anything the engine reports that is not a mistake in an argument."""


class Cancelled(NanoPyxError):
    """The caller asked for the computation to stop."""


class BenchmarkCancelled(Cancelled):
    """The caller asked for a benchmark to stop; what it has measured is in `result`."""

    def __init__(self, result: Any) -> None:
        super().__init__("the benchmark was cancelled")
        self.result = result
        """A `Benchmark` of what was measured until then."""


class MissingPackage(NanoPyxError, ImportError):
    """Something was asked for that needs a package which is not installed."""

    def __init__(self, package: str, purpose: str, remedy: str) -> None:
        super().__init__(package, purpose, remedy)
        self.package = package
        self.purpose = purpose
        self.remedy = remedy

    def __str__(self) -> str:
        needs = f"{self.purpose} needs {self.package}, which cannot be imported"
        return f"{needs}. What to do: {self.remedy}"


class ImplementationUnavailable(NanoPyxError):
    """An implementation was asked for by name, and cannot run here."""

    def __init__(self, name: str, reason: str, remedy: str) -> None:
        super().__init__(name, reason, remedy)
        self.name = name
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        message = f"implementation {self.name!r} cannot run here: {self.reason}"
        return f"{message}. What to do: {self.remedy}" if self.remedy else message


class UnknownImplementation(ImplementationUnavailable, ValueError):
    """An implementation was asked for by a name that the task does not have."""

    def __init__(self, name: str, task: str, known: Iterable[str]) -> None:
        super().__init__(
            name,
            f"{task} has no implementation of this name",
            f"use one of {', '.join(known)}",
        )


class PreparationFailed(NanoPyxError):
    """An implementation could not be made ready: its compiler crashed or hung."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason, remedy)
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.reason}. What to do: {self.remedy}"


class NotFinite(NanoPyxError):
    """An implementation gave NaN or infinity where another one gives numbers."""

    def __init__(self, values: int, other: str) -> None:
        super().__init__(values, other)
        self.values = values
        self.other = other

    def __str__(self) -> str:
        plural = "" if self.values == 1 else "s"
        return (
            f"it gave NaN or infinity for {self.values} value{plural}, "
            f"where {self.other!r} gives numbers"
        )


class ImplementationFailed(NanoPyxError):
    """An implementation that was asked for by name raised while computing."""

    def __init__(self, name: str, task: str, reason: str) -> None:
        super().__init__(name, task, reason)
        self.name = name
        self.task = task
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"implementation {self.name!r} of {self.task} failed: {self.reason}. "
            "Without implementation= another one would have been tried"
        )


class NoImplementationLeft(ImplementationFailed):
    """Every implementation that could run here has failed."""

    def __init__(self, task: str, reasons: Mapping[str, str]) -> None:
        super().__init__(", ".join(reasons), task, "all failed")
        self.reasons = dict(reasons)

    def __str__(self) -> str:
        listed = "".join(f"\n  {name}: {why}" for name, why in self.reasons.items())
        return f"no implementation of {self.task} is left to compute with:{listed}"


class WrongResult(NanoPyxError):
    """An implementation did not compute what the reference computes."""

    remedy = (
        "update the driver of the device, or install napari-nanopyx again; it is "
        "checked anew when the program starts, or after engine.refresh()"
    )


class HistoryWarning(UserWarning):
    """The history of measurements cannot be kept as it should."""


class NotFiniteWarning(RuntimeWarning):
    """A result holds NaN or infinity, and no implementation is to blame."""


def describe(error: BaseException) -> str:
    """Return an exception as one short line: its type and its first sentence."""
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return text if len(text) <= 300 else f"{text[:297]}..."
