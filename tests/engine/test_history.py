"""The history: what it keeps, and that no fault of the file reaches a computation."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from napari_nanopyx._engine.errors import HistoryWarning
from napari_nanopyx._engine.measurements import history, store
from napari_nanopyx._engine.measurements.evidence import RECENT
from napari_nanopyx._engine.measurements.history import History
from napari_nanopyx._engine.types import Measurement, Timing, Workload

NAME = "history.sqlite"


def workload(shape: tuple[int, ...] = (20, 30), **parameters: Any) -> Workload:
    settings = {"magnification": 5, "radius": 1.5, "border": "extend", **parameters}
    return Workload("toy", "code 1", shape, "uint16", settings, 1e6, 1e4)


def measurement(
    number: int = 0,
    at: Workload | None = None,
    name: str = "serial",
    outcome: str = "ok",
) -> Measurement:
    timing = Timing(0.5 if outcome == "cold" else 0.0, 0.001, 0.01 + number * 1e-6)
    return Measurement(
        at or workload(), name, "processor é", 10, timing, outcome, 1e9 + number, "0.1"
    )


def kept(path: Path) -> list[Measurement]:
    return store.everything(path)


def fill(path: Path, count: int) -> None:
    opened = History(path)
    for number in range(count):
        opened.record(measurement(number))
    opened.close()


def recorded(opened: History) -> list[str]:
    """Use a history as a run would, and return the warnings that were given."""
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        for number in range(3):
            opened.evidence(workload())
            opened.record(measurement(number))
            opened.flush()
        assert len(opened.measurements("toy")) >= 3
        opened.close()
    assert {item.category for item in given} <= {HistoryWarning}
    return [str(item.message) for item in given]


def test_what_is_recorded_comes_back(tmp_path: Path) -> None:
    made = [
        measurement(0),
        measurement(1, workload(tac=True, sigma=0.1), "opencl:GPU #2", "cold"),
        measurement(2, workload((7, 20, 30)), outcome="failed"),
    ]
    first = History(tmp_path / NAME)
    for each in made:
        first.record(each)
    assert first.measurements() == made
    assert first.measurements(newest=2) == made[1:]
    first.close()
    second = History(tmp_path / NAME)
    assert second.measurements("toy") == made
    assert second.measurements("another") == []
    second.close()


def test_each_parameter_is_a_feature_of_its_own(tmp_path: Path) -> None:
    fill(tmp_path / NAME, 1)
    with store.connect(tmp_path / NAME) as connection:
        row = connection.execute(
            "SELECT height, width, planes, dtype, parameters ->> 'radius', "
            "parameters ->> 'border', flops, bytes FROM measurement"
        ).fetchone()
    assert row == (20, 30, 0, "uint16", 1.5, "extend", 1e6, 1e4)


def test_a_new_process_starts_from_what_is_known(tmp_path: Path) -> None:
    fill(tmp_path / NAME, 5)
    opened = History(tmp_path / NAME)
    evidence = opened.evidence(workload())
    (record,) = evidence.exact(workload()).values()
    assert record.warm == tuple(measurement(number) for number in range(5))
    opened.close()


def test_old_measurements_of_a_workload_are_found_behind_many_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_LOADED_PER_TASK", 100)
    opened = History(tmp_path / NAME)
    for number in range(70):
        opened.record(measurement(number))
    for number in range(150):
        opened.record(measurement(number, workload((number + 1, 9))))
    opened.close()
    again = History(tmp_path / NAME)
    newest = again.evidence(workload((150, 9)))
    assert len(newest.exact(workload((150, 9)))) == 1
    assert not newest.exact(workload())
    (record,) = again.evidence(workload()).exact(workload()).values()
    assert record.warm == tuple(measurement(number) for number in range(20, 70))
    assert len(record.warm) == RECENT
    again.close()


def test_changed_code_starts_anew(tmp_path: Path) -> None:
    fill(tmp_path / NAME, 5)
    opened = History(tmp_path / NAME)
    changed = Workload("toy", "code 2", (20, 30), "uint16", {}, 1.0, 1.0)
    assert not opened.evidence(changed).measurements()
    opened.close()


def test_the_newest_of_each_key_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "NEWEST_PER_KEY", 20)
    fill(tmp_path / NAME, 50)
    with store.connect(tmp_path / NAME) as connection:
        store.compact(connection)
    assert kept(tmp_path / NAME) == [measurement(number) for number in range(30, 50)]
    monkeypatch.setattr(store, "NEWEST_IN_ALL", 5)
    with store.connect(tmp_path / NAME) as connection:
        store.compact(connection)
    assert kept(tmp_path / NAME) == [measurement(number) for number in range(45, 50)]


def test_compacting_happens_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "NEWEST_PER_KEY", 20)
    monkeypatch.setattr(store, "INSERTS_BETWEEN_COMPACTIONS", 40)
    opened = History(tmp_path / NAME)
    for number in range(35):
        opened.record(measurement(number))
    opened.flush()
    assert len(kept(tmp_path / NAME)) == 35
    for number in range(35, 45):
        opened.record(measurement(number))
    opened.close()
    assert kept(tmp_path / NAME) == [measurement(number) for number in range(25, 45)]


def write_text(path: Path) -> None:
    path.write_text("this is a note, and not a database\n" * 200)


def write_noise(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(50_000))


def truncate(path: Path) -> None:
    fill(path, 3000)
    os.truncate(path, path.stat().st_size // 2 + 100)


def scribble(path: Path) -> None:
    fill(path, 3000)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 40_000)


def make_folder(path: Path) -> None:
    path.mkdir()
    (path / "precious.txt").write_text("kept")


def make_other_table(path: Path) -> None:
    with store.connect(path) as connection:
        connection.execute("CREATE TABLE measurement (id INTEGER PRIMARY KEY, x TEXT)")
        connection.execute("PRAGMA user_version = 1")


@pytest.mark.parametrize(
    "damage",
    [write_text, write_noise, truncate, scribble, make_folder, make_other_table],
)
def test_a_damaged_file_is_set_aside_and_said_once(tmp_path: Path, damage: Any) -> None:
    path = tmp_path / NAME
    damage(path)
    said = recorded(History(path))
    assert len(said) == 1
    assert "set aside" in said[0]
    assert len(list(tmp_path.glob(f"{NAME}.damaged-*"))) == 1
    assert len(kept(path)) == 3
    assert recorded(History(path)) == []


def test_an_empty_file_is_a_new_history(tmp_path: Path) -> None:
    (tmp_path / NAME).touch()
    assert recorded(History(tmp_path / NAME)) == []
    assert len(kept(tmp_path / NAME)) == 3


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / NAME
    fill(path, 2)
    with store.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {store.SCHEMA_VERSION + 1}")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.read_bytes()
    opened = History(path)
    assert opened.in_memory_only
    said = recorded(opened)
    assert len(said) == 1
    assert "schema version 2" in said[0]
    assert "NAPARI_NANOPYX_HOME" in said[0]
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    opened = History(tmp_path / "file" / NAME)
    assert opened.in_memory_only
    said = recorded(opened)
    assert [item.at for item in opened.measurements("toy", newest=1)] == [1e9 + 2]
    assert len(said) == 1
    assert "remembered until this program ends" in said[0]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_read_only_home(tmp_path: Path) -> None:
    fill(tmp_path / NAME, 1)
    (tmp_path / NAME).chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        assert len(recorded(History(tmp_path / NAME))) == 1
    finally:
        tmp_path.chmod(0o700)


def test_a_file_that_becomes_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = History(tmp_path / NAME)

    def refuse(*_: Any) -> None:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(store, "insert", refuse)
    opened.record(measurement(1))
    opened.flush()
    with pytest.warns(HistoryWarning, match="readonly"):
        opened.record(measurement(2))
    assert opened.in_memory_only
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        opened.record(measurement(3))
        assert len(opened.measurements()) == 3
    opened.close()


def test_a_disk_that_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite itself refuses, also where a test that runs as root may write."""
    path = tmp_path / NAME
    fill(path, 2)
    usual = sqlite3.connect

    def connect(given: Path, **options: Any) -> sqlite3.Connection:
        return usual(f"file:{given}?mode=ro", uri=True, **options)

    monkeypatch.setattr(sqlite3, "connect", connect)
    opened = History(path)
    said = recorded(opened)
    assert len(said) == 1
    assert "readonly database" in said[0]
    assert "NAPARI_NANOPYX_HOME" in said[0]
    monkeypatch.undo()
    assert kept(path) == [measurement(number) for number in range(2)]


FILL_DISK = """
import resource, signal, sys, warnings
from pathlib import Path
from napari_nanopyx._engine.measurements.history import History
from napari_nanopyx._engine.types import Measurement, Timing, Workload

path = Path(sys.argv[1])
opened = History(path)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
with warnings.catch_warnings(record=True) as given:
    warnings.simplefilter("always")
    for number in range(3000):
        workload = Workload("toy", "1", (20, 20), "uint16", {}, 1e6, 1e4)
        timing = Timing(0.0, 0.0, number + 1.0)
        opened.record(Measurement(workload, "serial", "cpu", 1, timing, at=number))
        if number % 50 == 49:
            opened.flush()
assert opened.in_memory_only
assert len(opened.measurements()) == 3000
sys.stdout.write("\\n".join(str(item.message) for item in given))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_disk_that_takes_no_more(tmp_path: Path) -> None:
    """The limit of the operating system stands in for the size of the disk."""
    path = tmp_path / NAME
    command = [sys.executable, "-c", FILL_DISK, str(path)]
    child = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert child.returncode == 0, child.stderr
    (said,) = child.stdout.splitlines()
    assert "cannot be used" in said
    opened = History(path)
    assert opened.problem == ""
    opened.close()
    rows = [m.at for m in kept(path)]
    assert rows == list(range(len(rows)))
    assert len(rows) >= 50


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / NAME
    fill(path, 10)
    whole = store.insert

    def insert_on_a_full_disk(connection: sqlite3.Connection, *given: Any) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        whole(connection, *given)

    monkeypatch.setattr(store, "insert", insert_on_a_full_disk)
    opened = History(path)
    writer = opened._writer
    assert writer is not None
    for number in range(5000):
        writer.add(measurement(number))
    writer.flush()
    with pytest.warns(HistoryWarning, match="full"):
        opened.record(measurement())
    assert opened.in_memory_only
    opened.close()
    assert kept(path) == [measurement(number) for number in range(10)]


def test_a_locked_file_delays_writing_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_BUSY_SECONDS", 0.05)
    path = tmp_path / NAME
    opened = History(path)
    with store.connect(path) as other:
        other.execute("BEGIN IMMEDIATE")
        opened.record(measurement(1))
        started = time.perf_counter()
        opened.flush()
        assert time.perf_counter() - started < 5
        other.execute("ROLLBACK")
    opened.record(measurement(2))
    opened.close()
    assert kept(path) == [measurement(1), measurement(2)]


WRITE = """
import sys
from pathlib import Path
from napari_nanopyx._engine.measurements.history import History
from napari_nanopyx._engine.types import Measurement, Timing, Workload

path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
opened = History(path)
sys.stdout.write("ready\\n")
sys.stdout.flush()
for number in range(count):
    timing = Timing(0.0, 0.0, number + 1.0)
    workload = Workload("toy", "1", (20, 1 + number // 100), "uint16", {}, 1e6, 1e4)
    opened.record(Measurement(workload, name, "cpu", 1, timing, at=float(number)))
    if number % 20 == 19:
        opened.flush()
        sys.stdout.write(f"{number}\\n")
        sys.stdout.flush()
opened.close()
"""


def writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITE, str(path), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("_round", range(4))  # each a race to create the file
def test_two_processes_write_at_once(tmp_path: Path, _round: int) -> None:
    path = tmp_path / NAME
    children = [writer(path, name, 1000) for name in ("one", "two")]
    for child in children:
        child.communicate(timeout=60)
        assert child.returncode == 0
    rows = kept(path)
    for name in ("one", "two"):
        numbers = [row.at for row in rows if row.implementation == name]
        assert numbers == [float(number) for number in range(1000)]


def test_killed_while_writing_nothing_committed_is_lost(tmp_path: Path) -> None:
    path = tmp_path / NAME
    for round_ in range(8):
        child = writer(path, f"round {round_}", 1_000_000)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(random.Random(round_).uniform(0.0, 0.15))
        child.kill()
        committed = [int(line) for line in child.stdout.read().split()[:-1]]
        child.wait()
        child.stdout.close()
        opened = History(path)
        assert opened.problem == ""
        opened.close()
        rows = [m.at for m in kept(path) if m.implementation == f"round {round_}"]
        assert rows == [float(number) for number in range(len(rows))]
        assert len(rows) > max(committed, default=-1)


FORK_WRITERS = """
import os, sys
from pathlib import Path
from napari_nanopyx._engine.measurements import store
from napari_nanopyx._engine.measurements.history import History
from napari_nanopyx._engine.types import Measurement, Timing, Workload

store.INSERTS_BETWEEN_COMPACTIONS = 40
store.NEWEST_PER_KEY = 10**9

def write(path, name):
    opened = History(path)
    os.write(1, b"opened\\n")
    number = 0
    while True:
        for number in range(number, number + 20):
            timing = Timing(0.0, 0.0, number + 1.0)
            workload = Workload("toy", "1", (20, 20), "uint16", {}, 1e6, 1e4)
            opened.record(Measurement(workload, name, "cpu", 1, timing, at=number))
        opened.flush()
        number += 1
        os.write(1, f"{number}\\n".encode())

for line in sys.stdin:
    path, name = line.split()
    child = os.fork()
    if child == 0:
        write(Path(path), name)
    os.write(1, f"{child}\\n".encode())
    os.waitpid(child, 0)
    os.write(1, b"over\\n")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_a_hundred_times_while_writing(tmp_path: Path) -> None:
    """Each time the file opens as it is, with all that was committed."""
    draw = random.Random(3)
    command = [sys.executable, "-c", FORK_WRITERS]
    committed_in_all = 0
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        for round_ in range(100):
            path, name = tmp_path / f"{round_ // 10}.sqlite", f"round-{round_}"
            parent.stdin.write(f"{path} {name}\n")
            parent.stdin.flush()
            lines = [parent.stdout.readline(), parent.stdout.readline()]
            (child,) = (int(line) for line in lines if line != "opened\n")
            time.sleep(draw.uniform(0.0, 0.03))
            os.kill(child, signal.SIGKILL)
            while "over\n" not in lines:
                lines.append(parent.stdout.readline())
            committed = max((int(line) for line in lines[2:-1]), default=0)
            committed_in_all += committed
            opened = History(path)
            assert opened.problem == ""
            opened.close()
            rows = [m.at for m in kept(path) if m.implementation == name]
            assert rows == list(range(len(rows)))
            assert len(rows) >= committed
        parent.stdin.close()
    assert committed_in_all > 1000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_the_child_of_a_fork_leaves_the_file_to_its_parent(home: Path) -> None:
    history.current().record(measurement(1))
    child = os.fork()
    if child == 0:
        opened = history.current()
        opened.record(measurement(2))
        remembered = opened.measurements() == [measurement(2)]
        history.close()
        os._exit(0 if remembered and opened.in_memory_only else 1)
    assert os.waitpid(child, 0)[1] == 0
    history.current().record(measurement(3))
    history.close()
    assert kept(home / NAME) == [measurement(1), measurement(3)]


def test_the_home_is_where_the_environment_says(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert history.current().path == home / NAME
    assert history.current() is history.current()
    monkeypatch.delenv("NAPARI_NANOPYX_HOME")
    assert history.folder().name == "napari-nanopyx"
