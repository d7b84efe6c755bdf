"""The doctor tells what is there, what is missing, and what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_nanopyx import doctor, engine
from napari_nanopyx._engine.machine import devices, search
from napari_nanopyx._engine.measurements import history
from napari_nanopyx._engine.types import Measurement, Timing, Workload
from napari_nanopyx._kernels import tasks


def sections() -> dict[str, list[str]]:
    """Return the lines of the report by title."""
    head, *found = doctor.report().split("\n\n")
    assert head.startswith("napari-nanopyx ")
    parts = [part.splitlines() for part in found]
    return {title: [line.strip() for line in lines] for title, *lines in parts}


def test_every_section_tells_something(home: Path) -> None:
    found = sections()
    assert list(found) == [
        "Devices",
        *(f"Implementations of {name}" for name in tasks()),
        "History of measurements",
        "Threads",
        "Settings",
        "Packages",
    ]
    assert all(found.values())
    assert not [
        line for lines in found.values() for line in lines if "cannot be" in line
    ]
    for device in engine.devices():
        assert any(line.startswith(f"{device.name}: ") for line in found["Devices"])
        assert device.identity in " ".join(found["Devices"])


def test_threads_and_settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAPARI_NANOPYX_THREADS", "77")
    found = sections()
    told = "threads that compute: 77, as NAPARI_NANOPYX_THREADS says"
    assert told in found["Threads"]
    assert "NAPARI_NANOPYX_THREADS is '77'" in found["Settings"]
    monkeypatch.delenv("NAPARI_NANOPYX_THREADS")
    assert "one for each core" in " ".join(sections()["Threads"])


def test_the_store_its_place_and_its_measurements(home: Path) -> None:
    at = Workload("esrrf", "1", (4, 5), "uint16", {}, 1.0, 1.0)
    for _ in range(3):
        history.current().record(
            Measurement(at, "serial", "cpu", 1, Timing(0.0, 0.0, 1.0))
        )
    lines = sections()["History of measurements"]
    assert lines[0] == f"file: {home / history.FILE_NAME}"
    assert lines[1].startswith("3 measurements, ")
    assert lines[1].endswith("the file is sound")


def test_a_store_that_was_damaged(home: Path) -> None:
    (home / history.FILE_NAME).write_bytes(b"no database at all" * 100)
    lines = sections()["History of measurements"]
    assert "was set aside as" in lines[1]
    assert lines[2].startswith("0 measurements, ")
    assert lines[3] == "1 damaged and set aside in the same folder; may be deleted"


def test_a_store_that_goes_bad_meanwhile(home: Path) -> None:
    path = history.current().path
    history.current().flush()
    path.write_bytes(b"no database at all" * 1000)
    (line,) = sections()["History of measurements"][1:]
    assert line.startswith("the file is not sound (")
    assert "Remedy: start the program again" in line
    path.unlink()
    (line,) = sections()["History of measurements"][1:]
    assert "it is no longer there" in line


def test_a_store_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("NAPARI_NANOPYX_HOME", str(tmp_path / "file"))
    history.close()
    with pytest.warns(engine.HistoryWarning):
        lines = sections()["History of measurements"]
    history.close()
    assert "Set NAPARI_NANOPYX_HOME to a folder" in lines[1]
    assert lines[2] == "0 measurements, in memory only"


def test_what_is_missing_comes_with_a_remedy(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = {"scikit-learn", "pyopencl"}
    version = doctor._version
    monkeypatch.setattr(
        doctor, "_version", lambda name: None if name in absent else version(name)
    )
    problem = search._problem("no platform")
    monkeypatch.setattr(devices, "_found", ([], problem))
    found = sections()
    for package in absent:
        remedy = f"{package} not installed: {doctor.OPTIONAL[package]}"
        assert remedy in found["Packages"]
    reason, remedy = problem
    assert f"no OpenCL device: {reason}. Remedy: {remedy}" in found["Devices"]
    line = f"opencl: cannot run. {reason}. Remedy: {remedy}"
    assert line in found["Implementations of esrrf"]


def test_a_part_that_fails_leaves_the_rest(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAPARI_NANOPYX_SIMD", "v9")
    found = sections()
    assert found["Threads"][-1].startswith("cannot be told: ValueError: ")
    assert "serial: ready" in found["Implementations of esrrf"]
