"""The toggle of a step that shows what a change of its settings does, while they move.

A request is computed on the compute thread, after the runs that wait there; when it is
done, the latest one follows, and those in between never were. Nothing of Qt is touched
by that thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from napari_nanopyx.widgets.compute import Job
from napari_nanopyx.widgets.form import Form
from napari_nanopyx.widgets.layers import Source
from napari_nanopyx.widgets.messages import explain
from napari_nanopyx.widgets.preview.pace import Pace
from napari_nanopyx.widgets.preview.place import (
    PreviewLayer,
    camera,
    present,
    visible,
    why_not,
)
from napari_nanopyx.widgets.preview.region import Region, region
from napari_nanopyx.widgets.preview.request import Cropper, Picture, Request, compute
from napari_nanopyx.widgets.steering import steering
from napari_nanopyx.widgets.step_declaration import Step

if TYPE_CHECKING:
    from napari.viewer import Viewer

LOOK_EVERY_MILLISECONDS = 5
COLLECT_MILLISECONDS = 15
"""Changes of the view come together, and what is in view is known when it is drawn."""

TOO_SLOW_SECONDS = 0.5
"""A pinned implementation that takes longer is no help while a slider moves."""


class LivePreview(QWidget):
    """A check box, what it has to say, and a layer while it is checked.

    Parameters
    ----------
    viewer
        Where the preview is shown.
    step
        Has a `preview`.
    form
        Whose settings are followed.
    chosen
        Gives the images and the other arguments, as they are now.
    """

    def __init__(
        self,
        viewer: Viewer,
        step: Step,
        form: Form,
        chosen: Callable[[], tuple[Mapping[str, Source], Mapping[str, Any]]],
    ) -> None:
        super().__init__()
        if step.preview is None or step.place is None:
            raise ValueError(f"the step {step.title!r} has no preview")
        self._viewer, self._step, self._form, self._chosen = viewer, step, form, chosen
        self._previewed, self._place = step.preview, step.place
        self._argument = next(iter(step.images))
        self._pace = Pace(self._previewed.most_frames)
        self._cropper = Cropper()
        self._layer = PreviewLayer(viewer)
        self._job: Job | None = None
        self._again = False
        self._key: Any = None
        self._disconnect: list[Callable[[], None]] = []
        self.toggle = QCheckBox("Preview")
        self.toggle.setToolTip(
            "Compute what is in view, of a few frames, whenever a setting changes"
        )
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.said.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.toggle)
        layout.addWidget(self.said)
        self._collecting = QTimer(self)
        self._collecting.setSingleShot(True)
        self._collecting.setInterval(COLLECT_MILLISECONDS)
        self._collecting.timeout.connect(self._begin)
        self._looking = QTimer(self)
        self._looking.setInterval(LOOK_EVERY_MILLISECONDS)
        self._looking.timeout.connect(self._look)
        self.toggle.toggled.connect(self._switch)
        for chooser in form.choosers.values():
            chooser.changed.connect(self.ask)
        self._end = _ending(self._disconnect, self._layer)
        self.destroyed.connect(self._end)

    def ask(self, _event: Any = None) -> None:
        """Want a preview of how things are, a moment after the view has changed."""
        if self.toggle.isChecked() and not self._collecting.isActive():
            self._collecting.start()

    def _switch(self, on: bool) -> None:
        if on:
            self._connect()
            self._begin()
            return
        self._end()
        self._key = None
        self._collecting.stop()
        self._cropper.forget()
        self._say("")

    def _connect(self) -> None:
        """Follow the settings, the view and the image."""
        viewer, ask = self._viewer, self.ask
        for field in self._form.fields.values():
            field.changed.connect(self._begin)
            self._disconnect.append(_end_of(field.changed, self._begin))
        emitters = (
            viewer.dims.events.current_step,
            viewer.dims.events.order,
            viewer.dims.events.ndisplay,
            camera(viewer).events.zoom,
            camera(viewer).events.center,
        )
        for emitter in emitters:
            emitter.connect(ask)
            self._disconnect.append(_end_of(emitter, ask))
        for emitter, slot in (
            (viewer.layers.events.removed, self._on_removal),
            (viewer.layers.events.inserted, ask),
        ):
            emitter.connect(slot)
            self._disconnect.append(_end_of(emitter, slot))

    def _on_removal(self, _event: Any = None) -> None:
        if self._layer.is_gone:
            self.toggle.setChecked(False)
        else:
            self.ask()

    def _begin(self, _value: Any = None) -> None:
        """Compute the latest request, now or when the present one is done."""
        if not self.toggle.isChecked():
            return
        if self._job is not None and self._job.started:
            self._again = True
            return
        layer = self._form.layers[self._argument]
        pinned = steering.pinned(self._previewed.task)
        if pinned == "reference":
            self._give_up(f"Preview is off: {pinned} is pinned, which takes too long.")
            return
        if reason := why_not(self._viewer, layer):
            self._take_away(reason)
            return
        self._again = False
        request, cropper = self._request(layer), self._cropper
        if request.key == self._key:
            return
        self._key = request.key
        if self._job is not None:  # it waits for a run: this request takes its place
            self._job.stop()
        self._job = Job(lambda _progress, cancel: compute(request, cropper, cancel))
        self._looking.start()

    def _request(self, layer: Any) -> Request:
        sources, parameters = self._chosen()
        source = sources[self._argument]
        values = {**parameters, **self._previewed.fixed}
        wanted = self._region(layer, source, values)
        place = self._place(source, values)
        whole = layer.data[0] if layer.multiscale else layer.data
        return Request(
            self._step.function, self._argument, source, values, place, wanted, whole
        )

    def _region(self, layer: Any, source: Source, values: Mapping[str, Any]) -> Region:
        previewed, planes = self._previewed, self._previewed.planes
        moves = self._moves(source)
        frame = present(self._viewer, layer, source, 0) if moves else 0
        found = region(
            source.shape if moves else source.shape[-2:],
            visible(layer),
            frame,
            max(self._pace.frames, previewed.least_frames(values)),
            previewed.margin(values),
            previewed.most_pixels,
        )
        if planes is None:
            return found
        plane = present(self._viewer, layer, source, source.ndim - 3)
        return found.of_volumes(source.shape[-3], plane, planes(values))

    def _moves(self, source: Source) -> bool:
        """Tell whether there are frames, rather than one image or volume."""
        return source.ndim > (2 if self._previewed.planes is None else 3)

    def _look(self) -> None:
        job = self._job
        if job is None or not job.ended:
            if job is not None and not job.started:
                self._say("Preview: waiting for the run to end.")
            return
        self._looking.stop()
        self._job = None
        if self.toggle.isChecked() and not job.stopped:
            if job.problem is not None:
                said = explain("Preview", job.problem)
                self._take_away(said or f"Preview failed: {job.problem!r}")
            else:
                self._show(job.result)
        if self._again:
            self._begin()

    def _show(self, picture: Picture) -> None:
        request = picture.request
        first, stop = request.region.frames
        frames = stop - first
        pinned = steering.pinned(self._previewed.task)
        moves = self._moves(request.source)
        if moves:
            self._pace.took(picture.seconds, frames)
        if pinned is not None and picture.seconds > TOO_SLOW_SECONDS:
            self._give_up(
                f"Preview is off: {pinned} is pinned, and takes "
                f"{picture.seconds:.1f} s for what is in view."
            )
            return
        name = f"Preview: {self._step.suffix(request.parameters)}"
        self._layer.show(picture, name, self._step.colormap)
        self._say(_words(picture, moves))

    def _take_away(self, reason: str) -> None:
        self._key = None
        self._layer.remove()
        self._say(reason)

    def _give_up(self, reason: str) -> None:
        self.toggle.setChecked(False)
        self._say(reason)

    def _say(self, text: str) -> None:
        if self.said.text() != text:
            self.said.setText(text)
            self.said.setVisible(bool(text))


def _words(picture: Picture, moves: bool) -> str:
    """Return what a preview is of, and how long it took."""
    region = picture.request.region
    rows, columns = region.size
    first, stop = region.frames
    parts = [f"{rows} × {columns} pixels"]
    if region.plane is not None:
        parts.append(f"plane {region.plane}")
    if moves:
        several = stop - first > 1
        parts.append(f"frames {first} to {stop - 1}" if several else f"frame {first}")
    return f"Preview of {', '.join(parts)}: {1000 * picture.seconds:.0f} ms"


def _end_of(signal: Any, slot: Callable[..., None]) -> Callable[[], None]:
    def end() -> None:
        signal.disconnect(slot)

    return end


def _ending(ends: list[Callable[[], None]], layer: PreviewLayer) -> Callable[..., None]:
    """Return what ends a preview, also after its widget has been deleted."""

    def end_all(*_object: Any) -> None:
        while ends:
            ends.pop()()
        layer.remove()

    return end_all
