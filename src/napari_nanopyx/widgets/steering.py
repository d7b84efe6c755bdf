"""What users ask of the engine in the panel: one implementation, or another policy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from napari_nanopyx import engine

POLICIES = {"default": "Fastest as of now", "paper": "As published"}
"""The policies, with the words for them."""


class Steering:
    """Holds for every computation of the plugin that begins from now on."""

    def __init__(self) -> None:
        self._pins: dict[str, str] = {}
        self._policy = "default"

    @property
    def policy(self) -> str:
        """Name of the policy that chooses."""
        return self._policy

    @policy.setter
    def policy(self, name: str) -> None:
        """Let another policy choose; what `engine.policy` raises is raised."""
        engine.policy(name)
        self._policy = name

    def pinned(self, task: str) -> str | None:
        """Return the implementation that computes a task; None if one is chosen."""
        return self._pins.get(task)

    def pin(self, task: str, implementation: str | None) -> None:
        """Compute a task with one implementation, or with None choose again."""
        if implementation is None:
            self._pins.pop(task, None)
        else:
            self._pins[task] = implementation

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Steer what this thread computes inside."""
        with ExitStack() as stack:
            stack.enter_context(engine.policy(self._policy))
            for task, implementation in dict(self._pins).items():
                stack.enter_context(engine.use(implementation, task=task))
            yield


steering = Steering()
"""The wishes of this session."""
