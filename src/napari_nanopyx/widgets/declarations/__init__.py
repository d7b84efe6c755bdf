"""What the forms of the steps know of their functions, without a window."""

from __future__ import annotations

from collections.abc import Mapping

from napari_nanopyx.widgets.declarations import (
    images,
    measurements,
    reconstruction,
    registration,
)
from napari_nanopyx.widgets.step_declaration import Step

DECLARED: Mapping[str, Step] = {
    step.function.__name__: step
    for module in (images, measurements, reconstruction, registration)
    for step in vars(module).values()
    if isinstance(step, Step)
}
"""The declarations by function."""
