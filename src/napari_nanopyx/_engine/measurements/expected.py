"""A run time to expect, with how sure it is and what it rests on."""

from __future__ import annotations

from math import exp

from napari_nanopyx._engine.measurements.record import Record
from napari_nanopyx._engine.types import Measurement


class Expected(float):
    """Seconds to expect of one frame, and what they rest on.

    Attributes
    ----------
    slowdown : float
        Times the usual seconds that it takes at present, 1 if nothing delays it.
    exact : bool
        Whether it was measured at this very workload.
    """

    slowdown: float
    exact: bool
    records: tuple[Record, ...]
    _uncertainty: float

    def __new__(
        cls,
        seconds: float,
        records: tuple[Record, ...],
        slowdown: float = 1.0,
        uncertainty: float | None = None,
    ) -> Expected:
        """Make a number that remembers the rest; exact if no uncertainty is given."""
        expected = super().__new__(cls, seconds)
        expected.records = records
        expected.slowdown = slowdown
        expected.exact = uncertainty is None
        expected._uncertainty = uncertainty or 0.0
        return expected

    @property
    def uncertainty(self) -> float:
        """Standard deviation of the logarithm of the seconds: 0.1 is about 10 %."""
        return self.records[0].point.uncertainty if self.exact else self._uncertainty

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
