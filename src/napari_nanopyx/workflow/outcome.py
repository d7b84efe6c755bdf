"""What came of one step of a workflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_nanopyx.workflow.catalogue import KINDS
from napari_nanopyx.workflow.inputs import Images
from napari_nanopyx.workflow.model import Step


@dataclass(frozen=True)
class Outcome:
    """What came of one step."""

    step: Step
    result: Any
    """What the function returned, if that is more than an image."""
    images: Images | None
    """The image, if there is one, and where it lies on the movie."""
    seconds: float
    implementations: Mapping[str, int] = field(default_factory=dict)
    """Frames by the implementation that computed them."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None
    """The file of the result, if it was written."""

    @property
    def numbers(self) -> dict[str, Any]:
        """What a summary says of it."""
        kind = KINDS[self.step.function]
        return {} if self.result is None else kind.numbers(self.result)
