"""eSRRF of all frames, of the even and of the odd ones, in a single pass."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx._kernels.esrrf.plan import EsrrfPlan


@dataclass(frozen=True)
class HalvesPlan(EsrrfPlan):
    """eSRRF of chunks of frames whose even frames come first, then the odd ones.

    Each chunk gives three images: of all its frames, of the first half, of the second.
    Half a chunk that has no frames gives none; so do halves that are not asked for.
    """

    chunks: tuple[range, ...] = ()
    halves: bool = True

    @cached_property
    def windows(self) -> list[range]:
        """The frames of each image."""
        found = []
        for chunk in self.chunks:
            found.append(chunk)
            if self.halves and len(chunk) > 1:
                middle = chunk.start + (len(chunk) + 1) // 2
                found += [range(chunk.start, middle), range(middle, chunk.stop)]
        return found

    def resized(self, shape: tuple[int, ...]) -> EsrrfPlan:
        """Return eSRRF of frames of this shape, without chunks."""
        values = {each.name: getattr(self, each.name) for each in fields(EsrrfPlan)}
        return EsrrfPlan(**values).resized(shape)


class EvenFirst:
    """A movie whose chunks have their even frames before their odd ones.

    Nothing is read before it is asked for.
    """

    def __init__(self, movie: Any, chunks: tuple[range, ...]) -> None:
        self._movie = movie
        self._order = np.concatenate(
            [
                np.r_[chunk.start : chunk.stop : 2, chunk.start + 1 : chunk.stop : 2]
                for chunk in chunks
            ]
        )
        self.shape = (len(self._order), *movie.shape[1:])
        self.dtype = movie.dtype

    def __getitem__(self, frames: slice) -> NDArray[Any]:
        wanted = self._order[frames]
        turns = np.flatnonzero(np.diff(wanted) != 2) + 1
        runs = [run for run in np.split(wanted, turns) if len(run)]
        parts = [self._movie.read(range(run[0], run[-1] + 1, 2)) for run in runs]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)
