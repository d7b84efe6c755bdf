"""A run time to expect, with how sure it is and what it rests on."""

from __future__ import annotations

from math import exp

from napari_nanopyx._engine.record import Record
from napari_nanopyx._engine.types import Measurement


class Expected(float):
    """Seconds to expect of one frame, and what they rest on.

    Attributes
    ----------
    uncertainty : float
        Standard deviation of the logarithm of the seconds: 0.1 is about 10 %.
    slowdown : float
        Times the usual seconds that it takes at present, 1 if nothing delays it.
    exact : bool
        Whether it was measured at this very workload.
    """

    uncertainty: float
    slowdown: float
    exact: bool
    records: tuple[Record, ...]

    def __new__(
        cls,
        seconds: float,
        uncertainty: float,
        slowdown: float,
        exact: bool,
        records: tuple[Record, ...],
    ) -> Expected:
        """Make a number that remembers the rest."""
        expected = super().__new__(cls, seconds)
        expected.uncertainty = uncertainty
        expected.slowdown = slowdown
        expected.exact = exact
        expected.records = records
        return expected

    @property
    def measured(self) -> list[Measurement]:
        """The measurements behind the number."""
        return [m for record in self.records for m in record.measured]

    @property
    def measurements(self) -> int:
        """How many measurements it rests on."""
        return sum(len(record.measured) for record in self.records)

    @property
    def low(self) -> float:
        """What they exceed in about 19 of 20 cases."""
        return self * exp(-1.645 * self.uncertainty)

    @property
    def high(self) -> float:
        """What they stay below in about 19 of 20 cases."""
        return self * exp(1.645 * self.uncertainty)
