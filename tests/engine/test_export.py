"""What a measurement holds, and the table that it is written to."""

from __future__ import annotations

import csv
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_nanopyx import engine
from napari_nanopyx._engine.machine import devices, search
from napari_nanopyx._engine.measurements import export, history, measuring
from napari_nanopyx._engine.measurements.export import as_columns, write_csv
from napari_nanopyx._engine.types import Measurement, Timing, Workload


def measurement(**changes: Any) -> Measurement:
    parameters = {"radius": 1.5, "border": "extend", "shift": -0.5}
    given: dict[str, Any] = {
        "workload": Workload("toy", "1", (4, 5), "uint16", parameters, 1e9, 1e4),
        "implementation": "serial",
        "device": "processor é",
        "frames": 10,
        "timing": Timing(0.25, 0.5, 1.0),
        "at": 0.0,
        "version": "0.1",
    }
    return Measurement(**(given | changes))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_block_leaves_all_that_its_time_depends_on(
    toy: Any, arm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "package_version", lambda: "9.9")
    toy.arms = {"numba": arm(0.125, prepare=2.0, kind="numba")}
    before = time.time()
    toy.run(7)
    stored = history.current().measurements()
    first = stored[0]
    assert sum(m.frames for m in stored) == 7
    assert first.workload == Workload(
        "toy", "toy 1", (4, 5), "uint16", {"factor": 2, "kernel": "plain"}, 1e9, 1e4
    )
    assert (first.implementation, first.device) == ("numba", "test device")
    assert (first.timing.prepare, first.timing.transfer) == (2.0, 0.0)
    merging = first.timing.compute - 0.125 * first.frames
    assert 0 < merging < 0.1
    assert first.timing.total == 2.0 + first.timing.warm
    assert [m.outcome for m in stored] == ["cold"] + ["ok"] * (len(stored) - 1)
    assert before <= first.at <= time.time()
    assert first.version == "9.9"


def test_a_device_is_known_by_its_model_its_threads_and_its_driver(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NAPARI_NANOPYX_THREADS", "3")
    assert devices.cpu().identity.endswith("3 threads")
    found = {
        "name": "Abacus(TM) 9",
        "units": 132,
        "platform": "Beads",
        "driver": "570.1",
        "memory_bytes": 1,
        "is_gpu": True,
    }
    device = search._device(found, {})
    assert device.identity == "Abacus 9, 132 units, Beads, driver 570.1"


def test_history_is_exported_as_a_table(toy: Any, arm: Any, home: Path) -> None:
    toy.arms = {"serial": arm(0.125)}
    toy.run(3)
    written = engine.export_history(home / "history.csv", "toy")
    table = rows(home / "history.csv")
    assert len(table) == written == len(engine.history())
    assert engine.export_history(str(home / "none.csv"), "another") == 0
    assert rows(home / "none.csv") == []


def test_each_field_has_a_column(tmp_path: Path) -> None:
    at = Workload("toy", "1", (3, 4, 5), "float32", {"fast": True}, 1.0, 2.0)
    write_csv(tmp_path / "a.csv", [measurement(), measurement(workload=at)])
    one, other = rows(tmp_path / "a.csv")
    assert one == {
        "task": "toy",
        "digest": "1",
        "planes": "0",
        "height": "4",
        "width": "5",
        "dtype": "uint16",
        "parameter_border": "extend",
        "parameter_fast": "",
        "parameter_radius": "1.5",
        "parameter_shift": "-0.5",
        "implementation": "serial",
        "device": "processor é",
        "flops_per_frame": "1000000000.0",
        "bytes_per_frame": "10000.0",
        "frames": "10",
        "prepare_seconds": "0.25",
        "transfer_seconds": "0.5",
        "compute_seconds": "1.0",
        "total_seconds": "1.75",
        "outcome": "ok",
        "time": "1970-01-01T00:00:00+00:00",
        "version": "0.1",
    }
    assert (other["planes"], other["parameter_fast"]) == ("3", "True")
    assert other["parameter_radius"] == ""
    assert datetime.fromisoformat(one["time"]).timestamp() == 0


def test_table_and_file_hold_the_same(tmp_path: Path) -> None:
    at = Workload("toy", "1", (3, 4, 5), "float32", {"fast": True}, 1.0, 2.0)
    both = [measurement(), measurement(workload=at, at=1.5)]
    write_csv(tmp_path / "a.csv", both)
    table = as_columns(both)
    written = rows(tmp_path / "a.csv")
    assert list(table) == list(written[0])
    for name, column in table.items():
        assert len(column) == 2
        texts = [row[name] for row in written]
        for cell, text in zip(column.tolist(), texts, strict=True):
            if isinstance(cell, datetime):
                assert cell == datetime.fromisoformat(text).replace(tzinfo=None)
            elif cell is None or cell != cell:  # what is missing is an empty cell
                assert text == ""
            else:
                assert str(cell) == text


def test_columns_have_the_type_of_what_they_hold() -> None:
    at = Workload("toy", "1", (4, 5), "uint16", {"fast": True, "gap": 2}, 1.0, 2.0)
    table = as_columns([measurement(), measurement(workload=at)])
    kinds = {name: column.dtype.kind for name, column in table.items()}
    assert [kinds[name] for name in ("task", "height", "flops_per_frame")] == [
        "U", "i", "f",
    ]  # fmt: skip
    assert table["time"].dtype == np.dtype("datetime64[us]")
    np.testing.assert_array_equal(table["parameter_gap"], [np.nan, 2])
    np.testing.assert_array_equal(table["parameter_radius"], [1.5, np.nan])
    assert table["parameter_fast"].tolist() == [None, True]
    assert table["parameter_border"].tolist() == ["extend", None]
    factors = [
        Workload("toy", "1", (4, 5), "uint8", {"f": factor}, 1.0, 2.0)
        for factor in (2, 2.5)
    ]
    table = as_columns([measurement(workload=at) for at in factors])
    np.testing.assert_array_equal(table["parameter_f"], [2.0, 2.5])


def test_an_empty_table_has_its_columns() -> None:
    table = as_columns([])
    assert {"task", "implementation", "total_seconds", "time"} <= set(table)
    assert all(column.shape == (0,) for column in table.values())


def test_history_as_a_table_can_be_asked_for_in_part(toy: Any, arm: Any) -> None:
    toy.arms = {"serial": arm(0.125)}
    toy.run(3)
    everything = engine.history_table()
    assert everything["frames"].tolist() == [m.frames for m in engine.history()]
    assert sum(engine.history_table("toy")["frames"]) == 3
    newest = engine.history_table(newest=1)
    assert newest["frames"].tolist() == everything["frames"].tolist()[-1:]
    assert len(engine.history_table("another")["task"]) == 0


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"]
)
def test_nothing_is_a_formula(tmp_path: Path, text: str) -> None:
    at = Workload("toy", "1", (4, 5), "uint16", {text: text}, 1.0, 2.0)
    write_csv(tmp_path / "a.csv", [measurement(workload=at, device=text)])
    (row,) = rows(tmp_path / "a.csv")
    assert row["device"] == row[f"parameter_{text}"] == f"'{text}"


def test_what_was_there_survives_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("older")

    def fail(descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(export.os, "fsync", fail)
    with pytest.raises(OSError, match="no space"):
        write_csv(path, [measurement()])
    assert [found.name for found in tmp_path.iterdir()] == ["a.csv"]
    assert path.read_text() == "older"
    monkeypatch.undo()
    write_csv(path, [measurement()])
    assert len(rows(path)) == 1
    assert [found.name for found in tmp_path.iterdir()] == ["a.csv"]


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="create it, or give a path in"):
        write_csv(tmp_path / "none" / "a.csv", [])
