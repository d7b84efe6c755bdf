"""A benchmark of one task on the compute thread, with progress, Stop and Save."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_nanopyx import engine
from napari_nanopyx.engine import Benchmark, BenchmarkCancelled
from napari_nanopyx.widgets.compute import Job, Progress
from napari_nanopyx.widgets.messages import explain
from napari_nanopyx.widgets.watch import Watch

Wanted = Callable[[], dict[str, Any]]
"""Gives the arguments of `engine.benchmark`; what it raises is told the user."""


class BenchmarkBox(QWidget):
    """Two buttons, a progress bar, and a sentence.

    Parameters
    ----------
    wanted
        Asked for what to measure when the button is pressed.
    """

    measured = Signal(object)
    """Emitted with each `Benchmark`, also with one that was stopped."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__()
        self._wanted = wanted
        self.watch: Watch | None = None
        self.result: Benchmark | None = None
        self.run_button = QPushButton("Benchmark")
        self.run_button.setToolTip(
            "Check and time every implementation; the engine learns from the times"
        )
        self.stop_button = QPushButton("Stop")
        self.stop_button.setToolTip("Keep what has been measured, and measure no more")
        self.save_button = QPushButton("Save …")
        self.save_button.setToolTip("Save the last benchmark as a table (CSV)")
        self.bar = QProgressBar()
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.said.hide()
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        buttons = QHBoxLayout()
        for button in (self.run_button, self.stop_button, self.save_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addWidget(self.bar)
        layout.addWidget(self.said)
        self.run_button.clicked.connect(lambda _checked: self.run())
        self.stop_button.clicked.connect(lambda _checked: self.stop())
        self.save_button.clicked.connect(lambda _checked: self.save())
        self._show_state()

    def run(self) -> None:
        """Put a benchmark in the queue, unless there is one."""
        if self.watch is not None:
            return
        try:
            wanted = self._wanted()
        except ValueError as problem:
            self._say(str(problem))
            return
        job = Job(lambda progress, cancel: _measure(wanted, progress, cancel))
        window = self.window()
        main = window if isinstance(window, QMainWindow) else None
        self.watch = Watch(job, f"Benchmark of {wanted['task']}", main)
        self.watch.progressed.connect(self._on_progress)
        self.watch.succeeded.connect(self._on_success)
        self.watch.failed.connect(self._on_failure)
        self.watch.stopped.connect(self._on_stop)
        self.watch.ended.connect(self._on_end)
        self._say("Each implementation is checked, then timed.")
        self._show_state()

    def stop(self) -> None:
        """Stop after the present step."""
        if self.watch is not None:
            self.watch.stop()

    def save(self, path: str = "") -> None:
        """Write the last benchmark as a table; without a path, ask for one."""
        if not path:
            path, _ = QFileDialog.getSaveFileName(
                self, "Save the benchmark", "benchmark.csv", "Tables (*.csv)"
            )
        if not path or self.result is None:
            return
        try:
            self.result.to_csv(path)
            self._say(f"Saved as {path}")
        except OSError as problem:
            self._say(f"It could not be saved: {problem}")

    def _on_progress(self, done: int, total: int) -> None:
        self.bar.setRange(0, total)
        self.bar.setValue(done)

    def _on_success(self, result: Benchmark) -> None:
        self.result = result
        self._say(summary(result))
        self.measured.emit(result)

    def _on_failure(self, problem: BaseException) -> None:
        self._say(explain("Benchmark", problem) or f"The benchmark failed: {problem!r}")

    def _on_stop(self) -> None:
        self._say("Stopped. What was measured until then is in the history.")

    def _on_end(self) -> None:
        self.watch = None
        self._show_state()

    def _show_state(self) -> None:
        running = self.watch is not None
        self.run_button.setEnabled(not running)
        self.stop_button.setVisible(running)
        self.save_button.setVisible(self.result is not None and not running)
        self.bar.setRange(0, 0)
        self.bar.setVisible(running)

    def _say(self, text: str) -> None:
        self.said.setText(text)
        self.said.setVisible(bool(text))


def summary(result: Benchmark) -> str:
    """Return who wins where, a line for each size and set of parameters."""
    lines = []
    for winner in result.winners():
        size = " × ".join(map(str, winner.shape))
        line = (
            f"{size}: {winner.implementation}, {1000 * winner.seconds:.3g} ms a frame"
        )
        if not winner.choice_is_good:
            line += f" (the engine would take {winner.choice})"
        lines.append(line)
    lines += [
        f"{row.implementation} gives other numbers than the reference: {row.reason}"
        for row in result.rows
        if row.status == "wrong"
    ]
    return "\n".join(lines) or "Nothing could be measured."


def sizes_in(text: str) -> Sequence[int]:
    """Return the sides of images that somebody wrote.

    Examples
    --------
    >>> sizes_in("64, 128")
    [64, 128]
    """
    try:
        return [int(word) for word in text.replace(",", " ").split()]
    except ValueError as problem:
        raise ValueError(
            f"sizes is {text!r}, but must be whole numbers, such as 64, 256"
        ) from problem


def _measure(wanted: dict[str, Any], progress: Progress, cancel: Event) -> Benchmark:
    try:
        return engine.benchmark(**wanted, progress=progress, cancel=cancel)
    except BenchmarkCancelled as stopped:
        partly: Benchmark = stopped.result
        return partly
