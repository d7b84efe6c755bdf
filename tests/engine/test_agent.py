"""The agent as a table of numbers: measurements in, choice out."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_nanopyx._engine.agent import (
    BLOCK_SECONDS,
    EXPLORATION_SHARE,
    FASTEST,
    FASTEST_ELSEWHERE,
    FIRST_GUESS,
    ONLY_ONE,
    PINNED,
    TRYING,
    TRYING_AGAIN,
    Situation,
    choose,
)
from napari_nanopyx._engine.delays import fast_mean
from napari_nanopyx._engine.estimates import PREPARATION_SECONDS, arm_of
from napari_nanopyx._engine.evidence import Evidence
from napari_nanopyx._engine.types import (
    Choice,
    Implementation,
    Measurement,
    Timing,
    Workload,
)

KINDS = {
    "serial": "compiled",
    "threads-static": "compiled",
    "threads-dynamic": "compiled",
    "threads-guided": "compiled",
    "opencl:GPU": "opencl",
    "numba": "numba",
    "reference": "reference",
}
NAMES = sorted(KINDS)
FAST = sorted(set(NAMES) - {"reference"})

speeds = st.floats(1e-5, 10.0)


def workload(side: int = 100, **parameters: float | str | bool) -> Workload:
    settings = {"magnification": 5, **parameters}
    work = float(side * side * 1000)
    return Workload("toy", "1", (side, side), "uint16", settings, work, work / 10)


def candidate(name: str, available: bool = True) -> Implementation:
    return Implementation("toy", name, KINDS[name], "device", available)


def measured(
    name: str,
    seconds: float,
    frames: int = 10,
    prepare: float = 0.0,
    at: Workload | None = None,
) -> Measurement:
    return Measurement(
        at or workload(),
        name,
        "device",
        frames,
        Timing(prepare, 0.0, seconds * frames),
        "cold" if prepare else "ok",
    )


def table(rows: Iterable[tuple[str, float]], prepared: bool = True) -> Evidence:
    """Return the evidence of warm measurements: name, seconds a frame."""
    measurements = [measured(name, seconds) for name, seconds in rows]
    evidence = Evidence()
    for measurement in measurements:
        evidence.add(measurement, first=prepared)
    return evidence


def ask(
    evidence: Evidence,
    names: Iterable[str] = FAST,
    remaining: int = 1000,
    at: Workload | None = None,
) -> Choice:
    listed = [candidate(name) for name in names]
    return choose(Situation(at or workload(), listed, evidence, remaining))


def test_without_any_measurement_the_threads_with_dynamic_schedule_start() -> None:
    choice = ask(Evidence())
    assert choice.implementation.name == "threads-dynamic"
    assert choice.reason == FIRST_GUESS
    assert choice.expected_seconds is None
    assert choice.frames <= 8
    assert ask(Evidence(), ["opencl:GPU", "serial"]).implementation.name == "serial"


def test_the_only_one_and_the_one_asked_for() -> None:
    assert ask(Evidence(), ["numba"]).reason == ONLY_ONE
    pinned = Situation(workload(), [candidate("numba")], Evidence(), 9, pinned=True)
    assert choose(pinned).reason == PINNED


def test_nothing_available_is_an_error() -> None:
    missing = Situation(workload(), [candidate("numba", False)], Evidence(), 9)
    with pytest.raises(ValueError, match="no available implementation"):
        choose(missing)


def test_reference_is_a_last_resort() -> None:
    known = table([("reference", 1e-6)] * 5)
    assert ask(known, ["reference", "serial"]).implementation.name == "serial"
    assert ask(known, ["reference"]).implementation.name == "reference"


def test_others_are_tried_then_the_fastest_stays() -> None:
    rows = [("threads-dynamic", 0.0054)] * 2
    first = ask(table(rows), remaining=10_000)
    assert first.reason == TRYING
    assert first.frames * 0.0054 == pytest.approx(0.03, rel=0.2)
    rows += [("threads-static", 0.006)] * 2 + [("threads-guided", 0.0055)] * 2
    rows += [("serial", 0.0103)]
    again = ask(table(rows), sorted(set(FAST) - {"numba", "opencl:GPU"}))
    assert (again.implementation.name, again.reason) == ("serial", TRYING_AGAIN)
    rows += [("serial", 0.0103)]
    last = ask(table(rows), sorted(set(FAST) - {"numba", "opencl:GPU"}))
    assert last.reason == (
        f"{FASTEST}: 5.4 ms a frame, next best threads-guided at 5.5 ms "
        "(2 measurements)"
    )
    assert last.frames == round(BLOCK_SECONDS / 0.0054)
    assert last.expected_seconds == pytest.approx(0.0054)
    assert [name for name, _ in last.runners_up][-1] == "serial"


def test_compiling_is_counted_before_it_is_spent() -> None:
    seconds = 0.01
    known = table([("threads-dynamic", seconds)] * 20)
    names = ["threads-dynamic", "numba"]
    needed = PREPARATION_SECONDS["numba"] / EXPLORATION_SHARE / seconds
    assert ask(known, names, int(needed * 0.9)).reason.startswith(FASTEST)
    assert ask(known, names, int(needed * 1.1)).reason == TRYING


def test_a_measured_preparation_replaces_the_guess() -> None:
    known = table([("threads-dynamic", 0.01)] * 20)
    elsewhere = workload(side=5)
    known.replace(elsewhere, [measured("numba", 1e-4, prepare=0.2, at=elsewhere)])
    assert ask(known, ["threads-dynamic", "numba"], 1000).reason == TRYING


def test_the_fastest_is_not_worth_its_preparation_in_a_short_run() -> None:
    rows = [measured("serial", 0.01)] * 5 + [measured("opencl:GPU", 0.001)] * 5
    rows += [measured("opencl:GPU", 0.001, prepare=1.0)]
    known = Evidence(rows)
    names = ["serial", "opencl:GPU"]
    assert ask(known, names, 50).implementation.name == "serial"
    assert ask(known, names, 500).implementation.name == "opencl:GPU"
    listed = [candidate(name) for name in names]
    ready = Situation(workload(), listed, known, 1, ready={"opencl:GPU"})
    assert choose(ready).implementation.name == "opencl:GPU"
    known.add(measured("opencl:GPU", 0.001), first=True)
    assert ask(known, names, 1).implementation.name == "opencl:GPU"


def test_a_cold_measurement_alone_does_not_condemn() -> None:
    known = table([("serial", 0.01)] * 5)
    known.add(measured("opencl:GPU", 1.0, frames=1, prepare=0.5), first=True)
    listed = [candidate("serial"), candidate("opencl:GPU")]
    choice = choose(Situation(workload(), listed, known, 5000, ready={"opencl:GPU"}))
    assert (choice.implementation.name, choice.reason) == ("opencl:GPU", TRYING_AGAIN)


def test_a_clear_loser_is_not_tried_twice() -> None:
    known = table([("serial", 0.01)] * 5 + [("threads-static", 0.1)])
    choice = ask(known, ["serial", "threads-static"], 100_000)
    assert choice.implementation.name == "serial"


def test_a_size_never_seen_is_judged_by_the_most_similar_one() -> None:
    rows = [("serial", 0.02)] * 3 + [("threads-static", 0.01)] * 3
    choice = ask(table(rows), ["serial", "threads-static"], 2, at=workload(side=200))
    assert choice.implementation.name == "threads-static"
    assert choice.reason.startswith(f"{FASTEST_ELSEWHERE}: 40 ms a frame")
    assert choice.expected_seconds == pytest.approx(0.04)


def test_a_loser_at_a_tiny_size_is_tried_at_a_large_one() -> None:
    tiny, large = workload(side=4), workload(side=1000)
    rows = [measured("serial", 1e-5, at=tiny)] * 3
    rows += [measured("opencl:GPU", 1e-3, at=tiny)] * 3
    known = Evidence([*rows, *[measured("serial", 0.6, at=large)] * 3])
    known.add(measured("opencl:GPU", 1e-3, at=tiny), first=True)
    choice = ask(known, ["serial", "opencl:GPU"], 1000, at=large)
    assert (choice.implementation.name, choice.reason) == ("opencl:GPU", TRYING)


def test_the_most_similar_workload_has_like_settings() -> None:
    same, other = workload(side=110), workload(side=110, radius=3.0)
    known = Evidence(
        [measured("serial", 5.0, at=other), measured("serial", 0.121, at=same)]
    )
    found, _ = known.alike(workload(), arm_of(candidate("serial")))
    assert found.workload == same


def test_measurements_of_another_device_do_not_count() -> None:
    known = table([("serial", 1e-3)] * 5 + [("threads-static", 1e-2)] * 5)
    elsewhere = Implementation("toy", "serial", "compiled", "a new processor")
    listed = [elsewhere, candidate("threads-static")]
    choice = choose(Situation(workload(), listed, known, 3))
    assert (choice.implementation, choice.reason) == (elsewhere, TRYING)
    assert choice.expected_seconds is None


def test_the_time_lost_on_trials_is_bounded_over_many_short_runs() -> None:
    truth = dict.fromkeys(FAST, 0.01) | {"serial": 0.08, "threads-guided": 0.05}
    known, spent, best = Evidence(), 0.0, 0.0
    tried: set[str] = set()
    for _ in range(400):
        remaining = 5
        while remaining:
            choice = ask(known, FAST, remaining)
            name = choice.implementation.name
            frames = min(choice.frames, remaining)
            cold = name in ("numba", "opencl:GPU") and name not in tried
            prepare = PREPARATION_SECONDS[KINDS[name]] if cold else 0.0
            known.add(measured(name, truth[name], frames, prepare), name not in tried)
            tried.add(name)
            spent += prepare + truth[name] * frames
            best += 0.01 * frames
            remaining -= frames
    assert {"serial", "threads-static", "threads-guided"} <= tried
    assert spent <= best * (1 + 2 * EXPLORATION_SHARE)


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), speeds), max_size=30),
    st.dictionaries(st.sampled_from(NAMES), st.booleans(), min_size=1),
    st.integers(1, 10**6),
)
def test_never_chooses_what_is_not_available(
    rows: list[tuple[str, float]], available: dict[str, bool], remaining: int
) -> None:
    listed = [candidate(name, here) for name, here in available.items()]
    situation = Situation(workload(), listed, table(rows), remaining)
    if not any(available.values()):
        with pytest.raises(ValueError, match="no available implementation"):
            choose(situation)
        return
    choice = choose(situation)
    assert available[choice.implementation.name]
    assert 1 <= choice.frames <= remaining
    assert choice.reason
    assert choose(situation) == choice


@given(
    st.dictionaries(st.sampled_from(FAST), speeds, min_size=1),
    st.integers(2, 60),
    st.integers(1, 10**6),
)
def test_with_steady_measurements_takes_the_fastest(
    truth: dict[str, float], times: int, remaining: int
) -> None:
    known = table([row for row in truth.items() for _ in range(times)])
    choice = ask(known, truth, remaining)
    assert truth[choice.implementation.name] == min(truth.values())


@given(
    st.floats(1.05, 100.0),
    st.floats(1.0, 1000.0),
    st.integers(2, 60),
    st.integers(0, 60),
    st.integers(1, 10**6),
)
def test_one_slow_outlier_flips_nothing(
    lead: float, delay: float, times: int, place: int, remaining: int
) -> None:
    rows = [("serial", 0.01)] * times + [("threads-static", 0.01 * lead)] * times
    rows.insert(min(place, times), ("serial", 0.01 * delay))
    choice = ask(table(rows), ["serial", "threads-static"], remaining)
    assert choice.implementation.name == "serial"


@given(st.lists(speeds, min_size=1))
def test_fast_mean_lies_between_the_fastest_and_the_median(
    seconds: list[float],
) -> None:
    middle = sorted(seconds)[(len(seconds) - 1) // 2]
    slack = 1 + 1e-9
    assert min(seconds) / slack <= fast_mean(seconds) <= middle * slack


def test_a_lasting_slowdown_is_noticed() -> None:
    known = table([("serial", 0.01)] * 60 + [("threads-static", 0.02)] * 60)
    names = ["serial", "threads-static"]
    blocks = 0
    while ask(known, names).implementation.name == "serial":
        known.add(measured("serial", 0.05))
        blocks += 1
        assert blocks < 50
    assert blocks > 0
