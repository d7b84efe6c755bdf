"""Many movies: whole files, one failure stops no other, and a table of all."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
import tifffile
from closeness import assert_close
from movie_files import write_movie
from numpy.typing import NDArray
from typer.testing import CliRunner

import napari_nanopyx as nx
from napari_nanopyx import cli
from napari_nanopyx.engine import Cancelled
from napari_nanopyx.io import open_image
from napari_nanopyx.workflow import Step, Workflow, run_files, typical

SMALL = Workflow(
    (
        Step("estimate_drift", "drift", {"image": "movie"}),
        Step(
            "correct_drift", "still", {"image": "movie", "table": "drift"}, save=False
        ),
        Step("esrrf", "sr", {"image": "still"}, {}, {"magnification": 2}),
        Step("decorrelation", "resolution", {"image": "sr"}),
    )
)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_each_movie_gets_its_results_and_a_row(
    tmp_path: Path, source: Path, movie: NDArray[Any]
) -> None:
    other, output = tmp_path / "other.tif", tmp_path / "out"
    write_movie(other, movie[:6])
    before = digest(source), digest(other)
    summary = run_files(SMALL, [source, other], output)
    assert (digest(source), digest(other)) == before
    assert names_in(output) == {
        *("cell_drift.csv", "cell_sr.tif", "other_drift.csv", "other_sr.tif"),
        *("summary.csv", "workflow.toml"),
    }
    assert Workflow.load(output / "workflow.toml").steps == SMALL.steps
    table = nx.DriftTable.load(output / "cell_drift.csv")
    expected = nx.esrrf(nx.correct_drift(movie, table), 2)[0]
    with open_image(output / "cell_sr.tif") as image:
        assert_close(image[...], expected, 2e-5)
        assert image.metadata.pixel_size == pytest.approx((0.05, 0.05), rel=1e-5)
        note = json.loads(image.metadata.description)
    assert note["function"] == "napari_nanopyx.esrrf"
    assert note["movie"] == "cell.tif"
    assert note["workflow"] == SMALL.digest
    first, second = rows_of(output / "summary.csv")
    assert (first["file"], first["state"], first["error"]) == ("cell.tif", "done", "")
    assert first["settings"] == second["settings"] == SMALL.digest
    farthest = np.hypot(*table.shifts.T).max()
    assert float(first["drift max drift (px)"]) == pytest.approx(farthest, rel=1e-4)
    assert first["resolution unit"] == "µm"
    assert "sr: " in first["implementations"]
    assert [row.state for row in summary.rows] == ["done", "done"]


def test_a_movie_that_fails_stops_no_other(
    tmp_path: Path, source: Path, movie: NDArray[Any], caplog: Any
) -> None:
    cut, colour = tmp_path / "cut.tif", tmp_path / "colour.tif"
    cut.write_bytes(source.read_bytes()[:5000])
    tifffile.imwrite(colour, np.zeros((9, 9, 3), np.uint8), photometric="rgb")
    output = tmp_path / "out"
    summary = run_files(SMALL, [cut, colour, source], output)
    assert [row.state for row in summary.rows] == ["failed", "failed", "done"]
    rows = rows_of(output / "summary.csv")
    assert "cut" in rows[0]["error"]
    assert "grey" in rows[1]["error"]
    assert names_in(output) == {
        *("cell_drift.csv", "cell_sr.tif", "summary.csv", "workflow.toml")
    }
    assert caplog.records == []


def test_a_failing_step_leaves_what_was_finished(
    tmp_path: Path, source: Path, movie: NDArray[Any]
) -> None:
    crop = Step("frc", "frc", {"image_a": "movie.mean", "image_b": "sr"})
    steps = (*SMALL.steps[:3], crop)
    (row,) = run_files(Workflow(steps), [source], tmp_path / "out").rows
    assert row.state == "failed"
    assert "shape" in row.error
    assert {"cell_drift.csv", "cell_sr.tif"} < names_in(tmp_path / "out")
    assert row.numbers["drift flagged"] == 0
    assert not [name for name in names_in(tmp_path / "out") if name.startswith(".")]


def test_nothing_is_replaced_unasked(tmp_path: Path, source: Path) -> None:
    output = tmp_path / "out"
    run_files(SMALL, [source], output)
    before = digest(output / "cell_sr.tif")
    with pytest.raises(ValueError, match=r"summary.csv and 3 more would be replaced"):
        run_files(SMALL, [source], output)
    assert digest(output / "cell_sr.tif") == before
    run_files(SMALL, [source], output, replace_results=True)


def test_a_movie_is_never_replaced(tmp_path: Path, source: Path) -> None:
    clash = tmp_path / "cell_sr.tif"
    clash.write_bytes(source.read_bytes())
    before = digest(clash)
    with pytest.raises(ValueError, match="would replace a movie"):
        run_files(SMALL, [source, clash], tmp_path, replace_results=True)
    assert digest(clash) == before
    assert not (tmp_path / "workflow.toml").exists()


def test_movies_of_the_same_name_do_not_share_results(
    tmp_path: Path, source: Path, movie: NDArray[Any]
) -> None:
    (tmp_path / "b").mkdir()
    write_movie(tmp_path / "b" / "cell.tif", movie[:4])
    run_files(SMALL, [source, tmp_path / "b" / "cell.tif"], tmp_path / "out")
    assert {"cell_sr.tif", "cell-2_sr.tif"} < names_in(tmp_path / "out")


def test_wrong_places_are_said_before_anything_is_written(
    tmp_path: Path, source: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(ValueError, match="files is empty"):
        run_files(SMALL, [], out)
    with pytest.raises(ValueError, match=r"no\.tif does not exist"):
        run_files(SMALL, [source, tmp_path / "no.tif"], out)
    with pytest.raises(ValueError, match="is a file: give a folder"):
        run_files(SMALL, [source], source)
    with pytest.raises(ValueError, match=r"suffix is '\.png'"):
        run_files(SMALL, [source], out, suffix=".png")
    with pytest.raises(ValueError, match="does not exist"):
        run_files(SMALL, [source], out / "deeper")
    assert names_in(tmp_path) == {"cell.tif"}


def test_cancelling_keeps_what_is_finished(tmp_path: Path, source: Path) -> None:
    stop = Event()
    with pytest.raises(Cancelled):
        run_files(
            SMALL,
            [source],
            tmp_path / "out",
            cancel=stop,
            report=lambda m: stop.set() if m.step == "sr" else None,
        )
    assert names_in(tmp_path / "out") == {
        *("cell_drift.csv", "summary.csv", "workflow.toml")
    }
    assert rows_of(tmp_path / "out" / "summary.csv")[0]["state"] == "cancelled"


@pytest.mark.parametrize("problem", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_run_says_so(
    tmp_path: Path, source: Path, problem: type[BaseException]
) -> None:
    def interrupt(moment: Any) -> None:
        if moment.step == "sr":
            raise problem

    with pytest.raises(problem):
        run_files(SMALL, [source], tmp_path / "out", report=interrupt)
    assert rows_of(tmp_path / "out" / "summary.csv")[0]["state"] == "cancelled"
    assert not [name for name in names_in(tmp_path / "out") if name.startswith(".")]


def test_a_mistake_of_the_program_is_logged_and_stops_no_other(
    tmp_path: Path, source: Path, movie: NDArray[Any], caplog: Any
) -> None:
    other = write_movie(tmp_path / "other.tif", movie)

    def mistake(moment: Any) -> None:
        if moment.file == "cell.tif":
            raise ZeroDivisionError("by zero")

    summary = run_files(SMALL, [source, other], tmp_path / "out", report=mistake)
    assert [row.state for row in summary.rows] == ["failed", "done"]
    assert summary.rows[0].error == "ZeroDivisionError: by zero"
    assert "mistake" in caplog.text  # the traceback


def test_a_movie_is_read_a_few_frames_at_a_time(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what a step has made of it, if later steps read that."""
    from napari_nanopyx.io.stack import FrameStack
    from napari_nanopyx.workflow import calling, inputs

    reads: list[int] = []
    original = FrameStack.__getitem__

    def counted(stack: FrameStack, key: Any) -> Any:
        frames = original(stack, key)
        reads.append(len(frames) if frames.ndim == 3 else 1)
        return frames

    frame = 40 * 44 * 4
    monkeypatch.setattr(FrameStack, "__getitem__", counted)
    monkeypatch.setattr(calling, "BLOCK_BYTES", 2 * frame)
    monkeypatch.setattr(inputs, "BLOCK_BYTES", 4 * frame)
    kernel = {"kernel": [[1.0, 2.0, 1.0]]}
    steps = (
        Step("convolve", "blurred", {"image": "movie"}, {}, kernel),
        Step("magnify", "large", {"image": "blurred"}, {}, {"factor": 1.0}, False),
        Step("decorrelation", "d", {"image": "large.mean"}),
    )
    (row,) = run_files(Workflow(steps), [source], tmp_path / "out").rows
    assert row.error == ""
    assert max(reads) <= 2
    assert sum(reads) >= 3 * 12


def test_zarr_results_are_replaced_if_they_are_ours(
    tmp_path: Path, source: Path
) -> None:
    pytest.importorskip("zarr")
    output = tmp_path / "out"
    for allowed in (False, True):
        (row,) = run_files(
            SMALL, [source], output, suffix=".ome.zarr", replace_results=allowed
        ).rows
        assert row.error == ""
    assert names_in(output) == {
        *("cell_drift.csv", "cell_sr.ome.zarr", "summary.csv", "workflow.toml")
    }
    foreign = output / "cell_sr.ome.zarr" / ".zattrs"
    foreign.write_text("{}")
    (row,) = run_files(
        SMALL, [source], output, suffix=".ome.zarr", replace_results=True
    ).rows
    assert "has not written it" in row.error
    assert foreign.read_text() == "{}"


def test_zarr_in_and_out(tmp_path: Path, source: Path, movie: NDArray[Any]) -> None:
    pytest.importorskip("zarr")
    (row,) = run_files(SMALL, [source], tmp_path / "a", suffix=".ome.zarr").rows
    assert row.error == ""
    again = Workflow((Step("decorrelation", "d", {"image": "movie"}),))
    path = tmp_path / "a" / "cell_sr.ome.zarr"
    (second,) = run_files(again, [path], tmp_path / "b").rows
    assert second.error == ""
    assert second.numbers["d unit"] == "µm"


def invoke(*words: object) -> Any:
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def test_the_command_runs_the_file_that_it_wrote(tmp_path: Path, source: Path) -> None:
    chain, output = tmp_path / "chain.toml", tmp_path / "out"
    assert invoke("new-workflow", chain).exit_code == 0
    assert Workflow.load(chain).steps == typical().steps
    assert invoke("new-workflow", chain).exit_code == 2
    done = invoke("run", chain, source, "--output", output)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "cell.tif: done in" in done.stdout
    assert "  errors: Error map: RSP" in done.stdout
    assert "1 of 1 movies done" in done.stdout
    assert (output / "cell_reconstruction.tif").exists()


def test_the_exit_code_says_that_one_failed(tmp_path: Path, source: Path) -> None:
    bad, chain = tmp_path / "bad.tif", SMALL.save(tmp_path / "chain.toml")
    bad.write_bytes(b"none")
    done = invoke("run", chain, bad, source, "--output", tmp_path / "out")
    assert done.exit_code == 1
    assert "bad.tif: failed: " in done.stderr
    assert "1 of 2 movies done" in done.stdout


def test_a_wrong_workflow_is_one_sentence(tmp_path: Path, source: Path) -> None:
    chain = tmp_path / "chain.toml"
    chain.write_text(SMALL.text.replace("magnification = 2", 'magnification = "2"'))
    done = invoke("run", chain, source, "--output", tmp_path / "out")
    assert done.exit_code == 2
    assert "step 'sr': magnification is '2', but must be a whole number" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
