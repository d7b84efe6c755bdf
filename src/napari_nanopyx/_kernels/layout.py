"""How arrays are laid out for kernels that take many neighbours at once."""

from __future__ import annotations

LANES = 16
"""The widest vector a kernel is compiled for, in float32 values."""


def padded(length: int) -> int:
    """Return the length of a row that holds whole vectors only."""
    return -(-length // LANES) * LANES
