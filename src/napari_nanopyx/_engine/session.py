"""What every backend opens to compute blocks."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray

from napari_nanopyx._engine.patience import Watch
from napari_nanopyx._engine.types import Timing
from napari_nanopyx._kernels.declaration import Partial


class Session(Protocol):
    """One implementation opened for one plan: holds compiled code and device memory."""

    preferred_frames: int
    """Largest useful block."""

    def run(
        self,
        block: NDArray[Any],
        frames: range,
        places: Partial | None = None,
        watch: Watch | None = None,
    ) -> tuple[Partial, Timing]:
        """Compute a C-contiguous block of uint8, uint16 or float32 frames.

        Outputs that have a place are written there instead of into new arrays. One that
        computes a block in several launches asks the watch between them whether to go
        on; of frames that it leaves out, nothing is returned.
        """

    def close(self) -> None:
        """Give back what the session holds."""
