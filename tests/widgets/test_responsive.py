"""The window answers while the plugin computes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QTimer

PATIENCE_MILLISECONDS = 120_000
FRAMES = 800
TICK_MILLISECONDS = 5
MOMENTS = 10_000
LONGEST_SECONDS = 0.1
TRIES = 3
"""Whatever else the computer does delays a window too: the best try counts."""
IDLE_MILLISECONDS = 1000
LONGEST_IDLE_SECONDS = 0.02
"""Where a window without work waits longer, the computer is too busy to tell."""


class Ticks:
    """When the event loop lets a timer tick, from now on."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._ticks: list[float] = []
        self._timer = QTimer()
        self._timer.timeout.connect(
            lambda: self._ticks.append(time.perf_counter() - self._began)
        )
        self._timer.start(TICK_MILLISECONDS)

    def wait(self) -> float:
        """Return how long something waits that happens at any moment until now.

        The 99th percentile, in seconds. It is taken over moments and not over ticks:
        a window that freezes once, for long, ticks no less often for the rest.
        """
        self._timer.stop()
        ticks = np.append(self._ticks, time.perf_counter() - self._began)
        moments = np.linspace(0, ticks[-1], MOMENTS)
        waits = ticks[np.searchsorted(ticks, moments)] - moments
        return float(np.quantile(waits, 0.99))


def without_work(qtbot: Any) -> float:
    """Return how long something waits in a window that computes nothing."""
    ticks = Ticks()
    qtbot.wait(IDLE_MILLISECONDS)
    return ticks.wait()


def test_a_window_that_freezes_once_is_noticed(qtbot: Any) -> None:
    ticks = Ticks()
    qtbot.wait(IDLE_MILLISECONDS)
    time.sleep(2 * LONGEST_SECONDS)
    qtbot.wait(IDLE_MILLISECONDS)
    assert ticks.wait() > LONGEST_SECONDS


@pytest.mark.slow
@pytest.mark.alone
def test_the_event_loop_answers_during_a_long_run(
    viewer: Any, open_widget: Any, qtbot: Any
) -> None:
    random = np.random.default_rng(0)
    movie = random.integers(80, 120, (FRAMES, 256, 256), dtype=np.uint16)
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
        best = min(best, ticks.wait())
        if best <= LONGEST_SECONDS:
            return
    if (idle := without_work(qtbot)) > LONGEST_IDLE_SECONDS:
        pytest.skip(f"the computer is busy: a window without work waits {idle:.3f} s")
    pytest.fail(f"the event loop waited {best:.3f} s, 99th percentile")
