"""Shows how a result draws itself, with a button to save the drawing."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QVBoxLayout, QWidget

LEAST_HEIGHT = 260


class ResultPlot(QWidget):
    """An area for one plot, hidden until there is one."""

    def __init__(self) -> None:
        super().__init__()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self.hide()

    def show_result(self, result: Any) -> None:
        """Draw a result in place of the one before.

        Parameters
        ----------
        result
            Has ``plot(axes)``.
        """
        # Matplotlib takes half a second to import, and most steps have no plot.
        from matplotlib.backends.backend_qt import NavigationToolbar2QT
        from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
        from matplotlib.figure import Figure

        while (item := self._layout.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        figure = Figure(layout="constrained")
        axes = figure.subplots()
        result.plot(axes)
        axes.title.set_fontsize("medium")  # a panel is narrow
        canvas = FigureCanvasQTAgg(figure)
        canvas.setMinimumHeight(LEAST_HEIGHT)
        self._layout.addWidget(canvas)
        self._layout.addWidget(NavigationToolbar2QT(canvas, self, coordinates=False))
        self.show()
