"""Steps that simulate images of which the truth is known."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QComboBox, QFormLayout, QStackedWidget, QVBoxLayout

from napari_nanopyx import simulate
from napari_nanopyx._parameters import explanations
from napari_nanopyx.widgets.dock import DockContent
from napari_nanopyx.widgets.step import Step, StepWidget

if TYPE_CHECKING:
    from napari.viewer import Viewer

_SIDES = {"annotation": tuple[int, int], "options": {"min": 8, "max": 2048}}
_RANGES: dict[str, dict[str, Any]] = {
    "shape": {"label": "Rows, columns", **_SIDES},
    "frames": {"min": 1, "max": 100_000},
    "fwhm": {"label": "Width of the PSF (pixels)", "min": 0.5, "max": 50.0},
    "sigma": {"label": "Width of a bead (sigma)", "min": 0.3, "max": 20.0},
    "mean_on": {"label": "Frames on, on average", "min": 1.0, "max": 1e4},
    "duty": {"label": "Share of time on", "min": 0.001, "max": 0.999, "step": 0.001},
    "photons": {"min": 0.0, "max": 1e6, "step": 100.0},
    "background": {"min": 0.0, "max": 1e5},
    "spacing": {"min": 0.01, "max": 100.0, "step": 0.01},
    "separation": {"min": 0.0, "max": 1000.0, "step": 0.1},
    "radius": {"min": 0.1, "max": 1000.0},
    "drift": {
        "label": "Drift a frame (row, column)",
        "annotation": tuple[float, float],
        "value": (0.4, -0.25),
        "options": {"min": -100.0, "max": 100.0, "step": 0.05},
    },
    "random_step": {"label": "Random step", "min": 0.0, "max": 100.0, "step": 0.05},
    "count": {"label": "Beads", "min": 1, "max": 10_000},
    "displacement": {"min": 0.0, "max": 1000.0, "step": 0.1},
    "blocks": {"min": 2, "max": 100},
    "beads_per_block": {"min": 1, "max": 1000},
    "min_distance": {"min": 0.0, "max": 1000.0},
    "margin": {"min": 0.0, "max": 1000.0},
    "p_permanent_off": {
        "label": "Share bleached a frame",
        "min": 0.0,
        "max": 0.999,
        "step": 0.001,
    },
    "seed": {"annotation": int, "value": 1, "min": 0, "max": 2**31 - 1},
}
_OTHERS = explanations(simulate.blinking) | explanations(simulate.beads)
_TIPS = _OTHERS | {"seed": "The same number gives the same images again."}


class SimulateStep(DockContent):
    """Simulate a scene; what is chosen above decides on the form below."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.scenes = QComboBox()
        self.scenes.setToolTip("What is to be seen in the simulated images")
        self.forms = QStackedWidget()
        for step in _steps():
            self.scenes.addItem(step.title)
            self.forms.addWidget(StepWidget(napari_viewer, step))
        self.scenes.currentIndexChanged.connect(self.forms.setCurrentIndex)
        layout = QVBoxLayout(self)
        chooser = QFormLayout()
        chooser.addRow("Scene", self.scenes)
        layout.addLayout(chooser)
        layout.addWidget(self.forms)

    @property
    def step_widget(self) -> StepWidget:
        """The form that is shown."""
        shown = self.forms.currentWidget()
        if not isinstance(shown, StepWidget):
            raise TypeError(f"{shown!r} is shown, but must be a step")
        return shown


def _steps() -> list[Step]:
    unlike = {"shape": {"value": (64, 64)}}
    filaments = _spelled_out(simulate.blinking_filaments, simulate.blinking)
    ring = _spelled_out(simulate.blinking_ring, simulate.blinking)
    return [
        _step("Blinking filaments", filaments, "TYX", unlike),
        _step("Blinking ring", ring, "TYX", unlike),
        _step("Drifting beads", simulate.drift_movie, "TYX"),
        _step("Misaligned channels", simulate.misaligned_channels, "CYX"),
        _step("Beads", simulate.beads, "YX"),
    ]


def _spelled_out(
    function: Callable[..., Any], inner: Callable[..., Any]
) -> Callable[..., Any]:
    """Return a function with the keywords in its signature that it passes on."""
    own, further = signature(function).parameters, signature(inner).parameters
    kept = [each for each in own.values() if each.kind is not Parameter.VAR_KEYWORD]
    kept += [
        each
        for name, each in further.items()
        if each.kind is Parameter.KEYWORD_ONLY and name not in own
    ]

    @wraps(function)
    def spelled_out(**given: Any) -> Any:
        return function(**given)

    spelled_out.__signature__ = Signature(kept)  # type: ignore[attr-defined]
    spelled_out.__annotations__ = inner.__annotations__ | function.__annotations__
    return spelled_out


def _step(
    title: str,
    function: Any,
    axes: str,
    unlike: dict[str, dict[str, Any]] | None = None,
) -> Step:
    tips = explanations(function)
    options = {}
    for name, settings in _RANGES.items():
        said = tips.get(name, "")
        tip = _TIPS.get(name, said) if said.startswith("As in") or not said else said
        tip = tip.replace("`", "")
        options[name] = {**settings, "tooltip": tip, **(unlike or {}).get(name, {})}
    return Step(
        title=title,
        function=function,
        images={},
        axes=axes,
        image=lambda result: result.image if hasattr(result, "image") else result.movie,
        options=options,
        advanced=(
            "spacing",
            "mean_on",
            "duty",
            "p_permanent_off",
            "background",
            "min_distance",
            "margin",
        ),
        colormap="gray",
    )
