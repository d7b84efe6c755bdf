"""Somebody who has never seen the plugin gets to an image by the menus."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QMenu, QPushButton

PATIENCE_MILLISECONDS = 120_000


def _entry(menu: QMenu, *path: str) -> QAction:
    """Return an entry of a menu by the beginnings of its words and its menus'."""
    menu.aboutToShow.emit()
    (found,) = [each for each in menu.actions() if each.text().startswith(path[0])]
    below = found.menu()
    if len(path) == 1 or below is None:
        assert found.isEnabled()
        return found
    return _entry(below, *path[1:])


def _step(viewer: Any) -> Any:
    """Return the widget of the plugin that is docked."""
    (dock,) = viewer.window.dock_widgets.values()
    return getattr(dock, "inner_widget", dock)


@pytest.fixture
def click(qtbot: Any) -> Any:
    """Return what clicks on a menu entry or a button, and counts."""

    def click(target: Any) -> None:
        click.count += 1  # type: ignore[attr-defined]
        if isinstance(target, QPushButton):
            assert target.isEnabled()
            qtbot.mouseClick(target, Qt.MouseButton.LeftButton)
        else:
            target.trigger()

    click.count = 0  # type: ignore[attr-defined]
    return click


def _check_reconstruction(viewer: Any, step: Any, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not step.watches, timeout=PATIENCE_MILLISECONDS)
    movie, image = viewer.layers
    assert movie.data.shape == (200, 133, 162)
    assert image.data.shape == (133 * 5, 162 * 5)
    assert image.name == "telomeres eSRRF AVG ×5"
    assert [str(unit) for unit in image.units] == ["micrometer", "micrometer"]
    assert np.percentile(image.data, 99.9) > 2 * np.median(image.data) > 0


def test_three_clicks_from_the_plugin_menu_to_an_image(
    viewer: Any, click: Any, qtbot: Any
) -> None:
    click(_entry(viewer.window.plugins_menu, "NanoPyx", "eSRRF reconstruction"))
    step = _step(viewer)
    click(step.sample_button)
    click(step.run_button)
    _check_reconstruction(viewer, step, qtbot)
    assert click.count == 3


def test_three_clicks_by_the_samples(viewer: Any, click: Any, qtbot: Any) -> None:
    click(_entry(viewer.window.file_menu, "Open Sample", "NanoPyx", "Live-cell"))
    click(_entry(viewer.window.layers_menu, "Filter", "eSRRF reconstruction"))
    step = _step(viewer)
    click(step.run_button)
    _check_reconstruction(viewer, step, qtbot)
    assert click.count == 3
