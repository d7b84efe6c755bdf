"""The published policy: fast halves, delays, and the lottery while one lasts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_nanopyx import engine
from napari_nanopyx._engine.measurements.delays import halves
from napari_nanopyx._engine.measurements.evidence import Evidence
from napari_nanopyx._engine.measurements.history import History
from napari_nanopyx._engine.policy import policies
from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.policy.paper import (
    DRAWN,
    NEVER_MEASURED,
    SMALLEST,
    SMALLEST_DELAYED,
    choose,
)
from napari_nanopyx._engine.policy.reasons import ONLY_ONE, PINNED
from napari_nanopyx._engine.policy.situation import Situation
from napari_nanopyx._engine.types import (
    Arm,
    Implementation,
    Measurement,
    Timing,
    Workload,
)

pytest.importorskip("sklearn.linear_model")

NAMES = ("opencl:GPU", "serial", "threads-static")
JITTER = (1.0, 1.2, 1.1, 1.2, 1.0, 1.2, 1.1, 1.2)


def workload(side: int = 100, **parameters: float | str | bool) -> Workload:
    work = float(side * side * 1000)
    return Workload("toy", "1", (side, side), "uint16", parameters, work, work)


def measured(
    name: str, seconds: float, on: Workload | None = None, **changes: Any
) -> Measurement:
    given = {"device": "device", "frames": 4, **changes}
    timing = Timing(0.0, 0.0, seconds * given["frames"])
    return Measurement(on or workload(), name, timing=timing, **given)


def usual(
    scale: dict[str, float], at: Workload | None = None, times: int = 2
) -> list[Measurement]:
    jitter = JITTER * times
    return [measured(n, s * j, at) for n, s in scale.items() for j in jitter]


def ask(
    evidence: Evidence,
    names: Iterable[str] = NAMES,
    seed: int = 0,
    at: Workload | None = None,
    **changes: Any,
) -> Choice:
    kinds = {"opencl:GPU": "opencl", "reference": "reference"}
    listed = [
        Implementation("toy", name, kinds.get(name, "compiled"), "device")
        for name in names
    ]
    situation = Situation(at or workload(), listed, evidence, 1000, seed=seed)
    return choose(situation, **changes)


def shares(evidence: Evidence, **changes: Any) -> Counter[str]:
    drawn = [ask(evidence, seed=seed, **changes) for seed in range(3000)]
    return Counter(choice.implementation.name for choice in drawn)


def test_those_never_measured_are_drawn_until_each_is_known() -> None:
    evidence, tried = Evidence(), set()
    for _ in NAMES:
        choice = ask(evidence)
        assert choice.reason == NEVER_MEASURED
        assert choice.expected_seconds is None
        assert 1 <= choice.frames <= 8
        tried.add(choice.implementation.name)
        evidence.add(measured(choice.implementation.name, 0.01))
    assert tried == set(NAMES)
    assert ask(evidence).reason.startswith(SMALLEST)


def test_the_smallest_fast_mean_is_taken() -> None:
    scale = {"opencl:GPU": 0.002, "serial": 0.02, "threads-static": 0.01}
    choice = ask(Evidence(usual(scale)))
    assert choice.implementation.name == "opencl:GPU"
    expected = halves([0.002 * j for j in JITTER]).fast_mean
    assert choice.expected_seconds == pytest.approx(expected)
    assert choice.reason == f"{SMALLEST}: 2.1 ms a frame"
    assert [name for name, _ in choice.runners_up] == ["threads-static", "serial"]
    assert choice.frames == round(0.25 / expected)


def test_only_the_newest_fifty_count() -> None:
    old = [measured("serial", 0.001)] * 40
    new = [measured("serial", 0.02), measured("threads-static", 0.01)] * 50
    assert ask(Evidence([*old, *new]), ["serial", "threads-static"]).reason == (
        f"{SMALLEST}: 10 ms a frame"
    )


def test_cold_runs_count_only_where_there_are_no_warm_ones() -> None:
    cold = measured("serial", 0.001, outcome="cold")
    known = [measured("threads-static", 0.01)] * 5
    names = ["serial", "threads-static"]
    assert ask(Evidence([cold, *known]), names).implementation.name == "serial"
    warm = measured("serial", 0.02)
    choice = ask(Evidence([cold, warm, *known]), names)
    assert choice.implementation.name == "threads-static"


def delayed(factor: float = 20.0, runs: int = 1) -> Evidence:
    """Return evidence of a GPU that is the fastest, and delayed."""
    scale = {"opencl:GPU": 0.002, "serial": 0.02, "threads-static": 0.01}
    slow = [measured("opencl:GPU", 0.002 * factor)] * runs
    return Evidence([*usual(scale), *slow])


def test_while_the_fastest_is_delayed_lots_are_drawn_by_inverse_squares() -> None:
    evidence = delayed()
    history = [0.002 * j for j in JITTER * 2]
    fast = halves([*history, 0.04]).fast_mean
    factor = 0.04 / halves(history).fast_mean
    times = {
        "opencl:GPU": fast * (1 - 0.5) + fast * factor * 0.5,
        "serial": halves([0.02 * j for j in JITTER]).fast_mean,
        "threads-static": halves([0.01 * j for j in JITTER]).fast_mean,
    }
    total = sum(time**-2 for time in times.values())
    found = shares(evidence)
    for name, time in times.items():
        assert found[name] / 3000 == pytest.approx(time**-2 / total, abs=0.03)
    choice = ask(evidence)
    assert choice.reason.startswith(DRAWN.format("opencl:GPU"))
    expected = {choice.implementation.name: choice.expected_seconds}
    assert expected | dict(choice.runners_up) == pytest.approx(times)


def test_a_delay_that_leaves_the_fastest_the_fastest_draws_nothing() -> None:
    choice = ask(delayed(factor=1.5))
    assert choice.implementation.name == "opencl:GPU"
    assert choice.reason.startswith(SMALLEST_DELAYED)


def test_a_delayed_loser_draws_nothing() -> None:
    scale = {"opencl:GPU": 0.002, "serial": 0.02, "threads-static": 0.01}
    evidence = Evidence([*usual(scale), measured("serial", 1.0)])
    assert shares(evidence) == {"opencl:GPU": 3000}


def test_a_fast_run_ends_the_delay() -> None:
    evidence = delayed(runs=3)
    assert len(shares(evidence)) == 3
    evidence.add(measured("opencl:GPU", 0.00201))
    assert shares(evidence) == {"opencl:GPU": 3000}


def test_the_bound_for_a_delay_can_be_chosen() -> None:
    scale = {"opencl:GPU": 0.002, "serial": 0.0022, "threads-static": 0.01}
    fast = halves([0.002 * j for j in JITTER * 2])
    run = measured("opencl:GPU", fast.fast_mean + 3.5 * fast.fast_deviation)
    evidence = Evidence([*usual(scale), run])
    assert ask(evidence).reason.startswith(f"{SMALLEST}:")
    assert ask(evidence, deviations=2.0).reason.startswith(SMALLEST_DELAYED)


def test_a_delay_is_kept_for_each_arm_over_all_workloads() -> None:
    """A GPU that is busy at one size is busy at another."""
    large = workload(200)
    scale = {"opencl:GPU": 0.002, "serial": 0.02, "threads-static": 0.01}
    evidence = delayed()
    for each in usual(scale, large, times=1)[:-1]:
        evidence.add(each)
    assert ask(evidence, at=large).reason.startswith(SMALLEST)
    evidence.add(measured("opencl:GPU", 0.04))
    assert ask(evidence, at=large).reason.startswith(DRAWN.format("opencl:GPU"))


def test_each_run_is_judged_at_its_own_workload() -> None:
    """A change from a small image to a large one is no delay."""
    scale = {"opencl:GPU": 0.002, "serial": 0.02}
    large = workload(1000)
    rows = [*usual(scale), *usual({name: 100 * s for name, s in scale.items()}, large)]
    for at in (workload(), large):
        choice = ask(Evidence(rows), scale, at=at)
        assert choice.reason.startswith(f"{SMALLEST}:")


def test_parameters_never_seen_are_judged_by_the_most_similar_ones() -> None:
    near, far = workload(100, radius=2.0), workload(100, radius=20.0)
    rows = [
        *usual({"serial": 0.01, "threads-static": 0.02}, near),
        *usual({"serial": 0.02, "threads-static": 0.01}, far),
    ]
    names = ["serial", "threads-static"]
    for radius, winner in ((1.5, "serial"), (5.0, "serial"), (9.0, "threads-static")):
        choice = ask(Evidence(rows), names, at=workload(100, radius=radius))
        assert choice.implementation.name == winner


def test_a_block_has_its_length_even_where_the_work_differs() -> None:
    rows = usual({"serial": 0.001})
    assert ask(Evidence(rows), ["serial"], at=workload(1000)).frames == 2


def test_the_only_one_the_one_asked_for_and_the_reference() -> None:
    assert ask(Evidence(), ["serial"]).reason == ONLY_ONE
    serial = Implementation("toy", "serial", "compiled", "device")
    pinned = Situation(workload(), [serial], Evidence(), 9, pinned=True)
    assert choose(pinned).reason == PINNED
    rows = usual({"reference": 1e-6, "serial": 1.0})
    names = ["reference", "serial"]
    assert ask(Evidence(rows), names).implementation.name == "serial"
    with pytest.raises(ValueError, match="no available implementation"):
        choose(Situation(workload(), [], Evidence(), 9))


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.floats(1e-5, 10)), max_size=80),
    st.integers(0, 2**40),
)
def test_same_seed_and_history_same_choice(
    rows: list[tuple[str, float]], seed: int
) -> None:
    measurements = [measured(name, seconds) for name, seconds in rows]
    first = ask(Evidence(measurements), seed=seed)
    assert ask(Evidence(measurements), seed=seed) == first
    assert 1 <= first.frames <= 1000


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.floats(1e-5, 10)), max_size=40),
    st.dictionaries(st.sampled_from(NAMES), st.booleans(), min_size=1),
)
def test_never_chooses_what_is_not_available(
    rows: list[tuple[str, float]], available: dict[str, bool]
) -> None:
    listed = [
        Implementation("toy", name, "compiled", "device", here)
        for name, here in available.items()
    ]
    evidence = Evidence([measured(name, seconds) for name, seconds in rows])
    situation = Situation(workload(), listed, evidence, 1000)
    if not any(available.values()):
        with pytest.raises(ValueError, match="no available implementation"):
            choose(situation)
        return
    assert available[choose(situation).implementation.name]


@given(
    st.dictionaries(st.sampled_from(NAMES), st.floats(1e-5, 10), min_size=1),
    st.integers(1, 60),
)
def test_with_steady_measurements_takes_the_fastest(
    truth: dict[str, float], times: int
) -> None:
    rows = [measured(name, s) for name, s in truth.items() for _ in range(times)]
    choice = ask(Evidence(rows), truth)
    assert truth[choice.implementation.name] == pytest.approx(min(truth.values()))


def test_a_delay_is_remembered_over_a_restart(tmp_path: Path) -> None:
    scale = {"opencl:GPU": 0.002, "serial": 0.02, "threads-static": 0.01}
    small, large = workload(), workload(200)
    rows = [*usual(scale, large), *usual(scale, small)]
    rows += [measured("opencl:GPU", 0.04, large)] * 3
    opened = History(tmp_path / "history.sqlite")
    for number, row in enumerate(rows):
        opened.record(replace(row, at=1e9 + number))
    before = [ask(opened.evidence(small), seed=seed) for seed in range(20)]
    opened.close()
    again = History(tmp_path / "history.sqlite")
    after = [ask(again.evidence(small), seed=seed) for seed in range(20)]
    again.close()
    assert after == before
    assert all(choice.reason.startswith(DRAWN[:12]) for choice in after)


def test_a_fuller_record_of_one_workload_keeps_the_order_of_runs() -> None:
    small, large = workload(), workload(200)
    arm = Arm("serial", "device")
    rows = [
        measured("serial", 0.01, on, at=float(number))
        for number, on in enumerate([small, large] * 60)
    ]
    evidence = Evidence(rows)
    evidence.replace(small, rows[0::2][-50:])
    times = [run.measurement.at for run in evidence.runs(arm)]
    assert times == sorted(times)
    assert times[-1] == 119.0
    assert len(times) == 50
    assert {run.measurement.workload.shape for run in evidence.runs(arm)} == {
        small.shape,
        large.shape,
    }


def test_draws_differ_from_block_to_block() -> None:
    evidence, drawn = delayed(), set()
    for _ in range(40):
        drawn.add(ask(evidence).implementation.name)
        evidence.add(measured("serial", 0.02))
    assert len(drawn) == 3


def test_runs_use_the_policy_that_is_asked_for(toy: Any, arm: Any) -> None:
    toy.arms = {"serial": arm(0.02), "opencl:GPU": arm(0.002, kind="opencl")}
    with engine.policy("paper", k=2, seed=7), engine.record() as runs:
        toy.run(60)
        toy.run(60)
    assert runs[0].implementation == "opencl:GPU"
    assert runs[0].reason.startswith(SMALLEST)
    assert runs[1].blocks == {"opencl:GPU": 60}
    with engine.record() as runs:
        toy.run(60)
    assert not runs[0].reason.startswith(SMALLEST)


@pytest.mark.parametrize("k", [0.0, -1.0, float("nan"), float("inf")])
def test_a_bound_that_makes_no_sense(k: float) -> None:
    with pytest.raises(ValueError, match="must be a positive number, such as 4 or 2"):
        engine.policy("paper", k=k)


def test_without_its_package_the_policy_cannot_be_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(policies, "find_spec", lambda name: None)
    with pytest.raises(engine.MissingPackage, match="'paper' needs scikit-learn"):
        engine.policy("paper")
    with engine.policy("default"):
        pass
