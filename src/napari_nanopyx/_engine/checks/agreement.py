"""Compares what an implementation computes with what the reference computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine.errors import WrongResult
from napari_nanopyx._engine.session import Session
from napari_nanopyx._kernels.declaration import Partial, Plan

ROUNDING = 1e-6
"""Share of the standard deviation that is allowed beside a task's tolerance."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a result is from the reference's."""

    error: float
    """Largest difference, as a share of the reference's largest value."""
    allowed: float
    """What it may be at most."""
    problem: str = ""
    """What is wrong, in words; empty if the result is right."""
    prepare: float = 0.0
    """Seconds that the implementation took to prepare, such as for compiling."""


@dataclass(frozen=True)
class Problem:
    """A plan, frames to compute it on, and the right answer."""

    plan: Plan
    block: NDArray[Any]
    tolerance: float

    @cached_property
    def answer(self) -> NDArray[np.float32]:
        """What the reference makes of the frames."""
        merger = self.plan.merger()
        for frames in self.plan.segments:
            merger.add(frames, self.plan.reference(self._part(frames), frames))
        return merger.result()

    def check(
        self, session: Session, before_block: Callable[[], None] | None = None
    ) -> Agreement:
        """Let a session that was opened for the plan compute it, and compare.

        Each segment is computed in two blocks, so that merging is checked too.
        `before_block` is called before each, and what it raises is raised.

        Raises
        ------
        WrongResult
            If an output is missing or has the wrong shape.
        """
        merger, prepare = self.plan.merger(), 0.0
        for segment in self.plan.segments:
            half = -(-len(segment) // 2)
            for frames in (segment[:half], segment[half:]):
                if not len(frames):
                    continue
                if before_block is not None:
                    before_block()
                places = merger.places(frames)
                partial, timing = session.run(self._part(frames), frames, places)
                prepare += timing.prepare
                self._check_outputs(frames, partial)
                merger.add(frames, partial)
        found = compare(merger.result(), self.answer, self.tolerance)
        return replace(found, prepare=prepare)

    def _part(self, frames: range) -> NDArray[Any]:
        return self.block[frames.start : frames.stop]

    def _check_outputs(self, frames: range, partial: Partial) -> None:
        for name, output in self.plan.outputs(frames).items():
            shape = np.shape(partial[name]) if name in partial else "nothing"
            if shape != output.shape:
                raise WrongResult(
                    f"gives {shape} for {name!r} of {len(frames)} frames, but the "
                    f"shape must be {output.shape}"
                )


def compare(
    result: NDArray[Any], reference: NDArray[Any], tolerance: float
) -> Agreement:
    """Compare a result with the right one.

    Finite values may differ by the tolerance, as a share of the largest of them, and a
    little of their standard deviation; NaN and infinity must be where they should be.
    """
    if result.shape != reference.shape:
        text = f"gives the shape {result.shape}, but it must be {reference.shape}"
        return Agreement(np.inf, tolerance, text)
    finite = np.isfinite(reference)
    strange = int(np.count_nonzero(~np.isfinite(result[finite])))
    if strange:
        text = (
            f"gives NaN or infinity for {strange} of {finite.sum()} values that the "
            "reference can compute"
        )
        return Agreement(np.inf, tolerance, text)
    if not np.array_equal(result[~finite], reference[~finite], equal_nan=True):
        text = "gives numbers where the reference has NaN or infinity"
        return Agreement(np.inf, tolerance, text)
    right = reference[finite].astype(np.float64)
    if not right.size:
        return Agreement(0.0, tolerance)
    worst = float(np.abs(result[finite] - right).max())
    largest = float(np.abs(right).max())
    if largest == 0.0:
        text = f"gives up to {worst:.3g} where the reference is 0 everywhere"
        return Agreement(*((np.inf, 0.0, text) if worst else (0.0, 0.0)))
    error = worst / largest
    allowed = tolerance + ROUNDING * float(right.std()) / largest
    text = (
        f"differs from the reference by {100 * error:.2g} % of the largest value, "
        f"allowed {100 * allowed:.1g} %"
    )
    return Agreement(error, allowed, text if error > allowed else "")


def camera_frames(shape: tuple[int, ...], dtype: str, seed: int = 7) -> NDArray[Any]:
    """Return frames as a camera gives them: noise around spots of light."""
    random = np.random.default_rng(seed)
    *_, height, width = shape
    rows, columns = np.ogrid[:height, :width]
    light = 1.0 + np.cos(rows / 2.3) * np.cos(columns / 3.1)
    frames = random.poisson(20.0 + 50.0 * light, shape)
    if np.dtype(dtype).kind == "f":
        return (frames - 50.25).astype(dtype)
    return np.minimum(frames, np.iinfo(dtype).max).astype(dtype)
