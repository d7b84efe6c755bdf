"""Keeps the histories of benchmarks apart from the user's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_nanopyx._engine.measurements import history

_VARIABLE = "NAPARI_NANOPYX_HOME"


@contextmanager
def history_in(folder: Path) -> Iterator[None]:
    """Let the engine keep its history in a folder meanwhile."""
    before = os.environ.get(_VARIABLE)
    history.close()
    os.environ[_VARIABLE] = str(folder)
    try:
        yield
    finally:
        history.close()
        del os.environ[_VARIABLE]
        if before is not None:
            os.environ[_VARIABLE] = before
