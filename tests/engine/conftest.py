"""A toy task and a backend whose speed and failures a test decides."""

# ruff: noqa: D102 - the toys mirror documented protocols

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_nanopyx import _kernels
from napari_nanopyx._engine.backends import BACKENDS
from napari_nanopyx._engine.machine import devices
from napari_nanopyx._engine.patience import Watch
from napari_nanopyx._engine.running import preparing, runner
from napari_nanopyx._engine.types import Compiler, Implementation, Timing
from napari_nanopyx._kernels.declaration import Cost, Output, Partial, Task

Hook = Callable[[NDArray[Any], range], None]


class Doubling:
    """Collects doubled frames, whatever the blocks were."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._frames = np.full(shape, np.nan, np.float32)

    def places(self, frames: range) -> Partial:
        return {}

    def add(self, frames: range, partial: Partial, threads: int = 1) -> None:
        self._frames[frames.start : frames.stop] = partial["doubled"]

    def result(self) -> NDArray[np.float32]:
        return self._frames


@dataclass
class ToyPlan:
    """A plan that doubles each frame."""

    shape: tuple[int, ...]
    segments: Sequence[range]
    block_bytes_per_frame: int = 1
    parameters: Mapping[str, float | str | bool] = field(
        default_factory=lambda: {"factor": 2, "kernel": "plain"}
    )
    cost: Cost = field(default_factory=lambda: Cost(1e9, 1e4))

    def scalars(self, frames: range, part_rows: int) -> dict[str, int | float]:
        return {}

    def tables(self, frames: range, part_rows: int) -> dict[str, NDArray[Any]]:
        return {}

    def outputs(self, frames: range) -> dict[str, Output]:
        return {"doubled": Output((len(frames), *self.shape[1:]), each_frame=True)}

    def reference(self, block: NDArray[Any], frames: range) -> Partial:
        return {"doubled": 2.0 * block.astype(np.float64)}

    def merger(self) -> Doubling:
        return Doubling(self.shape)


@dataclass
class Arm:
    """What a test decides about one implementation, and what became of it."""

    seconds: float = 1e-3
    prepare: float = 0.0
    kind: str = "compiled"
    device: str = "test device"
    preferred_frames: int = 1000
    compiling: Callable[[], None] | None = None
    """Called in place of a compiler; may raise or take long."""
    seconds_of: Callable[[int], float] | None = None
    """Seconds of each frame by its number; then blocks have launches."""
    before: Hook | None = None
    """Called with each block; may raise."""
    apart: bool = False
    """Whether it can compute beside others, and be left behind while `before` lasts."""
    reason: str = ""
    """Why it is missing, if it is."""
    blocks: list[range] = field(default_factory=list)
    opened: int = 0
    closed: int = 0


class ToySession:
    """Computes at once, and says that it took as long as the test has decided."""

    def __init__(self, arm: Arm, plan: ToyPlan) -> None:
        self._arm = arm
        self._plan = plan
        self._prepare = arm.prepare if not arm.blocks else 0.0
        self.preferred_frames = arm.preferred_frames

    def run(
        self,
        block: NDArray[Any],
        frames: range,
        places: Partial | None = None,
        watch: Watch | None = None,
    ) -> tuple[Partial, Timing]:
        assert block.flags.c_contiguous
        assert len(block) == len(frames)
        if self._arm.apart and watch is not None:
            watch.starts(watch.launch_frames)
        if self._arm.before is not None:
            self._arm.before(block, frames)
        if self._arm.apart and watch is not None:
            frames, block = frames[: watch.frames], block[: watch.frames]
        seconds = self._arm.seconds * len(frames)
        if self._arm.seconds_of is not None:
            each = [self._arm.seconds_of(frame) for frame in frames]
            done = self._watched(each, watch or Watch(len(frames)))
            frames, block, seconds = frames[:done], block[:done], sum(each[:done])
        self._arm.blocks.append(frames)
        timing = Timing(self._prepare, 0.0, seconds)
        self._prepare = 0.0
        return self._plan.reference(block, frames), timing

    def _watched(self, each: Sequence[float], watch: Watch) -> int:
        """Return how many frames are done, two launches being begun at a time."""
        for begun in range(0, len(each), watch.launch_frames):
            ready = max(begun - watch.launch_frames, 0)
            if not watch.goes_on(ready, begun, sum(each[:ready])):
                break
        return watch.frames

    def close(self) -> None:
        self._arm.closed += 1


@dataclass
class Toy:
    """The toy task; `arms` are its implementations."""

    arms: dict[str, Arm] = field(default_factory=dict)
    task: Task = field(
        default_factory=lambda: Task("toy", "doubles", (), None, None)  # type: ignore[arg-type]
    )

    def listed(self, task_name: str, kind: str) -> list[Implementation]:
        return [
            Implementation(
                task_name,
                name,
                arm.kind,
                arm.device,
                available=not arm.reason,
                reason=arm.reason,
                remedy="add it to the test" if arm.reason else "",
                apart=arm.apart,
            )
            for name, arm in self.arms.items()
            if arm.kind == kind
        ]

    def open(self, implementation: Implementation, task: Task, plan: Any) -> ToySession:
        arm = self.arms[implementation.name]
        arm.opened += 1
        return ToySession(arm, plan)

    def plan(self, shape: tuple[int, ...], **changes: Any) -> ToyPlan:
        return ToyPlan(shape, **{"segments": [range(shape[0])], **changes})

    def run(self, frames: int = 20, plan: Any = None, **options: Any) -> Any:
        plan = plan or self.plan((frames, 4, 5))
        image = np.arange(np.prod(plan.shape), dtype=np.uint16).reshape(plan.shape)
        image = options.pop("image", image)
        return runner.run(self.task, image, plan, **options)


@dataclass
class ToyBackend:
    """Those implementations of the toy task that are of one kind."""

    toy: Toy
    kind: str

    def implementations(self, task_name: str) -> list[Implementation]:
        return self.toy.listed(task_name, self.kind)

    def open(self, *given: Any) -> ToySession:
        return self.toy.open(*given)

    def compiler(self, implementation: Implementation) -> Compiler | None:
        compiling = self.toy.arms[implementation.name].compiling
        if compiling is None:
            return None
        return Compiler("toy compiler 1", lambda *_: compiling())


@pytest.fixture
def toy(home: Path, monkeypatch: pytest.MonkeyPatch) -> Toy:
    """Put the toy task in place of all others."""
    toy = Toy()
    for kind in list(BACKENDS):
        monkeypatch.setitem(BACKENDS, kind, ToyBackend(toy, kind))
    monkeypatch.setattr(devices, "opencl_is_known", lambda: True)
    monkeypatch.setattr(preparing, "_tried", lambda *_: ("", False))
    monkeypatch.setattr(_kernels, "tasks", lambda: {"toy": toy.task}, raising=False)
    monkeypatch.setattr(_kernels, "digest", lambda name: f"{name} 1", raising=False)
    return toy


@pytest.fixture
def arm() -> type[Arm]:
    """Return what makes an implementation of the toy task."""
    return Arm
