"""Where the results of a workflow's steps go: into memory, or into a folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from napari_nanopyx.io import ImageMetadata, open_image, write_image
from napari_nanopyx.workflow.catalogue import KINDS
from napari_nanopyx.workflow.model import Step
from napari_nanopyx.workflow.view import View

TABLE_SUFFIXES = {"drift": ".csv", "registration": ".tif"}


class Store(Protocol):
    """Keeps results, so that later steps can read them."""

    def images(
        self,
        step: Step,
        blocks: Iterator[NDArray[np.float32]],
        shape: tuple[int, ...],
        metadata: ImageMetadata,
        provenance: Mapping[str, Any],
    ) -> tuple[View, Path | None]:
        """Take blocks of an image, one after the other along its first axis."""

    def table(self, step: Step, result: Any) -> Path | None:
        """Take a drift table or registration."""


class Memory:
    """Keeps everything in memory."""

    def images(
        self,
        step: Step,  # noqa: ARG002
        blocks: Iterator[NDArray[np.float32]],
        shape: tuple[int, ...],
        metadata: ImageMetadata,
        provenance: Mapping[str, Any],  # noqa: ARG002
    ) -> tuple[View, Path | None]:
        """Put blocks into an array."""
        whole: NDArray[np.float32] | None = None
        start = 0
        for block in blocks:
            if whole is None and block.shape == shape:
                whole = block
            elif whole is None:
                whole = np.empty(shape, np.float32)
            if whole is not block:
                whole[start : start + len(block)] = block
            start += len(block)
        return View(whole, metadata.axes), None

    def table(self, step: Step, result: Any) -> Path | None:
        """Do nothing: the result is an object already."""


class Folder:
    """Writes each result as a file, complete or not at all, and reads it from there.

    Results that are not to be saved go to a hidden folder beside, which is removed.

    Parameters
    ----------
    folder
        Where the files go.
    stem
        How their names begin.
    suffix
        Of images: ``".tif"``, ``".ome.tif"`` or ``".ome.zarr"``.
    replace
        Whether a result that is there already may be replaced.
    """

    def __init__(
        self, folder: Path, stem: str, suffix: str = ".tif", replace: bool = False
    ) -> None:
        self._replace = replace
        self._folder = folder
        self._stem = stem
        self._suffix = suffix
        self._open = ExitStack()
        self._aside: Path | None = None

    def place(self, step: Step) -> Path | None:
        """Return the file of a step's result, None if it has none."""
        kind = KINDS[step.function]
        suffix = TABLE_SUFFIXES.get(kind.result, self._suffix)
        if not step.save or (kind.result == "measurement" and kind.image is None):
            return None
        return self._folder / f"{self._stem}_{step.name}{suffix}"

    def images(
        self,
        step: Step,
        blocks: Iterator[NDArray[np.float32]],
        shape: tuple[int, ...],
        metadata: ImageMetadata,
        provenance: Mapping[str, Any],
    ) -> tuple[View, Path | None]:
        """Write blocks to a file, and open it."""
        place = self.place(step)
        path = place or self._hidden() / f"{step.name}.tif"
        frames = (
            frame for block in blocks for frame in block.reshape(-1, *block.shape[-2:])
        )
        write_image(
            path,
            frames,
            metadata,
            shape=shape,
            provenance=provenance,
            replace=self._replace,
        )
        stack = self._open.enter_context(open_image(path))
        return View(stack, stack.metadata.axes), place

    def table(self, step: Step, result: Any) -> Path | None:
        """Write a drift table or registration."""
        place = self.place(step)
        if place is not None:
            result.save(place)
        return place

    def _hidden(self) -> Path:
        if self._aside is None:
            name = tempfile.mkdtemp(prefix=f".{self._stem}.", dir=self._folder)
            self._aside = Path(name)
            self._open.callback(shutil.rmtree, self._aside, ignore_errors=True)
        return self._aside

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        # The files are closed before their folder is removed: last in, first out.
        self._open.close()
