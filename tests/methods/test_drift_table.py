"""Drift tables survive files; other files are refused, and nothing in them runs."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_nanopyx as nx

SHIFTS = np.array([[0, 0], [0.1, -2.25], [1 / 3, 1e-9]])


def table() -> nx.DriftTable:
    return nx.DriftTable(
        SHIFTS,
        np.array([1, 0.5, np.nan]),
        np.array([False, False, True]),
        pixel_size=0.1,
        units="µm",
        frame_shape=(40, 50),
        source="blake2b:00",
        settings={"method": "ccm", "roi": [0, 0, 20, 20]},
    )


@pytest.mark.parametrize("name", ["drift.csv", "no ending", "a,b.txt"])
def test_a_saved_table_is_the_same(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert table().save(path) == path
    assert [each.name for each in tmp_path.iterdir()] == [name]
    loaded = nx.DriftTable.load(path)
    for each in ("shifts", "similarity", "flagged", "uncertainty"):
        np.testing.assert_array_equal(getattr(loaded, each), getattr(table(), each))
    for each in ("pixel_size", "units", "frame_shape", "source", "settings"):
        assert getattr(loaded, each) == getattr(table(), each)


def test_a_spreadsheet_can_read_it(tmp_path: Path) -> None:
    table().save(tmp_path / "drift.csv")
    values = np.genfromtxt(
        tmp_path / "drift.csv", delimiter=",", names=True, skip_header=1
    )
    np.testing.assert_array_equal(values["row"], SHIFTS[:, 0])
    np.testing.assert_array_equal(values["column"], SHIFTS[:, 1])


def test_volumes_have_three_columns(tmp_path: Path) -> None:
    shifts = np.arange(6.0).reshape(2, 3)
    nx.DriftTable(shifts).save(tmp_path / "drift.csv")
    loaded = nx.DriftTable.load(tmp_path / "drift.csv")
    np.testing.assert_array_equal(loaded.shifts, shifts)
    assert np.isnan(loaded.similarity).all()


def test_table_of_the_older_package(tmp_path: Path) -> None:
    path = tmp_path / "_drift_table.csv"
    path.write_text(
        "lib_version;2.1.5\nref_option;0\nroi;(0, 0, 9, 9)\nDrift Table\nXY;X;Y\n"
        "0.0;0.0;0.0\n2.236;-2.0;-1.0\n"
    )
    loaded = nx.DriftTable.load(path)
    assert loaded.shifts.tolist() == [[0, 0], [-1, -2]]
    assert loaded.settings["lib_version"] == "2.1.5"


def test_drift_of_picasso_is_subtracted(tmp_path: Path) -> None:
    path = tmp_path / "movie_drift.txt"
    np.savetxt(path, [[0, 0], [2, -1.5]], newline="\r\n")
    assert nx.DriftTable.load(path).shifts.tolist() == [[0, 0], [1.5, -2]]


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def test_pickles_are_refused_and_do_not_run(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    (tmp_path / "drift.pickle").write_bytes(pickle.dumps(Trap(sprung), protocol=0))
    np.save(tmp_path / "drift.npy", np.array([Trap(sprung)]), allow_pickle=True)
    for name in ("drift.pickle", "drift.npy"):
        with pytest.raises(ValueError, match="drift table"):
            nx.DriftTable.load(tmp_path / name)
    assert not sprung.exists()


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    path = table().save(tmp_path / "drift.csv")
    whole = path.read_text(encoding="utf-8")
    lines = whole.splitlines(keepends=True)
    for count in range(len(lines)):
        path.write_text("".join(lines[:count]), encoding="utf-8")
        with pytest.raises(ValueError, match="no drift table"):
            nx.DriftTable.load(path)


def test_the_time_between_frames_is_kept(tmp_path: Path) -> None:
    table = nx.DriftTable(np.zeros((8, 2)), frame_interval=0.25)
    assert nx.DriftTable.load(table.save(tmp_path / "a.csv")).frame_interval == 0.25
    assert table[2:6].frame_interval == 0.25
    assert table[::2].frame_interval == 0.5
    assert nx.DriftTable(np.zeros((2, 2)))[::2].frame_interval is None
    text = (tmp_path / "a.csv").read_text()
    (tmp_path / "b.csv").write_text(text.replace("0.25", "-1"))
    with pytest.raises(ValueError, match="wrong frame_interval: -1"):
        nx.DriftTable.load(tmp_path / "b.csv")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.1,-2.25", "0.1", "line of frame 1 is damaged"),
        ("-2.25", "nan", "NaN or infinity"),
        ("-2.25", "__import__('os')", "something else than numbers"),
        ('"version": 2', '"version": 9', "version 9"),
        ('"frames": 3', '"frames": 4', "announces 4 frames, but holds 3"),
        ('"pixel_size": 0.1', '"pixel_size": -1', "wrong pixel_size"),
        ("[40, 50]", '"x"', "wrong frame_shape"),
        ("frame,row,column", "frame,x,y", "does not name the columns"),
        ("napari-nanopyx drift table", "other", "does not say that it is one"),
        ('{"format"', "{format", "first line is damaged"),
        ("\n1,", "\n7,", "line of frame 1 is damaged"),
        (",0.5,0", ",0.5,2", "'flagged' holds something else"),
    ],
)
def test_damaged_tables(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = table().save(tmp_path / "drift.csv")
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        nx.DriftTable.load(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Drift Table\nXY;X;Y\n", "cut or damaged"),
        ("Drift Table\nXY;X;Y\n0;0\n", "cut or damaged"),
        ("Drift Table\nX;Y\n0;0;0\n", "does not name XY, X and Y"),
        ("Drift Table\nXY;X;Y\n9;1;1\n", "not the length"),
        ("1 2\n3\n", "two numbers in each line"),
        ("1 2 3\n", "two numbers in each line"),
        ("hello world\n", "something else than numbers"),
        ("", "two numbers in each line"),
    ],
)
def test_other_files(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "drift.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        nx.DriftTable.load(path)


def test_bad_places(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a folder"):
        table().save(tmp_path)
    with pytest.raises(ValueError, match="is not there"):
        table().save(tmp_path / "missing" / "drift.csv")
    with pytest.raises(ValueError, match="no such file"):
        nx.DriftTable.load(tmp_path / "missing.csv")


def test_bad_values() -> None:
    with pytest.raises(ValueError, match="shifts has shape"):
        nx.DriftTable(np.zeros((3, 4)))
    with pytest.raises(ValueError, match="NaN"):
        nx.DriftTable(np.full((3, 2), np.nan))
    with pytest.raises(ValueError, match="similarity has shape"):
        nx.DriftTable(np.zeros((3, 2)), np.ones(2))


def test_a_line_and_slices() -> None:
    assert str(table()) == (
        "Drift of 3 frames: at most 2.25 px (0.2252 µm), 1 could not be registered"
    )
    part = table()[1:]
    assert len(part) == part.n_frames == 2
    assert part.shifts.tolist() == SHIFTS[1:].tolist()
    with pytest.raises(ValueError, match="read-only"):
        part.shifts[0] = 1


def test_plot() -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure
    axes = table().plot(figure().add_subplot())
    assert axes.get_title() == str(table())
    labels = [line.get_label() for line in axes.get_lines()][:2]
    assert labels == ["row", "column"]
