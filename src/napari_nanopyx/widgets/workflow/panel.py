"""A dock widget that chains steps and runs them on a layer or on a folder of files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLabel,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from napari_nanopyx.widgets.compute import Job
from napari_nanopyx.widgets.dock import DockContent
from napari_nanopyx.widgets.layers import fits, read
from napari_nanopyx.widgets.messages import explain
from napari_nanopyx.widgets.parts import beside, button, show_problem
from napari_nanopyx.widgets.watch import Watch
from napari_nanopyx.widgets.workflow import runs
from napari_nanopyx.widgets.workflow.model import WorkflowModel
from napari_nanopyx.widgets.workflow.step_list import TITLE, StepList
from napari_nanopyx.widgets.workflow.table import SummaryTable
from napari_nanopyx.workflow.summary import Summary, described, paths_in

if TYPE_CHECKING:
    from napari.viewer import Viewer

FOLDER = "a folder of files"
MOVIE_SUFFIXES = (".tif", ".tiff", ".zarr")
_FILTER = "Workflows (*.toml)"


class WorkflowPanel(DockContent):
    """Chain steps, keep them as a text file, and run them on a layer or on files."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.model = WorkflowModel()
        self.watches: list[Watch] = []
        self._complaint = ""
        self.states: list[runs.State] = []
        """How far the runs of `watches` have come."""
        self.chain = StepList(napari_viewer, self.model)
        self.chain.edited.connect(self._check)
        self.chain.said.connect(self._say)
        self.source = QComboBox()
        self.source.setToolTip("What the workflow is run on")
        self.source.currentIndexChanged.connect(self._show_source)
        self.input, self.output = QLabel(), QLabel()
        self.replace = QCheckBox("Replace results of an earlier run")
        self.folders = QWidget()
        self.run_button = button("Run", "Run all steps", self.run)
        self.stop_button = button("Stop", "Stop what this panel runs", self.stop)
        self.progress_bar = QProgressBar()
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.table = SummaryTable()
        self._folders: dict[str, Path | None] = {"input": None, "output": None}
        self._lay_out()
        self.reset_choices()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.addWidget(self.chain)
        layout.addLayout(beside(QLabel("Run on"), self.source))
        rows = QVBoxLayout(self.folders)
        rows.setContentsMargins(0, 0, 0, 0)
        for name, label, tip in (
            ("input", self.input, "The folder with the movies"),
            ("output", self.output, "The folder of the results"),
        ):
            label.setText("not chosen")
            ask = button(f"{name.capitalize()} …", tip, partial(self._ask, name))
            rows.addLayout(beside(ask, label))
        rows.addWidget(self.replace)
        layout.addWidget(self.folders)
        layout.addLayout(beside(self.run_button, self.stop_button))
        layout.addWidget(self.progress_bar)
        layout.addWidget(self.status)
        layout.addWidget(self.table)
        layout.addStretch()
        self.table.hide()
        self._show_queue()

    def _check(self) -> None:
        """Say what is wrong, and let Run be pressed only if nothing is."""
        problems = self.model.problems
        on_files = self.source.currentData() is None
        if not problems and on_files and None in self._folders.values():
            problems = ["Choose a folder of movies and one for the results."]
        self.run_button.setEnabled(not problems)
        said = "\n".join(problems)
        if not self.watches and (problems or self.status.text() == self._complaint):
            self.status.setText(said)
        self._complaint = said

    def _say(self, text: str) -> None:
        self.status.setText(text)

    # What it is run on

    def reset_choices(self, _event: Any = None) -> None:
        """Offer the layers there are now; napari calls this when they change."""
        chosen = self.source.currentData()
        self.source.blockSignals(True)
        self.source.clear()
        for layer in self.viewer.layers:
            if fits(layer, (2, 3, 4, 5)):
                self.source.addItem(layer.name, layer)
        self.source.addItem(FOLDER, None)
        at = [self.source.itemData(i) is chosen for i in range(self.source.count())]
        self.source.setCurrentIndex(at.index(True) if True in at and chosen else 0)
        self.source.blockSignals(False)
        self._show_source()

    def _show_source(self, _index: int = 0) -> None:
        self.folders.setVisible(self.source.currentData() is None)
        self._check()

    def _ask(self, which: str) -> None:
        path = QFileDialog.getExistingDirectory(self, f"The {which} folder")
        if path:
            self.choose(which, path)

    def choose(self, which: str, path: str) -> None:
        """Take a folder as ``"input"`` or ``"output"``."""
        self._folders[which] = Path(path)
        (self.input if which == "input" else self.output).setText(path)
        self._check()

    # Running

    def run(self) -> None:
        """Put a run of all steps in the queue."""
        layer, state = self.source.currentData(), runs.State()
        self.table.hide()
        if layer is not None:
            source = read(layer)
            job = Job(partial(runs.on_layer, self.model.workflow, source, state))
            watch = Watch(job, f"{TITLE} on {source.name}", self.main_window())
            # No part of self: layers arrive even if this panel is closed meanwhile.
            watch.succeeded.connect(partial(runs.add, self.viewer))
            watch.succeeded.connect(self._on_layers)
        else:
            folder, output = self._folders["input"], self._folders["output"]
            if folder is None or output is None:
                return
            files = paths_in(folder, MOVIE_SUFFIXES)
            replace = self.replace.isChecked()
            job = Job(
                partial(
                    runs.on_files, self.model.workflow, files, output, replace, state
                )
            )
            watch = Watch(job, f"{TITLE} on {folder.name}", self.main_window())
            watch.succeeded.connect(self._on_summary)
        watch.failed.connect(partial(show_problem, TITLE))
        watch.failed.connect(self._on_failure)
        watch.progressed.connect(self._on_progress)
        watch.stopped.connect(self._on_stop)
        watch.ended.connect(self._on_end)
        self.watches.append(watch)
        self.states.append(state)
        self._show_queue()

    def stop(self) -> None:
        """Stop every run of this panel, the waiting ones too."""
        for watch in self.watches:
            watch.stop()
        if self.watches:
            self.status.setText("Stopping after the present block …")

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
        state = self.states[0]  # runs are made one after the other
        if state.moment is not None:
            self.status.setText(str(state.moment))
        self._show_rows(Summary(list(state.rows)))

    def _show_rows(self, summary: Summary) -> None:
        if summary.rows:
            self.table.show_summary(summary)

    def _on_layers(self, _layers: Any) -> None:
        outcomes = self.states[0].outcomes
        seconds = sum(outcome.seconds for outcome in outcomes)
        told = [str(o.result) for o in outcomes if o.result is not None]
        self.status.setText("\n".join([f"Done in {seconds:.2g} s", *told]))

    def _on_summary(self, summary: Summary) -> None:
        done = len(summary.rows) - len(summary.failed)
        told = [described(row) for row in summary.failed]
        said = f"{done} of {len(summary.rows)} movies done: {summary.path}"
        self.status.setText("\n".join([said, *told]))
        self._show_rows(summary)

    def _on_failure(self, problem: BaseException) -> None:
        self.status.setText(explain(TITLE, problem) or f"Failed: {problem}")

    def _on_stop(self) -> None:
        self._show_rows(Summary(list(self.states[0].rows)))
        self.status.setText("Stopped. Files of finished steps are there.")

    def _on_end(self) -> None:
        said = self.status.text()
        going = [
            (watch, state)
            for watch, state in zip(self.watches, self.states, strict=True)
            if not watch.over
        ]
        self.watches = [watch for watch, _ in going]
        self.states = [state for _, state in going]
        self._show_queue()
        if not self.watches:
            self.status.setText(said)
