"""Makes implementations of the toy task give other results than they should."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Change = Callable[[np.ndarray[Any, Any]], Any]


class Changed:
    """A session whose result is not what it computes."""

    def __init__(self, session: Any, change: Change) -> None:
        self._session, self._change = session, change
        self.preferred_frames = session.preferred_frames
        self.close = session.close

    def run(self, *given: Any) -> Any:
        """Compute a block, and change the result."""
        partial, timing = self._session.run(*given)
        return {name: self._change(out.copy()) for name, out in partial.items()}, timing


def changing(toy: Any, monkeypatch: Any) -> dict[str, Change]:
    """Return a mapping; an implementation named in it changes its results so."""
    changes: dict[str, Change] = {}
    usual = toy.open

    def open_(implementation: Any, task: Any, plan: Any) -> Any:
        session, name = usual(implementation, task, plan), implementation.name
        return Changed(session, changes[name]) if name in changes else session

    monkeypatch.setattr(toy, "open", open_)
    return changes
