"""The window answers while the plugin computes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QTimer

PATIENCE_MILLISECONDS = 120_000
TICK_MILLISECONDS = 5
LONGEST_SECONDS = 0.1
TRIES = 3
"""Whatever else the computer does delays a window too: the best try counts."""
IDLE_MILLISECONDS = 1000
LONGEST_IDLE_SECONDS = 0.02
"""Where a window without work waits longer, the computer is too busy to tell."""


class Ticks:
    """How long the event loop lets a timer wait, from now on."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MILLISECONDS)

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps.append(now - self._last)
        self._last = now

    def stop(self) -> np.ndarray[Any, Any]:
        """Return the gaps in seconds."""
        self._timer.stop()
        return np.array(self.gaps)


def without_work(qtbot: Any) -> float:
    """Return the 99th percentile of the gaps in a window that computes nothing."""
    ticks = Ticks()
    qtbot.wait(IDLE_MILLISECONDS)
    return float(np.quantile(ticks.stop(), 0.99))


@pytest.mark.slow
def test_the_event_loop_answers_during_a_long_run(
    viewer: Any, open_widget: Any, qtbot: Any
) -> None:
    random = np.random.default_rng(0)
    movie = random.poisson(100, (120, 256, 256)).astype(np.uint16)
    viewer.add_image(movie, name="cells")
    step = open_widget("eSRRF reconstruction")
    panel = open_widget("Liquid Engine")
    qtbot.waitUntil(lambda: panel.model.loaded, timeout=PATIENCE_MILLISECONDS)
    step.run()  # whatever happens once has happened then
    qtbot.waitUntil(lambda: not step.watches, timeout=PATIENCE_MILLISECONDS)
    best = np.inf
    for _ in range(TRIES):
        ticks = Ticks()
        step.run()
        qtbot.waitUntil(lambda: not step.watches, timeout=PATIENCE_MILLISECONDS)
        gaps = ticks.stop()
        assert len(gaps) > 30
        best = min(best, float(np.quantile(gaps, 0.99)))
        if best <= LONGEST_SECONDS:
            return
    if (idle := without_work(qtbot)) > LONGEST_IDLE_SECONDS:
        pytest.skip(f"the computer is busy: a window without work waits {idle:.3f} s")
    pytest.fail(f"the event loop waited {best:.3f} s, 99th percentile")
