"""One step as a widget: a form, Run, Stop, progress, and a layer or a plot."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QApplication,
    QFileDialog,
    QLabel,
    QProgressBar,
    QVBoxLayout,
)

from napari_nanopyx.widgets.compute import Job
from napari_nanopyx.widgets.dock import DockContent
from napari_nanopyx.widgets.form import Form
from napari_nanopyx.widgets.layers import Source
from napari_nanopyx.widgets.messages import explain, how_it_was_computed
from napari_nanopyx.widgets.outcome import Outcome, add_layer, add_new_layer, compute
from napari_nanopyx.widgets.parts import beside, button, show_problem
from napari_nanopyx.widgets.plot import ResultPlot
from napari_nanopyx.widgets.preview.live import LivePreview
from napari_nanopyx.widgets.script import Call, as_python
from napari_nanopyx.widgets.step_declaration import Step
from napari_nanopyx.widgets.watch import Watch

__all__ = ["DeclaredStep", "Step", "StepWidget"]

PLUGIN = "napari-nanopyx"

if TYPE_CHECKING:
    from napari.viewer import Viewer


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
            axes=step.axes,
            options=step.options,
            advanced=step.advanced,
            hidden=step.hidden,
        )
        self.run_button = button("Run", "Compute with these settings", self.run)
        self.stop_button = button("Stop", "Stop what this panel runs", self.stop)
        self.reset_button = button(
            "Reset", "Put every setting back to its default", self.form.reset
        )
        self.copy_button = button(
            "Copy", "Copy Python lines that do the same", self.copy
        )
        self.save_button = button("Save …", "Save the last result", self.save)
        self.save_button.hide()
        self.result: Any = None
        """What the last run returned, if it can be saved; images are layers."""
        self.sample_button = button(
            "Open the example movie",
            "The movie of telomeres that comes with the plugin",
            partial(self.viewer.open_sample, PLUGIN, "telomeres"),
        )
        self.preview: LivePreview | None = None
        if step.preview is not None:
            self.preview = LivePreview(viewer, step, self.form, self._chosen)
        self.plot = ResultPlot()
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
        if not self.form.ready:
            return
        step, call = self.step, self.call()
        source = _underneath(step, call)
        image = None if step.place is None and call.sources else step.image
        job = Job(partial(compute, call, image))
        title = step.title if source is None else f"{step.title} of {source.name}"
        watch = Watch(job, title, self.main_window())
        add = _adder(self.viewer, step, call, source)
        if add is not None:
            # No part of self: the layer arrives even if this panel is closed meanwhile.
            watch.succeeded.connect(add)
        watch.failed.connect(partial(show_problem, self.step.title))
        watch.progressed.connect(self._on_progress)
        watch.succeeded.connect(self._on_success)
        watch.failed.connect(self._on_failure)
        watch.stopped.connect(self._on_stop)
        watch.ended.connect(self._on_end)
        self.watches.append(watch)
        self._show_queue()

    def copy(self) -> None:
        """Put Python lines that do the same into the clipboard."""
        if not self.form.ready:
            return
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(self.script())
            self.status.setText("Copied: paste it into the console or a script.")

    def call(self) -> Call:
        """Return what Run would call now."""
        return Call(self.step.function, *self._chosen(), self.step.loaded)

    def script(self) -> str:
        """Return Python lines that do what Run would."""
        return as_python(self.call())

    def stop(self) -> None:
        """Stop every run of this panel, the waiting ones too."""
        for watch in self.watches:
            watch.stop()
        if self.watches:
            self.status.setText("Stopping after the present block …")

    def reset_choices(self, _event: Any = None) -> None:
        """Offer the layers there are now; napari calls this when they change."""
        self.form.reset_choices()
        ready = self.form.ready
        self.run_button.setEnabled(ready)
        self.sample_button.setVisible(not ready)
        if not ready:
            self.status.setText(
                "Open an image first, or the example movie, which is also under "
                "File ▸ Open Sample."
            )
        elif not self.watches:
            self.status.clear()

    def _chosen(self) -> tuple[dict[str, Source], dict[str, Any]]:
        """Return the images and the other arguments, as they are now."""
        sources = self.form.sources
        parameters = {
            name: self._argument(name, value)
            for name, value in self.form.parameters.items()
        }
        for source in list(sources.values())[:1]:
            parameters |= self.step.derived(source)
        return sources, parameters

    def _argument(self, name: str, value: Any) -> Any:
        """Return what a field's value stands for; of a path, plain text."""
        if name in self.step.automatic and self.step.automatic[name] == value:
            return None
        return str(value) if isinstance(value, Path) else value

    def _lay_out(self) -> None:
        buttons = beside(
            self.run_button, self.stop_button, self.reset_button, self.copy_button
        )
        layout = QVBoxLayout(self)
        layout.addWidget(self.form)
        if self.preview is not None:
            layout.addWidget(self.preview)
        layout.addLayout(buttons)
        layout.addWidget(self.progress_bar)
        layout.addWidget(self.status)
        layout.addWidget(self.sample_button)
        layout.addWidget(self.save_button)
        layout.addWidget(self.plot)
        self._show_queue()

    def _show_queue(self) -> None:
        self.stop_button.setEnabled(bool(self.watches))
        if self.watches:
            self.progress_bar.setRange(0, 0)
        self.progress_bar.setVisible(bool(self.watches))
        if self.watches:
            waiting = len(self.watches) - 1
            self.status.setText(f"Running, {waiting} waiting" if waiting else "Running")

    def _on_progress(self, done: int, total: int) -> None:
        bar = self.progress_bar
        bar.setUpdatesEnabled(False)  # or each of these would paint at once
        bar.setRange(0, total)
        bar.setValue(done)
        bar.setFormat(f"{done} of {total} frames")
        bar.setUpdatesEnabled(True)

    def _on_success(self, outcome: Outcome) -> None:
        done = how_it_was_computed(outcome.provenance)
        self.status.setText("\n".join(filter(None, (outcome.summary, done))))
        if self.step.place is None and hasattr(outcome.result, "plot"):
            self.plot.show_result(outcome.result)
        can_be_saved = hasattr(outcome.result, "save")
        self.result = outcome.result if can_be_saved else None
        self.save_button.setVisible(can_be_saved)

    def save(self, path: str = "") -> None:
        """Write the last result to a file; without a path, ask for one."""
        if not path:
            path, _ = QFileDialog.getSaveFileName(self, "Save the result")
        if not path:
            return
        try:
            self.result.save(path)
            self.status.setText(f"Saved as {path}")
        except (OSError, ValueError) as problem:
            show_problem(self.step.title, problem)

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


class DeclaredStep(StepWidget):
    """A step as napari opens it: a subclass names its declaration."""

    declaration: ClassVar[Step]

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer, self.declaration)


def _underneath(step: Step, call: Call) -> Source | None:
    """Return the layer that a result lies over, if the method is given one."""
    if not call.sources:
        return None
    return call.sources[step.over(call.parameters) or next(iter(call.sources))]


def _adder(
    viewer: Viewer, step: Step, call: Call, source: Source | None
) -> Callable[[Outcome], None] | None:
    """Return what adds the image of a result, if it has one."""
    if source is None:
        return partial(add_new_layer, viewer, step.axes, step.title, step.colormap)
    if step.place is None:
        return None
    place = step.place(source, call.parameters)
    name = f"{source.name} {step.suffix(call.parameters)}"
    return partial(add_layer, viewer, source, place, name, step.colormap)
