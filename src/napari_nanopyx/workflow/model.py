"""A workflow: steps, and which result is the input of which."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, Self

MOVIE = "movie"
"""What inputs call the file or layer that a workflow is run on."""

PARTS = ("even", "odd", "mean")
_CHANNEL = re.compile(r"channel(\d{1,4})")


@dataclass(frozen=True, slots=True)
class Reference:
    """Where an input comes from: ``"movie"``, a step's name, or a part of either.

    ``"movie.mean"`` is the mean of all frames, ``"movie.channel1"`` the second channel,
    ``"drift.even"`` the rows of the even frames. Of a step that combines frames,
    ``"reconstruction.even"`` is what it makes of the even frames alone.
    """

    name: str
    parts: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take a reference apart; whether there is such a step is not asked."""
        name, *parts = text.split(".")
        for part in parts:
            if part not in PARTS and not _CHANNEL.fullmatch(part):
                raise ValueError(
                    f"{text!r} asks for {part!r}, but a part is one of "
                    f"{', '.join(PARTS)}, channel0, channel1 …"
                )
        return cls(name, tuple(parts))

    def __str__(self) -> str:
        return ".".join((self.name, *self.parts))


def channel_number(part: str) -> int | None:
    """Return which channel a part asks for, if it asks for one."""
    found = _CHANNEL.fullmatch(part)
    return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a public function."""

    function: str
    """Its public name, such as ``"esrrf"``."""
    name: str
    """What later steps and result files call it."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Argument → where it comes from, see `Reference`."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Argument → a drift table or registration in a file."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """The other arguments; those that are not given have their defaults."""
    save: bool = True
    """Whether the result is kept as a file or layer."""


@dataclass(frozen=True, slots=True)
class Workflow:
    """Steps that are run one after the other."""

    steps: tuple[Step, ...]
    folder: Path | None = None
    """Where files of steps are looked for; by default the working directory."""

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a workflow from a text file, and check it.

        Parameters
        ----------
        path
            A file that `save` wrote, or that was written by hand.

        Raises
        ------
        WorkflowError
            If it is no workflow; everything that is wrong with it is said. Also a
            `ValueError`.
        """
        from napari_nanopyx.workflow import checking, text

        loaded = text.read(path)
        checking.check(loaded, str(path))
        return cls(loaded.steps, loaded.folder)

    @property
    def text(self) -> str:
        """What `save` writes."""
        from napari_nanopyx.workflow import text

        return text.written(self)

    @property
    def digest(self) -> str:
        """Return what tells these settings, defaults included, from others."""
        from napari_nanopyx.workflow.catalogue import KINDS

        full = tuple(
            replace(
                step, parameters=KINDS[step.function].defaults | dict(step.parameters)
            )
            if step.function in KINDS
            else step
            for step in self.steps
        )
        whole = replace(self, steps=full).text
        return blake2b(whole.encode(), digest_size=8).hexdigest()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the workflow to exactly this file, in one piece, as TOML."""
        from napari_nanopyx.io import check_output, temporary_beside

        place = check_output(path, suffixes=(".toml",))
        with temporary_beside(place) as part:
            part.write_text(self._for(place.parent).text, encoding="utf-8")
        return place

    def _for(self, folder: Path) -> Self:
        """Return the workflow as it must be written in another folder."""
        here = (self.folder or Path()).resolve()
        if here == folder.resolve():
            return self
        steps = tuple(
            replace(
                step,
                files={name: str(here / path) for name, path in step.files.items()},
            )
            for step in self.steps
        )
        return replace(self, steps=steps)


def typical() -> Workflow:
    """Return the usual chain: drift, eSRRF, and how good its image is."""
    return Workflow(
        (
            Step("estimate_drift", "drift", {"image": MOVIE}),
            Step("esrrf", "reconstruction", {"image": MOVIE, "drift": "drift"}),
            Step(
                "frc",
                "resolution",
                {"image_a": "reconstruction.even", "image_b": "reconstruction.odd"},
            ),
            Step(
                "error_map",
                "errors",
                {"reference": "movie.mean", "super_resolved": "reconstruction"},
            ),
        )
    )
