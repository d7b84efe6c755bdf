"""``python -m benchmarks.replay``: policies beside an oracle that knows the future."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from math import inf
from pathlib import Path

from benchmarks import trace as traces
from benchmarks.made_traces import made
from benchmarks.replaying import Player
from benchmarks.trace import Trace
from benchmarks.varied_traces import varied
from napari_nanopyx._engine.policy import agent, paper

PLAYERS: Mapping[str, Player] = {
    "default": Player(agent.choose),
    "paper": Player(paper.choose),
    "paper, k=2": Player(partial(paper.choose, deviations=2.0)),
    "paper, once a run": Player(paper.choose, once_a_run=True),
    "no delays": Player(partial(paper.choose, deviations=inf)),
}


def main() -> None:
    """Run the command line."""
    from benchmarks import replay_report

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.replay", description=__doc__
    )
    parser.add_argument("--seeds", type=int, default=5, help="made traces of each sort")
    parser.add_argument("--traces", type=Path, default=Path(__file__).parent / "traces")
    parser.add_argument("--results", type=Path, default=replay_report.RESULTS)
    parser.add_argument("--write", type=Path, help="write the made traces here as JSON")
    options = parser.parse_args()
    groups: dict[str, list[Trace]] = {}
    for seed in range(options.seeds):
        for trace in (*made(seed), *varied(seed)):
            groups.setdefault(trace.name, []).append(trace)
    if options.write is not None:
        options.write.mkdir(parents=True, exist_ok=True)
        for name, listed in groups.items():
            traces.write(listed[0], options.write / f"{name}.json")
    for path in sorted(options.traces.glob("*.json")):
        groups.setdefault(path.stem, []).append(traces.read(path))
    scores = replay_report.scores(groups)
    replay_report.write(scores, options.results)
    print("\n".join(replay_report.table(scores)))


if __name__ == "__main__":
    main()
