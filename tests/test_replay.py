"""The replay of policies: what it counts, and what the oracle can know."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import trace as traces
from benchmarks.made_traces import KINDS, made
from benchmarks.oracle import oracle_seconds, present_seconds
from benchmarks.replay import PLAYERS
from benchmarks.replay_report import scores, table, write
from benchmarks.replaying import FAILURE_SECONDS, Player, replay
from benchmarks.trace import Trace
from benchmarks.varied_traces import varied
from napari_nanopyx._engine.patience import Patience
from napari_nanopyx._engine.policy.choice import Choice
from napari_nanopyx._engine.policy.situation import Situation
from napari_nanopyx._engine.types import Workload

WORKLOAD = Workload("toy", "1", (9, 9), "uint16", {"radius": 1.5}, 1e6, 1e4)


def trace(seconds: dict[str, list[float]], **changes: Any) -> Trace:
    steps = len(next(iter(seconds.values())))
    given: dict[str, Any] = {
        "name": "toy",
        "summary": "a toy",
        "step_frames": 10,
        "kinds": {name: KINDS[name] for name in seconds},
        "prepare_seconds": dict.fromkeys(seconds, 0.0),
        "workloads": [WORKLOAD],
        "runs": [(0, steps)],
        "seconds": {name: np.array(times) for name, times in seconds.items()},
    }
    return Trace(**(given | changes))


class Script:
    """A policy that chooses what a test says, and keeps what it was told."""

    def __init__(self, *choices: tuple[str, int]) -> None:
        self.choices = list(choices)
        self.told: list[Situation] = []

    def __call__(self, situation: Situation) -> Choice:
        """Make the next choice."""
        self.told.append(situation)
        name, frames = self.choices[(len(self.told) - 1) % len(self.choices)]
        found = next(c for c in situation.candidates if c.name == name and c.available)
        return Choice(found, frames, None, "as the test says")


def test_blocks_take_what_the_trace_says() -> None:
    known = trace(
        {"serial": [1.0, 2.0, 3.0], "numba": [0.5, 0.5, 0.5]},
        prepare_seconds={"serial": 0.0, "numba": 8.0},
        runs=[(0, 1), (0, 2)],
    )
    script = Script(("serial", 4), ("numba", 99))
    outcome = replay(known, Player(script), seed=3)
    assert outcome.frames == {"serial": 8, "numba": 22}
    assert outcome.seconds == 4 * 1.0 + 8 + 6 * 0.5 + 4 * 2.0 + 16 * 0.5
    assert [told.remaining for told in script.told] == [10, 6, 20, 16]
    assert [set(told.ready) for told in script.told] == [
        {"serial"},
        {"serial"},
        {"serial", "numba"},
        {"serial", "numba"},
    ]
    assert {told.seed for told in script.told} == {3}
    record, other = script.told[-1].evidence.exact(WORKLOAD).values()
    assert [m.frame_seconds for m in record.warm] == [1.0, 2.0]
    assert [m.outcome for m in other.cold] == ["cold"]


def test_once_a_run_takes_the_whole_run() -> None:
    known = trace({"serial": [1.0, 2.0, 3.0]}, runs=[(0, 1), (0, 2)])
    script = Script(("serial", 1))
    assert replay(known, Player(script, once_a_run=True)).seconds == 60.0
    assert len(script.told) == 2


def test_what_vanishes_is_left_out_and_its_block_computed_again() -> None:
    known = trace({"opencl:GPU": [0.1, np.nan, 0.1], "serial": [1.0, 1.0, 1.0]})
    outcome = replay(known, Player(Script(("opencl:GPU", 20), ("serial", 30))))
    assert outcome.frames == {"serial": 30}
    assert outcome.seconds == pytest.approx(10 * 0.1 + FAILURE_SECONDS + 30)


def test_a_race_ends_with_what_was_left_behind_though_the_other_cannot_stop() -> None:
    known = trace({"opencl:GPU": [1.0], "numba": [1.5]})
    told: list[Situation] = []

    def policy(situation: Situation) -> Choice:
        told.append(situation)
        gpu, numba = situation.candidates
        if len(told) == 1:
            patience = Patience(10, frame_seconds=0.1, spare_seconds=0.0)
            return Choice(gpu, 10, None, "until 1 s", patience=patience)
        return Choice(numba, 2, None, "until 4, 7 and 10 s")

    outcome = replay(known, Player(policy))
    assert outcome.seconds == pytest.approx(10.0)
    assert [each.remaining for each in told] == [10, 10, 8, 6]


def test_history_is_remembered_and_what_is_prepared_is_free() -> None:
    known = trace(
        {"serial": [1.0], "numba": [0.5]},
        prepare_seconds={"serial": 0.0, "numba": 8.0},
        history=[("numba", 0, 0.5), ("numba", 0, 0.6), ("serial", 0, 1.0)],
    )
    for prepared, expected in (((), 8.0), (("numba",), 0.0)):
        script = Script(("numba", 10))
        outcome = replay(replace(known, prepared=prepared), Player(script))
        assert outcome.seconds == 5.0 + expected
        evidence = script.told[0].evidence
        (arm,) = [arm for arm in evidence.exact(WORKLOAD) if arm[0] == "numba"]
        record = evidence.exact(WORKLOAD)[arm]
        assert [m.frame_seconds for m in record.warm][:2] == [0.5, 0.6]
        assert len(record.cold) == (1 if prepared else 2)
        assert evidence.preparation(arm) == expected


def test_oracle_changes_freely_and_prepares_only_what_pays() -> None:
    fast_then_slow = [0.1] * 20 + [2.0] * 20
    known = trace({"opencl:GPU": fast_then_slow, "serial": [1.0] * 40})
    assert oracle_seconds(known) == pytest.approx(20 * 1.0 + 200 * 1.0)
    for cost, expected in ((10.0, 10 + 220.0), (179.0, 399.0), (181.0, 400.0)):
        costly = replace(known, prepare_seconds={"opencl:GPU": cost, "serial": 0.0})
        assert oracle_seconds(costly) == pytest.approx(expected)
        ready = replace(costly, prepared=["opencl:GPU"])
        assert oracle_seconds(ready) == pytest.approx(220.0)


def test_oracle_never_takes_what_fails() -> None:
    gone = [0.1] * 15 + [np.nan] * 15
    known = trace({"opencl:GPU": gone, "serial": [1.0] * 30})
    assert oracle_seconds(known) == pytest.approx(15 * 1.0 + 150 * 1.0)


def test_oracle_does_not_profit_from_noise() -> None:
    rng = np.random.default_rng(0)
    noisy = {n: list(np.exp(rng.normal(0, 0.05, 400))) for n in list(KINDS)[:4]}
    best = min(sum(times) for times in noisy.values()) * 10
    assert oracle_seconds(trace(noisy)) == pytest.approx(best, rel=0.02)


def test_who_knows_the_present_notices_a_delay_at_the_end_of_a_block() -> None:
    delayed = [0.1] * 10 + [5.0] * 10
    known = trace({"opencl:GPU": delayed, "serial": [1.0] * 20})
    assert oracle_seconds(known) == pytest.approx(10 * 1.0 + 100 * 1.0)
    # Blocks of one step: the eleventh is computed by the GPU.
    assert present_seconds(known) == pytest.approx(10 * 1.0 + 50.0 + 90 * 1.0)
    costly = replace(known, block_seconds={"opencl:GPU": 6.0, "serial": 0.0})
    # Blocks of three steps: three fast ones, one that gets slow, and eight steps left.
    assert present_seconds(costly) == pytest.approx(3 * (3 + 6) + (101 + 6) + 80)


def test_who_knows_the_present_pays_for_blocks_and_knows_new_sizes() -> None:
    fast, slow = [0.1] * 20, [1.0] * 20
    small = {"opencl:GPU": slow + fast, "serial": fast + slow}
    runs = [(0, 20), (1, 20)]
    sizes = trace(small, runs=runs, workloads=[WORKLOAD, replace(WORKLOAD, flops=9e9)])
    assert present_seconds(sizes) == pytest.approx(40.0)
    paid = replace(sizes, block_seconds=dict.fromkeys(small, 2.0))
    assert present_seconds(paid) == pytest.approx(44.0)


@pytest.mark.parametrize("player", PLAYERS.values(), ids=PLAYERS)
def test_no_player_is_better_than_the_oracle(player: Player) -> None:
    for known in made(1):
        assert replay(known, player).seconds > 0.97 * oracle_seconds(known)


def test_replaying_again_gives_the_same() -> None:
    (known,) = [t for t in made(2) if t.name == "delay that ends"]
    first = replay(known, PLAYERS["paper"], seed=5)
    assert replay(known, PLAYERS["paper"], seed=5) == first
    assert replay(known, PLAYERS["paper"], seed=6) != first


@pytest.mark.parametrize(
    ("name", "gain"),
    [("convolution, GPU delayed", 1.8), ("eSRRF, GPU delayed", 1.5)],
)
def test_delay_handling_has_the_published_effect(name: str, gain: float) -> None:
    """Runs are so much shorter than without, while the GPU is slower than the CPU."""
    gains = []
    for seed in range(3):
        (known,) = [t for t in made(seed) if t.name == name]
        without = replay(known, PLAYERS["no delays"], seed).seconds
        gains.append(without / replay(known, PLAYERS["paper"], seed).seconds)
    assert np.mean(gains) >= gain


RECORDED = sorted((Path(traces.__file__).parent / "traces").glob("*.json"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_default_on_recorded_traces(path: Path) -> None:
    """No worse than the published policy, to a thousandth of the oracle's time."""
    known = traces.read(path)
    least = oracle_seconds(known)
    default, paper = (
        replay(known, PLAYERS[name]).seconds / least for name in ("default", "paper")
    )
    assert default <= paper + 1e-3
    if known.history and "load" not in known.name:
        assert default <= 1.05


UNDISTURBED = (
    "steady",
    "steady, new process",
    "steady, CPU",
    "slow drift",
    "sizes in turn",
)


@pytest.mark.parametrize("name", [t.name for t in made(0)])
def test_default_is_no_worse_than_the_published_policy(name: str) -> None:
    """On the mean of two, and to a thousandth of the oracle's time."""
    default, paper = [], []
    for seed in range(2):
        (known,) = [t for t in made(seed) if t.name == name]
        least = oracle_seconds(known)
        default.append(replay(known, PLAYERS["default"], seed).seconds / least)
        paper.append(replay(known, PLAYERS["paper"], seed).seconds / least)
    assert np.mean(default) <= np.mean(paper) + 1e-3
    if name in UNDISTURBED:
        assert np.mean(default) <= 1.05


@pytest.mark.parametrize("name", [t.name for t in varied(0)])
def test_default_where_everything_was_drawn_by_lot(name: str) -> None:
    """As above, on the mean of eight."""
    default, paper = [], []
    for seed in range(20, 28):
        (known,) = [t for t in varied(seed) if t.name == name]
        least = oracle_seconds(known)
        default.append(replay(known, PLAYERS["default"], seed).seconds / least)
        paper.append(replay(known, PLAYERS["paper"], seed).seconds / least)
    assert np.mean(default) <= np.mean(paper) + 1e-3


def test_varied_traces_differ_by_their_seed() -> None:
    for one, same, other in zip(varied(0), varied(0), varied(1), strict=True):
        assert list(one.runs) == list(same.runs) != list(other.runs)
        for name, seconds in one.seconds.items():
            np.testing.assert_array_equal(seconds, same.seconds[name])
            assert not np.array_equal(seconds, other.seconds[name])
    assert len({trace.cores for seed in range(9) for trace in varied(seed)}) == 3


def test_made_traces_have_what_they_are_named_for() -> None:
    found = {t.name: t for t in made(0)}
    assert not found["cold start"].history
    assert set(found["steady"].prepared) == set(KINDS)
    assert not found["steady, new process"].prepared
    assert np.isnan(found["GPU that vanishes"].seconds["opencl:GPU"][-1])
    new = found["size never seen"]
    assert {at for _, at, _ in new.history}.isdisjoint({at for at, _ in new.runs})
    delay = found["delay that ends"].seconds["opencl:GPU"]
    assert np.median(delay[200:400]) > 15 * np.median(delay[400:])
    again = made(0)[0].seconds["serial"]
    np.testing.assert_array_equal(found["cold start"].seconds["serial"], again)
    assert (made(1)[0].seconds["serial"] != again).any()


def test_traces_survive_a_file(tmp_path: Path) -> None:
    (gone,) = [t for t in made(0) if t.name == "GPU that vanishes"]
    traces.write(gone, tmp_path / "gone.json")
    again = traces.read(tmp_path / "gone.json")
    for name, seconds in gone.seconds.items():
        np.testing.assert_allclose(again.seconds[name], seconds, rtol=6e-4)
    assert again.workloads == gone.workloads
    assert list(again.runs) == list(gone.runs)
    assert len(again.history) == len(gone.history)
    traces.write(again, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == (tmp_path / "gone.json").read_text()


def test_a_trace_has_a_time_for_every_step() -> None:
    with pytest.raises(ValueError, match="has 2 steps of serial, but its runs have 3"):
        trace({"serial": [1.0, 2.0]}, runs=[(0, 3)])


def test_the_table_compares_all_players(tmp_path: Path) -> None:
    known = trace({"serial": [0.01] * 3}, prepared=["serial"])
    scored = scores({"toy": [known, known]})
    heading, _, row = table(scored)
    assert all(name in heading for name in PLAYERS)
    assert row == "| toy | 0.0% | 0.0% | 0.0% | 0.0% | 0.0% | 0.0% | 1.00× |"
    write(scored, tmp_path)
    assert row in (tmp_path / "agent.md").read_text(encoding="utf-8")
    first, second = json.loads((tmp_path / "agent.json").read_text())["toy"]
    assert first == second
    assert first["players"]["default"] == pytest.approx(0.3)


def test_the_command_plays_recorded_traces_too(tmp_path: Path) -> None:
    traces.write(trace({"serial": [0.01] * 3}), tmp_path / "recorded.json")
    command = [sys.executable, "-m", "benchmarks.replay", "--seeds", "0"]
    command += ["--traces", str(tmp_path), "--results", str(tmp_path / "results")]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    assert "| recorded | 0.0% |" in done.stdout
    written = (tmp_path / "results" / "agent.md").read_text(encoding="utf-8")
    assert "| recorded | 0.0% |" in written
