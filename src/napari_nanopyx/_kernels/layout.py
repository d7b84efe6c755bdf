"""How arrays are laid out for kernels that take many neighbours at once."""

from __future__ import annotations

from typing import Protocol

LANES = 16
"""The widest vector a kernel is compiled for, in float32 values."""


def padded(length: int) -> int:
    """Return the length of a row that holds whole vectors only."""
    return -(-length // LANES) * LANES


class Part(Protocol):
    """What a thread computes at a time, and how much around it is read for it."""

    @property
    def width(self) -> int:
        """Columns of a frame."""

    @property
    def part_rows(self) -> int:
        """Rows of the part."""

    @property
    def before(self) -> int:
        """Rows and columns that are read ahead of the part's first ones."""

    @property
    def after(self) -> int:
        """Rows and columns that are read past the part's last ones."""


class Lines:
    """Lengths of what a part takes in memory."""

    __slots__ = ()

    @property
    def pitch(self: Part) -> int:
        """Length of a row of output planes."""
        return padded(self.width)

    @property
    def rows(self: Part) -> int:
        """Rows of the part with what surrounds it."""
        return self.before + self.part_rows + self.after

    @property
    def stride(self: Part) -> int:
        """Length of a row of the part with what surrounds it."""
        return padded(self.before + padded(self.width) + self.after + LANES)
