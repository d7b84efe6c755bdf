"""Delays: told from run times, followed until they end, and how likely they last."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_nanopyx._engine.errors import MissingPackage
from napari_nanopyx._engine.measurements.delays import (
    Delay,
    Standing,
    delay,
    halves,
    persistence,
    standing,
)

USUAL = [1.0, 1.2, 1.1, 1.3, 2.0, 2.2, 2.4, 2.6]
"""Fast mean 1.15, deviation 0.1118; slow mean 2.3, deviation 0.2236."""

slow, calm = Standing(5.0, 3.0, False), Standing(3.0, 1.2, False)
quick = Standing(0.0, 1.0, True)


def test_halves() -> None:
    found = halves(USUAL[::-1])
    assert found.fast_mean == pytest.approx(1.15)
    assert found.fast_deviation == pytest.approx(np.std(USUAL[:4]))
    assert found.slow_mean == pytest.approx(2.3)
    assert found.slow_deviation == pytest.approx(np.std(USUAL[4:]))


def test_halves_of_few() -> None:
    assert halves([3.0, 1.0, 2.0]).fast_mean == pytest.approx(1.5)
    assert halves([3.0, 1.0, 2.0]).slow_mean == 3.0
    assert halves([2.0]).slow_mean == halves([2.0]).fast_mean == 2.0


def test_a_run_is_judged_by_those_before_it() -> None:
    found = standing(1.15 + 4 * np.std(USUAL[:4]), USUAL)
    assert found is not None
    assert found.deviations == pytest.approx(4.0)
    assert found.factor == pytest.approx(1 + 4 * np.std(USUAL[:4]) / 1.15)
    assert standing(9.0, USUAL[:3]) is None


def test_what_ends_a_delay() -> None:
    """Less than the slow mean less its deviation, or the fast mean and its own."""
    assert standing(2.3 - 0.2236, USUAL) == standing(2.3 - 0.2236, USUAL[::-1])
    assert standing(2.07, USUAL).ends_delay  # type: ignore[union-attr]
    assert not standing(2.08, USUAL).ends_delay  # type: ignore[union-attr]
    apart = [1.0, 1.4, 1.5, 1.5, 1.5, 3.0]
    assert standing(1.5, apart).ends_delay  # type: ignore[union-attr]
    assert not standing(1.6, apart).ends_delay  # type: ignore[union-attr]


def test_without_any_spread_only_what_is_longer_delays() -> None:
    for seconds in (1.0, 0.1, 0.3, 1e-6):
        usual = [seconds] * 9
        assert standing(seconds, usual).deviations < 1  # type: ignore[union-attr]
        longer = standing(seconds * 1.001, usual)
        assert longer.deviations > 1e5  # type: ignore[union-attr]


def test_a_delay_is_followed_until_it_ends() -> None:
    runs = [None, quick, slow, calm, None, quick, calm]
    assert delay(runs).states == (False, False, True, True, True, False, False)
    assert delay(runs[:5]) == Delay((False, False, True, True, True), 3.0)
    assert delay(runs[:5]).lasts
    assert not delay(runs).lasts
    assert not delay([]).lasts


def test_how_many_deviations_delay_can_be_chosen() -> None:
    assert not delay([calm]).lasts
    assert delay([calm], deviations=2.0).lasts


def test_a_run_that_could_start_a_delay_ends_the_one_there_is() -> None:
    both = Standing(5.0, 1.5, True)
    assert delay([both, both, both]).states == (True, False, True)


def test_a_slow_run_renews_the_factor() -> None:
    assert delay([slow, Standing(9.0, 7.0, False)]).factor == 7.0


def test_persistence_is_a_logistic_regression_of_states() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    states = [False] * 10 + [True] * 6 + [False] * 5 + [True] * 3 + [False]
    model = linear_model.LogisticRegression()
    model.fit([[state] for state in states[:-1]], states[1:])
    expected = model.predict_proba([[True]])[0, list(model.classes_).index(True)]
    assert persistence(states) == pytest.approx(expected, rel=1e-3)
    assert 0.5 < persistence(states) < 1


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], 1 / 2),
        ([True], 1 / 2),
        ([False, True], 1 / 2),
        ([False, False, True], 1 / 2),
        ([True, True, True], 3 / 4),
        ([True, False, False], 1 / 3),
    ],
)
def test_until_both_states_were_seen_persistence_is_a_smoothed_count(
    states: list[bool], expected: float
) -> None:
    assert persistence(states) == pytest.approx(expected)


@given(st.lists(st.booleans(), max_size=50))
def test_persistence_is_a_probability(states: list[bool]) -> None:
    pytest.importorskip("sklearn.linear_model")
    assert 0 < persistence(states) < 1


def test_without_the_package_the_error_names_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(MissingPackage, match=r"install napari-nanopyx\[paper\]"):
        persistence([False] * 17 + [True] * 19 + [False])
