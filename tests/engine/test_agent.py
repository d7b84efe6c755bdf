"""The agent as a table of numbers: measurements in, choice out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import exp
from random import Random
from typing import Any

import made_evidence
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_nanopyx._engine.measurements.blocks import LONGEST_SECONDS
from napari_nanopyx._engine.measurements.delays import fast_mean
from napari_nanopyx._engine.measurements.evidence import Evidence
from napari_nanopyx._engine.policy.agent import choose
from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.policy.estimates import PREPARATION_SECONDS
from napari_nanopyx._engine.policy.probes import (
    LOSER_SECONDS,
    PROBE_SHARE,
    PROBING,
    RENEWING,
)
from napari_nanopyx._engine.policy.reasons import (
    CHECKING,
    FASTEST,
    FASTEST_ELSEWHERE,
    FIRST_GUESS,
    ONLY_ONE,
    PINNED,
    SHORT,
)
from napari_nanopyx._engine.policy.situation import Situation
from napari_nanopyx._engine.policy.trials import EXPLORATION_SHARE, TRYING, TRYING_AGAIN
from napari_nanopyx._engine.types import (
    Arm,
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

BESIDE = Situation(None, (), None, 1).background_share  # type: ignore[arg-type]


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
    arm = Arm(name, "device")
    return made_evidence.measurement(at or workload(), arm, seconds, frames, prepare)


def table(rows: Iterable[tuple[str, float]], prepared: bool = True) -> Evidence:
    """Return the evidence of warm measurements: name, seconds a frame."""
    measurements = (measured(name, seconds) for name, seconds in rows)
    return made_evidence.evidence(measurements, first=prepared)


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
    assert again.frames == 4 * 10
    assert (again.implementation.name, again.reason) == ("serial", TRYING_AGAIN)
    rows += [("serial", 0.0103)]
    last = ask(table(rows), sorted(set(FAST) - {"numba", "opencl:GPU"}))
    assert last.reason == (
        f"{FASTEST}: 5.4 ms a frame, next best threads-guided at 5.5 ms "
        "(2 measurements)"
    )
    assert 0.1 <= last.frames * 0.0054 <= LONGEST_SECONDS
    assert last.expected_seconds == pytest.approx(0.0054)
    assert [name for name, _ in last.runners_up][-1] == "serial"


def test_compiling_is_counted_before_it_is_spent() -> None:
    seconds = 0.01
    known = table([("threads-dynamic", seconds)] * 20)
    names = ["threads-dynamic", "numba"]
    cost = BESIDE * PREPARATION_SECONDS["numba"]
    needed = cost / EXPLORATION_SHARE / seconds
    for remaining, wanted in ((0.9 * needed, []), (1.1 * needed, ["numba"])):
        choice = ask(known, names, int(remaining))
        assert choice.implementation.name == "threads-dynamic"
        assert [each.name for each in choice.prepare] == wanted


def test_a_measured_preparation_replaces_the_guess() -> None:
    known = table([("threads-dynamic", 0.01)] * 20)
    elsewhere = workload(side=5)
    known.replace(elsewhere, [measured("numba", 1e-4, prepare=0.2, at=elsewhere)])
    names = ["threads-dynamic", "numba"]
    assert [each.name for each in ask(known, names, 1000).prepare] == ["numba"]


def on_a_gpu() -> Implementation:
    return Implementation("toy", "opencl:GPU", "opencl", "a GPU")


def test_another_device_is_prepared_first_and_before_others_are_tried() -> None:
    seconds = 0.01
    known = table([("threads-dynamic", seconds)] * 20)
    listed = [*map(candidate, ("threads-dynamic", "threads-static", "numba"))]
    costs = [BESIDE * PREPARATION_SECONDS[kind] for kind in ("opencl", "numba")]
    before = 200  # frames of the table
    enough = int((sum(costs) + 0.1) / EXPLORATION_SHARE / seconds)
    choice = choose(Situation(workload(), [*listed, on_a_gpu()], known, enough))
    assert [each.name for each in choice.prepare] == ["opencl:GPU", "numba"]
    just = int((costs[0] + seconds) / EXPLORATION_SHARE / seconds) - before + 3
    choice = choose(Situation(workload(), [*listed, on_a_gpu()], known, just))
    assert [each.name for each in choice.prepare] == ["opencl:GPU"]
    assert choice.implementation.name == "threads-dynamic"
    choice = choose(Situation(workload(), listed, known, just))
    assert (choice.implementation.name, choice.reason) == ("threads-static", TRYING)


def test_half_of_the_budget_is_kept_for_another_device() -> None:
    """It may be many times faster; the next schedule of threads is not."""
    known = table([("threads-dynamic", 0.01)])
    names = ("threads-dynamic", "threads-static", "threads-guided", "serial")
    lost, frames = 0.0, 0
    while frames < 190:
        listed = [*map(candidate, names), on_a_gpu()]
        choice = choose(Situation(workload(), listed, known, 190 - frames))
        assert not choice.prepare
        slower = choice.implementation.name != "threads-dynamic"
        seconds = 0.02 if slower else 0.01
        known.add(measured(choice.implementation.name, seconds, choice.frames), True)
        lost += slower * 0.01 * choice.frames
        frames += choice.frames
    assert 0 < lost <= EXPLORATION_SHARE / 2 * 0.01 * (frames + 20)


def test_what_has_been_prepared_is_tried() -> None:
    known = table([("serial", 0.01)] * 20)
    listed = [candidate("serial"), candidate("numba")]
    choice = choose(Situation(workload(), listed, known, 1000, ready={"numba"}))
    assert (choice.implementation.name, choice.reason) == ("numba", TRYING)


def test_the_fastest_is_prepared_beside_where_that_pays() -> None:
    rows = [measured("opencl:GPU", 0.001, prepare=1.0)]
    rows += [measured("opencl:GPU", 0.001)] * 5 + [measured("serial", 0.01)]
    names = ["serial", "opencl:GPU"]
    pays = BESIDE * 1.0 / (0.01 - 0.001)
    for remaining, wanted in ((pays * 0.9, []), (pays * 1.1, ["opencl:GPU"])):
        choice = ask(Evidence(rows), names, int(remaining))
        assert choice.implementation.name == "serial"
        assert [each.name for each in choice.prepare] == wanted
    known = Evidence(rows)
    listed = [candidate(name) for name in names]
    ready = Situation(workload(), listed, known, 1, ready={"opencl:GPU"})
    assert choose(ready).implementation.name == "opencl:GPU"
    known.add(measured("opencl:GPU", 0.001), first=True)
    assert ask(known, names, 1).implementation.name == "opencl:GPU"


def test_of_those_known_to_be_faster_the_fastest_is_prepared_first() -> None:
    """One thing is prepared at a time: the next waits for it, eight seconds maybe."""
    rows = [measured("serial", 0.01)] * 5
    for name, seconds in (("numba", 0.005), ("opencl:GPU", 0.001)):
        rows += [measured(name, seconds, prepare=PREPARATION_SECONDS[KINDS[name]])]
        rows += [measured(name, seconds)] * 5
    choice = ask(Evidence(rows), ["serial", "numba", "opencl:GPU"], 10_000)
    assert choice.implementation.name == "serial"
    assert [each.name for each in choice.prepare] == ["opencl:GPU", "numba"]


def test_what_is_kept_for_the_same_device_binds_no_other() -> None:
    """Ten seconds of compiling for the processor would keep a GPU waiting that long."""
    seconds = 0.2
    known = table([("threads-dynamic", seconds)])
    listed = [*map(candidate, ("threads-dynamic", "threads-static", "numba"))]
    cost = BESIDE * PREPARATION_SECONDS["numba"] + seconds
    before = 10  # frames of the table
    frames = int((cost + seconds / 2) / EXPLORATION_SHARE / seconds) - before
    given = (workload(), listed, known, frames)
    choice = choose(Situation(*given))
    assert choice.implementation.name == "threads-dynamic"
    assert [each.name for each in choice.prepare] == ["numba"]
    given = (workload(), [*listed, on_a_gpu()], known, frames)
    choice = choose(Situation(*given, ready={"opencl:GPU"}))
    assert (choice.implementation.name, choice.reason) == ("opencl:GPU", TRYING)
    assert [each.name for each in choice.prepare] == ["numba"]


def test_many_short_runs_pay_for_preparing_too() -> None:
    rows = [measured("opencl:GPU", 0.001, prepare=1.0)]
    known = Evidence(rows + [measured("opencl:GPU", 0.001)] * 5)
    runs = 0
    while not ask(known, ["serial", "opencl:GPU"], 10).prepare:
        known.add(measured("serial", 0.01, frames=10))
        runs += 1
    lost = runs * 10 * (0.01 - 0.001)
    assert lost == pytest.approx(BESIDE * 1.0, abs=10 * (0.01 - 0.001))


def test_what_only_unprepared_ones_know_is_done_by_the_best_of_them() -> None:
    rows = [measured("opencl:GPU", 0.001, prepare=1.0)]
    rows += [measured("opencl:GPU", 0.001)] * 5 + [measured("numba", 0.002, prepare=9)]
    choice = ask(Evidence(rows), ["opencl:GPU", "numba"], 100)
    assert choice.implementation.name == "opencl:GPU"
    assert not choice.prepare


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


def test_a_slow_one_is_measured_once_more_on_a_shorter_block() -> None:
    known = table([("serial", 0.01)] * 5 + [("threads-static", 0.025)])
    choice = ask(known, ["serial", "threads-static"], 100_000)
    assert (choice.implementation.name, choice.reason) == (
        "threads-static",
        TRYING_AGAIN,
    )
    assert choice.frames < 10


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


def test_another_on_its_device_confirms_what_other_sizes_say() -> None:
    """Three times slower than the best at a size that is quite another."""
    tiny, large = workload(side=30), workload(side=1000)
    names = ["threads-static", "threads-guided", "serial", "opencl:GPU"]
    gpu = on_a_gpu()
    known = Evidence()
    for name, seconds in zip(names, (0.01, 0.009, 0.012, 0.001), strict=True):
        for _ in range(3):
            found = measured(name, seconds, at=tiny)
            device = gpu.device if name == gpu.name else "device"
            known.add(replace(found, device=device), first=True)
    listed = [*(candidate(name) for name in names[:3]), gpu]
    factor = large.flops / tiny.flops
    tried = []
    for _ in range(30):
        choice = choose(Situation(large, listed, known, 1000, names))
        name, device = choice.implementation.name, choice.implementation.device
        tried += [name] if choice.reason in (TRYING, TRYING_AGAIN) else []
        seconds = factor * (0.001 if name == gpu.name else 0.01)
        found = measured(name, seconds, choice.frames, at=large)
        known.add(replace(found, device=device))
    processors = [name for name in tried if name != gpu.name]
    assert len(set(processors)) == 1


def test_the_most_similar_workload_has_like_settings() -> None:
    same, other = workload(side=110), workload(side=110, radius=3.0)
    known = Evidence(
        [measured("serial", 5.0, at=other), measured("serial", 0.121, at=same)]
    )
    found, _ = known.alike(workload(), candidate("serial").arm)
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
    known = table([row for _ in range(times) for row in truth.items()])
    choice = ask(known, truth, remaining)
    rounding = 1 + 1e-9
    fastest = truth[choice.implementation.name] <= min(truth.values()) * rounding
    assert fastest or choice.reason == RENEWING


@given(
    st.dictionaries(st.sampled_from(FAST), st.floats(1e-3, 1e-1), min_size=2),
    st.floats(0.0, 0.1),
    st.integers(0, 2**32),
)
@settings(max_examples=25)
def test_converges_to_the_fastest_and_loses_little_on_the_way(
    truth: dict[str, float], noise: float, seed: int
) -> None:
    known, rng = table(truth.items()), Random(seed)
    least, spent = min(truth.values()), []
    for _ in range(200):
        choice = ask(known, truth, 10**5)
        seconds = truth[choice.implementation.name] * exp(rng.gauss(0, noise))
        known.add(measured(choice.implementation.name, seconds, choice.frames), True)
        spent.append((seconds, choice.frames))
    late = spent[100:]
    taken, frames = (sum(s * n for s, n in late), sum(n for _, n in late))
    assert taken <= least * frames * (1.05 + 2 * noise)


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


def test_of_those_as_fast_the_one_with_fewer_accidents_is_taken() -> None:
    often = [0.01, 0.01, 0.015] * 4
    rows = [("threads-static", seconds) for seconds in often]
    rows += [("threads-dynamic", 0.0101)] * len(often)
    known = table(rows)
    assert ask(known, ["threads-static"]).expected["threads-static"] < 0.0101
    choice = ask(known, ["threads-static", "threads-dynamic"])
    assert choice.implementation.name == "threads-dynamic"


def test_a_delay_that_lasted_is_no_accident() -> None:
    lasting = [0.01] * 6 + [0.015] * 4 + [0.01]
    rows = [("threads-static", seconds) for seconds in lasting]
    rows += [("threads-dynamic", 0.0101)] * len(lasting)
    choice = ask(table(rows), ["threads-static", "threads-dynamic"])
    assert choice.implementation.name == "threads-static"


@given(st.lists(speeds, min_size=1))
def test_fast_mean_lies_between_the_fastest_and_the_median(
    seconds: list[float],
) -> None:
    middle = sorted(seconds)[(len(seconds) - 1) // 2]
    slack = 1 + 1e-9
    assert min(seconds) / slack <= fast_mean(seconds) <= middle * slack


@given(st.floats(2.5, 1000.0), st.integers(4, 60))
def test_a_lasting_slowdown_is_noticed_after_two_blocks_and_a_look(
    factor: float, times: int
) -> None:
    known = table([("threads-static", 0.02), ("serial", 0.01)] * times)
    names = ["serial", "threads-static"]
    known.add(measured("serial", 0.01 * factor))
    check = ask(known, names)
    assert check.implementation.name == "serial"
    assert check.reason == CHECKING.format(factor)
    assert check.frames < 10
    known.add(measured("serial", 0.01 * factor, check.frames))
    look = ask(known, names)
    assert (look.implementation.name, look.reason) == ("threads-static", PROBING)
    assert look.frames * 0.02 == pytest.approx(0.05, abs=0.02)
    known.add(measured("threads-static", 0.02, look.frames))
    choice = ask(known, names)
    assert choice.implementation.name == "threads-static"
    assert choice.reason.startswith(f"fastest while serial takes {factor:.2g} times")
    assert choice.expected["serial"].slowdown == pytest.approx(factor)


def test_a_slowdown_that_leaves_the_fastest_the_fastest_changes_nothing() -> None:
    known = table([("threads-static", 0.1), ("serial", 0.01)] * 10)
    known.add(measured("serial", 0.04))
    for _ in range(3):
        choice = ask(known, ["serial", "threads-static"])
        assert choice.implementation.name == "serial"
        assert choice.reason.startswith(FASTEST)
        known.add(measured("serial", 0.04))


def test_a_slowdown_is_one_of_the_implementation_at_all_sizes() -> None:
    rows = [("threads-static", 0.02), ("serial", 0.01)] * 10
    known, small = table(rows), workload(side=50)
    for name, seconds in [(name, seconds / 4) for name, seconds in rows]:
        known.add(measured(name, seconds, at=small), first=True)
    for _ in range(2):
        known.add(measured("serial", 0.05))
    choice = ask(known, ["serial", "threads-static"], at=small)
    assert choice.implementation.name == "threads-static"


def test_the_end_of_a_delay_is_looked_for_and_found() -> None:
    names = ["serial", "threads-static"]
    known = table([("threads-static", 0.02), ("serial", 0.01)] * 10)
    for _ in range(2):
        known.add(measured("serial", 0.2))
    elapsed = 0.0
    while (choice := ask(known, names)).implementation.name == "threads-static":
        known.add(measured("threads-static", 0.02, choice.frames))
        elapsed += 0.02 * choice.frames
    assert choice.reason == PROBING
    assert choice.frames == 5
    # Half of it would be gained: sqrt(cost * 0.5 / (2 * lasted)) is more than that.
    assert 5 * (0.2 - 0.02) / elapsed == pytest.approx(PROBE_SHARE, rel=0.05)
    known.add(measured("serial", 0.01, 1))
    frames = []
    for _ in range(5):
        choice = ask(known, names)
        assert choice.implementation.name == "serial"
        frames.append(choice.frames)
        known.add(measured("serial", 0.01, choice.frames))
    assert frames[0] <= 4
    assert frames == sorted(frames)
    assert frames[-1] >= 10


@pytest.mark.parametrize(("slowdown", "frames"), [(2.0, 20), (5.0, 5), (40.0, 1)])
def test_a_long_delay_of_another_device_shows_on_few_frames(
    slowdown: float, frames: int
) -> None:
    seconds = 5e-5
    known = table([("serial", 1.5 * seconds)] * 10)
    listed = [candidate("serial"), on_a_gpu()]
    for factor in [1.0] * 10 + [slowdown] * 20:
        on = measured("opencl:GPU", seconds * factor, frames=100)
        known.add(replace(on, device="a GPU"), first=True)
    while True:
        choice = choose(Situation(workload(), listed, known, 10**6))
        if choice.reason == PROBING:
            break
        known.add(measured("serial", 1.5 * seconds, choice.frames))
    assert (choice.implementation.name, choice.frames) == ("opencl:GPU", frames)


def test_a_suspicion_that_is_refuted_leaves_blocks_long() -> None:
    names = ["serial", "threads-static"]
    known = table([("threads-static", 0.02), ("serial", 0.01)] * 10)
    usual = ask(known, names).frames
    known.add(measured("serial", 0.2))
    check = ask(known, names)
    assert check.reason == CHECKING.format(20.0)
    known.add(measured("serial", 0.01, check.frames))
    assert ask(known, names).frames == pytest.approx(usual, rel=0.1)


def test_a_delay_that_lasts_costs_a_small_share() -> None:
    names = ["serial", "threads-static"]
    known = table([("threads-static", 0.02), ("serial", 0.01)] * 10)
    for _ in range(2):
        known.add(measured("serial", 0.2))
    spent = frames = 0.0
    while spent < 60:
        choice = ask(known, names)
        seconds = {"serial": 0.2, "threads-static": 0.02}[choice.implementation.name]
        known.add(measured(choice.implementation.name, seconds, choice.frames))
        spent += seconds * choice.frames
        frames += choice.frames
    assert spent <= 0.02 * frames * (1 + 1.1 * PROBE_SHARE)


def test_the_slower_are_measured_again_rarely() -> None:
    known = table([("threads-static", 0.012), ("serial", 0.01)] * 10)
    names, since, waits = ["serial", "threads-static"], 0.0, []
    for _ in range(3000):
        choice = ask(known, names)
        seconds = {"serial": 0.01, "threads-static": 0.012}[choice.implementation.name]
        known.add(measured(choice.implementation.name, seconds, choice.frames))
        since += seconds * choice.frames
        if choice.implementation.name == "threads-static":
            assert choice.reason == RENEWING
            waits.append(since)
            since = 0.0
    assert len(waits) > 2
    assert min(waits[1:]) >= LOSER_SECONDS


def test_a_choice_shows_what_it_rests_on() -> None:
    known = table([("threads-static", 0.02), ("serial", 0.01)] * 10)
    choice = ask(known, ["serial", "threads-static"], 100)
    assert choice.expected == {
        "serial": pytest.approx(0.01),
        "threads-static": pytest.approx(0.02),
    }
    behind = choice.expected["serial"].measured
    assert [m.implementation for m in behind] == ["serial"] * 10
    assert choice.runners_up == [("threads-static", choice.expected["threads-static"])]
    elsewhere = ask(known, ["serial"], 100, at=workload(side=200)).expected["serial"]
    assert not elsewhere.exact
    assert [m.implementation for m in elsewhere.measured] == ["serial"] * 10
    assert elsewhere.low < elsewhere < elsewhere.high


def test_what_has_been_slow_for_long_is_the_usual_time() -> None:
    known = table([("threads-static", 0.02), ("serial", 0.01)] * 10)
    for _ in range(60):
        known.add(measured("serial", 0.03))
    expected = ask(known, ["serial", "threads-static"]).expected["serial"]
    assert (expected, expected.slowdown) == (pytest.approx(0.03), 1.0)


def test_what_was_slow_for_long_is_fast_again_at_once() -> None:
    known = table([("threads-static", 0.02), ("serial", 0.01)] * 10)
    names, frames = ["serial", "threads-static"], 0
    for _ in range(60):
        known.add(measured("serial", 0.03))
        ask(known, names)
    while (choice := ask(known, names)).implementation.name == "threads-static":
        assert frames * 0.02 < 60, "the end of the slow time is never looked for"
        known.add(measured("threads-static", 0.02, choice.frames))
        frames += choice.frames
    assert choice.reason == PROBING
    known.add(measured("serial", 0.01, choice.frames))
    choice = ask(known, names)
    assert choice.implementation.name == "serial"
    assert choice.expected["serial"] == pytest.approx(0.01)
    assert choice.expected["serial"].slowdown == 1


def test_what_became_the_usual_time_is_no_slowdown_besides() -> None:
    known = table([("threads-static", 0.02), ("serial", 0.01)] * 10)
    for count in range(60):
        known.add(measured("serial", 0.018))
        expected = ask(known, ["serial", "threads-static"]).expected["serial"]
        assert float(expected) == pytest.approx(0.018 if count else 0.01, rel=0.01)


def open_gpu(seconds: float, opening: float, frames: int = 20) -> Measurement:
    found = measured("opencl:GPU", seconds, frames)
    timing = Timing(opening, 1e-6, frames * seconds - 1e-6)
    return replace(found, device="a GPU", timing=timing)


def of_a_run(known: Evidence, remaining: int = 20, **changes: Any) -> Choice:
    listed = [candidate("serial"), on_a_gpu()]
    names = [each.name for each in listed]
    return choose(Situation(workload(), listed, known, remaining, names, **changes))


def test_what_each_run_has_to_open_counts_for_short_runs() -> None:
    known = table([("serial", 0.002)] * 10)
    for _ in range(10):
        known.add(open_gpu(0.001, opening=0.03))
    known.add(open_gpu(0.001, opening=0.0, frames=2))
    gpu, processor = "opencl:GPU", "serial"
    assert of_a_run(known, 20).implementation.name == processor
    assert of_a_run(known, 200).implementation.name == gpu
    assert of_a_run(known, 20, opened=(gpu,)).implementation.name == gpu
    known.closed(on_a_gpu().arm, 0.2)
    assert of_a_run(known, 200).implementation.name == processor


def test_a_first_opening_may_load_libraries_and_does_not_count() -> None:
    known = table([("serial", 0.002)] * 10)
    known.add(open_gpu(0.001, opening=0.3))
    assert of_a_run(known, 20).implementation.name == "opencl:GPU"


def test_a_delay_shows_in_what_each_run_has_to_open() -> None:
    """A block alone would still be as fast as on the processor."""
    known = table([("serial", 0.003)] * 10)
    for _ in range(10):
        known.add(open_gpu(0.0008, opening=0.012))
    known.add(open_gpu(0.0008, opening=0.0, frames=2))
    assert of_a_run(known).implementation.name == "opencl:GPU"
    known.add(open_gpu(0.0026, opening=0.04))
    assert of_a_run(known).reason == CHECKING.format(3.2)
    known.add(open_gpu(0.0026, opening=0.04, frames=10))
    choice = of_a_run(known)
    assert choice.implementation.name == "serial"
    assert choice.reason.startswith("fastest while opencl:GPU takes 3.2 times")


def test_a_short_block_shows_what_each_takes_besides_its_frames() -> None:
    """Else a short look at a free GPU would take it for a delayed one."""
    known = table([("serial", 0.003)] * 10)
    fixed, each = 0.003, 0.0002
    for _ in range(10):
        known.add(open_gpu(fixed / 20 + each, opening=0.0))
    choice = of_a_run(known)
    assert (choice.implementation.name, choice.reason) == ("opencl:GPU", SHORT)
    assert choice.frames == 2
    known.add(open_gpu(fixed / 2 + each, opening=0.0, frames=2))
    for _ in range(200):
        choice = of_a_run(known)
        assert choice.reason.startswith(FASTEST)
        assert choice.frames == 20
        known.add(open_gpu(fixed / 20 + each, opening=0.0))
    for _ in range(2):
        known.add(open_gpu(0.01, opening=0.0))
    while (choice := of_a_run(known)).reason != PROBING:
        known.add(measured("serial", 0.003, choice.frames))
    assert choice.implementation.name == "opencl:GPU"
    known.add(open_gpu(fixed / choice.frames + each, 0.0, choice.frames))
    assert of_a_run(known).expected["opencl:GPU"].slowdown == 1


def test_blocks_are_compared_as_long_as_they_can_be() -> None:
    """Blocks of 64 frames at most: the one with less to do besides them is better."""
    rows = []
    for frames in (8, 64) * 5:
        for name, fixed, each in (
            ("threads-static", 48e-6, 0.7e-6),
            ("serial", 30e-6, 0.8e-6),
        ):
            rows.append(measured(name, fixed / frames + each, frames))
    known = Evidence(rows)
    names = ("threads-static", "serial")
    assert ask(known, names).implementation.name == "threads-static"
    listed = [replace(candidate(name), most_frames=64) for name in names]
    choice = choose(Situation(workload(), listed, known, 10**6))
    assert (choice.implementation.name, choice.frames) == ("serial", 64)
    elsewhere = Situation(workload(side=110), listed, known, 10**6)
    expected = choose(elsewhere).expected
    assert expected["serial"] < expected["threads-static"]


def test_another_device_takes_over_at_once() -> None:
    known = table([("opencl:GPU", 0.001), ("serial", 0.01)] * 10)
    elsewhere = Implementation("toy", "opencl:GPU", "opencl", "a GPU")
    listed = [elsewhere, candidate("serial")]
    for seconds in [0.001] * 10 + [0.1, 0.1]:
        known.add(replace(measured("opencl:GPU", seconds), device="a GPU"), first=True)
    choice = choose(Situation(workload(), listed, known, 1000))
    assert choice.implementation.name == "serial"
    assert choice.expected["serial"].slowdown == 1


def test_what_delays_a_device_is_taken_to_delay_all_on_it() -> None:
    known = table([("threads-static", 0.02), ("serial", 0.01)] * 10)
    for _ in range(2):
        known.add(measured("serial", 0.025))
    expected = ask(known, ["serial", "threads-static"]).expected
    assert expected["threads-static"].slowdown == pytest.approx(2.5)
    known.add(measured("threads-static", 0.05, 1))
    choice = ask(known, ["serial", "threads-static"])
    assert choice.implementation.name == "serial"


def test_scatter_is_no_delay() -> None:
    """Where times scatter, a block has to be slower to count as slow."""
    rng = Random(0)
    known = Evidence()
    for _ in range(40):
        for name, seconds in (("serial", 0.01), ("threads-static", 0.013)):
            scattered = seconds * rng.lognormvariate(0, 0.15)
            known.add(measured(name, scattered), first=True)
    known.add(measured("serial", 0.0135))
    choice = ask(known, ["serial", "threads-static"])
    assert (choice.implementation.name, choice.reason[:7]) == ("serial", FASTEST[:7])


def known_gpu() -> Evidence:
    """Return the evidence of a processor, and of a GPU that is twice as fast."""
    known = table([("serial", 0.002)] * 10)
    for _ in range(10):
        known.add(open_gpu(0.001, 0.0))
    known.add(open_gpu(0.001, 0.0, frames=2))
    return known


def test_a_block_that_can_end_early_is_long_and_has_patience() -> None:
    known = known_gpu()
    choice = of_a_run(known, 10**6, opened=("opencl:GPU",))
    assert choice.implementation.name == "opencl:GPU"
    assert choice.frames == pytest.approx(4 * 20, rel=0.1)  # as often as measured
    assert choice.patience is not None
    assert choice.patience.launch_frames == pytest.approx(4, abs=1)  # milliseconds
    assert choice.patience.frame_seconds == pytest.approx(1.2 * 0.002, rel=0.01)
    spare = 0.25 * 0.001 * choice.frames
    assert choice.patience.spare_seconds == pytest.approx(spare, rel=0.1)


def test_none_has_patience_where_nothing_could_take_over_or_blocks_are_whole() -> None:
    known = known_gpu()
    alone = Situation(workload(), [on_a_gpu()], known, 10**6, ["opencl:GPU"])
    assert choose(alone).patience is None
    assert ask(table([("serial", 0.002), ("threads-static", 0.004)] * 10)).patience is (
        None
    )


def test_a_block_of_few_launches_is_computed_in_one() -> None:
    """What each launch takes would cost more than a delay noticed sooner saves."""
    assert of_a_run(known_gpu(), 7).patience is None
    choice = of_a_run(known_gpu(), 10)
    assert choice.patience is not None
    assert choice.patience.launch_frames == 4


def test_many_slow_looks_do_not_make_a_short_block_forgotten() -> None:
    """Else the end of a long delay would never be seen."""
    fixed, each = 0.003, 0.0002
    known = table([("serial", 0.003)] * 10)
    for frames in (20, 2) * 6 + (20,) * 60:
        known.add(open_gpu(fixed / frames + each, 0.0, frames))
        of_a_run(known)
    for frames in (20, 20) + (1,) * 30:
        known.add(open_gpu(0.04, 0.0, frames))
        of_a_run(known)
    assert of_a_run(known).expected["opencl:GPU"].slowdown > 1
    known.add(open_gpu(fixed + each, 0.0, 1))
    assert of_a_run(known).expected["opencl:GPU"].slowdown == 1


@pytest.mark.parametrize("confirmed", [False, True])
def test_what_a_second_launch_has_confirmed_needs_no_check(confirmed: bool) -> None:
    known = known_gpu()
    known.add(replace(open_gpu(0.02, 0.0, frames=4), confirmed=confirmed))
    choice = of_a_run(known, 1000, opened=("opencl:GPU",))
    if confirmed:
        assert choice.implementation.name == "serial"
        return
    assert (choice.implementation.name, choice.reason[:15]) == (
        "opencl:GPU",
        CHECKING[:15],
    )
    # It goes on as a block like any other, unless its first launch is slow as well.
    assert choice.frames > 50
    assert choice.patience is not None
    assert choice.patience.launch_frames <= 2
    assert choice.patience.spare_seconds < 0.002


def test_a_short_block_does_not_tell_how_slow_frames_are() -> None:
    """On a GPU that needs ten milliseconds for each block, delayed or not."""
    known = table([("serial", 0.002)] * 10)
    for frames in (4, 100) * 6:
        known.add(open_gpu(0.0005 + 0.01 / frames, 0.0, frames=frames))
    for frames in (50, 50, 2):
        known.add(open_gpu(0.01 + 0.01 / frames, 0.0, frames=frames))
    choice = of_a_run(known, 1000, opened=("opencl:GPU",))
    assert choice.expected["opencl:GPU"].slowdown > 10
    assert choice.implementation.name == "serial"


def test_what_delays_two_on_a_device_is_looked_for_on_no_slower_third() -> None:
    names = ["serial", "threads-static", "numba"]
    known = table([("threads-static", 0.01), ("serial", 0.011), ("numba", 0.02)] * 10)
    looked: list[str] = []
    for _ in range(40):
        choice = ask(known, names)
        name = choice.implementation.name
        seconds = {"threads-static": 0.03, "serial": 0.033, "numba": 0.06}[name]
        known.add(measured(name, seconds, choice.frames))
        looked += [name] if choice.reason == PROBING else []
    assert "serial" in looked
    assert "numba" not in looked


def test_of_another_device_where_two_are_delayed_the_fastest_is_looked_at() -> None:
    names = ["threads-static", "serial", "numba"]
    known = table([("threads-static", 0.0006), ("serial", 0.0007)] * 10)
    for _ in range(10):
        known.add(measured("numba", 0.0008))
        known.add(open_gpu(0.001, 0.0))
    known.add(open_gpu(0.001, 0.0, frames=2))
    for name in ("threads-static", "serial") * 2:
        known.add(measured(name, 0.01))
    listed = [*(candidate(name) for name in names), on_a_gpu()]
    ready = [each.name for each in listed]
    looked = set()
    for _ in range(200):
        choice = choose(Situation(workload(), listed, known, 1000, ready))
        name = choice.implementation.name
        looked |= {name} if choice.reason == PROBING else set()
        if name == "opencl:GPU":
            known.add(open_gpu(0.001, 0.0, choice.frames))
        else:
            known.add(measured(name, 0.01, choice.frames))
    assert looked == {"threads-static"}
