"""The plugin's page of napari's preferences acts on the engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from napari_nanopyx import engine
from napari_nanopyx._engine import settings
from napari_nanopyx.widgets import preferences
from napari_nanopyx.widgets.steering import steering


@pytest.fixture
def page(viewer: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from napari.settings import get_plugin_settings

    monkeypatch.delenv("NAPARI_NANOPYX_THREADS", raising=False)
    monkeypatch.setattr(preferences, "_follower", preferences._Follower())
    yield get_plugin_settings(preferences.PLUGIN).engine
    engine.configure(threads=0, devices="", memory_mb=0, folder="")
    steering.policy = "default"


def test_the_preferences_act_at_once_and_last(
    page: Any, open_widget: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari.settings import get_plugin_settings

    page.threads = 3
    page.memory_mb = 50
    open_widget("Magnify")
    assert (settings.threads(), settings.memory_bytes()) == (3, 50 * 2**20)
    page.threads = 5
    assert settings.threads() == 5
    page.policy = "paper"
    assert steering.policy == "paper"
    monkeypatch.setenv("NAPARI_NANOPYX_THREADS", "2")
    assert settings.threads() == 2
    kept = get_plugin_settings(preferences.PLUGIN).config_path.read_text()
    assert "threads: 5" in kept
    assert "policy: paper" in kept


def test_what_was_not_changed_is_left_alone(page: Any, open_widget: Any) -> None:
    open_widget("Magnify")
    steering.policy = "paper"
    page.threads = 4
    open_widget("Denoise by non-local means")
    assert steering.policy == "paper"


def test_what_cannot_be_had_is_said(
    page: Any,
    open_widget: Any,
    notifications: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from napari_nanopyx._engine.policy import policies

    monkeypatch.setattr(policies, "find_spec", lambda _: None)
    open_widget("Magnify")
    page.policy = "paper"
    assert steering.policy == "default"
    (notification,) = notifications
    assert "pip install napari-nanopyx[paper]" in notification.message


def test_every_setting_says_what_it_does(page: Any) -> None:
    fields = type(page).model_fields
    assert set(fields) == {"threads", "devices", "memory_mb", "folder", "policy"}
    for name, field in fields.items():
        assert field.title, name
        assert field.description, name
