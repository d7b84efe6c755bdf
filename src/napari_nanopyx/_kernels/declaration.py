"""What a task declares: parameters, plan, cost, and how partial results merge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Partial = dict[str, NDArray[Any]]
"""What one block of frames leaves behind: arrays by output name."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting of a task, as the agent, the panel and the benchmark see it."""

    name: str
    default: float | str | bool
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """The least work one input frame needs."""

    flops: float
    bytes: float


@dataclass(frozen=True, slots=True)
class Output:
    """One array that a block leaves behind."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    each_frame: bool = False
    """Whether it has an array for each frame, frames first, or values over frames."""

    @property
    def nbytes(self) -> int:
        """Size in memory."""
        return int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize


class Merger(Protocol):
    """Collects partial results, in any grouping of blocks, into the final array."""

    def places(self, frames: range) -> Partial:
        """Return the arrays that outputs of these frames can be written to directly."""

    def add(self, frames: range, partial: Partial, threads: int = 1) -> None:
        """Take over the partial result of these input frames, arrays included."""

    def result(self) -> NDArray[np.float32]:
        """Return the final array once every segment has been added."""


class Plan(Protocol):
    """A task bound to one input shape, dtype and set of parameter values."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the input, frames first."""

    @property
    def parameters(self) -> Mapping[str, float | str | bool]:
        """Each parameter that can change the run time, by name."""

    @property
    def cost(self) -> Cost:
        """Work per input frame."""

    @property
    def segments(self) -> Sequence[range]:
        """Runs of frames that no block may straddle; frames in none are skipped."""

    @property
    def block_bytes_per_frame(self) -> int:
        """Memory that each further frame of a block needs, besides the kernel's own."""

    @property
    def tables_vary(self) -> bool:
        """Whether each block of frames has tables of its own."""

    def part_rows(self, threads: int) -> int:
        """Return how many rows one thread should take at a time."""

    def parts(self, count: int, part_rows: int) -> int:
        """Return how many independent parts a block of so many frames has."""

    def work_floats(self, part_rows: int) -> dict[str, int]:
        """Return the size of each of the kernel's own arrays, for one frame."""

    def scratch_floats(self, part_rows: int) -> int:
        """Return how much memory one thread needs while it computes a part."""

    def scalars(self, part_rows: int) -> dict[str, int | float]:
        """Return the numbers the kernel is given."""

    def tables(self, frames: range, part_rows: int) -> dict[str, NDArray[Any]]:
        """Return the precomputed arrays the kernel is given for these frames."""

    def outputs(self, frames: range) -> dict[str, Output]:
        """Return the arrays that a block fills: the keys of its partial result."""

    def reference(self, block: NDArray[Any], frames: range) -> Partial:
        """Compute the partial result in float64 NumPy, straight from the formulas."""

    def merger(self) -> Merger:
        """Return an empty collector for this plan."""


@runtime_checkable
class Preparing(Protocol):
    """A plan whose kernel is given what was found of whole frames before."""

    def prepared(
        self, block: NDArray[Any], frames: range, threads: int
    ) -> dict[str, NDArray[np.float32]]:
        """Return the kernel's other input arrays for these frames, frames first."""


Compute = Callable[[NDArray[Any], range, Partial], None]
"""Fills the given outputs from a block of these frames."""


def always_fit(plan: Any) -> str:  # noqa: ARG001
    """Say nothing against any plan."""
    return ""


def as_declared(plan: Any) -> float:
    """Return the operations that the plan declares."""
    return float(plan.cost.flops)


@dataclass(frozen=True, slots=True)
class Algorithm:
    """Another way to a task's result: one more implementation, on the processor.

    Either the task's compiled kernel computes another plan with the same outputs
    (`rewritten`), or a Python function computes blocks (`start`).
    """

    name: str
    """Name of the implementation."""
    summary: str
    unfit: Callable[[Any], str] = always_fit
    """Say why a plan cannot be computed this way; an empty text if it can."""
    flops: Callable[[Any], float] = as_declared
    """About how many of the kernel's operations take as long as a frame does this way:
    what the agent goes by until there are measurements."""
    rewritten: Callable[[Any], Plan] | None = None
    """Return the plan for the compiled kernel."""
    start: Callable[[Any, int], Compute] | None = None
    """Prepare a plan on so many threads."""


@dataclass(frozen=True, slots=True)
class Task:
    """One method's hot part, with everything the engine needs to know about it."""

    name: str
    summary: str
    parameters: tuple[Parameter, ...]
    plan: Callable[..., Plan]
    example: Callable[[], tuple[NDArray[Any], dict[str, Any]]]
    axes: int = 3
    """Axes of a stack of frames: 3 if they are images, 4 if they are volumes."""
    tolerance: float = 1e-5
    """Share of the largest value by which an implementation may differ."""
    resized: Callable[[Any, tuple[int, ...]], Plan] | None = None
    """Binds the parameters of a plan to frames of about another shape, on which an
    implementation can be checked in little time; without it, none is checked."""
    arguments: Callable[..., dict[str, Any]] | None = None
    """Makes what `plan` takes besides a shape, given the shape and parameters as a user
    writes them; generates what is large, such as the weights of a kernel of some size.
    Raises ValueError or TypeError. By default the parameters are taken as they are."""
    algorithms: tuple[Algorithm, ...] = ()
    """Other ways to the same result than the task's kernel."""
    unfit: Callable[[Any], str] = always_fit
    """Say why the task's kernel cannot compute a plan, so that only its algorithms and
    the reference can; an empty text if it can."""

    def algorithm(self, name: str) -> Algorithm | None:
        """Return the algorithm that an implementation of this name uses, if any."""
        return next((each for each in self.algorithms if each.name == name), None)
