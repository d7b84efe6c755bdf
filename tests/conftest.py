"""What all tests share: no test ever touches the user's own history."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from napari_nanopyx._engine import catalogue
from napari_nanopyx._engine.measurements import history
from napari_nanopyx._engine.running import preparing


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Let napari, and what tests start, use the Qt binding that pytest-qt has taken."""
    from pytestqt.qt_compat import qt_api

    os.environ["QT_API"] = qt_api.pytest_qt_api


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAPARI_NANOPYX_HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("NAPARI_NANOPYX_IMPLEMENTATION", raising=False)
        history.close()
        yield
        history.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give one test a history of its own, and nothing in quarantine."""
    monkeypatch.setenv("NAPARI_NANOPYX_HOME", str(tmp_path))
    history.close()
    catalogue.release()
    preparing.forget()
    yield tmp_path
    history.close()
    catalogue.release()
    preparing.forget()


@pytest.fixture
def make_napari_viewer(make_napari_viewer: Any) -> Iterator[Any]:
    """Let go of a viewer's OpenGL context before the viewer is closed.

    Qt would let go of it at the end of the program, when it is long deleted.
    """
    from qtpy.QtGui import QOpenGLContext

    yield make_napari_viewer
    context = QOpenGLContext.currentContext()
    if context is not None:
        context.doneCurrent()
