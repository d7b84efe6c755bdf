"""The plain data that passes between the rooms of the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from napari_nanopyx._kernels.declaration import Plan, Task


@dataclass(frozen=True, slots=True)
class Device:
    """A processor that can compute."""

    name: str
    kind: str
    """``"cpu"`` or ``"opencl"``."""
    identity: str
    """Model, cores and driver: what its measurements are kept under."""
    memory_bytes: int
    is_gpu: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)


class Arm(NamedTuple):
    """An implementation on a device: what a choice is made between."""

    implementation: str
    device: str


@dataclass(frozen=True, slots=True)
class Implementation:
    """One way of computing a task, whether or not it can run here."""

    task: str
    name: str
    """The word users see and pin, such as ``"serial"`` or ``"opencl:…"``."""
    kind: str
    """The backend: ``"compiled"``, ``"numba"``, ``"opencl"``, ``"python"`` or
    ``"reference"``."""
    device: str
    """Identity of the device it runs on; empty if there is none."""
    available: bool = True
    reason: str = ""
    """Why it cannot run here; empty if it can."""
    remedy: str = ""
    """What the user can do about it."""
    work: float = 1.0
    """What it has to do for a plan, as a share of what the task's kernel has to do."""
    most_frames: int = 0
    """Largest block that it computes at once; 0 where that depends on the plan."""
    apart: bool = False
    """Whether it leaves the processor free, so that both can compute at a time."""
    arm: Arm = field(init=False, repr=False, compare=False)
    """What its measurements are kept under."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "arm", Arm(self.name, self.device))

    @property
    def ends_early(self) -> bool:
        """Whether its blocks can end before all their frames are computed."""
        return self.kind == "opencl"

    @property
    def shares_processor(self) -> bool:
        """Whether what is prepared beside it takes time from it."""
        return self.kind != "opencl"


@dataclass(frozen=True, slots=True)
class Compiler:
    """What makes an implementation ready when it is used first, and may take long."""

    version: str
    """Name and version; another one may succeed where this one failed."""
    compile: Callable[[Task, Plan, str], None]
    """Compiles for a task, a plan and a data type, without computing."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds one block took; preparation is compiling and setting up."""

    prepare: float
    transfer: float
    compute: float

    @property
    def warm(self) -> float:
        """Seconds that a repeat of the block would take."""
        return self.transfer + self.compute

    @property
    def total(self) -> float:
        """Seconds that the block took, preparation included."""
        return self.prepare + self.warm


@dataclass(frozen=True, slots=True)
class Workload:
    """What is to be computed, as far as run time depends on it."""

    task: str
    digest: str
    shape: tuple[int, ...]
    """Shape of one frame."""
    dtype: str
    parameters: Mapping[str, float | str | bool]
    flops: float
    """Per frame."""
    bytes: float
    """Per frame."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One timed block, as it is stored."""

    workload: Workload
    implementation: str
    device: str
    frames: int
    timing: Timing
    outcome: str = "ok"
    """``"ok"``, ``"cold"`` (preparation happened), ``"disturbed"`` (this program was
    preparing something else meanwhile), ``"failed"`` or ``"cancelled"``."""
    at: float = 0.0
    """Unix time."""
    version: str = ""
    confirmed: bool = False
    """Whether it ended early because it was slow, and was so to its very end."""
    beside: bool = False
    """Whether others computed meanwhile, so that nobody waited for it."""

    @property
    def frame_seconds(self) -> float:
        """Seconds that a repeat would take for one frame."""
        return self.timing.warm / self.frames
