"""One step as a widget: a form, Run, Stop, progress, and a layer as the result."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
)

from napari_nanopyx.widgets.compute import Job
from napari_nanopyx.widgets.dock import DockContent
from napari_nanopyx.widgets.form import Form
from napari_nanopyx.widgets.layers import Placement, Source, read
from napari_nanopyx.widgets.messages import explain, how_it_was_computed
from napari_nanopyx.widgets.outcome import Outcome, add_layer, compute
from napari_nanopyx.widgets.watch import Watch

if TYPE_CHECKING:
    from napari.viewer import Viewer


@dataclass(frozen=True)
class Step:
    """What a step widget must know of a function that its signature does not say."""

    title: str
    """A few words: ``"eSRRF"``."""
    function: Callable[..., Any]
    """Takes one array or more, the parameters, ``progress`` and ``cancel``."""
    images: Mapping[str, Sequence[int]]
    """The parameters that are images, with the numbers of axes they may have."""
    suffix: Callable[[Mapping[str, Any]], str]
    """Parameters → what the result's name says was done: ``"eSRRF AVG ×5"``."""
    place: Callable[[Source, Mapping[str, Any]], Placement]
    """Input and parameters → where the result lies on the input."""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    advanced: Sequence[str] = ()
    hidden: Sequence[str] = ()
    colormap: str | None = None
    """Name of the result's colormap; None for that of the input."""


class StepWidget(DockContent):
    """A dock widget that runs one step on the layers of a viewer.

    Parameters
    ----------
    viewer
        Where the images come from and the results go.
    step
        What is run.
    """

    def __init__(self, viewer: Viewer, step: Step) -> None:
        super().__init__()
        self.viewer = viewer
        self.step = step
        self.watches: list[Watch] = []
        self.form = Form(
            step.function,
            viewer,
            images=step.images,
            options=step.options,
            advanced=step.advanced,
            hidden=step.hidden,
        )
        self.run_button = _button("Run", "Compute with these settings", self.run)
        self.stop_button = _button("Stop", "Stop what this panel runs", self.stop)
        self.reset_button = _button(
            "Reset", "Put every setting back to its default", self.form.reset
        )
        self.progress_bar = QProgressBar()
        self.progress_bar.setTextVisible(True)
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.status.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
        )
        self._lay_out()
        self.reset_choices()

    def run(self) -> None:
        """Put a run with the present settings in the queue."""
        layers = self.form.layers
        if None in layers.values():
            return
        sources = {name: read(layer) for name, layer in layers.items()}
        parameters = self.form.parameters
        first = next(iter(sources.values()))
        job = Job(partial(compute, self.step.function, sources, parameters))
        watch = Watch(job, f"{self.step.title} of {first.name}", self._main_window())
        # No part of self: the layer arrives even if this panel is closed meanwhile.
        watch.succeeded.connect(
            partial(
                add_layer,
                self.viewer,
                first,
                self.step.place(first, parameters),
                f"{first.name} {self.step.suffix(parameters)}",
                self.step.colormap,
            )
        )
        watch.failed.connect(partial(_show_problem, self.step.title))
        watch.progressed.connect(self._on_progress)
        watch.succeeded.connect(self._on_success)
        watch.failed.connect(self._on_failure)
        watch.stopped.connect(self._on_stop)
        watch.ended.connect(self._on_end)
        self.watches.append(watch)
        self._show_queue()

    def stop(self) -> None:
        """Stop every run of this panel, the waiting ones too."""
        for watch in self.watches:
            watch.stop()
        if self.watches:
            self.status.setText("Stopping after the present block …")

    def reset_choices(self, _event: Any = None) -> None:
        """Offer the layers there are now; napari calls this when they change."""
        self.form.reset_choices()
        ready = None not in self.form.layers.values()
        self.run_button.setEnabled(ready)
        if not ready:
            self.status.setText(
                "Open an image first. The movie that comes with the plugin is under "
                "File ▸ Open Sample."
            )
        elif not self.watches:
            self.status.clear()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        for button in (self.run_button, self.stop_button, self.reset_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.addWidget(self.form)
        layout.addLayout(buttons)
        layout.addWidget(self.progress_bar)
        layout.addWidget(self.status)
        self._show_queue()

    def _main_window(self) -> QMainWindow | None:
        parent = self.parent()
        while parent is not None and not isinstance(parent, QMainWindow):
            parent = parent.parent()
        return parent

    def _show_queue(self) -> None:
        self.stop_button.setEnabled(bool(self.watches))
        self.progress_bar.setVisible(bool(self.watches))
        if self.watches:
            self.progress_bar.setRange(0, 0)
            waiting = len(self.watches) - 1
            self.status.setText(f"Running, {waiting} waiting" if waiting else "Running")

    def _on_progress(self, done: int, total: int) -> None:
        self.progress_bar.setRange(0, total)
        self.progress_bar.setValue(done)
        self.progress_bar.setFormat(f"{done} of {total} frames")

    def _on_success(self, outcome: Outcome) -> None:
        self.status.setText(how_it_was_computed(outcome.provenance))

    def _on_failure(self, problem: BaseException) -> None:
        self.status.setText(explain(self.step.title, problem) or f"Failed: {problem}")

    def _on_stop(self) -> None:
        self.status.setText("Stopped. No layer was added.")

    def _on_end(self) -> None:
        said = self.status.text()
        self.watches = [watch for watch in self.watches if not watch.over]
        self._show_queue()
        if not self.watches:
            self.status.setText(said)


def _button(text: str, tip: str, pressed: Callable[[], None]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.clicked.connect(pressed)
    return button


def _show_problem(title: str, problem: BaseException) -> None:
    from napari.utils.notifications import notification_manager, show_error

    sentence = explain(title, problem)
    if sentence is None:
        notification_manager.receive_error(
            type(problem), problem, problem.__traceback__
        )
        return
    logging.getLogger(__name__).info("%s failed", title, exc_info=problem)
    show_error(sentence)
