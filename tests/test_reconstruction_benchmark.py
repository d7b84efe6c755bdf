"""The benchmark of SRRF and of the sweep runs, and compares them with the peer."""

from __future__ import annotations

from benchmarks import reconstructions


def test_reconstructions_are_timed() -> None:
    lines = list(reconstructions.tables((4, 16, 17), (6, 20, 20), None))
    assert "## SRRF, 4 x 16 x 17, 5 times" in lines[0]
    names = {line.split("|")[1].strip() for line in lines if line.startswith("| ")}
    assert names >= {"SRRF TRA", "SRRF TRAC2", "warm", "first call"}


def test_the_peer_is_compared() -> None:
    lines = list(reconstructions.table({"ours": 0.5}, 100.0, {"ours": 2e9}, 40.0))
    assert "| ours | 500 | 200 times | 2.00 | 10% |" in lines
