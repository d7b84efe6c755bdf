"""Draws measured times block by block, for the engine panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Qt first: pyqtgraph takes the binding that is loaded already.
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget  # isort: skip
import pyqtgraph

from napari_nanopyx.engine import Expected
from napari_nanopyx.widgets.engine_panel.samples import Series
from napari_nanopyx.widgets.engine_panel.table import colour

LEAST_HEIGHT = 160
_SIZE = 6
_GREY = "#8a8d93"


class TimesPlot(QWidget):
    """A dot for each block; the colours are those of the table of implementations.

    A ring is a block for which something was prepared, a cross one that failed. The
    bars at the right say what is expected of the next block, from low to high.
    """

    def __init__(self) -> None:
        super().__init__()
        left, bottom = _Milliseconds("left"), _Places("bottom")
        axes: dict[str, Any] = {"left": left, "bottom": bottom}
        self.plot = pyqtgraph.PlotWidget(background=None, axisItems=axes)
        self.plot.setLogMode(y=True)
        self.plot.setLabel("left", "ms per frame")
        self.plot.setLabel("bottom", "Blocks, in the order in which they were timed")
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        for axis in axes.values():
            axis.enableAutoSIPrefix(False)
            axis.setPen(_GREY)
            axis.setTextPen(_GREY)
        self._drawn: dict[tuple[str, str], tuple[Any, ...]] = {}
        # Its own wish would leave no room for the table.
        self.plot.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored
        )
        self.setMinimumHeight(LEAST_HEIGHT)
        self.setToolTip(" ".join((self.__doc__ or "").split()))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot)

    def show_times(
        self,
        series: Mapping[str, Series],
        names: Sequence[str],
        expected: Mapping[str, Expected],
    ) -> None:
        """Draw these times, and what to expect.

        Parameters
        ----------
        series
            The times by implementation.
        names
            All implementations of the task: their order gives the colours.
        expected
            Seconds for a frame, by implementation.
        """
        wanted = {(name, colour(name, names)) for name in {*series, *expected}}
        for gone in self._drawn.keys() - wanted:
            for item in self._drawn.pop(gone):
                self.plot.removeItem(item)
        last = max((times.last for times in series.values()), default=0)
        for name, own in sorted(wanted):
            if (name, own) not in self._drawn:
                self._drawn[name, own] = self._new_items(own)
            *dots, bar = self._drawn[name, own]
            times = series.get(name, Series())
            kinds = (times.warm, times.cold, times.failed)
            for item, (places, milliseconds) in zip(dots, kinds, strict=True):
                item.setData(places, milliseconds)
            place = last + max(1.0, 0.02 * last)
            seconds = expected.get(name)
            if seconds is None:
                bar.setData([], [])
            else:
                three = (seconds.low, seconds, seconds.high)
                bar.setData([place] * 3, [1000 * float(each) for each in three])

    def _new_items(self, own: str) -> tuple[Any, ...]:
        looks: tuple[dict[str, Any], ...] = (
            {"symbol": "o", "symbolBrush": own, "symbolPen": None},
            {"symbol": "o", "symbolBrush": None, "symbolPen": own},
            {"symbol": "x", "symbolBrush": own, "symbolPen": own},
        )
        dots = [
            self.plot.plot([], [], pen=None, symbolSize=_SIZE, **look) for look in looks
        ]
        line = pyqtgraph.mkPen(own, width=2)
        ends = {"symbol": "d", "symbolBrush": own, "symbolPen": None}
        bar = self.plot.plot([], [], pen=line, symbolSize=_SIZE, **ends)
        return (*dots, bar)


class _Milliseconds(pyqtgraph.AxisItem):  # type: ignore[misc]
    """A scale of powers of ten with plain numbers."""

    def logTickStrings(  # noqa: N802
        self, values: Sequence[float], _scale: float, _spacing: float
    ) -> list[str]:
        written = [f"{10**value:.3g}" for value in values]
        return [text if text.strip("0.")[:1] in "125" else "" for text in written]


class _Places(pyqtgraph.AxisItem):  # type: ignore[misc]
    """A scale of whole numbers."""

    def tickValues(  # noqa: N802
        self, low: float, high: float, size: float
    ) -> list[tuple[float, list[float]]]:
        levels = super().tickValues(low, high, size)
        return [(space, ticks) for space, ticks in levels if space >= 1]
