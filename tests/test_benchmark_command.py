"""`napari-nanopyx benchmark`: tables and plots, clear errors, Ctrl-C."""

from __future__ import annotations

import csv
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from napari_nanopyx import cli, engine

FAST = ("--implementation", "serial", "--implementation", "numba", "--repeats", 2)


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.app, ["benchmark", *(str(word) for word in words)])
    unexpected = result.exception
    if unexpected is not None and not isinstance(unexpected, SystemExit):
        raise unexpected
    return result.exit_code, result.stdout, result.stderr


def test_sizes_and_parameters_make_a_grid(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    table, plot = tmp_path / "table.csv", tmp_path / "plot.png"
    code, out, err = run(
        "magnify", "--sizes", "16,12x20", "--parameter", "factor=2,3.5", *FAST,
        "--csv", table, "--plot", plot,
    )  # fmt: skip
    assert (code, err) == (0, "")
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = [(r["height"], r["width"], r["parameter_factor"]) for r in rows]
    assert found[::2] == found[1::2]
    assert found[::2] == [
        ("16", "16", "2"),
        ("12", "20", "2"),
        ("16", "16", "3.5"),
        ("12", "20", "3.5"),
    ]
    assert {row["implementation"] for row in rows} == {"serial", "numba"}
    assert {row["status"] for row in rows} == {"ok"}
    assert "frames of 12 × 20 (uint16), factor 3.5" in out
    assert "of 4 cases" in out
    assert plot.read_bytes()[:4] == b"\x89PNG"


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    source = tmp_path / "movie.tif"
    movie = np.random.default_rng(1).poisson(90, (5, 18, 22)).astype(np.uint8)
    tifffile.imwrite(source, movie, imagej=True, metadata={"axes": "TYX"})
    before = len(engine.history("esrrf"))
    code, out, err = run(
        "esrrf", source, "--parameter", "magnification=2", "--parameter",
        "temporal=VAR", "--parameter", "intensity_weighting=false", *FAST,
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "frames of 18 × 22 (uint8), magnification 2, temporal VAR" in out
    measured = engine.history("esrrf")[before:]
    assert {m.workload.parameters["intensity_weighting"] for m in measured} == {False}


def test_sizes_of_volumes() -> None:
    words = ["--sizes", "3x12x14", "--repeats", "1", "--implementation", "serial"]
    code, out, _ = run("esrrf_3d", *words)
    assert code == 0
    assert "esrrf_3d, frames of 3 × 12 × 14 (uint16)" in out


def test_a_series_of_volumes_of_ones_own(tmp_path: Path) -> None:
    source = tmp_path / "volumes.tif"
    series = np.random.default_rng(1).poisson(90, (3, 4, 10, 12)).astype(np.uint16)
    tifffile.imwrite(source, series, imagej=True, metadata={"axes": "TZYX"})
    before = len(engine.history("esrrf_3d"))
    code, out, err = run("esrrf_3d", source, *FAST)
    assert (code, err) == (0, "")
    assert "frames of 4 × 10 × 12 (uint16)" in out
    measured = engine.history("esrrf_3d")[before:]
    assert {m.workload.shape[-3:] for m in measured} == {(4, 10, 12)}


def test_a_movie_of_one_plane_is_no_volume(tmp_path: Path) -> None:
    source = tmp_path / "movie.tif"
    movie = np.random.default_rng(1).poisson(90, (5, 12, 14)).astype(np.uint16)
    tifffile.imwrite(source, movie, imagej=True, metadata={"axes": "TYX"})
    code, _, err = run("esrrf_3d", source, *FAST)
    assert code != 0
    assert "a movie of volumes has the axes T, Z, Y, X" in err


WRONG = {
    "task": (["tea"], "task is 'tea', but must be one of"),
    "size 0": (["magnify", "--sizes", "0"], "sizes holds 0"),
    "sizes": (["magnify", "--sizes", "64;128"], "--sizes is '64;128'"),
    "three sides": (["magnify", "--sizes", "1x2x3"], "sizes holds (1, 2, 3)"),
    "too large": (["magnify", "--sizes", "5000000"], "GiB"),
    "no file": (["magnify", "gone.tif"], "gone.tif does not exist"),
    "both": (["magnify", "movie.tif", "--sizes", "8"], "data and sizes are both"),
    "parameter": (["magnify", "--parameter", "factor"], "--parameter is 'factor'"),
    "name": (["magnify", "--parameter", "speed=2"], "speed is no parameter"),
    "value": (["magnify", "--parameter", "factor=0"], "factor is 0"),
    "word": (["magnify", "--parameter", "factor=big"], "factor is 'big'"),
    "repeats": (["magnify", "--repeats", "0"], "repeats is 0"),
    "pinned": (["magnify", "--implementation", "fast"], "no implementation of this"),
    "no folder": (["magnify", "--csv", "none/t.csv"], "none does not exist"),
    "a folder": (["magnify", "--csv", "."], "is a folder"),
    "picture": (["magnify", "--plot", "plot.doc"], "must end in .png"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_input_is_one_sentence(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tifffile.imwrite("movie.tif", np.ones((3, 8, 9), np.uint8))
    words, message = WRONG[case]
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.startswith("napari-nanopyx: ")
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["movie.tif"]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_keeps_what_was_measured(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    started = subprocess.Popen(
        [sys.executable, "-c", "from napari_nanopyx.cli import app; app()", "benchmark",
         "magnify", "--sizes", "16,32", "--repeats", "1000000", "--csv", str(table),
         "--implementation", "serial", "--implementation", "numba"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "NAPARI_NANOPYX_HOME": str(tmp_path)},
    )  # fmt: skip
    try:
        _wait_for_measurements(tmp_path / "history.sqlite", started)
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=60)
    finally:
        started.kill()
    assert started.returncode == 128 + signal.SIGINT
    assert "Traceback" not in err
    assert "cancelled" in err
    assert "serial" in out
    assert "frames of 32" not in out
    with table.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["implementation"] == "serial"
    assert int(row["repeats"]) > 0
    assert float(row["median_seconds_per_frame"]) > 0


def _wait_for_measurements(path: Path, started: subprocess.Popen[str]) -> None:
    """Return when there are more measurements than the check and warm-up make."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert started.poll() is None, started.communicate()
        if path.exists():
            with closing(sqlite3.connect(path)) as connection:
                try:
                    (count,) = connection.execute(
                        "SELECT count(*) FROM measurement"
                    ).fetchone()
                except sqlite3.OperationalError:
                    count = 0
            if count > 10:
                return
        time.sleep(0.05)
    pytest.fail("nothing was measured")
