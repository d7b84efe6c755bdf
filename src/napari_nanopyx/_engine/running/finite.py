"""Looks for NaN and infinity in results, and finds out who is to blame for them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._engine import catalogue
from napari_nanopyx._engine.errors import NotFinite, NotFiniteWarning
from napari_nanopyx._engine.measurements.similarity import Features, features
from napari_nanopyx._engine.running.sessions import Sessions
from napari_nanopyx._engine.running.turns import computing
from napari_nanopyx._engine.types import Implementation, Workload
from napari_nanopyx._kernels.declaration import Partial, Plan

_VALUES_PER_SECOND = 1e9
_SHARE = 0.005
"""The part of the time of a block that looking at it may take."""

_LEAST_VALUES = 4096
_ALIKE = 0.99
_REMEMBERED = 4096

_whole: set[tuple[str, str, str, Features]] = set()


def quiet() -> np.errstate:
    """Keep NumPy from telling of each overflow what `Finite` tells once."""
    return np.errstate(over="ignore", invalid="ignore")


class Finite:
    """Checks the blocks of one run.

    The first block of an implementation at a workload is looked at as a whole, of the
    others as many rows as `_SHARE` of its time allows, other ones in each block.

    Parameters
    ----------
    workload, plan
        What the run computes.
    sessions
        Where other implementations are found.
    """

    def __init__(self, workload: Workload, plan: Plan, sessions: Sessions) -> None:
        self._workload = workload
        self._plan = plan
        self._sessions = sessions
        self._features = features(workload)
        self._blocks = 0
        self._input_is_to_blame = False

    def check(
        self,
        implementation: Implementation,
        block: NDArray[Any],
        frames: range,
        partial: Partial,
        seconds: float,
    ) -> None:
        """Check the partial result of a block.

        Parameters
        ----------
        implementation, block, frames, partial
            Who computed what.
        seconds
            What that took.

        Raises
        ------
        NotFinite
            If it holds NaN or infinity where another implementation gives numbers.
        """
        if self._input_is_to_blame:
            return
        self._blocks += 1
        about = (
            self._workload.digest,
            implementation.name,
            implementation.device,
            self._features,
        )
        values: float = max(_LEAST_VALUES, _SHARE * seconds * _VALUES_PER_SECOND)
        if about not in _whole:
            values = float("inf")
        if all(self._is_finite(array, values) for array in partial.values()):
            if len(_whole) >= _REMEMBERED:
                _whole.clear()
            _whole.add(about)
            return
        self._find_the_cause(implementation, block, frames, partial)

    def check_reduced(self, result: NDArray[Any]) -> None:
        """Warn of finite numbers whose sums are beyond float32, if nobody has yet."""
        if self._input_is_to_blame or bool(np.isfinite(result).all()):
            return
        warnings.warn(
            f"the result of {self._workload.task} holds NaN or infinity: what it takes "
            "over the frames is beyond float32. Divide the image by its largest value "
            "first",
            NotFiniteWarning,
            stacklevel=2,
        )

    def _is_finite(self, array: NDArray[Any], values: float) -> bool:
        if array.size <= values:
            return bool(np.isfinite(array).all())
        rows = array.reshape(-1, array.shape[-1])
        step = int(-(-array.size // values))
        return bool(np.isfinite(rows[self._blocks % step :: step]).all())

    def _find_the_cause(
        self,
        implementation: Implementation,
        block: NDArray[Any],
        frames: range,
        partial: Partial,
    ) -> None:
        bad = {name: ~np.isfinite(array) for name, array in partial.items()}
        outputs = self._plan.outputs(frames)
        if all(outputs[name].each_frame for name in bad):
            # One frame will do.
            first = min(int(np.argwhere(b)[0, 0]) for b in bad.values() if b.any())
            one = slice(first, first + 1)
            block, frames = block[one], frames[one]
            bad = {name: mask[one] for name, mask in bad.items()}
        count = sum(int(mask.sum()) for mask in bad.values())
        opinion = self._second_opinion(implementation.name, block, frames)
        if opinion is not None:
            other, answer = opinion
            numbers = sum(
                int(np.isfinite(self._as_stored(name, answer, frames))[mask].sum())
                for name, mask in bad.items()
            )
            if numbers > (1 - _ALIKE) * count:
                raise NotFinite(numbers, other)
        self._input_is_to_blame = True
        self._warn(implementation.name, opinion[0] if opinion else "", block, frames)

    def _second_opinion(
        self, name: str, block: NDArray[Any], frames: range
    ) -> tuple[str, Partial] | None:
        """Return what another implementation makes of a block, if one is at hand."""
        for other in catalogue.candidates(self._workload.task, plan=self._plan):
            needs_nothing = other.kind in ("compiled", "reference")
            if not other.available or other.name == name:
                continue
            if not needs_nothing and not self._sessions.is_open(other.name):
                continue
            try:
                with computing():
                    session = self._sessions.get(other)
                    return other.name, session.run(block, frames)[0]
            except Exception:  # noqa: BLE001, S112 - reported if it is chosen itself
                continue
        return None

    def _as_stored(self, name: str, partial: Partial, frames: range) -> NDArray[Any]:
        """Return an output in its own precision: the reference has a higher one."""
        dtype = self._plan.outputs(frames)[name].dtype
        with quiet():
            return partial[name].astype(dtype, copy=False)

    def _warn(
        self, name: str, witness: str, block: NDArray[Any], frames: range
    ) -> None:
        largest = float(np.abs(block.astype(np.float64)).max())
        who = f"{name!r} and {witness!r} agree" if witness else f"{name!r} computed it"
        warnings.warn(
            f"the result of {self._workload.task} holds NaN or infinity in frame "
            f"{frames.start} or after it ({who}). The largest value of the image there "
            f"is {largest:.3g}: if that is the cause, divide the image by it first",
            NotFiniteWarning,
            stacklevel=2,
        )
