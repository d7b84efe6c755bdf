"""Takes the plugin's page of napari's preferences to the engine."""

from __future__ import annotations

from typing import Any

from napari_nanopyx import engine
from napari_nanopyx.widgets.steering import steering

PLUGIN = "napari-nanopyx"


class _Follower:
    """Applies what has changed since it was applied last."""

    def __init__(self) -> None:
        self._page: Any = None
        self._applied: dict[str, Any] = {}

    def follow(self, page: Any) -> None:
        if page is not self._page:
            self._page = page
            fields = type(page).model_fields
            self._applied = {name: field.default for name, field in fields.items()}
            page.events.connect(self._apply)
            self._apply()

    def _apply(self, _event: Any = None) -> None:
        wishes = self._page.model_dump()
        changed = {
            name: value
            for name, value in wishes.items()
            if self._applied.get(name) != value
        }
        self._applied = wishes
        policy = changed.pop("policy", None)
        try:
            if policy is not None:
                steering.policy = policy
            if changed:
                engine.configure(**changed)
        except (ValueError, engine.NanoPyxError) as problem:
            from napari.utils.notifications import show_warning

            show_warning(f"NanoPyx preferences: {problem}")


_follower = _Follower()


def follow() -> None:
    """Apply the preferences, and from then on every change of them.

    Without a page for plugins in the preferences, which napari has from 0.9 on, the
    environment variables and `engine.configure` do the same.
    """
    from napari import current_viewer, settings

    if current_viewer() is None or not hasattr(settings, "get_plugin_settings"):
        return
    page = settings.get_plugin_settings().get(PLUGIN)
    if page is not None:
        _follower.follow(page.engine)
