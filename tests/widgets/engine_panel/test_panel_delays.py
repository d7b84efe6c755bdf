"""Delays are noted when they are noticed, and when they end."""

from __future__ import annotations

from napari_nanopyx.engine import Expected
from napari_nanopyx.widgets.engine_panel.delays import MOST_ENDED, Delays


def expected(**slowdowns: float) -> dict[str, Expected]:
    return {name: Expected(0.01, (), slow) for name, slow in slowdowns.items()}


def test_without_a_delay_there_is_nothing_to_say() -> None:
    delays = Delays()
    delays.note(expected(serial=1.0, numba=1.0), 100.0)
    assert delays.listed == []


def test_a_delay_lasts_from_when_it_was_noticed() -> None:
    delays = Delays()
    delays.note(expected(serial=2.0), 100.0)
    delays.note(expected(serial=3.0), 105.0)
    (delay,) = delays.listed
    assert (delay.implementation, delay.factor) == ("serial", 3.0)
    assert (delay.began, delay.ended) == (100.0, None)
    assert str(delay).endswith("serial takes 3 times as long as usual")


def test_its_end_is_told_with_how_long_it_lasted() -> None:
    delays = Delays()
    delays.note(expected(serial=2.5), 100.0)
    delays.note(expected(serial=1.0), 112.0)
    (delay,) = delays.listed
    assert (delay.began, delay.ended) == (100.0, 112.0)
    assert str(delay).endswith(
        "serial no longer takes 2.5 times as long as usual (12 s)"
    )


def test_one_of_which_nothing_is_known_now_stays_as_it_was() -> None:
    delays = Delays()
    delays.note(expected(serial=2.0), 100.0)
    delays.note(expected(numba=1.0), 200.0)
    assert [each.ended for each in delays.listed] == [None]


def test_those_that_last_come_first_and_a_moment_is_forgotten() -> None:
    delays = Delays()
    for number in range(MOST_ENDED + 2):
        delays.note(expected(serial=2.0), 100.0 * number)
        delays.note(expected(serial=1.0), 100.0 * number + 10)
    delays.note(expected(numba=2.0), 1000.0)
    delays.note(expected(numba=1.0), 1000.5)
    delays.note(expected(guided=4.0), 1001.0)
    listed = [(each.implementation, each.ended) for each in delays.listed]
    assert listed == [("guided", None), ("serial", 310.0), ("serial", 210.0)]
