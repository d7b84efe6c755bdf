"""Steps that find out how images have moved, and move them back."""

from __future__ import annotations

from typing import Any

from napari_nanopyx.widgets.declarations import registration as declared
from napari_nanopyx.widgets.step import DeclaredStep, StepWidget
from napari_nanopyx.widgets.table_files import DRIFT, REGISTRATION, path_of_layer


class EstimateDriftStep(DeclaredStep):
    """Find out how the scene of a movie drifts; the table can be saved."""

    declaration = declared.ESTIMATE_DRIFT


class CorrectDriftStep(DeclaredStep):
    """Move each frame of a movie as a table of drift says."""

    declaration = declared.CORRECT_DRIFT

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers there are now, and the table that one of them shows."""
        super().reset_choices(event)
        _take_opened(self, "table", DRIFT)


class EstimateChannelsStep(DeclaredStep):
    """Find out how the channels of an image lie apart; the result can be saved."""

    declaration = declared.ESTIMATE_CHANNELS


class RegisterChannelsStep(DeclaredStep):
    """Move each channel of an image onto the reference channel."""

    declaration = declared.REGISTER_CHANNELS

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers there are now, and the table that one of them shows."""
        super().reset_choices(event)
        _take_opened(self, "registration", REGISTRATION)


def _take_opened(step: StepWidget, name: str, key: str) -> None:
    """Fill in the file of a layer that was opened from one, unless there is one."""
    path = path_of_layer(step.viewer.layers, key)
    if path and step.form.fields[name].value is None:
        step.form.fields[name].value = path
