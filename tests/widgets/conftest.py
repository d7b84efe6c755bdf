"""A viewer that knows only this plugin, a small movie, and a method that waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, current_thread
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_nanopyx.engine import Cancelled
from napari_nanopyx.widgets.layers import Placement
from napari_nanopyx.widgets.step import Step, StepWidget

MANIFEST = Path(__file__).parents[2] / "napari.yaml"
PATIENCE_MILLISECONDS = 60_000


@pytest.fixture
def viewer(
    npe2pm: Any,
    plugin_settings: Any,
    make_napari_viewer_proxy: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Any]:
    monkeypatch.setenv("NAPARI_ASYNC", "0")
    with npe2pm.tmp_plugin(manifest=str(MANIFEST)):
        yield make_napari_viewer_proxy()


@pytest.fixture
def open_widget(viewer: Any) -> Callable[[str], Any]:
    """Open a widget of the manifest as napari's menu does."""

    def open_widget(name: str) -> Any:
        return viewer.window.add_plugin_dock_widget("napari-nanopyx", name)[1]

    return open_widget


@pytest.fixture
def movie() -> NDArray[np.uint16]:
    """Twelve frames with blinking spots on a noisy background."""
    random = np.random.default_rng(7)
    rows, columns = np.mgrid[:20, :24]
    frames = random.poisson(20, (12, 20, 24)).astype(float)
    for row, column in ((5.3, 6.1), (12.0, 14.6), (15.5, 4.2)):
        spot = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 3.0)
        frames += 400 * random.random(12)[:, None, None] * spot
    return frames.astype(np.uint16)


class Waiting:
    """Stands in for a long method: does one frame, then waits to be let go on."""

    def __init__(self) -> None:
        self.go_on = Event()
        self.begun = Event()
        self.threads: list[str] = []
        self.cancelled = False
        self.__name__ = "waiting"

    def function(
        self,
        image: Any,
        magnification: Annotated[int, {"min": 1, "max": 4}] = 2,
        *,
        temporal: Literal["AVG", "VAR"] = "AVG",
        progress: Any = None,
        cancel: Any = None,
    ) -> NDArray[np.float32]:
        """Enlarge the first frame.

        Parameters
        ----------
        image : array
            A movie.
        magnification : int
            Output pixels along one
            input pixel.
        temporal : str
            Not used.
        """
        self.threads.append(current_thread().name)
        progress(1, len(image))
        self.begun.set()
        while not self.go_on.wait(0.01):
            if cancel.is_set():
                self.cancelled = True
                raise Cancelled("stopped")
        progress(len(image), len(image))
        first = np.asarray(image[0], dtype=np.float32)
        return np.kron(first, np.ones((magnification,) * 2, np.float32))[np.newaxis]


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    method = Waiting()
    yield method
    method.go_on.set()


@pytest.fixture
def waiting_step(viewer: Any, waiting: Waiting, movie: NDArray[Any]) -> StepWidget:
    """Dock a step that runs the waiting method on a movie in the viewer."""
    viewer.add_image(movie, name="cells", scale=(0.5, 0.1, 0.1))
    step = Step(
        title="Waiting",
        function=waiting.function,
        images={"image": (2, 3)},
        suffix=lambda chosen: f"waited ×{chosen['magnification']}",
        place=lambda source, chosen: Placement.magnified(
            source.ndim, chosen["magnification"]
        ),
    )
    widget = StepWidget(viewer, step)
    viewer.window.add_dock_widget(widget, name="Waiting")
    return widget


@pytest.fixture
def notifications(viewer: Any) -> list[Any]:
    """Collect what napari shows the user from now on."""
    from napari.utils.notifications import notification_manager

    seen: list[Any] = notification_manager.records
    seen.clear()
    return seen
