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
_LABEL_MARGIN = 6
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
        # Its own margin would cut the letters of the label.
        self.plot.getPlotItem().layout.setContentsMargins(1, 1, 1, _LABEL_MARGIN)
        self._drawn: dict[tuple[str, str, str], Any] = {}
        """What there is of each implementation, colour and kind."""
        self._shown: dict[tuple[str, str, str], Any] = {}
        """The numbers of it."""
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
        last = max((times.last for times in series.values()), default=0)
        wanted = {}
        for name in {*series, *expected}:
            own, times = colour(name, names), series.get(name, Series())
            wanted[name, own, "warm"] = times.warm
            wanted[name, own, "cold"] = times.cold
            wanted[name, own, "failed"] = times.failed
            wanted[name, own, "expected"] = _bar(last, expected.get(name))
        # Each item costs time at every redraw: only what there is, and what changed.
        wanted = {key: numbers for key, numbers in wanted.items() if numbers[0]}
        for gone in self._drawn.keys() - wanted.keys():
            self.plot.removeItem(self._drawn.pop(gone))
            del self._shown[gone]
        for key, numbers in sorted(wanted.items()):
            if key not in self._drawn:
                self._drawn[key] = self._new_item(*key[1:])
            if self._shown.get(key) != numbers:
                self._drawn[key].setData(*numbers)
                self._shown[key] = numbers

    def _new_item(self, own: str, kind: str) -> Any:
        looks: dict[str, dict[str, Any]] = {
            "warm": {"symbol": "o", "symbolBrush": own, "symbolPen": None},
            "cold": {"symbol": "o", "symbolBrush": None, "symbolPen": own},
            "failed": {"symbol": "x", "symbolBrush": own, "symbolPen": own},
            "expected": {"symbol": "d", "symbolBrush": own, "symbolPen": None},
        }
        line = pyqtgraph.mkPen(own, width=2) if kind == "expected" else None
        return self.plot.plot([], [], pen=line, symbolSize=_SIZE, **looks[kind])


def _bar(last: int, seconds: Expected | None) -> tuple[list[int], list[float]]:
    """Return the ends and the middle of a bar at the right of the last place.

    Its place moves rarely, because each move draws all bars anew.
    """
    if seconds is None:
        return [], []
    step = max(1, 1 << (last // 32).bit_length())
    place = (last // step + 1) * step
    three = (seconds.low, seconds, seconds.high)
    return [place] * 3, [1000 * float(each) for each in three]


class _Milliseconds(pyqtgraph.AxisItem):  # type: ignore[misc]
    """A scale of powers of ten with plain numbers."""

    def logTickStrings(  # noqa: N802
        self, values: Sequence[float], _scale: float, _spacing: float
    ) -> list[str]:
        written = [f"{float(f'{10**value:.3g}'):.10g}" for value in values]
        return [text if text.strip("0.")[:1] in "125" else "" for text in written]


class _Places(pyqtgraph.AxisItem):  # type: ignore[misc]
    """A scale of whole numbers."""

    def tickValues(  # noqa: N802
        self, low: float, high: float, size: float
    ) -> list[tuple[float, list[float]]]:
        levels = super().tickValues(low, high, size)
        return [(space, ticks) for space, ticks in levels if space >= 1]
