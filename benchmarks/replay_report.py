"""Scores policies on traces, as a table and as data."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.oracle import oracle_seconds, present_seconds
from benchmarks.replay import PLAYERS
from benchmarks.replaying import replay
from benchmarks.trace import Trace

RESULTS = Path(__file__).parent / "results"
NAME = "agent"

HEADING = """# How the agent chooses, on traces

`make bench-agent` plays traces back. Each cell is the time over that of an oracle that
knows the future; of made and varied traces it is the mean of several seeds.
[docs/engine.md](../../docs/engine.md) says what the traces and the columns are.
"""


@dataclass(frozen=True)
class Score:
    """Seconds that one trace takes."""

    oracle: float
    present: float
    """For one who is told the present, but not the future."""
    players: Mapping[str, float]


def scores(groups: Mapping[str, Sequence[Trace]]) -> dict[str, list[Score]]:
    """Let every player play every trace, on all cores."""
    traces = [trace for found in groups.values() for trace in found]
    seeds = [seed for found in groups.values() for seed in range(len(found))]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        done = iter(list(pool.map(_score, traces, seeds)))
    return {name: [next(done) for _ in found] for name, found in groups.items()}


def table(scored: Mapping[str, Sequence[Score]]) -> list[str]:
    """Return the time over the oracle's, averaged over the traces of a name."""
    columns = ["trace", *PLAYERS, "knows the present", "gain by delays"]
    rows = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    for name, found in scored.items():
        oracle = np.array([score.oracle for score in found])
        taken = [[s.players[player] for s in found] for player in PLAYERS]
        taken.append([score.present for score in found])
        cells = [f"{np.mean(seconds / oracle - 1) + 1e-9:.1%}" for seconds in taken]
        gain = np.mean([s.players["no delays"] / s.players["paper"] for s in found])
        rows.append("| " + " | ".join([name, *cells, f"{gain:.2f}×"]) + " |")
    return rows


def write(scored: Mapping[str, Sequence[Score]], folder: Path) -> None:
    """Write the table, and the seconds behind it."""
    folder.mkdir(parents=True, exist_ok=True)
    seconds = {
        name: [asdict(score) for score in found] for name, found in scored.items()
    }
    path = folder / f"{NAME}.json"
    path.write_text(json.dumps(seconds, indent=1) + "\n", encoding="utf-8")
    lines = [HEADING, *table(scored), ""]
    (folder / f"{NAME}.md").write_text("\n".join(lines), encoding="utf-8")


def _score(trace: Trace, seed: int) -> Score:
    players = {
        name: replay(trace, each, seed).seconds for name, each in PLAYERS.items()
    }
    return Score(oracle_seconds(trace), present_seconds(trace), players)
